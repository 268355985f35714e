<?php
/**
 * A post as a story: headline, standfirst, text, topic, and the ids made from it.
 *
 * @package MoreFollows
 */

namespace MoreFollows;

defined( 'ABSPATH' ) || exit;

const PLAN             = 'morefollows_plan'; // What the editor chose for the alert, saved with the post.
const HEADLINE_LIMIT   = 150;
const STANDFIRST_LIMIT = 300;
const NOTE_LIMIT       = 300;
const TEXT_LIMIT       = 49000; // Of 50,000, to leave room for the link.
const START_LIMIT      = 1000; // Characters after which `start` takes no further paragraph.

add_action( 'init', __NAMESPACE__ . '\register_plan' );

/** Makes the plan part of the post, for the block editor: it is saved with the post, or not at all. */
function register_plan() {
	foreach ( post_types() as $type ) {
		register_post_meta(
			$type,
			PLAN,
			array(
				'type'              => 'object',
				'single'            => true,
				'default'           => array(),
				'sanitize_callback' => __NAMESPACE__ . '\sanitized_plan',
				'auth_callback'     => function ( $allowed, $key, $post_id, $user_id ) {
					return user_can( $user_id, 'publish_post', $post_id );
				},
				'show_in_rest'      => array(
					'schema' => array(
						'type'                 => 'object',
						'additionalProperties' => false,
						'properties'           => array(
							'send'       => array( 'type' => 'boolean' ),
							'topic'      => array( 'type' => 'string' ),
							'headline'   => array( 'type' => 'string' ),
							'standfirst' => array( 'type' => 'string' ),
						),
					),
				),
			)
		);
	}
}

/**
 * A plan with nothing in it that does not belong there.
 *
 * @param mixed $plan As it came from a browser.
 * @return array{send: bool, topic: string, headline: string, standfirst: string}
 */
function sanitized_plan( $plan ) {
	$plan = is_array( $plan ) ? $plan : array();
	return array(
		'send'       => ! empty( $plan['send'] ),
		'topic'      => isset( $plan['topic'] ) ? sanitize_title( $plan['topic'] ) : '',
		'headline'   => isset( $plan['headline'] ) ? shortened( one_line( wp_strip_all_tags( $plan['headline'] ) ), HEADLINE_LIMIT ) : '',
		'standfirst' => isset( $plan['standfirst'] ) ? shortened( one_line( wp_strip_all_tags( $plan['standfirst'] ) ), STANDFIRST_LIMIT ) : '',
	);
}

/**
 * The plan of a post.
 *
 * @param int $post_id The post.
 * @return array{send: bool, topic: string, headline: string, standfirst: string}
 */
function plan_of( $post_id ) {
	return sanitized_plan( get_post_meta( $post_id, PLAN, true ) );
}

/**
 * What an alert of this post would say, and to which topic.
 *
 * @param \WP_Post $post The post as it is saved.
 * @return array{headline: string, standfirst: string, text: string, topic: string}
 */
function story_of_post( $post ) {
	$plan = plan_of( $post->ID );
	return array(
		'headline'   => '' !== $plan['headline'] ? $plan['headline'] : shortened( plain( $post->post_title ), HEADLINE_LIMIT ),
		'standfirst' => '' !== $plan['standfirst'] ? $plan['standfirst'] : shortened( plain( $post->post_excerpt ), STANDFIRST_LIMIT ),
		'text'       => text_of_post( $post ),
		'topic'      => '' !== $plan['topic'] ? $plan['topic'] : topic_for( $post->ID ),
	);
}

/**
 * The text of the alert in Markdown, with a link to the post at its end.
 *
 * @param \WP_Post $post The post.
 * @return string
 */
function text_of_post( $post ) {
	$kept   = array();
	$length = 0;
	$blocks = markdown_blocks( html_of_post( $post ) );
	$most   = 'whole' === settings()['text'] ? TEXT_LIMIT : START_LIMIT;
	foreach ( $blocks as $block ) {
		$length += mb_strlen( $block ) + 2;
		if ( $length > TEXT_LIMIT || ( $kept && $length > $most ) ) {
			break;
		}
		$kept[] = $block;
	}
	if ( 'publish' === $post->post_status ) {
		/* translators: %s: name of the site */
		$words  = sprintf( in_site_language( 'Read the full story on %s' ), plain( get_bloginfo( 'name' ) ) );
		$kept[] = '[' . escaped( $words ) . '](<' . get_permalink( $post ) . '>)';
	}
	return implode( "\n\n", $kept );
}

