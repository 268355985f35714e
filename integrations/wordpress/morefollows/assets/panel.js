/**
 * The panel *Break this story*, for both editors. It asks this site's own routes, never More Follows.
 *
 * Properties: `postId`, `plan` and `setPlan` (what is saved with the post), `published` (as saved),
 * `dirty` (there is something to save), `saves` (counts saves), `title` and `excerpt`.
 */
( function ( wp ) {
	'use strict';

	const el = wp.element.createElement;
	const { useState, useEffect, useRef, useCallback, Fragment } = wp.element;
	const { Button, CheckboxControl, ExternalLink, Notice, RadioControl, SelectControl, Spinner, TextControl, TextareaControl } =
		wp.components;
	const { __, _n, sprintf } = wp.i18n;
	const settings = window.moreFollowsSettings;
	const PREFIX = '/morefollows/v1';

	const count = ( number ) => Number( number ).toLocaleString();
	const readersText = ( number ) =>
		/* translators: %s: a number */
		sprintf( _n( '%s reader', '%s readers', number, 'morefollows' ), count( number ) );
	const kindText = ( kind ) =>
		( {
			first: __( 'Alert', 'morefollows' ),
			update: __( 'Update', 'morefollows' ),
			correction: __( 'Correction', 'morefollows' ),
			final: __( 'Final update', 'morefollows' ),
			withdrawal: __( 'Retraction', 'morefollows' ),
		} )[ kind ] || __( 'Alert', 'morefollows' );
	const stateText = ( state ) =>
		( {
			held: __( 'held', 'morefollows' ),
			sending: __( 'sending', 'morefollows' ),
			paused: __( 'paused', 'morefollows' ),
			asking: __( 'waits for a decision at the desk', 'morefollows' ),
			sent: __( 'sent', 'morefollows' ),
			'taken back': __( 'taken back', 'morefollows' ),
			stopped: __( 'stopped', 'morefollows' ),
			overtaken: __( 'overtaken by a newer one', 'morefollows' ),
			expired: __( 'expired', 'morefollows' ),
		} )[ state ] || state;

	/** Milliseconds until the state is asked for again; 0: not by itself. */
	function pause( status ) {
		if ( status.phase === 'held' || ( status.alert && ! status.alert.ended ) ) {
			return 1000;
		}
		return status.waiting ? 4000 : 0;
	}

	/** The post's state, asked for again as long as it moves, and a function that does something. */
	function useStatus( postId, saves ) {
		const [ status, setStatus ] = useState( null );
		const [ problem, setProblem ] = useState( '' );
		const [ busy, setBusy ] = useState( '' );
		const number = useRef( 0 );
		const take = useCallback( ( path, data ) => {
			const mine = ++number.current;
			const asked = data
				? wp.apiFetch( { path, method: 'POST', data } )
				: wp.apiFetch( { path } );
			return asked.then(
				( found ) => mine === number.current && ( setProblem( '' ), setStatus( { ...found, at: Date.now() } ) ),
				( error ) => mine === number.current && setProblem( error.message || String( error ) )
			);
		}, [] );
		const path = `${ PREFIX }/posts/${ postId }`;
		useEffect( () => {
			take( path );
		}, [ path, saves ] );
		useEffect( () => {
			const wait = status && ! busy ? pause( status ) : 0;
			if ( ! wait ) {
				return undefined;
			}
			const timer = setTimeout(
				() => ( document.hidden ? setStatus( { ...status } ) : take( status.waiting ? `${ path }/run` : path, status.waiting ? {} : null ) ),
				wait
			);
			return () => clearTimeout( timer );
		}, [ status, busy ] );
		const act = ( deed, data ) => {
			setBusy( deed );
			return take( `${ path }/${ deed }`, data || {} ).then( () => setBusy( '' ) );
		};
		return { status, problem, busy, act };
	}

	function useTopics() {
		const [ topics, setTopics ] = useState( null );
		useEffect( () => {
			wp.apiFetch( { path: `${ PREFIX }/topics` } ).then( setTopics, () => setTopics( [] ) );
		}, [] );
		return topics;
	}

	function useAudience( topic ) {
		const [ readers, setReaders ] = useState( null );
		useEffect( () => {
			let wanted = true;
			setReaders( null );
			if ( topic ) {
				wp.apiFetch( { path: `${ PREFIX }/audience?topic=${ encodeURIComponent( topic ) }` } ).then(
					( found ) => wanted && setReaders( found.readers ),
					() => {}
				);
			}
			return () => ( wanted = false );
		}, [ topic ] );
		return readers;
	}

	/** What the mail will say, as far as a panel can show it. */
	function Preview( { headline, standfirst, text } ) {
		return el(
			'div',
			{ className: 'morefollows-preview', role: 'group', 'aria-label': __( 'Preview of the alert', 'morefollows' ) },
			el( 'strong', null, headline || __( 'No headline yet', 'morefollows' ) ),
			standfirst && el( 'p', null, standfirst ),
			text && el( 'p', { className: 'morefollows-soft' }, text.replace( /\\([^\w\s])/g, '$1' ).split( '\n' )[ 0 ].slice( 0, 180 ) )
		);
	}

	/** Before the first alert: what it says, to whom, and when. */
	function Compose( { status, act, busy, plan, setPlan, published, dirty, title, excerpt } ) {
		const topics = useTopics();
		const topic = plan.topic || status.preview.topic || ( topics && topics.length ? topics[ 0 ].slug : '' );
		const readers = useAudience( topic );
		const headline = plan.headline || title;
		const change = ( part ) => setPlan( { send: false, topic: '', headline: '', standfirst: '', ...plan, ...part } );
		const twice = status.status === 'look-alike';
		const label = twice
			? __( 'Send all the same', 'morefollows' )
			: readers === null
			? __( 'Break this story', 'morefollows' )
			: /* translators: %s: "1,234 readers" */
			  sprintf( __( 'Send to %s', 'morefollows' ), readersText( readers ) );
		return el(
			Fragment,
			null,
			status.alert && status.alert.state === 'taken back' &&
				el( Notice, { status: 'info', isDismissible: false }, __( 'The alert was taken back. Nothing was mailed.', 'morefollows' ) ),
			( twice || status.status === 'failed' ) &&
				el(
					Notice,
					{ status: twice ? 'warning' : 'error', isDismissible: false },
					twice ? __( 'The same headline went to this topic in the last 24 hours.', 'morefollows' ) : status.detail
				),
			topics && topics.length === 0 &&
				el( Notice, { status: 'warning', isDismissible: false }, __( 'More Follows can’t be reached now. The post can be saved all the same.', 'morefollows' ) ),
			el( SelectControl, {
				label: __( 'Topic', 'morefollows' ),
				value: topic,
				options: ( topics || [] ).map( ( one ) => ( { value: one.slug, label: one.name } ) ),
				onChange: ( value ) => change( { topic: value } ),
				help: readers === null ? '' : readersText( readers ),
			} ),
			el( TextControl, {
				label: __( 'Headline of the alert', 'morefollows' ),
				value: plan.headline || '',
				placeholder: title,
				maxLength: settings.headlineLimit,
				onChange: ( value ) => change( { headline: value } ),
				help: headline.length > 70 ? __( 'Many phones show no more than 70 characters.', 'morefollows' ) : '',
			} ),
			el( TextareaControl, {
				label: __( 'Standfirst', 'morefollows' ),
				value: plan.standfirst || '',
				placeholder: excerpt,
				rows: 2,
				onChange: ( value ) => change( { standfirst: value } ),
			} ),
			el( Preview, { headline, standfirst: plan.standfirst || excerpt, text: status.preview.text } ),
			published
				? el(
						Fragment,
						null,
						el( Button, { variant: 'primary', disabled: dirty || !! busy, isBusy: busy === 'break', onClick: () => act( 'break', { again: twice } ) }, label ),
						dirty && el( 'p', { className: 'morefollows-soft' }, __( 'Save the post first: what is saved is sent.', 'morefollows' ) )
				  )
				: el( CheckboxControl, {
						label: __( 'Send the alert when this post is published', 'morefollows' ),
						checked: !! plan.send,
						onChange: ( value ) => change( { send: value } ),
				  } )
		);
	}

	/** It could not be handed over yet. */
	function Queued( { status, act, busy } ) {
		return el(
			Fragment,
			null,
			el( 'p', { className: 'morefollows-state' }, el( Spinner ), __( 'Handing over to More Follows …', 'morefollows' ) ),
			status.tries > 0 &&
				el(
					Notice,
					{ status: 'warning', isDismissible: false },
					__( 'More Follows can’t be reached. The post is saved, and the alert is tried again by itself. It is never sent twice.', 'morefollows' ),
					status.detail && el( 'p', { className: 'morefollows-soft' }, status.detail )
				),
			el(
				'div',
				{ className: 'morefollows-buttons' },
				el( Button, { variant: 'secondary', disabled: !! busy, isBusy: busy === 'run', onClick: () => act( 'run', { now: true } ) }, __( 'Try now', 'morefollows' ) ),
				el( Button, { variant: 'tertiary', isDestructive: true, disabled: !! busy, onClick: () => act( 'give-up' ) }, __( 'Stop trying', 'morefollows' ) )
			)
		);
	}

	/** A colleague has to approve it. */
	function AtTheDesk( { status, act, busy } ) {
		return el(
			Fragment,
			null,
			el(
				Notice,
				{ status: status.approved ? 'success' : 'info', isDismissible: false },
				status.approved ? __( 'A colleague has approved it.', 'morefollows' ) : __( 'Waits for approval at the desk. Nothing has been sent.', 'morefollows' )
			),
			el(
				'div',
				{ className: 'morefollows-buttons' },
				status.approved &&
					el( Button, { variant: 'primary', disabled: !! busy, isBusy: busy === 'send-approved', onClick: () => act( 'send-approved' ) }, __( 'Send now', 'morefollows' ) ),
				el( ExternalLink, { href: status.links.desk }, __( 'Open it at the desk', 'morefollows' ) )
			)
		);
	}

	/** The hold: seconds in which it can be taken back. */
	function Held( { status, act, busy } ) {
		const [ now, setNow ] = useState( Date.now() );
		useEffect( () => {
			const timer = setInterval( () => setNow( Date.now() ), 250 );
			return () => clearInterval( timer );
		}, [] );
		const left = Math.max( 0, Math.ceil( status.alert.held_for - ( now - status.at ) / 1000 ) );
		useEffect( () => {
			wp.a11y.speak( __( 'The alert is held. It can be taken back.', 'morefollows' ), 'assertive' );
		}, [] );
		return el(
			Fragment,
			null,
			el( 'p', { className: 'morefollows-hold' }, el( 'b', null, left ), ' ', _n( 'second until the first mail leaves', 'seconds until the first mail leaves', left, 'morefollows' ) ),
			el( Preview, { headline: status.alert.headline } ),
			el( Button, { variant: 'primary', isDestructive: true, disabled: !! busy, isBusy: busy === 'take-back', onClick: () => act( 'take-back' ) }, __( 'Take back', 'morefollows' ) )
		);
	}

	/** Live figures of the newest alert. */
	function Figures( { alert } ) {
		const now = alert.progress;
		if ( ! now ) {
			return null;
		}
		const rows = [
			[ __( 'Accepted', 'morefollows' ), now.accepted ],
			[ __( 'Waiting', 'morefollows' ), now.waiting + now.deferred ],
			[ __( 'Refused', 'morefollows' ), now.refused + now.expired ],
			[ __( 'Uncertain', 'morefollows' ), now.uncertain ],
			[ __( 'Skipped', 'morefollows' ), now.skipped ],
		].filter( ( row, index ) => index === 0 || row[ 1 ] > 0 );
		const p90 = now.seconds && now.seconds.p90;
		return el(
			Fragment,
			null,
			el( 'progress', { max: Math.max( 1, now.size ), value: now.accepted, 'aria-label': __( 'Mails accepted', 'morefollows' ) } ),
			el( 'dl', { className: 'morefollows-figures' }, rows.map( ( [ name, value ] ) => el( 'div', { key: name }, el( 'dt', null, name ), el( 'dd', null, count( value ) ) ) ) ),
			typeof p90 === 'number' &&
				/* translators: %s: a number of seconds */
				el( 'p', { className: 'morefollows-soft' }, sprintf( __( '90 %% were accepted within %s seconds.', 'morefollows' ), Math.max( 0.1, p90 ).toFixed( 1 ) ) )
		);
	}

	/** The post was edited: what readers get. */
	function FollowUp( { status, act, busy, dirty } ) {
		const [ kind, setKind ] = useState( 'nothing' );
		const [ note, setNote ] = useState( '' );
		const newest = status.updates.length ? [ status.updates[ 0 ].number ] : [];
		const [ chosen, setChosen ] = useState( null );
		const corrects = chosen || newest;
		const send = () => ( kind === 'nothing' ? act( 'nothing' ) : act( 'follow-up', { kind, note, corrects } ) );
		const tick = ( number ) => ( on ) => setChosen( on ? corrects.concat( number ) : corrects.filter( ( one ) => one !== number ) );
		const missing = kind === 'correction' && ( ! note.trim() || ! corrects.length );
		return el(
			'div',
			{ className: 'morefollows-question' },
			el( RadioControl, {
				label: __( 'The post has changed. Tell readers?', 'morefollows' ),
				selected: kind,
				options: [
					{ value: 'nothing', label: __( 'Nothing: it makes no difference to them', 'morefollows' ) },
					{ value: 'update', label: __( 'An update: there is news', 'morefollows' ) },
					{ value: 'correction', label: __( 'A correction: something was wrong', 'morefollows' ) },
					{ value: 'final', label: __( 'A final update: this was the last', 'morefollows' ) },
				],
				onChange: setKind,
			} ),
			kind === 'correction' && el( TextControl, { label: __( 'What was wrong', 'morefollows' ), value: note, maxLength: settings.noteLimit, onChange: setNote, help: __( 'One line. It is sent to readers.', 'morefollows' ) } ),
			kind === 'correction' && status.updates.length > 1 &&
				el(
					'fieldset',
					null,
					el( 'legend', null, __( 'This corrects', 'morefollows' ) ),
					status.updates.map( ( one ) =>
						el( CheckboxControl, { key: one.number, label: `${ one.number }. ${ one.headline }`, checked: corrects.includes( one.number ), onChange: tick( one.number ) } )
					)
				),
			el(
				Button,
				{ variant: kind === 'nothing' ? 'secondary' : 'primary', disabled: dirty || missing || !! busy, isBusy: !! busy, onClick: send },
				{ nothing: __( 'Tell nobody', 'morefollows' ), update: __( 'Send update', 'morefollows' ), correction: __( 'Send correction', 'morefollows' ), final: __( 'Send final update', 'morefollows' ) }[ kind ]
			)
		);
	}

	/** The post is not public any more: whether its story is retracted. */
	function Retract( { act, busy } ) {
		const [ reason, setReason ] = useState( '' );
		return el(
			'div',
			{ className: 'morefollows-question' },
			el( 'p', null, __( 'This post is no longer published, but readers were sent its story. A retraction is mailed to all of them.', 'morefollows' ) ),
			el( TextControl, { label: __( 'Reason', 'morefollows' ), value: reason, maxLength: settings.noteLimit, onChange: setReason, help: __( 'One line. It is sent to readers.', 'morefollows' ) } ),
			el(
				'div',
				{ className: 'morefollows-buttons' },
				el( Button, { variant: 'primary', isDestructive: true, disabled: ! reason.trim() || !! busy, isBusy: busy === 'retract', onClick: () => act( 'retract', { reason } ) }, __( 'Retract the story', 'morefollows' ) ),
				el( Button, { variant: 'secondary', disabled: !! busy, onClick: () => act( 'nothing' ) }, __( 'Leave it', 'morefollows' ) )
			)
		);
	}

	/** After an alert: its figures, and what may follow. */
	function Live( props ) {
		const { status } = props;
		const alert = status.alert;
		return el(
			Fragment,
			null,
			status.unreachable && el( Notice, { status: 'warning', isDismissible: false }, status.unreachable ),
			status.status === 'failed' && el( Notice, { status: 'error', isDismissible: false }, status.detail ),
			alert && el( 'p', { className: 'morefollows-state' }, el( 'b', null, kindText( alert.kind ) ), ': ', el( 'span', { 'data-state': alert.state }, stateText( alert.state ) ) ),
			alert && el( 'p', null, alert.headline ),
			alert && el( Figures, { alert } ),
			el(
				'div',
				{ className: 'morefollows-buttons' },
				status.links.story && el( ExternalLink, { href: status.links.story }, __( 'Story page', 'morefollows' ) ),
				status.links.alert && el( ExternalLink, { href: status.links.alert }, __( 'Alert at the desk', 'morefollows' ) )
			),
			status.changed && ! status.withdrawn && el( FollowUp, props ),
			status.unpublished && ! status.withdrawn && el( Retract, props )
		);
	}

	function Panel( props ) {
		const { status, problem, busy, act } = useStatus( props.postId, props.saves );
		if ( ! status ) {
			return problem ? el( Notice, { status: 'error', isDismissible: false }, problem ) : el( Spinner );
		}
		const shown = { ...props, status, busy, act };
		const unset = {
			unset: __( 'The connection to More Follows is not set up yet.', 'morefollows' ),
			copy: __( 'This looks like a copy of the site. Save the settings of More Follows here before anything is sent.', 'morefollows' ),
		}[ status.phase ];
		const parts = { compose: Compose, queued: Queued, desk: AtTheDesk, held: Held, live: Live };
		return el(
			'div',
			{ className: 'morefollows', 'data-phase': status.phase },
			problem && el( Notice, { status: 'error', isDismissible: false }, problem ),
			unset
				? el( Fragment, null, el( 'p', null, unset ), settings.settings && el( 'a', { href: settings.settings }, __( 'Open the settings', 'morefollows' ) ) )
				: el( parts[ status.phase ], shown )
		);
	}

	window.moreFollowsPanel = Panel;
} )( window.wp );
