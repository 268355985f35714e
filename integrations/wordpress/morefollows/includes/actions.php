<?php
/**
 * What an editor does with a post's story. Each function returns true, or a WP_Error for the editor.
 *
 * The caller has checked that the user may publish the post.
 *
 * @package MoreFollows
 */

namespace MoreFollows;

defined( 'ABSPATH' ) || exit;

/**
 * Breaks a post's story: its first alert, or the same again after it was taken back.
 *
 * Does nothing if the alert is on its way already, so that pressing twice sends once.
 *
 * @param \WP_Post $post  A published post.
 * @param bool     $again Whether the editor has seen that the same headline went out before.
 * @return true|\WP_Error
 */
function break_story( $post, $again = false ) {
	$refused = why_not( $post );
	if ( $refused ) {
		return $refused;
	}
	$state = state_of( $post->ID );
	if ( 'sent' === $state['status'] ) {
		$alert = request( 'GET', '/alerts/' . $state['alert'] );
		if ( ! is_good( $alert ) || ( 'taken back' !== $alert['body']['state'] && ! $state['withdrawn'] ) ) {
			return is_good( $alert ) ? true : refusal( $alert );
		}
		$changes = $state['withdrawn']
			? array(
				'generation' => $state['generation'] + 1,
				'withdrawn'  => false,
				'alert'      => '',
				'story'      => '',
			)
			: array( 'attempt' => $state['attempt'] + 1 );
		set_state( $post->ID, array_merge( $changes, array( 'status' => '' ) ) );
	} elseif ( $again && ! $state['again'] ) {
		set_state(
			$post->ID,
			array(
				'again'   => true,
				'attempt' => $state['attempt'] + 1,
			)
		);
	}
	$state = state_of( $post->ID );
	$story = story_of_post( $post );
	$draft = array(
		'headline'   => $story['headline'],
		'standfirst' => $story['standfirst'],
		'text'       => $story['text'],
	);
	if ( '' !== $story['topic'] ) {
		$draft['topic'] = $story['topic'];
	}
	enqueue(
		$post->ID,
		array(
			'kind'        => 'first',
			'key'         => idempotency_key( $post, $story, $state, 'first' ),
			'story'       => story_uuid( $post->ID, $state['generation'] ),
			'fingerprint' => fingerprint( $story ),
			'draft'       => $draft,
			'send'        => $state['again'] ? array( 'again' => true ) : array(),
		)
	);
	return true;
}

/**
 * Tells readers of a later edit.
 *
 * @param \WP_Post $post     The post, saved and published.
 * @param string   $kind     `update`, `correction` or `final`.
 * @param string   $note     Of a correction: what was wrong.
 * @param int[]    $corrects Of a correction: numbers of the updates that it puts right.
 * @return true|\WP_Error
 */
function follow_up( $post, $kind, $note = '', $corrects = array() ) {
	$refused = why_not( $post );
	if ( $refused ) {
		return $refused;
	}
	$state = state_of( $post->ID );
	if ( '' === $state['story'] || $state['withdrawn'] ) {
		return new \WP_Error( 'morefollows_state', __( 'Nothing of this post was sent yet.', 'morefollows' ), array( 'status' => 409 ) );
	}
	$note = shortened( one_line( $note ), NOTE_LIMIT );
	if ( 'correction' === $kind && '' === $note ) {
		return new \WP_Error( 'morefollows_note', __( 'What was wrong: write it in one line, it is sent to readers.', 'morefollows' ), array( 'status' => 400 ) );
	}
	$story = story_of_post( $post );
	enqueue(
		$post->ID,
		array(
			'kind'        => $kind,
			'key'         => idempotency_key( $post, $story, $state, $kind ),
			'story'       => $state['story'],
			'fingerprint' => fingerprint( $story ),
			'draft'       => array(
				'kind'       => $kind,
				'headline'   => $story['headline'],
				'standfirst' => $story['standfirst'],
				'text'       => $story['text'],
				'note'       => 'correction' === $kind ? $note : '',
				'corrects'   => 'correction' === $kind ? array_map( 'intval', array_values( $corrects ) ) : array(),
			),
			'send'        => array(),
		)
	);
	return true;
}

/**
 * Sends the draft that a colleague has approved at the desk.
 *
 * @param \WP_Post $post The post.
 * @return true|\WP_Error
 */
function send_approved( $post ) {
	$state = state_of( $post->ID );
	if ( 'desk' !== $state['status'] ) {
		return true; // It was sent already.
	}
	enqueue(
		$post->ID,
		array(
			'kind'        => $state['kind'],
			'key'         => implode( ':', array( 'wp', site_uuid(), $post->ID, substr( $state['told'], 0, 12 ), 'g' . $state['generation'] . 'a' . $state['attempt'], 'approved' ) ),
			'story'       => $state['story'],
			'fingerprint' => $state['told'],
			'drafted'     => true,
			'send'        => array(),
		)
	);
	return true;
}

/**
 * Takes the newest alert back, within its hold: nothing of it is mailed.
 *
 * @param \WP_Post $post The post.
 * @return true|\WP_Error
 */
