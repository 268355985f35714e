<?php
/**
 * Settings → More Follows.
 *
 * @package MoreFollows
 */

namespace MoreFollows;

defined( 'ABSPATH' ) || exit;

add_action(
	'admin_menu',
	function () {
		$page = add_options_page( __( 'More Follows', 'morefollows' ), __( 'More Follows', 'morefollows' ), 'manage_options', 'morefollows', __NAMESPACE__ . '\print_settings' );
		add_action(
			"load-$page",
			function () {
				add_action( 'admin_enqueue_scripts', __NAMESPACE__ . '\enqueue_settings' );
			}
		);
	}
);
add_action( 'admin_post_morefollows_settings', __NAMESPACE__ . '\save_settings' );
add_filter(
	'plugin_action_links_' . plugin_basename( FILE ),
	function ( $links ) {
		array_unshift( $links, '<a href="' . esc_url( admin_url( 'options-general.php?page=morefollows' ) ) . '">' . esc_html__( 'Settings', 'morefollows' ) . '</a>' );
		return $links;
	}
);

/** Adds the script of the connection test. */
function enqueue_settings() {
	wp_enqueue_script( script( 'settings', array( 'wp-api-fetch', 'wp-i18n', 'wp-a11y' ) ) );
}

/** Saves the form. The key is changed only if one was entered. */
function save_settings() {
	if ( ! current_user_can( 'manage_options' ) ) {
		wp_die( esc_html__( 'You may not change these settings.', 'morefollows' ), 403 );
	}
	check_admin_referer( 'morefollows_settings' );
	$url     = isset( $_POST['url'] ) ? untrailingslashit( esc_url_raw( wp_unslash( $_POST['url'] ), array( 'http', 'https' ) ) ) : '';
	$problem = '' === $url ? '' : problem_of_url( $url );
	$key     = isset( $_POST['key'] ) ? trim( sanitize_text_field( wp_unslash( $_POST['key'] ) ) ) : '';
	if ( '' === $problem && '' !== $key && ! preg_match( '/^mf_[A-Za-z0-9_-]{20,100}$/', $key ) ) {
		$problem = __( 'API key: it begins with mf_ and has no spaces. Copy the whole of it.', 'morefollows' );
	}
	if ( '' === $problem ) {
		update_option( OPTION, posted_settings( $url ), false );
		if ( ! empty( $_POST['forget_key'] ) ) {
			delete_option( KEY_OPTION );
		} elseif ( '' !== $key ) {
			update_option( KEY_OPTION, $key, false );
		}
		if ( isset( $_POST['hook_secret'] ) && '' !== trim( sanitize_text_field( wp_unslash( $_POST['hook_secret'] ) ) ) ) {
			update_option( HOOK_SECRET, trim( sanitize_text_field( wp_unslash( $_POST['hook_secret'] ) ) ), false );
		}
		delete_transient( 'morefollows_topics' );
	}
	set_transient( 'morefollows_saved_' . get_current_user_id(), '' === $problem ? 'saved' : $problem, MINUTE_IN_SECONDS );
	wp_safe_redirect( admin_url( 'options-general.php?page=morefollows' ) );
	exit;
}

/**
 * The settings of the form. The caller has checked the nonce.
 *
 * @param string $url The address, checked.
 * @return array<string, mixed>
 */
function posted_settings( $url ) {
	// phpcs:disable WordPress.Security.NonceVerification.Missing
	$choice = function ( $name, $allowed ) {
		$given = isset( $_POST[ $name ] ) ? sanitize_key( wp_unslash( $_POST[ $name ] ) ) : '';
		return in_array( $given, $allowed, true ) ? $given : $allowed[0];
	};
	$topics = array();
	$posted = isset( $_POST['topics'] ) && is_array( $_POST['topics'] ) ? map_deep( wp_unslash( $_POST['topics'] ), 'sanitize_title' ) : array();
	foreach ( $posted as $term => $slug ) {
		if ( is_string( $slug ) && '' !== $slug && term_exists( (int) $term, 'category' ) ) {
			$topics[ (int) $term ] = $slug;
		}
	}
	return array(
		'url'          => $url,
		'topic'        => isset( $_POST['topic'] ) ? sanitize_title( wp_unslash( $_POST['topic'] ) ) : '',
		'topics'       => $topics,
		'text'         => $choice( 'text', array( 'start', 'whole' ) ),
		'on_edit'      => $choice( 'on_edit', array( 'ask', 'nothing', 'update' ) ),
		'on_unpublish' => $choice( 'on_unpublish', array( 'ask', 'nothing', 'retract' ) ),
		'home'         => untrailingslashit( home_url() ),
	);
	// phpcs:enable
}

