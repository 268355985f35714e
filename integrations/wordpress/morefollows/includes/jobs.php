<?php
/**
 * What is to be sent to More Follows, until it has answered.
 *
 * A job is stored before it is first tried, with all that is sent. Each try sends the same, under
 * the same Idempotency-Key: however often it is tried, and by however many at once, one alert comes
 * of it. A job is removed when More Follows has answered, and tried again while it can't be reached.
 *
 * WP-Cron tries each minute, and so does the panel while it is open.
 *
 * @package MoreFollows
 */

namespace MoreFollows;

defined( 'ABSPATH' ) || exit;

const STATE = '_morefollows'; // What became of a post's story: see `state_of`.
const JOB   = '_morefollows_job'; // One row for each job of a post.
const SWEEP = 'morefollows_sweep';
const EVERY = 'morefollows_minute';

const WAITS = array( 5, 15, 30, 60, 120, 300 ); // Seconds until the next try.

// Seconds after which a job is given up. Old news is no breaking news. A correction is never too
// late, but More Follows knows a key for no longer than 24 hours.
const PATIENCE_NEWS  = 3600;
const PATIENCE_TRUTH = 82800;

add_filter(
	'cron_schedules', // phpcs:ignore WordPress.WP.CronInterval -- an alert must not wait.
	function ( $schedules ) {
		$schedules[ EVERY ] = array(
			'interval' => 60,
			'display'  => __( 'Every minute, while an alert waits', 'morefollows' ),
		);
		return $schedules;
	}
);
add_action( SWEEP, __NAMESPACE__ . '\sweep' );

/**
 * What became of a post's story.
 *
 * `status` is empty, `queued`, `sent` (More Follows has it: the alert's own state says more), `desk`
 * (it waits for a colleague), `look-alike` or `failed`.
 *
 * @param int $post_id The post.
 * @return array<string, mixed>
 */
function state_of( $post_id ) {
	$stored = get_post_meta( $post_id, STATE, true );
	return array_merge(
		array(
			'status'      => '',
			'detail'      => '',
			'kind'        => '',
			'story'       => '', // Set when the first alert was handed over.
			'alert'       => '', // The newest alert.
			'told'        => '', // Fingerprint of what readers were told, or what needs no telling.
			'generation'  => 1,
			'attempt'     => 0, // Raised when an alert was taken back: the next one is another.
			'again'       => false, // The editor knows of the look-alike.
			'withdrawn'   => false,
			'unpublished' => false, // The post went, and nobody has decided about its story.
		),
		is_array( $stored ) ? $stored : array()
	);
}

/**
 * Changes parts of a post's state.
 *
 * @param int   $post_id The post.
 * @param array $changes Names and values.
 */
function set_state( $post_id, $changes ) {
	update_post_meta( $post_id, STATE, wp_slash( array_merge( state_of( $post_id ), $changes ) ) );
}

/**
 * The jobs of a post, oldest first.
 *
 * @param int $post_id The post.
 * @return array[]
 */
function jobs_of( $post_id ) {
	return array_values( array_filter( (array) get_post_meta( $post_id, JOB ), 'is_array' ) );
}

/**
 * Stores a job, unless the same one waits already, and has it tried soon.
 *
 * @param int   $post_id The post.
 * @param array $job     With `kind`, `key`, `story`, and what is sent.
 */
function enqueue( $post_id, $job ) {
	foreach ( jobs_of( $post_id ) as $other ) {
		if ( $other['key'] === $job['key'] ) {
			return;
		}
	}
	$job += array(
		'at'    => time(),
		'tries' => 0,
		'next'  => 0,
	);
	add_post_meta( $post_id, JOB, wp_slash( $job ) );
	set_state(
		$post_id,
		array(
			'status' => 'queued',
			'kind'   => $job['kind'],
			'detail' => '',
		)
	);
	if ( ! wp_next_scheduled( SWEEP ) ) {
		wp_schedule_event( time(), EVERY, SWEEP );
	}
}

/**
 * Changes parts of a stored job.
 *
 * @param int    $post_id The post.
 * @param string $key     The job's key.
 * @param array  $changes Names and values.
 */
function change_job( $post_id, $key, $changes ) {
	foreach ( jobs_of( $post_id ) as $stored ) {
		if ( $stored['key'] === $key ) {
			// The value to look for is the one argument that WordPress does not unslash.
			update_post_meta( $post_id, JOB, wp_slash( array_merge( $stored, $changes ) ), $stored );
		}
	}
}

/**
 * Removes a stored job.
 *
 * @param int    $post_id The post.
 * @param string $key     The job's key.
 */
function remove_job( $post_id, $key ) {
	foreach ( jobs_of( $post_id ) as $stored ) {
		if ( $stored['key'] === $key ) {
			delete_post_meta( $post_id, JOB, wp_slash( $stored ) );
		}
	}
}

