<?php
/**
 * Requests to the API of More Follows.
 *
 * @package MoreFollows
 */

namespace MoreFollows;

defined( 'ABSPATH' ) || exit;

const TIMEOUT_SECONDS = 8;

/**
 * Sends a request, and returns what became of it.
 *
 * `status` is 0 if there was no answer: then nobody knows whether the request was carried out.
 * `body` is the decoded JSON, `now` the time of the answer in seconds since 1970 by the clock of
 * More Follows, `detail` what was wrong. It never raises, and nothing of it holds the key.
 *
 * @param string     $method HTTP method.
 * @param string     $path   Below /api/v1.
 * @param array|null $body   Sent as JSON; null: no body.
 * @param string     $once   Idempotency-Key, or empty.
 * @return array{status: int, body: array, now: int, detail: string}
 */
function request( $method, $path, $body = null, $once = '' ) {
	if ( ! is_configured() ) {
		return failed( 0, __( 'The address of More Follows or its key is not set.', 'morefollows' ) );
	}
	$headers = array(
		'Authorization' => 'Bearer ' . api_key(),
		'Accept'        => 'application/json',
	);
	if ( null !== $body ) {
		$headers['Content-Type'] = 'application/json';
	}
	if ( '' !== $once ) {
		$headers['Idempotency-Key'] = $once;
	}
	$answer = wp_remote_request(
		base_url() . '/api/v1' . $path,
		array(
			'method'      => $method,
			'headers'     => $headers,
			'body'        => null === $body ? null : wp_json_encode( $body ? $body : new \stdClass() ),
			'timeout'     => TIMEOUT_SECONDS,
			'redirection' => 0,
			'user-agent'  => 'MoreFollows-WordPress/' . VERSION,
		)
	);
	if ( is_wp_error( $answer ) ) {
		return failed( 0, $answer->get_error_message() );
	}
	$status  = (int) wp_remote_retrieve_response_code( $answer );
	$decoded = json_decode( wp_remote_retrieve_body( $answer ), true );
	$date    = strtotime( (string) wp_remote_retrieve_header( $answer, 'date' ) );
	$result  = failed( $status, '' );
	if ( is_array( $decoded ) ) {
		$result['body'] = $decoded;
	} elseif ( $status < 400 ) {
		return failed( 0, __( 'The answer is not that of More Follows. Check the address.', 'morefollows' ) );
	}
	if ( $date ) {
		$result['now'] = $date;
	}
	if ( ! is_good( $result ) ) {
		$result['detail'] = detail_of( $result );
	}
	return $result;
}

/**
 * A result without a body.
 *
 * @param int    $status HTTP status; 0: no answer.
 * @param string $detail What was wrong.
 * @return array
 */
function failed( $status, $detail ) {
	return array(
		'status' => $status,
		'body'   => array(),
		'now'    => time(),
		'detail' => $detail,
	);
}

/**
 * Whether the request was carried out.
 *
 * @param array $result Of `request`.
 * @return bool
 */
function is_good( $result ) {
	return $result['status'] >= 200 && $result['status'] < 300;
}

/**
 * Whether the same request may do better later: no answer, too many requests, a server in trouble.
 *
 * @param array $result Of `request`.
 * @return bool
 */
function is_for_later( $result ) {
	return 0 === $result['status'] || 429 === $result['status'] || $result['status'] >= 500;
}

/**
 * The last part of a problem's type, such as `look-alike` or `not-approved` (RFC 9457).
 *
 * @param array $result Of `request`.
 * @return string
 */
function problem_kind( $result ) {
	$type = isset( $result['body']['type'] ) ? (string) $result['body']['type'] : '';
	$mark = strrchr( $type, '#' );
	return false === $mark ? '' : substr( $mark, 1 );
}

/**
 * What a refusal says, for an editor.
 *
 * @param array $result Of `request`.
 * @return string
 */
function detail_of( $result ) {
	if ( ! empty( $result['body']['detail'] ) ) {
		return (string) $result['body']['detail'];
	}
	/* translators: %d: an HTTP status such as 502 */
	return sprintf( __( 'More Follows answered with status %d.', 'morefollows' ), $result['status'] );
}

/**
 * The topics of the newsroom, kept for a minute.
 *
 * @return array<int, array{slug: string, name: string}> Empty if they can't be read.
 */
function topics() {
	$kept = get_transient( 'morefollows_topics' );
	if ( is_array( $kept ) ) {
		return $kept;
	}
	$result = request( 'GET', '/topics' );
	if ( ! is_good( $result ) || ! isset( $result['body']['items'] ) ) {
		return array();
	}
	$found = array();
	foreach ( $result['body']['items'] as $one ) {
		$found[] = array(
			'slug' => (string) $one['slug'],
			'name' => (string) $one['name'],
		);
	}
	set_transient( 'morefollows_topics', $found, MINUTE_IN_SECONDS );
	return $found;
}

/**
 * How many readers an alert to a topic would reach, kept for some seconds.
 *
 * @param string $slug The topic.
 * @return int|null Null if it can't be read.
 */
function audience( $slug ) {
	if ( '' === $slug ) {
		return null;
	}
	$name = 'morefollows_audience_' . md5( $slug );
	$kept = get_transient( $name );
	if ( false !== $kept ) {
		return (int) $kept;
	}
	$result = request( 'GET', '/topics/' . rawurlencode( $slug ) . '/audience' );
	if ( ! is_good( $result ) || ! isset( $result['body']['readers'] ) ) {
		return null;
	}
	set_transient( $name, (int) $result['body']['readers'], 15 );
	return (int) $result['body']['readers'];
}
