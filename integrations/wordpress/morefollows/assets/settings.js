/** The connection test on the settings page. */
( function ( wp ) {
	'use strict';

	const { __, sprintf } = wp.i18n;
	const button = document.getElementById( 'morefollows-test' );
	const result = document.getElementById( 'morefollows-result' );
	if ( ! button || ! result ) {
		return;
	}

	const SENDS = {
		alone: __( 'It sends alerts without approval.', 'morefollows' ),
		approved: __( 'It sends what a colleague has approved at the desk.', 'morefollows' ),
		drafts: __( 'It writes drafts. Colleagues send them at the desk.', 'morefollows' ),
	};

	function show( good, lines ) {
		const notice = document.createElement( 'div' );
		notice.className = `notice inline notice-${ good ? 'success' : 'error' }`;
		lines.forEach( ( line ) => {
			const paragraph = document.createElement( 'p' );
			paragraph.textContent = line;
			notice.append( paragraph );
		} );
		result.replaceChildren( notice );
	}

	function told( found ) {
		if ( found.detail ) {
			return show( false, [ found.detail ] );
		}
		const lines = [
			/* translators: 1: name of the newsroom, 2: name of the key */
			sprintf( __( 'Connected to %1$s with the key “%2$s”.', 'morefollows' ), found.newsroom, found.name ),
			found.missing.length
				? /* translators: %s: names of scopes */
				  sprintf( __( 'The key lacks these scopes: %s. Make another at the desk.', 'morefollows' ), found.missing.join( ', ' ) )
				: SENDS[ found.sends ],
		];
		show( found.good, lines );
	}

	button.addEventListener( 'click', () => {
		button.disabled = true;
		wp.apiFetch( { path: '/morefollows/v1/connection', method: 'POST' } )
			.then( told, ( error ) => show( false, [ error.message || String( error ) ] ) )
			.finally( () => ( button.disabled = false ) );
	} );
} )( window.wp );