/** Starts WP-Cron in a request of its own, so that what was just stored need not wait a minute. */
function try_soon() {
	wp_clear_scheduled_hook( SWEEP );
	wp_schedule_event( time() - 1, EVERY, SWEEP );
	if ( ! wp_doing_cron() && ! ( defined( 'DISABLE_WP_CRON' ) && DISABLE_WP_CRON ) ) {
		spawn_cron();
	}
}

/** Tries the jobs of all posts that are due. Called by WP-Cron. */
function sweep() {
	global $wpdb;
	$posts = $wpdb->get_col( $wpdb->prepare( "SELECT DISTINCT post_id FROM $wpdb->postmeta WHERE meta_key = %s LIMIT 100", JOB ) ); // phpcs:ignore WordPress.DB.DirectDatabaseQuery
	foreach ( $posts as $post_id ) {
		run_jobs( (int) $post_id );
	}
	if ( ! $posts ) {
		wp_clear_scheduled_hook( SWEEP );
	}
}

/**
 * Tries a post's jobs that are due, in their order.
 *
 * @param int  $post_id The post.
 * @param bool $now     Whether to try also what waits for its next try.
 */
function run_jobs( $post_id, $now = false ) {
	wp_cache_delete( $post_id, 'post_meta' );
	foreach ( jobs_of( $post_id ) as $job ) {
		if ( is_copy() || ( ! $now && $job['next'] > time() ) ) {
			return;
		}
		$result = perform( $post_id, $job );
		if ( ! is_for_later( $result ) ) {
			finish( $post_id, $job, $result );
			continue;
		}
		$old = time() - $job['at'];
		if ( $old > ( in_array( $job['kind'], array( 'correction', 'withdrawal' ), true ) ? PATIENCE_TRUTH : PATIENCE_NEWS ) ) {
			$result['detail'] = __( 'More Follows could not be reached in time, so nothing was handed over. Is it still news?', 'morefollows' ) . ' ' . $result['detail'];
			finish( $post_id, $job, $result );
			continue;
		}
		put_off( $post_id, $job, $result );
		return;
	}
}

/**
 * Keeps a job for its next try.
 *
 * @param int   $post_id The post.
 * @param array $job     The job as stored.
 * @param array $result  Of the request.
 */
function put_off( $post_id, $job, $result ) {
	$wait = WAITS[ min( $job['tries'], count( WAITS ) - 1 ) ];
	change_job(
		$post_id,
		$job['key'],
		array(
			'tries' => $job['tries'] + 1,
			'next'  => time() + $wait,
		)
	);
	set_state( $post_id, array( 'detail' => $result['detail'] ) );
}

/**
 * Removes a job, and notes how it ended.
 *
 * @param int   $post_id The post.
 * @param array $job     The job.
 * @param array $result  Of the last request.
 */
function finish( $post_id, $job, $result ) {
	remove_job( $post_id, $job['key'] );
	$changes = array( 'detail' => $result['detail'] );
	if ( is_good( $result ) ) {
		$changes += array(
			'status'      => 'sent',
			'story'       => $job['story'],
			'alert'       => (string) $result['body']['id'],
			'told'        => $job['fingerprint'],
			'again'       => false,
			'unpublished' => false,
			'withdrawn'   => 'withdrawal' === $job['kind'],
		);
	} elseif ( in_array( problem_kind( $result ), array( 'not-approved', 'scope' ), true ) && 'withdrawal' !== $job['kind'] ) {
		$changes += array(
			'status' => 'desk',
			'story'  => $job['story'],
			'told'   => $job['fingerprint'],
		);
	} else {
		$changes['status'] = 'look-alike' === problem_kind( $result ) ? 'look-alike' : 'failed';
	}
	set_state( $post_id, $changes );
}

/**
 * Sends what a job holds: first the draft, then the alert.
 *
 * @param int   $post_id The post.
 * @param array $job     The job.
 * @return array The result of the last request.
 */
function perform( $post_id, $job ) {
	$story = '/stories/' . $job['story'];
	if ( 'withdrawal' === $job['kind'] ) {
		return request( 'POST', "$story/withdrawal", $job['send'], $job['key'] );
	}
	if ( empty( $job['drafted'] ) ) {
		$result = 'first' === $job['kind'] ? write_first( $story, $job ) : request( 'PUT', "$story/draft", $job['draft'] );
		if ( ! is_good( $result ) ) {
			return $result;
		}
		// Once this is stored, a retry writes no draft: it would be refused after the alert.
		change_job( $post_id, $job['key'], array( 'drafted' => true ) );
	}
	return request( 'POST', "$story/alerts", $job['send'], $job['key'] );
}

/**
 * Writes the draft of a new story, or of one whose alert was taken back.
 *
 * @param string $story Path of the story.
 * @param array  $job   The job.
 * @return array The result.
 */
function write_first( $story, $job ) {
	$result = request( 'POST', '/stories', array_merge( $job['draft'], array( 'id' => $job['story'] ) ) );
	$field  = isset( $result['body']['errors'][0]['field'] ) ? $result['body']['errors'][0]['field'] : '';
	if ( 409 === $result['status'] && 'id' === $field ) {
		return request( 'PATCH', $story, $job['draft'] );
	}
	return $result;
}
