<?php
/**
 * What the panel shows of a post: everything in one answer. It changes nothing.
 *
 * @package MoreFollows
 */

namespace MoreFollows;

defined( 'ABSPATH' ) || exit;

/**
 * The state of a post's story, with live figures of its newest alert.
 *
 * `phase` is what the panel shows: `unset`, `copy`, `compose`, `queued`, `desk`, `held` or `live`.
 *
 * @param \WP_Post $post The post.
 * @return array<string, mixed>
 */
function status_of( $post ) {
	$state  = state_of( $post->ID );
	$story  = story_of_post( $post );
	$status = array(
		'phase'     => 'compose',
		'status'    => $state['status'],
		'kind'      => $state['kind'],
		'detail'    => $state['detail'],
		'published' => 'publish' === $post->post_status,
		'preview'   => array(
			'headline'   => $story['headline'],
			'standfirst' => $story['standfirst'],
			'text'       => $story['text'],
			'topic'      => $story['topic'],
		),
		'withdrawn' => $state['withdrawn'],
		'approved'  => false,
		'waiting'   => false,
		'alert'     => null,
		'updates'   => array(),
		'links'     => links_to( $state ),
	);
	if ( ! is_configured() || is_copy() ) {
		$status['phase'] = is_configured() ? 'copy' : 'unset';
		return $status;
	}
	if ( 'queued' === $state['status'] ) {
		$jobs = jobs_of( $post->ID );

		$status['phase']   = 'queued';
		$status['waiting'] = true;
		$status['tries']   = $jobs ? $jobs[0]['tries'] : 0;
		return $status;
	}
	if ( 'desk' === $state['status'] ) {
		$found = request( 'GET', '/stories/' . $state['story'] );

		$status['phase']    = 'desk';
		$status['waiting']  = true;
		$status['approved'] = is_good( $found ) && ! empty( $found['body']['approved'] );
		return $status;
	}
	return '' === $state['alert'] ? $status : with_alert( $status, $state, $story );
}

/**
 * Adds the newest alert, and what can be done next.
 *
 * @param array $status What is known so far.
 * @param array $state  Of `state_of`.
 * @param array $story  Of `story_of_post`.
 * @return array
 */
function with_alert( $status, $state, $story ) {
	$found = request( 'GET', '/alerts/' . $state['alert'] );
	if ( ! is_good( $found ) ) {
		$status['phase']       = 'live';
		$status['unreachable'] = refusal( $found )->get_error_message();
		return $status;
	}
	$alert           = $found['body'];
	$status['alert'] = array(
		'state'    => $alert['state'],
		'kind'     => $alert['kind'],
		'headline' => $alert['headline'],
		'held_for' => held_for( $alert, $found['now'] ),
		'ended'    => null !== $alert['ended_at'],
		'progress' => null,
	);
	if ( 'held' === $alert['state'] && $status['alert']['held_for'] > 0 ) {
		$status['phase'] = 'held';
		return $status;
	}
	if ( 'taken back' === $alert['state'] ) {
		$status['updates'] = published_updates( $state['story'] );
		$status['phase']   = $status['updates'] ? 'live' : 'compose';
	} else {
		$status['phase']             = 'live';
		$status['alert']['progress'] = progress_of( $state['alert'] );
	}
	if ( $state['withdrawn'] ) {
		$status['phase'] = $status['published'] && $status['alert']['ended'] ? 'compose' : 'live';
		return $status;
	}
	$status['changed']     = $status['published'] && fingerprint( $story ) !== $state['told'] && 'nothing' !== settings()['on_edit'];
	$status['unpublished'] = $state['unpublished'] && ! $status['published'];
	if ( 'live' === $status['phase'] && ! $status['updates'] && $status['changed'] ) {
		$status['updates'] = published_updates( $state['story'] );
	}
	return $status;
}

/**
 * Seconds for which an alert is still held, by the clock of More Follows.
 *
 * @param array $alert Of the API.
 * @param int   $now   Of the answer.
 * @return float
 */
function held_for( $alert, $now ) {
	if ( empty( $alert['held_until'] ) ) {
		return 0.0;
	}
	$until = date_create_immutable( $alert['held_until'] );
	return $until ? max( 0.0, (float) $until->format( 'U.u' ) - $now ) : 0.0;
}

/**
 * The figures of an alert; null if they can't be read.
 *
 * @param string $alert Its id.
 * @return array|null
 */
function progress_of( $alert ) {
	$found = request( 'GET', "/alerts/$alert/progress" );
	if ( ! is_good( $found ) ) {
		return null;
	}
	$wanted = array( 'size', 'complete', 'waiting', 'accepted', 'deferred', 'refused', 'skipped', 'uncertain', 'expired', 'rate', 'seconds' );
	return array_intersect_key( $found['body'], array_flip( $wanted ) );
}

/**
 * What was published of a story, newest first, for a correction to choose from.
 *
 * @param string $story Its id.
 * @return array<int, array{number: int, kind: string, headline: string}>
 */
function published_updates( $story ) {
	$found  = request( 'GET', "/stories/$story/updates?limit=20" );
	$result = array();
	foreach ( is_good( $found ) ? $found['body']['items'] : array() as $one ) {
		if ( null !== $one['published_at'] ) {
			$result[] = array(
				'number'   => (int) $one['number'],
				'kind'     => (string) $one['kind'],
				'headline' => (string) $one['headline'],
			);
		}
	}
	return $result;
}

/**
 * Addresses of the story, at the desk and for readers.
 *
 * @param array $state Of `state_of`.
 * @return array{story: string, desk: string, alert: string}
 */
function links_to( $state ) {
	$known = '' !== $state['story'] && '' !== base_url();
	return array(
		'story' => $known ? base_url() . "/story/{$state['story']}/" : '',
		'desk'  => $known ? base_url() . "/desk/story/{$state['story']}/" : '',
		'alert' => $known && '' !== $state['alert'] ? base_url() . "/desk/alert/{$state['alert']}/" : '',
	);
}
