/** Puts the panel into the meta box of the classic editor. What is chosen goes into its hidden field. */
( function ( wp ) {
	'use strict';

	const el = wp.element.createElement;
	const { useState } = wp.element;
	const box = document.getElementById( 'morefollows-panel' );
	const field = document.querySelector( '[name=morefollows_plan]' );
	if ( ! box || ! field ) {
		return;
	}

	/** The value of a field of the form, as it is typed. */
	function useField( id ) {
		const input = document.getElementById( id );
		const [ value, setValue ] = useState( input ? input.value : '' );
		wp.element.useEffect( () => {
			const changed = () => setValue( input.value );
			if ( input ) {
				input.addEventListener( 'input', changed );
			}
			return () => input && input.removeEventListener( 'input', changed );
		}, [] );
		return [ value, input ? input.defaultValue : '' ];
	}

	function Box() {
		const [ plan, setPlan ] = useState( JSON.parse( field.value ) );
		const [ saved ] = useState( field.value );
		const [ title, savedTitle ] = useField( 'title' );
		const [ excerpt, savedExcerpt ] = useField( 'excerpt' );
		const change = ( next ) => {
			field.value = JSON.stringify( next );
			setPlan( next );
		};
		return el( window.moreFollowsPanel, {
			postId: Number( box.dataset.post ),
			plan,
			setPlan: change,
			published: box.dataset.published === 'yes',
			dirty: title !== savedTitle || excerpt !== savedExcerpt || JSON.stringify( plan ) !== saved,
			saves: 0,
			title,
			excerpt,
		} );
	}

	box.textContent = '';
	if ( wp.element.createRoot ) {
		wp.element.createRoot( box ).render( el( Box ) );
	} else {
		wp.element.render( el( Box ), box );
	}
} )( window.wp );