/**
 * Words for readers: in the language of the site, whatever that of the editor is. So they stay the same
 * when another colleague opens the post.
 *
 * @param string $text English, as translators have it.
 * @return string
 */
function in_site_language( $text ) {
	if ( determine_locale() === get_locale() ) {
		return translate( $text, 'morefollows' ); // phpcs:ignore WordPress.WP.I18n -- tools/wordpress-messages collects the words.
	}
	static $known = array();
	$locale       = get_locale();
	if ( ! isset( $known[ $locale ] ) ) {
		$known[ $locale ] = new \MO();
		$file             = plugin_dir_path( FILE ) . "languages/morefollows-$locale.mo";
		if ( is_readable( $file ) ) {
			$known[ $locale ]->import_from_file( $file );
		}
	}
	return $known[ $locale ]->translate( $text );
}

/**
 * The post's text as HTML: blocks and shortcodes, without what other plugins put around a text.
 *
 * @param \WP_Post $post The post.
 * @return string
 */
function html_of_post( $post ) {
	$before          = isset( $GLOBALS['post'] ) ? $GLOBALS['post'] : null;
	$GLOBALS['post'] = $post; // phpcs:ignore WordPress.WP.GlobalVariablesOverride -- blocks and shortcodes look here.
	$html            = has_blocks( $post ) ? do_blocks( $post->post_content ) : wpautop( $post->post_content );
	$html            = do_shortcode( $html );
	$GLOBALS['post'] = $before; // phpcs:ignore WordPress.WP.GlobalVariablesOverride
	/**
	 * Filters the HTML that an alert's text is made from.
	 *
	 * @param string   $html The HTML.
	 * @param \WP_Post $post The post.
	 */
	return (string) apply_filters( 'morefollows_html', $html, $post );
}

/**
 * What tells one content of a post from another: a change of it is what readers may be told.
 *
 * @param array $story Of `story_of_post`.
 * @return string
 */
function fingerprint( $story ) {
	return hash( 'sha256', $story['headline'] . "\0" . $story['standfirst'] . "\0" . $story['text'] );
}

/**
 * The number of the post's newest revision. Without revisions, a number made from its content.
 *
 * @param \WP_Post $post  The post.
 * @param array    $story Of `story_of_post`.
 * @return string
 */
function revision_of( $post, $story ) {
	$newest = wp_get_post_revisions(
		$post,
		array(
			'posts_per_page' => 1,
			'fields'         => 'ids',
			'check_enabled'  => true,
		)
	);
	// The plan belongs to no revision, so its words count as well.
	return ( $newest ? (string) reset( $newest ) : 'r' ) . '-' . substr( fingerprint( $story ), 0, 12 );
}

/**
 * The id of a post's story: the same whenever it is worked out (UUID version 5, RFC 9562).
 *
 * @param int $post_id    The post.
 * @param int $generation Raised when a post is broken anew after its story was retracted.
 * @return string
 */
function story_uuid( $post_id, $generation ) {
	$hash = substr( sha1( hex2bin( str_replace( '-', '', site_uuid() ) ) . "post-$post_id-$generation" ), 0, 32 );

	$hash[12] = '5';
	$hash[16] = dechex( ( hexdec( $hash[16] ) & 3 ) | 8 );
	return preg_replace( '/^(.{8})(.{4})(.{4})(.{4})(.{12})$/', '$1-$2-$3-$4-$5', $hash );
}

/**
 * HTML as one line of plain text.
 *
 * @param string $html HTML with entities.
 * @return string
 */
function plain( $html ) {
	return one_line( html_entity_decode( wp_strip_all_tags( $html ), ENT_QUOTES | ENT_HTML5, 'UTF-8' ) );
}

/**
 * Cuts a line at a word if it is too long.
 *
 * @param string $text  One line.
 * @param int    $limit In characters.
 * @return string
 */
function shortened( $text, $limit ) {
	if ( mb_strlen( $text ) <= $limit ) {
		return $text;
	}
	$cut = mb_substr( $text, 0, $limit - 1 );
	return rtrim( preg_replace( '/\s+\S*$/u', '', $cut ) ) . '…';
}