function take_back( $post ) {
	$state = state_of( $post->ID );
	if ( '' === $state['alert'] ) {
		return new \WP_Error( 'morefollows_state', __( 'There is no alert to take back.', 'morefollows' ), array( 'status' => 409 ) );
	}
	$result = request( 'POST', '/alerts/' . $state['alert'] . '/take-back' );
	if ( ! is_good( $result ) ) {
		$now = request( 'GET', '/alerts/' . $state['alert'] );
		if ( ! is_good( $now ) || 'taken back' !== $now['body']['state'] ) {
			return refusal( $result );
		}
	}
	set_state( $post->ID, array( 'told' => '' ) );
	return true;
}

/**
 * Retracts the story: on its page, and by mail to everybody who was sent any of it.
 *
 * @param \WP_Post $post   The post.
 * @param string   $reason One line, which is published.
 * @return true|\WP_Error
 */
function retract( $post, $reason ) {
	$state  = state_of( $post->ID );
	$reason = shortened( one_line( $reason ), NOTE_LIMIT );
	if ( '' === $state['story'] || $state['withdrawn'] ) {
		return new \WP_Error( 'morefollows_state', __( 'Nothing of this post was sent that could be retracted.', 'morefollows' ), array( 'status' => 409 ) );
	}
	if ( '' === $reason ) {
		return new \WP_Error( 'morefollows_reason', __( 'Reason: write it in one line, it is sent to readers.', 'morefollows' ), array( 'status' => 400 ) );
	}
	enqueue(
		$post->ID,
		array(
			'kind'        => 'withdrawal',
			'key'         => implode( ':', array( 'wp', site_uuid(), $post->ID, 'g' . $state['generation'], substr( md5( $reason ), 0, 8 ), 'withdrawal' ) ),
			'story'       => $state['story'],
			'fingerprint' => $state['told'],
			'send'        => array(
				'reason' => $reason,
				'text'   => escaped( $reason ),
			),
		)
	);
	return true;
}

/**
 * Notes that readers need no mail about what has changed.
 *
 * @param \WP_Post $post The post.
 * @return true
 */
function tell_nothing( $post ) {
	set_state(
		$post->ID,
		array(
			'told'        => fingerprint( story_of_post( $post ) ),
			'unpublished' => false,
		)
	);
	return true;
}

/**
 * Gives up what waits for More Follows.
 *
 * @param \WP_Post $post The post.
 * @return true
 */
function give_up( $post ) {
	foreach ( jobs_of( $post->ID ) as $job ) {
		remove_job( $post->ID, $job['key'] );
	}
	$state = state_of( $post->ID );
	set_state(
		$post->ID,
		array(
			'status' => '' !== $state['alert'] ? 'sent' : '',
			'detail' => '',
		)
	);
	return true;
}

/**
 * Does what is outstanding: tries jobs, and looks for what a colleague has sent at the desk.
 *
 * @param \WP_Post $post The post.
 * @param bool     $now  Whether to try at once what waits for its next try.
 * @return true
 */
function catch_up( $post, $now = false ) {
	run_jobs( $post->ID, $now );
	$state = state_of( $post->ID );
	if ( 'desk' !== $state['status'] ) {
		return true;
	}
	$found = request( 'GET', '/alerts?limit=1&story=' . rawurlencode( $state['story'] ) );
	$alert = is_good( $found ) && ! empty( $found['body']['items'] ) ? $found['body']['items'][0] : null;
	if ( $alert && 'taken back' !== $alert['state'] && $alert['id'] !== $state['alert'] ) {
		set_state(
			$post->ID,
			array(
				'status' => 'sent',
				'alert'  => $alert['id'],
				'detail' => '',
			)
		);
	}
	return true;
}

/**
 * The Idempotency-Key of a request: from site, post and revision.
 *
 * @param \WP_Post $post  The post.
 * @param array    $story Of `story_of_post`.
 * @param array    $state Of `state_of`.
 * @param string   $kind  Of the job.
 * @return string
 */
function idempotency_key( $post, $story, $state, $kind ) {
	return implode( ':', array( 'wp', site_uuid(), $post->ID, revision_of( $post, $story ), 'g' . $state['generation'] . 'a' . $state['attempt'], $kind ) );
}

/**
 * Why nothing of a post can be sent; null if it can.
 *
 * @param \WP_Post $post The post.
 * @return \WP_Error|null
 */
function why_not( $post ) {
	$detail = '';
	if ( ! is_configured() ) {
		$detail = __( 'The address of More Follows or its key is not set.', 'morefollows' );
	} elseif ( is_copy() ) {
		$detail = __( 'This looks like a copy of the site. Save the settings of More Follows here before anything is sent.', 'morefollows' );
	} elseif ( 'publish' !== $post->post_status ) {
		$detail = __( 'Publish the post first.', 'morefollows' );
	} elseif ( '' !== $post->post_password ) {
		$detail = __( 'The post has a password, so its text is not sent to readers.', 'morefollows' );
	} elseif ( '' === story_of_post( $post )['headline'] ) {
		$detail = __( 'Headline: write one.', 'morefollows' );
	}
	return '' === $detail ? null : new \WP_Error( 'morefollows_refused', $detail, array( 'status' => 409 ) );
}

/**
 * A request that was not carried out, as an error for the editor.
 *
 * @param array $result Of `request`.
 * @return \WP_Error
 */
function refusal( $result ) {
	$detail = 0 === $result['status']
		/* translators: %s: what went wrong with the connection */
		? sprintf( __( 'More Follows can’t be reached: %s', 'morefollows' ), $result['detail'] )
		: $result['detail'];
	return new \WP_Error( 'morefollows_refused', $detail, array( 'status' => 0 === $result['status'] ? 503 : 409 ) );
}