/** Prints the page. */
function print_settings() {
	$settings = settings();
	$saved    = get_transient( 'morefollows_saved_' . get_current_user_id() );
	delete_transient( 'morefollows_saved_' . get_current_user_id() );
	echo '<div class="wrap"><h1>' . esc_html__( 'More Follows', 'morefollows' ) . '</h1>';
	if ( 'saved' === $saved ) {
		echo '<div class="notice notice-success" role="status"><p>' . esc_html__( 'Settings saved.', 'morefollows' ) . '</p></div>';
	} elseif ( $saved ) {
		echo '<div class="notice notice-error" role="alert"><p>' . esc_html( $saved ) . '</p></div>';
	}
	if ( is_copy() ) {
		echo '<div class="notice notice-warning"><p>' . esc_html__( 'This looks like a copy of the site. Save the settings of More Follows here before anything is sent.', 'morefollows' ) . '</p></div>';
	}
	echo '<form method="post" action="' . esc_url( admin_url( 'admin-post.php' ) ) . '"><input type="hidden" name="action" value="morefollows_settings">';
	wp_nonce_field( 'morefollows_settings' );
	print_connection( $settings );
	print_topics( $settings );
	print_rules( $settings );
	print_hook();
	submit_button( __( 'Save settings', 'morefollows' ) );
	echo '</form></div>';
}

/**
 * Address, key and test.
 *
 * @param array $settings Of `settings`.
 */
function print_connection( $settings ) {
	echo '<h2>' . esc_html__( 'Connection', 'morefollows' ) . '</h2><table class="form-table" role="presentation">';
	row_begin( 'morefollows-url', __( 'Address', 'morefollows' ) );
	printf( '<input id="morefollows-url" name="url" type="url" class="regular-text code" value="%s" placeholder="https://alerts.example.org">', esc_attr( $settings['url'] ) );
	row_end( __( 'Where your newsroom’s More Follows runs.', 'morefollows' ) );
	row_begin( 'morefollows-key', __( 'API key', 'morefollows' ) );
	if ( defined( 'MOREFOLLOWS_KEY' ) ) {
		echo '<p id="morefollows-key">' . esc_html__( 'Set by MOREFOLLOWS_KEY in wp-config.php.', 'morefollows' ) . '</p>';
	} else {
		$stored = '' !== api_key();
		printf(
			'<input id="morefollows-key" name="key" type="password" class="regular-text code" value="" autocomplete="off" spellcheck="false" placeholder="%s">',
			esc_attr( $stored ? __( 'Stored. Leave empty to keep it.', 'morefollows' ) : 'mf_…' )
		);
		if ( $stored ) {
			echo '<p><label><input type="checkbox" name="forget_key" value="1"> ' . esc_html__( 'Forget the stored key', 'morefollows' ) . '</label></p>';
		}
	}
	row_end( __( 'An administrator makes it at the desk, with the scopes stories:read, stories:write, alerts:read, alerts:send and topics:read. With alerts:send-alone as well, alerts need no approval. Browsers never see the key.', 'morefollows' ) );
	echo '<tr><th scope="row">' . esc_html__( 'Connection test', 'morefollows' ) . '</th><td>';
	printf( '<button type="button" class="button" id="morefollows-test" %s>%s</button>', is_configured() ? '' : 'disabled', esc_html__( 'Test the connection', 'morefollows' ) );
	echo '<div id="morefollows-result" aria-live="polite"></div>';
	row_end( __( 'It tests what is saved.', 'morefollows' ) );
	echo '</table>';
}

/**
 * Default topic, and topics by category.
 *
 * @param array $settings Of `settings`.
 */
function print_topics( $settings ) {
	$topics = is_configured() ? topics() : array();
	echo '<h2>' . esc_html__( 'Topics', 'morefollows' ) . '</h2><p>' . esc_html__( 'Who gets the alert of a post, unless the editor chooses otherwise.', 'morefollows' ) . '</p><table class="form-table" role="presentation">';
	row_begin( 'morefollows-topic', __( 'Default topic', 'morefollows' ) );
	print_topic_field( 'morefollows-topic', 'topic', $settings['topic'], $topics, __( 'The newsroom’s first topic', 'morefollows' ) );
	row_end( '' );
	$categories = get_categories( array( 'hide_empty' => false ) );
	foreach ( array_slice( $categories, 0, 200 ) as $category ) {
		$id = 'morefollows-topic-' . (int) $category->term_id;
		/* translators: %s: name of a category */
		row_begin( $id, sprintf( __( 'Category “%s”', 'morefollows' ), $category->name ) );
		$chosen = isset( $settings['topics'][ $category->term_id ] ) ? $settings['topics'][ $category->term_id ] : '';
		print_topic_field( $id, 'topics[' . (int) $category->term_id . ']', $chosen, $topics, __( 'The default topic', 'morefollows' ) );
		row_end( '' );
	}
	echo '</table>';
}

