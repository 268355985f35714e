<?php
/**
 * Takes webhooks of More Follows (Standard Webhooks 1.0), where the settings have a secret.
 *
 * They tell what colleagues do at the desk with the story of a post. Nothing depends on them.
 *
 * @package MoreFollows
 */

namespace MoreFollows;

defined( 'ABSPATH' ) || exit;

const HOOK_SECRET       = 'morefollows_hook_secret';
const TOLERANCE_SECONDS = 300;

add_action(
	'rest_api_init',
	function () {
		register_rest_route(
			ROUTES,
			'/hook',
			array(
				'methods'             => 'POST',
				'callback'            => __NAMESPACE__ . '\take_hook',
				'permission_callback' => __NAMESPACE__ . '\is_signed',
			)
		);
	}
);

/**
 * Whether a webhook was signed with the stored secret, in the last minutes.
 *
 * @param \WP_REST_Request $request The webhook.
 * @return bool
 */
function is_signed( $request ) {
	$secret = (string) get_option( HOOK_SECRET, '' );
	$id     = (string) $request->get_header( 'webhook-id' );
	$at     = (string) $request->get_header( 'webhook-timestamp' );
	if ( 0 !== strpos( $secret, 'whsec_' ) || '' === $id || ! ctype_digit( $at ) || abs( time() - (int) $at ) > TOLERANCE_SECONDS ) {
		return false;
	}
	$key      = base64_decode( substr( $secret, 6 ), true ); // phpcs:ignore WordPress.PHP.DiscouragedPHPFunctions -- as the standard has it.
	$expected = 'v1,' . base64_encode( hash_hmac( 'sha256', "$id.$at." . $request->get_body(), (string) $key, true ) ); // phpcs:ignore WordPress.PHP.DiscouragedPHPFunctions
	$good     = false;
	foreach ( explode( ' ', (string) $request->get_header( 'webhook-signature' ) ) as $given ) {
		$good = hash_equals( $expected, $given ) || $good;
	}
	return $good;
}

/**
 * Notes the newest alert of a post's story, and that a story was withdrawn.
 *
 * @param \WP_REST_Request $request A webhook that is signed.
 * @return \WP_REST_Response
 */
function take_hook( $request ) {
	$event = $request->get_json_params();
	$data  = isset( $event['data'] ) && is_array( $event['data'] ) ? $event['data'] : array();
	$story = isset( $data['story'] ) ? (string) $data['story'] : '';
	$post  = wp_is_uuid( $story ) ? post_of_story( $story ) : 0;
	if ( $post ) {
		$changes = array();
		if ( 'story.withdrawn' === $event['type'] ) {
			$changes['withdrawn'] = true;
		}
		$alert = isset( $data['id'] ) ? (string) $data['id'] : '';
		if ( 0 === strpos( (string) $event['type'], 'alert.' ) && wp_is_uuid( $alert ) && 'queued' !== state_of( $post )['status'] ) {
			$changes['alert']  = $alert;
			$changes['status'] = 'sent';
		}
		if ( $changes ) {
			set_state( $post, $changes );
		}
	}
	return new \WP_REST_Response( null, 204 );
}

/**
 * The post whose story this is; 0 if there is none.
 *
 * @param string $story A UUID.
 * @return int
 */
function post_of_story( $story ) {
	global $wpdb;
	$like = '%' . $wpdb->esc_like( '"' . $story . '"' ) . '%';
	return (int) $wpdb->get_var( $wpdb->prepare( "SELECT post_id FROM $wpdb->postmeta WHERE meta_key = %s AND meta_value LIKE %s LIMIT 1", STATE, $like ) ); // phpcs:ignore WordPress.DB.DirectDatabaseQuery
}
