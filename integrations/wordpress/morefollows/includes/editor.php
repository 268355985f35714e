<?php
/**
 * The panel *Break this story*: in the block editor, and as a meta box in the classic one.
 *
 * @package MoreFollows
 */

namespace MoreFollows;

defined( 'ABSPATH' ) || exit;

add_action( 'enqueue_block_editor_assets', __NAMESPACE__ . '\enqueue_panel' );
add_action( 'add_meta_boxes', __NAMESPACE__ . '\add_box', 10, 2 );
add_action( 'save_post', __NAMESPACE__ . '\save_box' );

/**
 * Registers a script of the plugin, with its translations.
 *
 * @param string   $name         Of the file, without `.js`.
 * @param string[] $dependencies Handles.
 * @return string Its handle.
 */
function script( $name, $dependencies ) {
	$handle = "morefollows-$name";
	wp_register_script( $handle, plugins_url( "assets/$name.js", FILE ), $dependencies, VERSION, true );
	wp_set_script_translations( $handle, 'morefollows', plugin_dir_path( FILE ) . 'languages' );
	return $handle;
}

/** Registers what the panel is made of, for both editors. */
function register_panel() {
	script( 'panel', array( 'wp-element', 'wp-components', 'wp-i18n', 'wp-api-fetch', 'wp-a11y' ) );
	wp_register_style( 'morefollows-panel', plugins_url( 'assets/panel.css', FILE ), array( 'wp-components' ), VERSION );
	wp_add_inline_script(
		'morefollows-panel',
		'window.moreFollowsSettings = ' . wp_json_encode(
			array(
				'settings'      => current_user_can( 'manage_options' ) ? admin_url( 'options-general.php?page=morefollows' ) : '',
				'headlineLimit' => HEADLINE_LIMIT,
				'noteLimit'     => NOTE_LIMIT,
			),
			JSON_HEX_TAG | JSON_HEX_AMP
		) . ';',
		'before'
	);
}

/** Adds the panel to the block editor, for those who may publish. */
function enqueue_panel() {
	$screen = get_current_screen();
	if ( ! $screen || ! in_array( $screen->post_type, post_types(), true ) || ! current_user_can( 'publish_posts' ) ) {
		return;
	}
	register_panel();
	wp_enqueue_script( script( 'editor', array( 'morefollows-panel', 'wp-plugins', 'wp-edit-post', 'wp-editor', 'wp-data' ) ) );
	wp_enqueue_style( 'morefollows-panel' );
}

/**
 * Adds the meta box of the classic editor.
 *
 * @param string   $type Of the post.
 * @param \WP_Post $post The post; for some screens no post at all.
 */
function add_box( $type, $post ) {
	if ( ! $post instanceof \WP_Post || ! in_array( $type, post_types(), true ) || use_block_editor_for_post( $post ) || ! current_user_can( 'publish_post', $post->ID ) ) {
		return;
	}
	register_panel();
	wp_enqueue_script( script( 'classic', array( 'morefollows-panel' ) ) );
	wp_enqueue_style( 'morefollows-panel' );
	add_meta_box( 'morefollows', __( 'Break this story', 'morefollows' ), __NAMESPACE__ . '\print_box', $type, 'side', 'high' );
}

/**
 * Prints the meta box. The script puts the panel into it, and the plan into its field.
 *
 * @param \WP_Post $post The post.
 */
function print_box( $post ) {
	wp_nonce_field( 'morefollows_plan_' . $post->ID, 'morefollows_nonce' );
	printf(
		'<input type="hidden" name="morefollows_plan" value="%s"><div id="morefollows-panel" data-post="%d" data-published="%s"><p>%s</p></div>',
		esc_attr( wp_json_encode( plan_of( $post->ID ) ) ),
		(int) $post->ID,
		'publish' === $post->post_status ? 'yes' : 'no',
		esc_html__( 'This needs scripts.', 'morefollows' )
	);
}

/**
 * Saves the plan of the classic editor, before `after_save` looks at it.
 *
 * @param int $post_id The post.
 */
function save_box( $post_id ) {
	if ( ! isset( $_POST['morefollows_plan'], $_POST['morefollows_nonce'] ) || ( defined( 'DOING_AUTOSAVE' ) && DOING_AUTOSAVE ) ) {
		return;
	}
	if ( ! wp_verify_nonce( sanitize_key( $_POST['morefollows_nonce'] ), 'morefollows_plan_' . $post_id ) || ! current_user_can( 'publish_post', $post_id ) ) {
		return;
	}
	$plan = json_decode( wp_unslash( $_POST['morefollows_plan'] ), true ); // phpcs:ignore WordPress.Security.ValidatedSanitizedInput -- by sanitized_plan.
	update_post_meta( $post_id, PLAN, wp_slash( sanitized_plan( $plan ) ) );
}
