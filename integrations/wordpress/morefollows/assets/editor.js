/** Puts the panel into the block editor's sidebar. */
( function ( wp ) {
	'use strict';

	const el = wp.element.createElement;
	const { Fragment, useEffect, useRef, useState } = wp.element;
	const { useDispatch, useSelect } = wp.data;
	const { __ } = wp.i18n;
	// WordPress 6.6 moved it.
	const places = wp.editor && wp.editor.PluginDocumentSettingPanel ? wp.editor : wp.editPost;

	/** Counts saves of the post by hand: what the server has may be different after each. */
	function useSaves( saving ) {
		const [ saves, setSaves ] = useState( 0 );
		const before = useRef( false );
		useEffect( () => {
			if ( before.current && ! saving ) {
				setSaves( saves + 1 );
			}
			before.current = saving;
		}, [ saving ] );
		return saves;
	}

	function BreakThisStory() {
		const post = useSelect( ( select ) => {
			const editor = select( 'core/editor' );
			return {
				postId: editor.getCurrentPostId(),
				plan: ( editor.getEditedPostAttribute( 'meta' ) || {} ).morefollows_plan || {},
				published: editor.getCurrentPostAttribute( 'status' ) === 'publish',
				dirty: editor.isEditedPostDirty(),
				saving: editor.isSavingPost() && ! editor.isAutosavingPost(),
				title: editor.getEditedPostAttribute( 'title' ) || '',
				excerpt: editor.getEditedPostAttribute( 'excerpt' ) || '',
			};
		}, [] );
		const { editPost } = useDispatch( 'core/editor' );
		const saves = useSaves( post.saving );
		const shown = { ...post, saves, setPlan: ( plan ) => editPost( { meta: { morefollows_plan: plan } } ) };
		const title = __( 'Break this story', 'morefollows' );
		return el(
			Fragment,
			null,
			el( places.PluginDocumentSettingPanel, { name: 'break', title }, el( window.moreFollowsPanel, shown ) ),
			// The publish panel lies over the sidebar: what was sent must be taken back here, too.
			post.plan.send && el( places.PluginPrePublishPanel, { title: __( 'An alert will be sent', 'morefollows' ), initialOpen: true }, __( 'Readers get it as soon as its hold is over.', 'morefollows' ) ),
			post.plan.send && el( places.PluginPostPublishPanel, { title, initialOpen: true }, el( window.moreFollowsPanel, shown ) )
		);
	}

	wp.plugins.registerPlugin( 'morefollows', { render: BreakThisStory, icon: 'megaphone' } );
} )( window.wp );
