<?php
/**
 * Plugin Name:       More Follows
 * Description:       Break a story from the editor: readers who asked for it have the alert in their inbox within seconds.
 * Version:           1.0.0
 * Requires at least: 6.1
 * Requires PHP:      7.4
 * Author:            More Follows
 * License:           GPL-2.0-or-later
 * License URI:       https://www.gnu.org/licenses/old-licenses/gpl-2.0.html
 * Text Domain:       morefollows
 * Domain Path:       /languages
 *
 * This folder may be used under the Apache License 2.0 as the rest of More Follows, or under the
 * GNU General Public License, version 2 or later, as WordPress asks of plugins.
 *
 * What is where: `settings` (options), `client` (requests to More Follows), `content` and
 * `markdown` (a post as a story), `jobs` (what is to be sent, and its retries), `actions` (what an
 * editor does), `status` (what the panel shows), `rest` (routes for the panel), `posts` (what
 * happens when a post is saved), `editor` (panel and meta box), `blocks`, `webhook`.
 *
 * Every request to More Follows is sent from here, by PHP: browsers never see the key.
 *
 * @package MoreFollows
 */

namespace MoreFollows;

defined( 'ABSPATH' ) || exit;

const VERSION = '1.0.0';
const FILE    = __FILE__;

foreach ( array( 'settings', 'client', 'markdown', 'content', 'jobs', 'actions', 'status', 'rest', 'posts', 'editor', 'blocks', 'webhook' ) as $morefollows_part ) {
	require_once __DIR__ . "/includes/$morefollows_part.php";
}
if ( is_admin() ) {
	require_once __DIR__ . '/includes/settings-page.php';
}

add_action(
	'init',
	function () {
		load_plugin_textdomain( 'morefollows', false, dirname( plugin_basename( FILE ) ) . '/languages' );
	}
);

register_deactivation_hook(
	FILE,
	function () {
		wp_clear_scheduled_hook( SWEEP );
	}
);
