<?php
/**
 * Two blocks: the sign-up box, and the live story. Both are elements of More Follows' own scripts.
 *
 * @package MoreFollows
 */

namespace MoreFollows;

defined( 'ABSPATH' ) || exit;

add_action( 'init', __NAMESPACE__ . '\register_blocks' );

/** Registers the blocks, and what they are made of. */
function register_blocks() {
	script( 'blocks', array( 'wp-blocks', 'wp-block-editor', 'wp-element', 'wp-components', 'wp-i18n', 'wp-api-fetch' ) );
	wp_register_style( 'morefollows-blocks', plugins_url( 'assets/blocks.css', FILE ), array(), VERSION );
	register_block_type(
		'morefollows/sign-up',
		array(
			'api_version'     => 2,
			'attributes'      => array(
				'topic' => array(
					'type'    => 'string',
					'default' => '',
				),
			),
			'editor_script'   => 'morefollows-blocks',
			'editor_style'    => 'morefollows-blocks',
			'render_callback' => __NAMESPACE__ . '\render_sign_up',
		)
	);
	register_block_type(
		'morefollows/live-story',
		array(
			'api_version'     => 2,
			'attributes'      => array(
				'story' => array(
					'type'    => 'string',
					'default' => '',
				),
			),
			'editor_script'   => 'morefollows-blocks',
			'editor_style'    => 'morefollows-blocks',
			'render_callback' => __NAMESPACE__ . '\render_live_story',
		)
	);
	add_shortcode( 'more_follows', __NAMESPACE__ . '\render_sign_up' );
}

/**
 * Loads a script of More Follows on this page, once.
 *
 * @param string $name `box` or `live`.
 */
function load_remote( $name ) {
	wp_enqueue_script( "morefollows-remote-$name", base_url() . "/$name.js", array(), null, true ); // phpcs:ignore WordPress.WP.EnqueuedResourceParameters -- it has no version.
}

add_filter(
	'script_loader_tag',
	function ( $tag, $handle ) {
		return 0 === strpos( $handle, 'morefollows-remote-' ) ? str_replace( '<script ', '<script async ', $tag ) : $tag;
	},
	10,
	2
);

/**
 * The sign-up box. Without scripts it is a link to the sign-up page.
 *
 * @param array|string $attributes With `topic`, a slug; empty: the default topic.
 * @return string
 */
function render_sign_up( $attributes ) {
	$topic = is_array( $attributes ) && ! empty( $attributes['topic'] ) ? sanitize_title( $attributes['topic'] ) : settings()['topic'];
	$topic = '' !== $topic ? $topic : first_topic();
	if ( '' === base_url() || '' === $topic ) {
		return '';
	}
	load_remote( 'box' );
	return sprintf(
		'<more-follows-box topic="%s"><p><a href="%s">%s</a></p></more-follows-box>',
		esc_attr( $topic ),
		esc_url( base_url() . "/sign-up/$topic/" ),
		esc_html__( 'Sign up to our alerts by email', 'morefollows' )
	);
}

/**
 * The newsroom's first topic, remembered for an hour, so that a page seldom waits for it.
 *
 * @return string A slug; empty if it can't be read.
 */
function first_topic() {
	$kept = get_transient( 'morefollows_first_topic' );
	if ( is_string( $kept ) ) {
		return $kept;
	}
	$topics = is_configured() ? topics() : array();
	$slug   = $topics ? $topics[0]['slug'] : '';
	set_transient( 'morefollows_first_topic', $slug, '' === $slug ? MINUTE_IN_SECONDS : HOUR_IN_SECONDS );
	return $slug;
}

/**
 * The live story: that of the post, or one that is named. Without scripts it is a link to its page.
 *
 * @param array $attributes With `story`, a UUID; empty: the story of this post.
 * @return string
 */
function render_live_story( $attributes ) {
	$story = isset( $attributes['story'] ) ? strtolower( trim( $attributes['story'] ) ) : '';
	if ( '' === $story && get_the_ID() ) {
		$state = state_of( get_the_ID() );
		$story = '' !== $state['alert'] ? $state['story'] : '';
	}
	if ( '' === base_url() || ! wp_is_uuid( $story ) ) {
		return '';
	}
	load_remote( 'live' );
	return sprintf(
		'<more-follows-story story="%s"><p><a href="%s">%s</a></p></more-follows-story>',
		esc_attr( $story ),
		esc_url( base_url() . "/story/$story/" ),
		esc_html__( 'Follow this story live', 'morefollows' )
	);
}
