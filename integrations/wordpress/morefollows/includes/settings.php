<?php
/**
 * Settings: where More Follows is, its key, and what is sent to whom.
 *
 * @package MoreFollows
 */

namespace MoreFollows;

defined( 'ABSPATH' ) || exit;

const OPTION     = 'morefollows_settings';
const KEY_OPTION = 'morefollows_key';
const DEFAULTS   = array(
	'url'          => '',
	'topic'        => '',
	'topics'       => array(), // Category's term id => slug of a topic.
	'text'         => 'start', // How much of the post an alert has; or the whole of it.
	'on_edit'      => 'ask', // Or to do nothing, or to update.
	'on_unpublish' => 'ask', // Or to do nothing, or to retract.
	'home'         => '', // Home address of the site when the settings were saved.
);

/**
 * All settings, with defaults for those that were never saved.
 *
 * @return array<string, mixed>
 */
function settings() {
	$stored = get_option( OPTION );
	return array_merge( DEFAULTS, is_array( $stored ) ? $stored : array() );
}

/**
 * The address of More Follows, without a slash at its end; empty if it is not set.
 *
 * @return string
 */
function base_url() {
	return untrailingslashit( settings()['url'] );
}

/**
 * The API key: the constant MOREFOLLOWS_KEY of wp-config.php, or the stored one.
 *
 * @return string
 */
function api_key() {
	return defined( 'MOREFOLLOWS_KEY' ) ? (string) MOREFOLLOWS_KEY : (string) get_option( KEY_OPTION, '' );
}

/**
 * Whether requests can be sent at all.
 *
 * @return bool
 */
function is_configured() {
	return '' !== base_url() && '' !== api_key();
}

/**
 * Whether the site has another address than when its settings were saved.
 *
 * A copy of a site, for a test or before a move, has its settings and its key, too. Nothing is sent
 * from it until somebody saves the settings there.
 *
 * @return bool
 */
function is_copy() {
	$home = settings()['home'];
	return '' !== $home && untrailingslashit( home_url() ) !== $home;
}

/**
 * Why an address can't be used; empty if it can.
 *
 * The key is sent with each request, so it needs TLS, except on the same machine.
 *
 * @param string $url An address.
 * @return string
 */
function problem_of_url( $url ) {
	$parts  = wp_parse_url( $url );
	$scheme = isset( $parts['scheme'] ) ? strtolower( $parts['scheme'] ) : '';
	$host   = isset( $parts['host'] ) ? strtolower( $parts['host'] ) : '';
	if ( '' === $host || ! in_array( $scheme, array( 'http', 'https' ), true ) || isset( $parts['user'] ) ) {
		return __( 'Address: enter it as in https://alerts.example.org.', 'morefollows' );
	}
	$here = in_array( $host, array( 'localhost', '127.0.0.1', '[::1]' ), true );
	if ( 'http' === $scheme && ! $here && ! ( defined( 'MOREFOLLOWS_PLAIN_HTTP' ) && MOREFOLLOWS_PLAIN_HTTP ) ) {
		return __( 'Address: it must begin with https://, because the key is sent to it.', 'morefollows' );
	}
	return '';
}

/**
 * The topic for a post: that of its first category with one, else the default.
 *
 * @param int $post_id The post.
 * @return string A slug; empty: the first topic of the newsroom.
 */
function topic_for( $post_id ) {
	$settings = settings();
	$terms    = get_the_terms( $post_id, 'category' );
	foreach ( is_array( $terms ) ? $terms : array() as $term ) {
		if ( ! empty( $settings['topics'][ $term->term_id ] ) ) {
			return $settings['topics'][ $term->term_id ];
		}
	}
	return $settings['topic'];
}

/**
 * Kinds of post that can be broken. Each needs title, editor and custom fields.
 *
 * @return string[]
 */
function post_types() {
	/**
	 * Filters the kinds of post that have the panel.
	 *
	 * @param string[] $types Names of post types.
	 */
	return (array) apply_filters( 'morefollows_post_types', array( 'post' ) );
}

/**
 * A UUID of this site. Ids of stories and of requests are made from it.
 *
 * @return string
 */
function site_uuid() {
	$stored = get_option( 'morefollows_site' );
	if ( ! is_string( $stored ) || ! wp_is_uuid( $stored ) ) {
		// Where two requests are the first, `add_option` lets one win, and both read its value.
		add_option( 'morefollows_site', wp_generate_uuid4(), '', 'no' );
		wp_cache_delete( 'morefollows_site', 'options' );
		$stored = (string) get_option( 'morefollows_site' );
	}
	return $stored;
}
