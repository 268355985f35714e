<?php
/**
 * Plugin Name: More Follows sign-up box
 * Description: The shortcode [more_follows topic="breaking"] puts the sign-up box for news alerts into a post or page.
 * Version: 1.0
 */

defined( 'ABSPATH' ) || exit;

const MORE_FOLLOWS = 'https://alerts.example.org';

add_shortcode(
	'more_follows',
	function ( $given ) {
		$topic = sanitize_title( shortcode_atts( array( 'topic' => 'breaking' ), $given )['topic'] );
		wp_enqueue_script( 'more-follows', MORE_FOLLOWS . '/box.js', array(), null, array( 'strategy' => 'async' ) );
		return sprintf(
			'<more-follows-box topic="%1$s"><p><a href="%2$s">Sign up to our alerts by email</a></p></more-follows-box>',
			esc_attr( $topic ),
			esc_url( MORE_FOLLOWS . '/sign-up/' . $topic . '/' )
		);
	}
);
