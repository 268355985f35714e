/** The blocks *News alerts: sign-up box* and *News alerts: live story*. PHP renders them. */
( function ( wp ) {
	'use strict';

	const el = wp.element.createElement;
	const { useEffect, useState, Fragment } = wp.element;
	const { InspectorControls, useBlockProps } = wp.blockEditor;
	const { PanelBody, SelectControl, TextControl } = wp.components;
	const { __ } = wp.i18n;

	function useTopics() {
		const [ topics, setTopics ] = useState( [] );
		useEffect( () => {
			wp.apiFetch( { path: '/morefollows/v1/topics' } ).then( setTopics, () => {} );
		}, [] );
		return topics;
	}

	function SignUp( { attributes, setAttributes } ) {
		const topics = useTopics();
		const topic = topics.find( ( one ) => one.slug === attributes.topic );
		const options = [ { value: '', label: __( 'The default topic', 'morefollows' ) } ].concat( topics.map( ( one ) => ( { value: one.slug, label: one.name } ) ) );
		return el(
			Fragment,
			null,
			el(
				InspectorControls,
				null,
				el( PanelBody, null, el( SelectControl, { label: __( 'Topic', 'morefollows' ), value: attributes.topic, options, onChange: ( value ) => setAttributes( { topic: value } ) } ) )
			),
			el(
				'div',
				useBlockProps( { className: 'morefollows-placeholder' } ),
				el( 'p', null, el( 'strong', null, topic ? topic.name : __( 'News alerts by email', 'morefollows' ) ) ),
				el( 'div', { className: 'morefollows-fake-form', 'aria-hidden': true }, el( 'span', null, __( 'Email address', 'morefollows' ) ), el( 'span', null, __( 'Sign up', 'morefollows' ) ) ),
				el( 'p', null, __( 'Readers see the sign-up box here.', 'morefollows' ) )
			)
		);
	}

	function LiveStory( { attributes, setAttributes } ) {
		return el(
			Fragment,
			null,
			el(
				InspectorControls,
				null,
				el(
					PanelBody,
					null,
					el( TextControl, {
						label: __( 'Id of a story', 'morefollows' ),
						value: attributes.story,
						help: __( 'Empty: the story of this post, once it was broken.', 'morefollows' ),
						onChange: ( value ) => setAttributes( { story: value.trim() } ),
					} )
				)
			),
			el(
				'div',
				useBlockProps( { className: 'morefollows-placeholder' } ),
				el( 'p', null, el( 'strong', null, __( 'Live story', 'morefollows' ) ) ),
				el( 'p', null, attributes.story ? attributes.story : __( 'Readers see this post’s alert and its updates here, as they come.', 'morefollows' ) )
			)
		);
	}

	wp.blocks.registerBlockType( 'morefollows/sign-up', {
		apiVersion: 2,
		title: __( 'News alerts: sign-up box', 'morefollows' ),
		description: __( 'Readers sign up to alerts by email.', 'morefollows' ),
		icon: 'email-alt',
		category: 'widgets',
		attributes: { topic: { type: 'string', default: '' } },
		edit: SignUp,
		save: () => null,
	} );
	wp.blocks.registerBlockType( 'morefollows/live-story', {
		apiVersion: 2,
		title: __( 'News alerts: live story', 'morefollows' ),
		description: __( 'A story with its updates, which appear by themselves.', 'morefollows' ),
		icon: 'rss',
		category: 'widgets',
		attributes: { story: { type: 'string', default: '' } },
		edit: LiveStory,
		save: () => null,
	} );
} )( window.wp );
