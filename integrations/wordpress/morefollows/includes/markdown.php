<?php
/**
 * A post's HTML as the Markdown of an alert.
 *
 * @package MoreFollows
 */

namespace MoreFollows;

defined( 'ABSPATH' ) || exit;

/** Elements that an alert leaves out, with all that stands in them. */
const LEFT_OUT = array( 'script', 'style', 'figure', 'form', 'iframe', 'noscript', 'object', 'svg', 'audio', 'video', 'template', 'button', 'more-follows-box', 'more-follows-story' );

/**
 * Paragraphs, headings, lists and quotes, in their order.
 *
 * @param string $html HTML of a post.
 * @return string[] Each is a block of Markdown.
 */
function markdown_blocks( $html ) {
	if ( ! class_exists( 'DOMDocument' ) ) {
		$paragraphs = preg_split( '/\n{2,}/', wp_strip_all_tags( preg_replace( '#</(p|h\d|li|div|blockquote)>#i', "\n\n", $html ) ) );
		return array_values( array_filter( array_map( __NAMESPACE__ . '\escaped', array_map( __NAMESPACE__ . '\one_line', $paragraphs ) ) ) );
	}
	$document = new \DOMDocument();
	$before   = libxml_use_internal_errors( true );
	$document->loadHTML( '<?xml encoding="utf-8"?><body>' . $html . '</body>', LIBXML_NONET );
	libxml_clear_errors();
	libxml_use_internal_errors( $before );
	$body = $document->getElementsByTagName( 'body' )->item( 0 );
	return $body ? blocks_in( $body ) : array();
}

/**
 * The blocks below an element.
 *
 * @param \DOMNode $parent An element.
 * @return string[]
 */
function blocks_in( $parent ) {
	$found = array();
	$loose = '';
	foreach ( $parent->childNodes as $node ) { // phpcs:ignore WordPress.NamingConventions.ValidVariableName
		$name = strtolower( $node->nodeName ); // phpcs:ignore WordPress.NamingConventions.ValidVariableName
		$part = in_array( $name, LEFT_OUT, true ) ? array() : block_of( $node, $name );
		if ( null === $part ) {
			$loose .= inline_of( $node );
			continue;
		}
		$found[] = tidy( $loose );
		$loose   = '';
		$found   = array_merge( $found, $part );
	}
	$found[] = tidy( $loose );
	return array_values( array_filter( $found, 'strlen' ) );
}

/**
 * The blocks that a node makes; null if it stands in a line of text.
 *
 * @param \DOMNode $node A node.
 * @param string   $name Its name in small letters.
 * @return string[]|null
 */
function block_of( $node, $name ) {
	if ( preg_match( '/^h[1-6]$/', $name ) ) {
		$text = tidy( inline_of( $node ) );
		return '' === $text ? array() : array( ( $name <= 'h2' ? '## ' : '### ' ) . str_replace( "\n", ' ', $text ) );
	}
	switch ( $name ) {
		case 'p':
		case 'pre':
		case 'dt':
		case 'dd':
			return array( tidy( inline_of( $node ) ) );
		case 'tr':
			$cells = array();
			foreach ( $node->childNodes as $cell ) { // phpcs:ignore WordPress.NamingConventions.ValidVariableName
				$cells[] = str_replace( "\n", ' ', tidy( inline_of( $cell ) ) );
			}
			return array( implode( ', ', array_filter( $cells, 'strlen' ) ) );
		case 'ul':
		case 'ol':
			return array( list_of( $node, 'ol' === $name ) );
		case 'blockquote':
			return array( preg_replace( '/^/m', '> ', implode( "\n\n", blocks_in( $node ) ) ) );
		case 'hr':
			return array( '---' );
	}
	$outer = array( 'div', 'section', 'article', 'main', 'header', 'footer', 'aside', 'details', 'summary', 'table', 'thead', 'tbody', 'tfoot', 'dl', 'center' );
	return in_array( $name, $outer, true ) ? blocks_in( $node ) : null;
}

/**
 * A list, one item a line.
 *
 * @param \DOMNode $node    The list.
 * @param bool     $ordered Whether it is numbered.
 * @return string
 */
