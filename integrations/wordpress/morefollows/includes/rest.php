<?php
/**
 * Routes for the panel, below /wp-json/morefollows/v1. Each asks for the right to publish the post.
 *
 * WordPress checks the nonce of a signed-in user's browser before any of them is called.
 *
 * @package MoreFollows
 */

namespace MoreFollows;

defined( 'ABSPATH' ) || exit;

const ROUTES = 'morefollows/v1';

add_action( 'rest_api_init', __NAMESPACE__ . '\register_routes' );

/** Registers the routes. */
function register_routes() {
	register_rest_route(
		ROUTES,
		'/posts/(?P<id>\d+)',
		array(
			'methods'             => 'GET',
			'callback'            => __NAMESPACE__ . '\get_status',
			'permission_callback' => __NAMESPACE__ . '\may_break',
		)
	);
	register_rest_route(
		ROUTES,
		'/posts/(?P<id>\d+)/(?P<deed>break|send-approved|take-back|follow-up|retract|nothing|run|give-up)',
		array(
			'methods'             => 'POST',
			'callback'            => __NAMESPACE__ . '\post_deed',
			'permission_callback' => __NAMESPACE__ . '\may_break',
			'args'                => array(
				'again'    => array(
					'type'    => 'boolean',
					'default' => false,
				),
				'now'      => array(
					'type'    => 'boolean',
					'default' => false,
				),
				'kind'     => array(
					'type'    => 'string',
					'enum'    => array( 'update', 'correction', 'final' ),
					'default' => 'update',
				),
				'note'     => array(
					'type'    => 'string',
					'default' => '',
				),
				'reason'   => array(
					'type'    => 'string',
					'default' => '',
				),
				'corrects' => array(
					'type'     => 'array',
					'items'    => array( 'type' => 'integer' ),
					'maxItems' => 100,
					'default'  => array(),
				),
			),
		)
	);
	register_rest_route(
		ROUTES,
		'/topics',
		array(
			'methods'             => 'GET',
			'callback'            => function () {
				return rest_ensure_response( topics() );
			},
			'permission_callback' => __NAMESPACE__ . '\may_publish',
		)
	);
	register_rest_route(
		ROUTES,
		'/audience',
		array(
			'methods'             => 'GET',
			'callback'            => function ( $request ) {
				return rest_ensure_response( array( 'readers' => audience( sanitize_title( $request['topic'] ) ) ) );
			},
			'permission_callback' => __NAMESPACE__ . '\may_publish',
			'args'                => array(
				'topic' => array(
					'type'     => 'string',
					'required' => true,
				),
			),
		)
	);
	register_rest_route(
		ROUTES,
		'/connection',
		array(
			'methods'             => 'POST',
			'callback'            => __NAMESPACE__ . '\test_connection',
			'permission_callback' => function () {
				return current_user_can( 'manage_options' );
			},
		)
	);
}

/**
 * Whether the user may publish posts at all.
 *
 * @return bool
 */
function may_publish() {
	return current_user_can( 'publish_posts' );
}

/**
 * Whether the user may break this post.
 *
 * @param \WP_REST_Request $request With the post's id.
 * @return bool
 */
function may_break( $request ) {
	$post = get_post( (int) $request['id'] );
	return $post && in_array( $post->post_type, post_types(), true )
		&& current_user_can( 'edit_post', $post->ID ) && current_user_can( 'publish_post', $post->ID );
}

/**
 * The state of a post's story.
 *
 * @param \WP_REST_Request $request With the post's id.
 * @return \WP_REST_Response
 */
function get_status( $request ) {
	return rest_ensure_response( status_of( get_post( (int) $request['id'] ) ) );
}

/**
 * Does something with a post's story, and answers with its state.
 *
 * @param \WP_REST_Request $request With the post's id and the deed.
 * @return \WP_REST_Response|\WP_Error
 */
function post_deed( $request ) {
	$post = get_post( (int) $request['id'] );
	switch ( $request['deed'] ) {
		case 'break':
			$done = break_story( $post, $request['again'] );
			break;
		case 'send-approved':
			$done = send_approved( $post );
			break;
		case 'take-back':
			$done = take_back( $post );
			break;
		case 'follow-up':
			$done = follow_up( $post, $request['kind'], $request['note'], $request['corrects'] );
			break;
		case 'retract':
			$done = retract( $post, $request['reason'] );
			break;
		case 'nothing':
			$done = tell_nothing( $post );
			break;
		case 'give-up':
			$done = give_up( $post );
			break;
		default:
			$done = catch_up( $post, $request['now'] );
	}
	if ( is_wp_error( $done ) ) {
		return $done;
	}
	if ( in_array( $request['deed'], array( 'break', 'send-approved', 'follow-up', 'retract' ), true ) ) {
		run_jobs( $post->ID, true );
	}
	return rest_ensure_response( status_of( $post ) );
}

/**
 * Asks More Follows what the stored key may be used for.
 *
 * @return \WP_REST_Response
 */
function test_connection() {
	$found = request( 'GET', '/key' );
	if ( ! is_good( $found ) ) {
		return rest_ensure_response(
			array(
				'good'   => false,
				'detail' => refusal( $found )->get_error_message(),
			)
		);
	}
	delete_transient( 'morefollows_topics' );
	$key     = $found['body'];
	$scopes  = isset( $key['scopes'] ) ? (array) $key['scopes'] : array();
	$needed  = array( 'stories:read', 'stories:write', 'alerts:read', 'topics:read' );
	$missing = array_values( array_diff( $needed, $scopes ) );
	if ( in_array( 'alerts:send-alone', $scopes, true ) && in_array( 'alerts:send', $scopes, true ) ) {
		$sends = 'alone';
	} else {
		$sends = in_array( 'alerts:send', $scopes, true ) ? 'approved' : 'drafts';
	}
	return rest_ensure_response(
		array(
			'good'     => ! $missing,
			'name'     => (string) $key['name'],
			'newsroom' => (string) $key['newsroom'],
			'missing'  => $missing,
			'sends'    => $sends,
			'detail'   => '',
		)
	);
}
