<?php
/**
 * Removes what the plugin has stored. What was sent stays in More Follows.
 *
 * @package MoreFollows
 */

defined( 'WP_UNINSTALL_PLUGIN' ) || exit;

foreach ( array( 'morefollows_settings', 'morefollows_key', 'morefollows_site', 'morefollows_hook_secret' ) as $morefollows_option ) {
	delete_option( $morefollows_option );
}
foreach ( array( '_morefollows', '_morefollows_job', 'morefollows_plan' ) as $morefollows_meta ) {
	delete_post_meta_by_key( $morefollows_meta );
}
wp_clear_scheduled_hook( 'morefollows_sweep' );