function list_of( $node, $ordered ) {
	$lines = array();
	foreach ( $node->childNodes as $item ) { // phpcs:ignore WordPress.NamingConventions.ValidVariableName
		if ( 'li' !== strtolower( $item->nodeName ) ) { // phpcs:ignore WordPress.NamingConventions.ValidVariableName
			continue;
		}
		$mark    = $ordered ? ( count( $lines ) + 1 ) . '. ' : '- ';
		$text    = implode( "\n", blocks_in( $item ) );
		$lines[] = $mark . preg_replace( '/\n+/', "\n" . str_repeat( ' ', strlen( $mark ) ), $text );
	}
	return implode( "\n", $lines );
}

/**
 * What stands in a line: text, bold, italics, links, line breaks.
 *
 * @param \DOMNode $node A node.
 * @return string
 */
function inline_of( $node ) {
	if ( XML_TEXT_NODE === $node->nodeType ) { // phpcs:ignore WordPress.NamingConventions.ValidVariableName
		return escaped( preg_replace( '/\s+/u', ' ', without_controls( $node->textContent ) ) ); // phpcs:ignore WordPress.NamingConventions.ValidVariableName
	}
	$name = strtolower( $node->nodeName ); // phpcs:ignore WordPress.NamingConventions.ValidVariableName
	if ( XML_ELEMENT_NODE !== $node->nodeType || in_array( $name, LEFT_OUT, true ) ) { // phpcs:ignore WordPress.NamingConventions.ValidVariableName
		return '';
	}
	if ( 'br' === $name ) {
		return "\n";
	}
	$inside = '';
	foreach ( $node->childNodes as $child ) { // phpcs:ignore WordPress.NamingConventions.ValidVariableName
		$inside .= inline_of( $child );
	}
	if ( '' === trim( $inside ) ) {
		return $inside;
	}
	if ( in_array( $name, array( 'strong', 'b' ), true ) ) {
		return around( $inside, '**', '**' );
	}
	if ( in_array( $name, array( 'em', 'i', 'cite' ), true ) ) {
		return around( $inside, '*', '*' );
	}
	$target = 'a' === $name ? $node->getAttribute( 'href' ) : '';
	if ( preg_match( '#^(https?://|mailto:)[^\s<>]+$#i', $target ) ) {
		return around( $inside, '[', '](<' . $target . '>)' );
	}
	return $inside;
}

/**
 * Puts marks around a text. Spaces at its ends stay outside, as Markdown wants it.
 *
 * @param string $text  Markdown.
 * @param string $left  The mark before it.
 * @param string $right The mark behind it.
 * @return string
 */
function around( $text, $left, $right ) {
	preg_match( '/^(\s*)(.*?)(\s*)$/su', $text, $parts );
	return $parts ? $parts[1] . $left . $parts[2] . $right . $parts[3] : $text;
}

/**
 * Escapes what would be a mark in Markdown.
 *
 * @param string $text Plain text.
 * @return string
 */
function escaped( $text ) {
	return preg_replace( '/([\\\\`*_\[\]<>|])/', '\\\\$1', $text );
}

/**
 * Trims each line, and escapes what would be a mark at its beginning.
 *
 * @param string $text Markdown of a line of text, perhaps with breaks.
 * @return string
 */
function tidy( $text ) {
	$lines = array_filter( array_map( 'trim', explode( "\n", $text ) ), 'strlen' );
	$lines = preg_replace( array( '/^([#+=-])(?=\s|[-=]|$)/', '/^(\d{1,9})([.)])(?=\s|$)/' ), array( '\\\\$1', '$1\\\\$2' ), $lines );
	return implode( "\\\n", $lines );
}

/**
 * Removes characters that More Follows refuses: controls, and marks that turn the writing direction.
 *
 * @param string $text Plain text.
 * @return string
 */
function without_controls( $text ) {
	$text = wp_check_invalid_utf8( $text, true );
	return (string) preg_replace( '/[\x{0}-\x{8}\x{b}-\x{1f}\x{7f}-\x{9f}\x{202d}\x{202e}]/u', '', $text );
}

/**
 * A text on one line, without characters that More Follows refuses there.
 *
 * @param string $text Plain text.
 * @return string
 */
function one_line( $text ) {
	$text = preg_replace( '/[\x{202a}-\x{202e}\x{2066}-\x{2069}]/u', '', without_controls( $text ) );
	return trim( (string) preg_replace( '/[\s\x{2028}\x{2029}]+/u', ' ', (string) $text ) );
}
