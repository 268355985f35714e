<?php
/**
 * What happens when a post is saved. Nothing here sends a request: saving never waits for More Follows.
 *
 * @package MoreFollows
 */

namespace MoreFollows;

defined( 'ABSPATH' ) || exit;

// After terms and meta were saved, so that topic and plan are those of this save.
add_action( 'wp_after_insert_post', __NAMESPACE__ . '\after_save', 10, 4 );
add_action( 'admin_notices', __NAMESPACE__ . '\ask_about_unpublished' );

/**
 * Breaks a post that is published with the tick, or notes that it was edited or unpublished.
 *
 * @param int           $post_id The post.
 * @param \WP_Post      $post    As it is now.
 * @param bool          $update  Whether it was there before.
 * @param \WP_Post|null $before  As it was.
 */
function after_save( $post_id, $post, $update, $before ) {
	if ( ! in_array( $post->post_type, post_types(), true ) || wp_is_post_revision( $post ) || wp_is_post_autosave( $post ) ) {
		return;
	}
	$was = $before && 'publish' === $before->post_status;
	$is  = 'publish' === $post->post_status;
	if ( $is && ! $was && plan_of( $post_id )['send'] ) {
		break_when_published( $post );
	} elseif ( $is && $was && 'update' === settings()['on_edit'] ) {
		update_when_edited( $post );
	} elseif ( $was && ! $is ) {
		decide_about_unpublished( $post );
	}
	if ( $is ) {
		$state = state_of( $post_id );
		if ( $state['unpublished'] ) {
			set_state( $post_id, array( 'unpublished' => false ) );
		}
	}
	if ( jobs_of( $post_id ) ) {
		try_soon();
	}
}

/**
 * Stores the alert of a post that was just published.
 *
 * @param \WP_Post $post The post.
 */
function break_when_published( $post ) {
	$state = state_of( $post->ID );
	if ( ! in_array( $state['status'], array( '', 'failed', 'look-alike' ), true ) || '' !== $state['story'] ) {
		return; // The post was broken before it was unpublished: the panel has what can be done now.
	}
	$done = break_story( $post );
	if ( is_wp_error( $done ) ) {
		set_state(
			$post->ID,
			array(
				'status' => 'failed',
				'detail' => $done->get_error_message(),
			)
		);
	}
}

/**
 * Stores an update if the content has changed, where the settings say so.
 *
 * @param \WP_Post $post The post.
 */
function update_when_edited( $post ) {
	$state = state_of( $post->ID );
	if ( 'sent' === $state['status'] && ! $state['withdrawn'] && '' !== $state['told'] && fingerprint( story_of_post( $post ) ) !== $state['told'] ) {
		follow_up( $post, 'update' );
	}
}

/**
 * Retracts the story of a post that is not public any more, or notes that somebody has to decide.
 *
 * @param \WP_Post $post The post.
 */
function decide_about_unpublished( $post ) {
	$state = state_of( $post->ID );
	if ( '' === $state['alert'] || $state['withdrawn'] ) {
		give_up( $post ); // What was not handed over yet is no news any more.
		return;
	}
	$rule = settings()['on_unpublish'];
	if ( 'retract' === $rule ) {
		retract( $post, in_site_language( 'We have taken this story down.' ) );
	} elseif ( 'ask' === $rule ) {
		set_state( $post->ID, array( 'unpublished' => true ) );
	}
}

/** Asks on the list of posts about those that were broken and are not public any more. */
function ask_about_unpublished() {
	$screen = get_current_screen();
	if ( ! $screen || 'edit' !== $screen->base || ! in_array( $screen->post_type, post_types(), true ) || ! current_user_can( 'publish_posts' ) ) {
		return;
	}
	$found = get_posts(
		array(
			'post_type'      => $screen->post_type,
			'post_status'    => array( 'draft', 'pending', 'private', 'trash', 'future' ),
			'posts_per_page' => 10,
			'orderby'        => 'modified',
			'date_query'     => array(
				array(
					'column' => 'post_modified_gmt',
					'after'  => '2 days ago',
				),
			),
			'meta_key'       => STATE, // phpcs:ignore WordPress.DB.SlowDBQuery -- of the posts of two days.
		)
	);
	foreach ( $found as $post ) {
		$state = state_of( $post->ID );
		if ( ! $state['unpublished'] || ! current_user_can( 'publish_post', $post->ID ) ) {
			continue;
		}
		printf(
			'<div class="notice notice-warning"><p>%s <a href="%s">%s</a></p></div>',
			/* translators: %s: title of a post */
			esc_html( sprintf( __( '“%s” was sent as an alert and is no longer published. Readers have not been told.', 'morefollows' ), get_the_title( $post ) ) ),
			esc_url( base_url() . "/desk/story/{$state['story']}/withdraw/" ),
			esc_html__( 'Retract the story at the desk', 'morefollows' )
		);
	}
}