/**
 * A list of topics to choose from; a field for a slug while they can't be read.
 *
 * @param string $id     Of the element.
 * @param string $name   Of the field.
 * @param string $chosen A slug, or empty.
 * @param array  $topics Of `topics`.
 * @param string $none   What an empty choice means.
 */
function print_topic_field( $id, $name, $chosen, $topics, $none ) {
	if ( ! $topics ) {
		printf( '<input id="%s" name="%s" value="%s" class="regular-text code" placeholder="%s">', esc_attr( $id ), esc_attr( $name ), esc_attr( $chosen ), esc_attr( $none ) );
		return;
	}
	printf( '<select id="%s" name="%s"><option value="">%s</option>', esc_attr( $id ), esc_attr( $name ), esc_html( $none ) );
	$slugs = array_column( $topics, 'slug' );
	if ( '' !== $chosen && ! in_array( $chosen, $slugs, true ) ) {
		$topics[] = array(
			'slug' => $chosen,
			/* translators: %s: short name of a topic */
			'name' => sprintf( __( '%s (no longer there)', 'morefollows' ), $chosen ),
		);
	}
	foreach ( $topics as $topic ) {
		printf( '<option value="%s" %s>%s</option>', esc_attr( $topic['slug'] ), selected( $chosen, $topic['slug'], false ), esc_html( $topic['name'] ) );
	}
	echo '</select>';
}

/**
 * What an alert says, and what later edits do.
 *
 * @param array $settings Of `settings`.
 */
function print_rules( $settings ) {
	$rows = array(
		'text'         => array(
			__( 'Text of the alert', 'morefollows' ),
			array(
				'start' => __( 'The first paragraphs, and a link to the post', 'morefollows' ),
				'whole' => __( 'The whole post, and a link to it', 'morefollows' ),
			),
		),
		'on_edit'      => array(
			__( 'When a post that was sent is edited', 'morefollows' ),
			array(
				'ask'     => __( 'Ask: nothing, an update or a correction', 'morefollows' ),
				'nothing' => __( 'Do nothing', 'morefollows' ),
				'update'  => __( 'Send an update to the story’s followers each time', 'morefollows' ),
			),
		),
		'on_unpublish' => array(
			__( 'When it is unpublished', 'morefollows' ),
			array(
				'ask'     => __( 'Ask whether the story is retracted', 'morefollows' ),
				'nothing' => __( 'Do nothing', 'morefollows' ),
				'retract' => __( 'Retract the story: everybody who was sent it is told', 'morefollows' ),
			),
		),
	);
	echo '<h2>' . esc_html__( 'Alerts', 'morefollows' ) . '</h2><table class="form-table" role="presentation">';
	foreach ( $rows as $name => list( $label, $options ) ) {
		echo '<tr><th scope="row">' . esc_html( $label ) . '</th><td><fieldset><legend class="screen-reader-text">' . esc_html( $label ) . '</legend>';
		foreach ( $options as $value => $text ) {
			printf( '<p><label><input type="radio" name="%s" value="%s" %s> %s</label></p>', esc_attr( $name ), esc_attr( $value ), checked( $settings[ $name ], $value, false ), esc_html( $text ) );
		}
		echo '</fieldset></td></tr>';
	}
	echo '</table>';
}

/** The webhook's address and secret. */
function print_hook() {
	echo '<h2>' . esc_html__( 'Webhook (optional)', 'morefollows' ) . '</h2><table class="form-table" role="presentation">';
	row_begin( 'morefollows-hook', __( 'Address of this site', 'morefollows' ) );
	printf( '<input id="morefollows-hook" class="regular-text code" readonly value="%s">', esc_attr( rest_url( ROUTES . '/hook' ) ) );
	row_end( __( 'Add it to the webhooks of More Follows, so that this site learns what colleagues send and take back at the desk.', 'morefollows' ) );
	row_begin( 'morefollows-hook-secret', __( 'Secret', 'morefollows' ) );
	printf(
		'<input id="morefollows-hook-secret" name="hook_secret" type="password" class="regular-text code" value="" autocomplete="off" placeholder="%s">',
		esc_attr( '' !== (string) get_option( HOOK_SECRET, '' ) ? __( 'Stored. Leave empty to keep it.', 'morefollows' ) : 'whsec_…' )
	);
	row_end( '' );
	echo '</table>';
}

/**
 * Begins a row of a form.
 *
 * @param string $id    Of its field.
 * @param string $label Of its field.
 */
function row_begin( $id, $label ) {
	printf( '<tr><th scope="row"><label for="%s">%s</label></th><td>', esc_attr( $id ), esc_html( $label ) );
}

/**
 * Ends a row of a form.
 *
 * @param string $help A sentence below the field; may be empty.
 */
function row_end( $help ) {
	if ( '' !== $help ) {
		echo '<p class="description">' . esc_html( $help ) . '</p>';
	}
	echo '</td></tr>';
}
