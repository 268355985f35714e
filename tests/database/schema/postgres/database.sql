SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
CREATE FUNCTION public.audience_consent_no_delete() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN IF (true) AND NOT (EXISTS (SELECT 1 FROM audience_erasure e WHERE e.reader_id = OLD.reader_id)) THEN RAISE EXCEPTION 'audience_consent is append-only' USING ERRCODE = 'restrict_violation'; END IF; RETURN OLD; END $$;
CREATE FUNCTION public.audience_consent_no_truncate() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN IF true THEN RAISE EXCEPTION 'audience_consent is append-only' USING ERRCODE = 'restrict_violation'; END IF; RETURN NULL; END $$;
CREATE FUNCTION public.audience_consent_no_update() RETURNS trigger
    LANGUAGE plpgsql
    AS $_$ BEGIN IF (true) AND (((to_jsonb(OLD) - 'client_address') IS DISTINCT FROM (to_jsonb(NEW) - 'client_address')) OR NOT ((OLD."client_address" IS NOT DISTINCT FROM NEW."client_address" OR (
(OLD.client_address ~ '^[0-9a-fA-F:.]+$' AND NEW.client_address = network(set_masklen(
    OLD.client_address::inet, CASE WHEN OLD.client_address LIKE '%:%' THEN 48 ELSE 24 END))::text)
 OR 
(NEW.client_address = '' AND
    EXISTS (SELECT 1 FROM audience_reader r WHERE r.id = OLD.reader_id AND r.state = 'pending'))
)))) THEN RAISE EXCEPTION 'audience_consent is append-only' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $_$;
CREATE FUNCTION public.audience_seal_no_delete() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN IF true THEN RAISE EXCEPTION 'audience_seal is append-only' USING ERRCODE = 'restrict_violation'; END IF; RETURN OLD; END $$;
CREATE FUNCTION public.audience_seal_no_truncate() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN IF true THEN RAISE EXCEPTION 'audience_seal is append-only' USING ERRCODE = 'restrict_violation'; END IF; RETURN NULL; END $$;
CREATE FUNCTION public.audience_seal_no_update() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN IF (true) AND (true) THEN RAISE EXCEPTION 'audience_seal is append-only' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$;
CREATE FUNCTION public.audience_wording_no_delete() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN IF true THEN RAISE EXCEPTION 'audience_wording is append-only' USING ERRCODE = 'restrict_violation'; END IF; RETURN OLD; END $$;
CREATE FUNCTION public.audience_wording_no_truncate() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN IF true THEN RAISE EXCEPTION 'audience_wording is append-only' USING ERRCODE = 'restrict_violation'; END IF; RETURN NULL; END $$;
CREATE FUNCTION public.audience_wording_no_update() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN IF (true) AND (true) THEN RAISE EXCEPTION 'audience_wording is append-only' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$;
CREATE FUNCTION public.audit_auditentry_no_delete() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN IF true THEN RAISE EXCEPTION 'audit_auditentry is append-only' USING ERRCODE = 'restrict_violation'; END IF; RETURN OLD; END $$;
CREATE FUNCTION public.audit_auditentry_no_truncate() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN IF true THEN RAISE EXCEPTION 'audit_auditentry is append-only' USING ERRCODE = 'restrict_violation'; END IF; RETURN NULL; END $$;
CREATE FUNCTION public.audit_auditentry_no_update() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN IF (true) AND (true) THEN RAISE EXCEPTION 'audit_auditentry is append-only' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$;
CREATE FUNCTION public.stories_alert_drill() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN IF (NEW.audience = 'drill') <> (SELECT s.drill FROM stories_update u JOIN stories_story s ON s.id = u.story_id WHERE u.id = NEW.update_id) THEN RAISE EXCEPTION 'a drill goes to its own readers, and nothing else does' USING ERRCODE = 'check_violation'; END IF; RETURN NEW; END $$;
CREATE FUNCTION public.stories_alert_drill_new() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN IF (NEW.audience = 'drill') <> (SELECT s.drill FROM stories_update u JOIN stories_story s ON s.id = u.story_id WHERE u.id = NEW.update_id) THEN RAISE EXCEPTION 'a drill goes to its own readers, and nothing else does' USING ERRCODE = 'check_violation'; END IF; RETURN NEW; END $$;
CREATE FUNCTION public.stories_image_updates_no_delete() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN IF true THEN RAISE EXCEPTION 'stories_image_updates is append-only' USING ERRCODE = 'restrict_violation'; END IF; RETURN OLD; END $$;
CREATE FUNCTION public.stories_image_updates_no_truncate() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN IF true THEN RAISE EXCEPTION 'stories_image_updates is append-only' USING ERRCODE = 'restrict_violation'; END IF; RETURN NULL; END $$;
CREATE FUNCTION public.stories_image_updates_no_update() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN IF (true) AND (true) THEN RAISE EXCEPTION 'stories_image_updates is append-only' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$;
CREATE FUNCTION public.stories_story_drill() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN IF NEW.drill <> OLD.drill AND EXISTS (SELECT 1 FROM stories_update u WHERE u.story_id = NEW.id) THEN RAISE EXCEPTION 'what has been sent stays a drill, or stays none' USING ERRCODE = 'check_violation'; END IF; RETURN NEW; END $$;
CREATE FUNCTION public.stories_update_drill() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN IF (SELECT drill FROM stories_story WHERE id = NEW.story_id) <> (SELECT drill FROM stories_story WHERE id = OLD.story_id) THEN RAISE EXCEPTION 'an update of a drill is never one of real news' USING ERRCODE = 'check_violation'; END IF; RETURN NEW; END $$;
CREATE FUNCTION public.stories_update_no_delete() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN IF OLD.published_at IS NOT NULL THEN RAISE EXCEPTION 'stories_update is append-only' USING ERRCODE = 'restrict_violation'; END IF; RETURN OLD; END $$;
CREATE FUNCTION public.stories_update_no_truncate() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN IF true THEN RAISE EXCEPTION 'stories_update is append-only' USING ERRCODE = 'restrict_violation'; END IF; RETURN NULL; END $$;
CREATE FUNCTION public.stories_update_no_update() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN IF (OLD.published_at IS NOT NULL) AND (true) THEN RAISE EXCEPTION 'stories_update is append-only' USING ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public.accounts_editor (
    id bigint NOT NULL,
    password character varying(128) NOT NULL,
    last_login timestamp with time zone,
    email character varying(254) NOT NULL,
    name character varying(100) NOT NULL,
    role character varying(20) NOT NULL,
    writes_offers boolean NOT NULL,
    is_active boolean NOT NULL,
    created_at timestamp with time zone NOT NULL
);
ALTER TABLE public.accounts_editor ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.accounts_editor_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.accounts_failedsignins (
    id bigint NOT NULL,
    key character varying(64) NOT NULL,
    count integer NOT NULL,
    last_at timestamp with time zone NOT NULL,
    wait_until timestamp with time zone,
    CONSTRAINT accounts_failedsignins_count_check CHECK ((count >= 0))
);
ALTER TABLE public.accounts_failedsignins ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.accounts_failedsignins_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.audience_bounce (
    id bigint NOT NULL,
    first_at timestamp with time zone NOT NULL,
    counted_at timestamp with time zone NOT NULL,
    last_at timestamp with time zone NOT NULL,
    count smallint NOT NULL,
    status character varying(12) NOT NULL,
    relay character varying(300) NOT NULL,
    provider character varying(255) NOT NULL,
    reader_id bigint NOT NULL,
    CONSTRAINT audience_bounce_count_check CHECK ((count >= 0))
);
ALTER TABLE public.audience_bounce ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.audience_bounce_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.audience_consent (
    id bigint NOT NULL,
    purpose character varying(10) NOT NULL,
    event character varying(10) NOT NULL,
    how character varying(12) NOT NULL,
    at timestamp with time zone NOT NULL,
    words text NOT NULL,
    version integer,
    privacy_version integer,
    language character varying(10) NOT NULL,
    page character varying(500) NOT NULL,
    form_version character varying(20) NOT NULL,
    client_address character varying(45) NOT NULL,
    reader_id bigint NOT NULL,
    topic_id bigint,
    CONSTRAINT audience_consent_privacy_version_check CHECK ((privacy_version >= 0)),
    CONSTRAINT audience_consent_version_check CHECK ((version >= 0))
);
ALTER TABLE public.audience_consent ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.audience_consent_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.audience_departuremark (
    id bigint NOT NULL,
    log character varying(40) NOT NULL,
    at_ms bigint NOT NULL
);
ALTER TABLE public.audience_departuremark ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.audience_departuremark_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.audience_drillreader (
    id bigint NOT NULL,
    added_at timestamp with time zone NOT NULL,
    confirmed_at timestamp with time zone,
    added_by_id bigint,
    reader_id bigint NOT NULL
);
ALTER TABLE public.audience_drillreader ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.audience_drillreader_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.audience_erasedreader (
    number bigint NOT NULL,
    uid bytea DEFAULT decode(md5(((gen_random_uuid())::text || (gen_random_uuid())::text)), 'hex'::text) NOT NULL
);
CREATE TABLE public.audience_erasure (
    reader_id bigint NOT NULL
);
CREATE TABLE public.audience_keycheck (
    id bigint NOT NULL,
    name character varying(40) NOT NULL,
    value character varying(64) NOT NULL
);
ALTER TABLE public.audience_keycheck ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.audience_keycheck_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.audience_letter (
    id bigint NOT NULL,
    kind character varying(14) NOT NULL,
    bulk boolean NOT NULL,
    address character varying(320) NOT NULL,
    domain character varying(255) NOT NULL,
    since_ms bigint,
    until_ms bigint,
    uid bytea DEFAULT decode(md5(((gen_random_uuid())::text || (gen_random_uuid())::text)), 'hex'::text) NOT NULL,
    offers boolean NOT NULL,
    created_at timestamp with time zone NOT NULL,
    state character varying(10) NOT NULL,
    attempts smallint NOT NULL,
    due_at_ms bigint NOT NULL,
    unanswered smallint DEFAULT 0 NOT NULL,
    worker character varying(40) NOT NULL,
    lease_version integer DEFAULT 0 NOT NULL,
    reader_id bigint NOT NULL,
    topic_id bigint,
    CONSTRAINT audience_letter_attempts_check CHECK ((attempts >= 0)),
    CONSTRAINT audience_letter_lease_version_check CHECK ((lease_version >= 0)),
    CONSTRAINT audience_letter_unanswered_check CHECK ((unanswered >= 0))
);
ALTER TABLE public.audience_letter ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.audience_letter_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.audience_newsroom (
    id bigint NOT NULL,
    name character varying(100) NOT NULL,
    sender_name character varying(100) NOT NULL,
    sender_address character varying(254) NOT NULL,
    postal_address character varying(300) NOT NULL,
    time_zone character varying(60) NOT NULL,
    language character varying(10) NOT NULL
);
ALTER TABLE public.audience_newsroom ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.audience_newsroom_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.audience_reader (
    id bigint NOT NULL,
    address character varying(320) NOT NULL,
    key character varying(64) NOT NULL,
    domain character varying(255) NOT NULL,
    language character varying(10) NOT NULL,
    uid bytea DEFAULT decode(md5(((gen_random_uuid())::text || (gen_random_uuid())::text)), 'hex'::text) NOT NULL,
    state character varying(12) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    confirmed_at timestamp with time zone,
    offers boolean NOT NULL,
    has_preferences boolean NOT NULL,
    frequency character varying(6) NOT NULL,
    quiet_from smallint,
    quiet_to smallint,
    time_zone character varying(60) NOT NULL,
    flash_passes boolean NOT NULL,
    most_a_day smallint,
    paused_until timestamp with time zone,
    summary_from_ms bigint,
    summary_at_ms bigint,
    links_version integer NOT NULL,
    CONSTRAINT audience_reader_links_version_check CHECK ((links_version >= 0)),
    CONSTRAINT audience_reader_most_a_day_check CHECK ((most_a_day >= 0)),
    CONSTRAINT audience_reader_quiet_from_check CHECK ((quiet_from >= 0)),
    CONSTRAINT audience_reader_quiet_to_check CHECK ((quiet_to >= 0)),
    CONSTRAINT confirmed_reader_has_an_address CHECK (((NOT ((state)::text = 'confirmed'::text)) OR (NOT (((address)::text = ''::text) OR ((domain)::text = ''::text)))))
);
ALTER TABLE public.audience_reader ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.audience_reader_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.audience_seal (
    number bigint NOT NULL,
    "table" character varying(40) NOT NULL,
    last bigint NOT NULL,
    count integer NOT NULL,
    format smallint NOT NULL,
    leaves bytea NOT NULL,
    previous character varying(64) NOT NULL,
    hash character varying(64) NOT NULL,
    mac character varying(64) NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT audience_seal_count_check CHECK ((count >= 0)),
    CONSTRAINT audience_seal_format_check CHECK ((format >= 0))
);
CREATE TABLE public.audience_sealmark (
    "table" character varying(40) NOT NULL,
    last bigint NOT NULL,
    at timestamp with time zone NOT NULL
);
CREATE TABLE public.audience_signuptally (
    id bigint NOT NULL,
    key character varying(64) NOT NULL,
    since timestamp with time zone NOT NULL,
    count integer NOT NULL,
    CONSTRAINT audience_signuptally_count_check CHECK ((count >= 0))
);
ALTER TABLE public.audience_signuptally ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.audience_signuptally_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.audience_site (
    id bigint NOT NULL,
    origin character varying(261) NOT NULL,
    added_at timestamp with time zone NOT NULL
);
ALTER TABLE public.audience_site ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.audience_site_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.audience_spentwork (
    id bigint NOT NULL,
    challenge character varying(64) NOT NULL,
    expires_at timestamp with time zone NOT NULL
);
ALTER TABLE public.audience_spentwork ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.audience_spentwork_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.audience_subscription (
    id bigint NOT NULL,
    state character varying(8) NOT NULL,
    since timestamp with time zone NOT NULL,
    reader_id bigint NOT NULL,
    topic_id bigint NOT NULL
);
ALTER TABLE public.audience_subscription ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.audience_subscription_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.audience_suppression (
    id bigint NOT NULL,
    key character varying(64) NOT NULL,
    reason character varying(20) NOT NULL,
    at timestamp with time zone NOT NULL,
    domain character varying(255) NOT NULL,
    from_list boolean DEFAULT false NOT NULL
);
ALTER TABLE public.audience_suppression ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.audience_suppression_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.audience_topic (
    id bigint NOT NULL,
    slug character varying(50) NOT NULL,
    name character varying(100) NOT NULL,
    description character varying(300) NOT NULL,
    "position" smallint NOT NULL,
    uid bytea DEFAULT decode(md5(((gen_random_uuid())::text || (gen_random_uuid())::text)), 'hex'::text) NOT NULL,
    CONSTRAINT audience_topic_position_check CHECK (("position" >= 0))
);
ALTER TABLE public.audience_topic ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.audience_topic_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.audience_unfinishedimport (
    id bigint NOT NULL,
    key character varying(64) NOT NULL,
    line bigint NOT NULL,
    "position" bigint NOT NULL,
    counts jsonb NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT audience_unfinishedimport_line_check CHECK ((line >= 0)),
    CONSTRAINT audience_unfinishedimport_position_check CHECK (("position" >= 0))
);
ALTER TABLE public.audience_unfinishedimport ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.audience_unfinishedimport_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.audience_wording (
    id bigint NOT NULL,
    kind character varying(20) NOT NULL,
    language character varying(10) NOT NULL,
    version integer NOT NULL,
    text text NOT NULL,
    digest character varying(64) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT audience_wording_version_check CHECK ((version >= 0))
);
ALTER TABLE public.audience_wording ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.audience_wording_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.audit_auditentry (
    id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    what character varying(40) NOT NULL,
    details jsonb NOT NULL,
    alert_id bigint,
    editor_id bigint,
    story_id bigint
);
ALTER TABLE public.audit_auditentry ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.audit_auditentry_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.auth_group (
    id integer NOT NULL,
    name character varying(150) NOT NULL
);
ALTER TABLE public.auth_group ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.auth_group_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.auth_group_permissions (
    id bigint NOT NULL,
    group_id integer NOT NULL,
    permission_id integer NOT NULL
);
ALTER TABLE public.auth_group_permissions ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.auth_group_permissions_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.auth_permission (
    id integer NOT NULL,
    name character varying(255) NOT NULL,
    content_type_id integer NOT NULL,
    codename character varying(100) NOT NULL
);
ALTER TABLE public.auth_permission ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.auth_permission_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.courier_batch (
    id bigint NOT NULL,
    number integer NOT NULL,
    size integer NOT NULL,
    readers bytea NOT NULL,
    first bigint NOT NULL,
    last bigint NOT NULL,
    outcomes bytea NOT NULL,
    times bytea NOT NULL,
    lease_version integer NOT NULL,
    handed_out_to integer NOT NULL,
    worker character varying(40) NOT NULL,
    due_at_ms bigint,
    attempts smallint NOT NULL,
    accepted integer NOT NULL,
    deferred integer NOT NULL,
    refused integer NOT NULL,
    skipped integer NOT NULL,
    uncertain integer NOT NULL,
    expired integer NOT NULL,
    repeated integer NOT NULL,
    changed_at_ms bigint NOT NULL,
    packed boolean DEFAULT false NOT NULL,
    alert_id bigint NOT NULL,
    CONSTRAINT courier_batch_accepted_check CHECK ((accepted >= 0)),
    CONSTRAINT courier_batch_attempts_check CHECK ((attempts >= 0)),
    CONSTRAINT courier_batch_deferred_check CHECK ((deferred >= 0)),
    CONSTRAINT courier_batch_expired_check CHECK ((expired >= 0)),
    CONSTRAINT courier_batch_handed_out_to_check CHECK ((handed_out_to >= 0)),
    CONSTRAINT courier_batch_lease_version_check CHECK ((lease_version >= 0)),
    CONSTRAINT courier_batch_number_check CHECK ((number >= 0)),
    CONSTRAINT courier_batch_refused_check CHECK ((refused >= 0)),
    CONSTRAINT courier_batch_repeated_check CHECK ((repeated >= 0)),
    CONSTRAINT courier_batch_size_check CHECK ((size >= 0)),
    CONSTRAINT courier_batch_skipped_check CHECK ((skipped >= 0)),
    CONSTRAINT courier_batch_uncertain_check CHECK ((uncertain >= 0))
);
ALTER TABLE public.courier_batch ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.courier_batch_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.courier_brake (
    id bigint NOT NULL,
    scope character varying(8) NOT NULL,
    name character varying(300) NOT NULL,
    answered integer DEFAULT 0 NOT NULL,
    refused integer DEFAULT 0 NOT NULL,
    on_since_ms bigint,
    alert_id bigint NOT NULL,
    CONSTRAINT courier_brake_answered_check CHECK ((answered >= 0)),
    CONSTRAINT courier_brake_refused_check CHECK ((refused >= 0))
);
ALTER TABLE public.courier_brake ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.courier_brake_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.courier_composition (
    id bigint NOT NULL,
    language character varying(10) NOT NULL,
    parts bytea NOT NULL,
    alert_id bigint NOT NULL
);
ALTER TABLE public.courier_composition ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.courier_composition_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.courier_digestitem (
    id bigint NOT NULL,
    alert bigint NOT NULL,
    reader bigint NOT NULL,
    letter_id bigint NOT NULL
);
ALTER TABLE public.courier_digestitem ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.courier_digestitem_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.courier_lastheartbeat (
    id bigint NOT NULL,
    at_ms bigint NOT NULL
);
ALTER TABLE public.courier_lastheartbeat ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.courier_lastheartbeat_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.courier_refusal (
    id bigint NOT NULL,
    batch bigint NOT NULL,
    place integer NOT NULL,
    reader bigint NOT NULL,
    domain character varying(255) NOT NULL,
    provider character varying(255) NOT NULL,
    relay character varying(300) NOT NULL,
    bounce character varying(8) NOT NULL,
    code smallint NOT NULL,
    status character varying(12) NOT NULL,
    at_ms bigint NOT NULL,
    alert_id bigint NOT NULL,
    CONSTRAINT courier_refusal_code_check CHECK ((code >= 0)),
    CONSTRAINT courier_refusal_place_check CHECK ((place >= 0))
);
ALTER TABLE public.courier_refusal ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.courier_refusal_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.courier_relay (
    id bigint NOT NULL,
    name character varying(300) NOT NULL,
    paused_at timestamp with time zone,
    paused_by character varying(200) NOT NULL,
    reason character varying(300) NOT NULL,
    trial_at_ms bigint,
    trials smallint NOT NULL,
    trouble character varying(300) NOT NULL,
    trouble_since timestamp with time zone,
    secured_as character varying(300) NOT NULL,
    secured_at timestamp with time zone,
    CONSTRAINT courier_relay_trials_check CHECK ((trials >= 0))
);
ALTER TABLE public.courier_relay ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.courier_relay_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.courier_relayatwork (
    id bigint NOT NULL,
    relay character varying(300) NOT NULL,
    worker character varying(40) NOT NULL,
    circuit character varying(9) NOT NULL,
    connections integer NOT NULL,
    in_flight integer NOT NULL,
    rate double precision NOT NULL,
    paced jsonb NOT NULL,
    seen_at_ms bigint NOT NULL,
    CONSTRAINT courier_relayatwork_connections_check CHECK ((connections >= 0)),
    CONSTRAINT courier_relayatwork_in_flight_check CHECK ((in_flight >= 0))
);
ALTER TABLE public.courier_relayatwork ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.courier_relayatwork_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.courier_relaycount (
    id bigint NOT NULL,
    relay character varying(300) NOT NULL,
    day date NOT NULL,
    provider character varying(255) NOT NULL,
    accepted integer NOT NULL,
    deferred integer NOT NULL,
    refused integer NOT NULL,
    text character varying(300) NOT NULL,
    CONSTRAINT courier_relaycount_accepted_check CHECK ((accepted >= 0)),
    CONSTRAINT courier_relaycount_deferred_check CHECK ((deferred >= 0)),
    CONSTRAINT courier_relaycount_refused_check CHECK ((refused >= 0))
);
ALTER TABLE public.courier_relaycount ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.courier_relaycount_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.courier_replycount (
    id bigint NOT NULL,
    domain character varying(255) NOT NULL,
    outcome smallint NOT NULL,
    code smallint NOT NULL,
    status character varying(12) NOT NULL,
    text character varying(200) NOT NULL,
    count integer NOT NULL,
    alert_id bigint NOT NULL,
    CONSTRAINT courier_replycount_code_check CHECK ((code >= 0)),
    CONSTRAINT courier_replycount_count_check CHECK ((count >= 0)),
    CONSTRAINT courier_replycount_outcome_check CHECK ((outcome >= 0))
);
ALTER TABLE public.courier_replycount ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.courier_replycount_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.courier_restores (
    id bigint NOT NULL,
    held boolean NOT NULL,
    seen_at_ms bigint NOT NULL,
    found_at_ms bigint NOT NULL,
    count integer NOT NULL,
    seen_count integer NOT NULL,
    CONSTRAINT courier_restores_count_check CHECK ((count >= 0)),
    CONSTRAINT courier_restores_seen_count_check CHECK ((seen_count >= 0))
);
ALTER TABLE public.courier_restores ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.courier_restores_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.courier_senderprocess (
    id bigint NOT NULL,
    name character varying(40) NOT NULL,
    node character varying(32) NOT NULL,
    number smallint NOT NULL,
    place character varying(32) NOT NULL,
    pid character varying(40) NOT NULL,
    host character varying(255) NOT NULL,
    started_at_ms bigint NOT NULL,
    seen_at_ms bigint NOT NULL,
    skew_ms bigint DEFAULT 0 NOT NULL,
    waiting_since_ms bigint,
    waiting_for character varying(300) NOT NULL,
    CONSTRAINT courier_senderprocess_number_check CHECK ((number >= 0))
);
ALTER TABLE public.courier_senderprocess ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.courier_senderprocess_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.courier_statenumber (
    id bigint NOT NULL,
    writer character varying(40) NOT NULL,
    number bigint NOT NULL,
    at_ms bigint NOT NULL
);
ALTER TABLE public.courier_statenumber ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.courier_statenumber_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.django_content_type (
    id integer NOT NULL,
    app_label character varying(100) NOT NULL,
    model character varying(100) NOT NULL
);
ALTER TABLE public.django_content_type ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.django_content_type_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.django_migrations (
    id bigint NOT NULL,
    app character varying(255) NOT NULL,
    name character varying(255) NOT NULL,
    applied timestamp with time zone NOT NULL
);
ALTER TABLE public.django_migrations ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.django_migrations_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.django_session (
    session_key character varying(40) NOT NULL,
    session_data text NOT NULL,
    expire_date timestamp with time zone NOT NULL
);
CREATE TABLE public.live_ping (
    id bigint NOT NULL,
    state character varying(10) NOT NULL,
    tries integer NOT NULL,
    due_at_ms bigint NOT NULL,
    update_id bigint NOT NULL,
    CONSTRAINT live_ping_tries_check CHECK ((tries >= 0))
);
ALTER TABLE public.live_ping ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.live_ping_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.stories_alert (
    id bigint NOT NULL,
    uuid uuid NOT NULL,
    audience character varying(10) NOT NULL,
    answers jsonb NOT NULL,
    lane character varying(5) NOT NULL,
    channel character varying(20) DEFAULT 'mail'::character varying NOT NULL,
    flash boolean NOT NULL,
    state character varying(10) NOT NULL,
    frozen_at timestamp with time zone NOT NULL,
    held_until_ms bigint NOT NULL,
    not_before_ms bigint,
    expires_at_ms bigint NOT NULL,
    time_to_live_ms bigint DEFAULT 0 NOT NULL,
    repeat boolean NOT NULL,
    ended_at timestamp with time zone,
    cut_from bigint NOT NULL,
    cut_to bigint,
    cut_wrapped boolean NOT NULL,
    cut_done boolean NOT NULL,
    curve jsonb,
    idempotency_key character varying(200),
    ended_by_id bigint,
    sent_by_id bigint NOT NULL,
    topic_id bigint,
    update_id bigint NOT NULL
);
ALTER TABLE public.stories_alert ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.stories_alert_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.stories_image (
    id bigint NOT NULL,
    name character varying(32) NOT NULL,
    width integer NOT NULL,
    height integer NOT NULL,
    extension character varying(4) NOT NULL,
    size integer NOT NULL,
    added_at timestamp with time zone NOT NULL,
    added_by_id bigint NOT NULL,
    CONSTRAINT stories_image_height_check CHECK ((height >= 0)),
    CONSTRAINT stories_image_size_check CHECK ((size >= 0)),
    CONSTRAINT stories_image_width_check CHECK ((width >= 0))
);
ALTER TABLE public.stories_image ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.stories_image_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.stories_image_updates (
    id bigint NOT NULL,
    image_id bigint NOT NULL,
    update_id bigint NOT NULL
);
ALTER TABLE public.stories_image_updates ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.stories_image_updates_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.stories_presence (
    id bigint NOT NULL,
    since timestamp with time zone NOT NULL,
    seen_at timestamp with time zone NOT NULL,
    writing_since timestamp with time zone,
    editor_id bigint NOT NULL,
    story_id bigint NOT NULL
);
ALTER TABLE public.stories_presence ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.stories_presence_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.stories_story (
    id bigint NOT NULL,
    uuid uuid NOT NULL,
    state character varying(10) NOT NULL,
    headline character varying(150) NOT NULL,
    standfirst character varying(300) NOT NULL,
    text text NOT NULL,
    kind character varying(10) NOT NULL,
    note character varying(300) NOT NULL,
    answers jsonb NOT NULL,
    language character varying(10) NOT NULL,
    purpose character varying(10) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    revision integer NOT NULL,
    sent_revision integer NOT NULL,
    approved_at timestamp with time zone,
    embargo_until timestamp with time zone,
    drill boolean NOT NULL,
    approved_by_id bigint,
    author_id bigint NOT NULL,
    topic_id bigint,
    CONSTRAINT only_an_offer_has_no_topic CHECK (((((purpose)::text = 'offers'::text) AND (topic_id IS NULL)) OR (((purpose)::text = 'alerts'::text) AND (topic_id IS NOT NULL)))),
    CONSTRAINT stories_story_revision_check CHECK ((revision >= 0)),
    CONSTRAINT stories_story_sent_revision_check CHECK ((sent_revision >= 0))
);
ALTER TABLE public.stories_story ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.stories_story_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.stories_storypreference (
    id bigint NOT NULL,
    choice character varying(6) NOT NULL,
    at timestamp with time zone NOT NULL,
    reader_id bigint NOT NULL,
    story_id bigint NOT NULL
);
ALTER TABLE public.stories_storypreference ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.stories_storypreference_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.stories_update (
    id bigint NOT NULL,
    number integer,
    kind character varying(10) NOT NULL,
    headline character varying(150) NOT NULL,
    standfirst character varying(300) NOT NULL,
    text text NOT NULL,
    note character varying(300) NOT NULL,
    answers jsonb NOT NULL,
    language character varying(10) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    published_at timestamp with time zone,
    uid bytea DEFAULT decode(md5(((gen_random_uuid())::text || (gen_random_uuid())::text)), 'hex'::text) NOT NULL,
    author_id bigint NOT NULL,
    story_id bigint NOT NULL,
    CONSTRAINT stories_update_number_check CHECK ((number >= 0))
);
ALTER TABLE public.stories_update ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.stories_update_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
INSERT INTO public.accounts_editor VALUES (1, '!uD2oy7ZPOSLnaNE20NODmiA6zHd5NItOyihH9anQ', NULL, 'desk@newsroom.example', 'Administrator', 'administrator', false, true, '2026-11-29 11:37:49.173072+00');
INSERT INTO public.audience_consent VALUES (1, 'alerts', 'confirmed', 'import', '2026-05-04 00:00:00+00', 'Paper form at the fair', NULL, NULL, 'en', '', '', '', 1, 1);
INSERT INTO public.audience_consent VALUES (2, 'alerts', 'confirmed', 'import', '2026-05-04 00:00:00+00', 'Paper form at the fair', NULL, NULL, 'en', '', '', '', 2, 1);
INSERT INTO public.audience_consent VALUES (3, 'alerts', 'confirmed', 'import', '2026-05-04 00:00:00+00', 'Paper form at the fair', NULL, NULL, 'en', '', '', '', 3, 1);
INSERT INTO public.audience_consent VALUES (4, 'alerts', 'confirmed', 'import', '2026-05-04 00:00:00+00', 'Paper form at the fair', NULL, NULL, 'en', '', '', '', 4, 1);
INSERT INTO public.audience_consent VALUES (5, 'alerts', 'withdrawn', 'link', '2026-11-29 11:38:04.964724+00', '', NULL, NULL, '', '', '', '', 3, 1);
INSERT INTO public.audience_keycheck VALUES (1, 'address', 'ddec8cfde0fd41dd315cc4b0f54425fecff5acbf3b9321809db49dd8f6eeef07');
INSERT INTO public.audience_keycheck VALUES (2, 'generation 1', '4ac7cb2535b98530bff7eabf86abb9e323c78a1b6eaf961340eee12b55f67e49');
INSERT INTO public.audience_newsroom VALUES (1, 'The Harbour Herald', 'The Harbour Herald', 'alerts@herald.example', '12 Ropewalk, Port Ellery', 'Europe/London', 'en');
INSERT INTO public.audience_reader VALUES (1, 'cy@reader.example', '42be755384820f6efc7601e33c49605bdc630e2c0454144bc45f13a948302f3c', 'reader.example', 'en', '\x5e89d70bd40a8c3f1a3a9210a348fda5', 'confirmed', '2026-11-29 11:37:57.8985+00', '2026-05-04 00:00:00+00', false, false, 'every', NULL, NULL, '', false, NULL, NULL, NULL, NULL, 0);
INSERT INTO public.audience_reader VALUES (2, 'dee@reader.example', 'dd0b56c49e3fda1efdaa7be387adf11e7153f6b57c93f0b8091c14c135897178', 'reader.example', 'en', '\xfb7e2da369420e2e8fc98b3ddc9a4d9b', 'hard bounced', '2026-11-29 11:37:57.8985+00', '2026-05-04 00:00:00+00', false, false, 'every', NULL, NULL, '', false, NULL, NULL, NULL, NULL, 0);
INSERT INTO public.audience_reader VALUES (3, 'eve@reader.example', '8190c7e8211c7faa2fe8a8aacbb37dbdc4bd34368d486d4b7159b0146864eabf', 'reader.example', 'en', '\x051184b6babbb1d3d072dc16da110fcd', 'unsubscribed', '2026-11-29 11:37:57.8985+00', '2026-05-04 00:00:00+00', false, false, 'every', NULL, NULL, '', false, NULL, NULL, NULL, NULL, 0);
INSERT INTO public.audience_reader VALUES (4, 'flo@reader.example', '130d1e39a243d4b4ba33012788dc27c7faf953d1e0084f3ada7775d675524a9f', 'reader.example', 'en', '\x45cf0adb16357b7356f0bb11be475d2b', 'confirmed', '2026-11-29 11:37:57.8985+00', '2026-05-04 00:00:00+00', false, true, 'digest', NULL, NULL, '', false, NULL, NULL, NULL, NULL, 0);
INSERT INTO public.audience_seal VALUES (1, 'stories_update', 1, 1, 1, '\x789c63644005000020000265c3422a12700ad395e700c9cff1bec1', '', '48ce347cfdaecec750409b2353700fda23d43ca72d554a036dd12ddeebc99231', '24912e882c9e4971920330abc36bef26f02c2b5ab0cc3e7d8e5933a11d4efe9c', '2026-11-29 11:38:05.188839+00');
INSERT INTO public.audience_sealmark VALUES ('audience_wording', 6, '2026-11-29 11:38:05.027453+00');
INSERT INTO public.audience_sealmark VALUES ('audience_consent', 5, '2026-11-29 11:38:05.082231+00');
INSERT INTO public.audience_sealmark VALUES ('audit_auditentry', 4, '2026-11-29 11:38:05.121366+00');
INSERT INTO public.audience_subscription VALUES (1, 'active', '2026-11-29 11:37:57.8985+00', 1, 1);
INSERT INTO public.audience_subscription VALUES (2, 'active', '2026-11-29 11:37:57.8985+00', 2, 1);
INSERT INTO public.audience_subscription VALUES (4, 'active', '2026-11-29 11:37:57.8985+00', 4, 1);
INSERT INTO public.audience_subscription VALUES (3, 'ended', '2026-11-29 11:38:04.964724+00', 3, 1);
INSERT INTO public.audience_suppression VALUES (1, 'dd0b56c49e3fda1efdaa7be387adf11e7153f6b57c93f0b8091c14c135897178', 'bounced', '2026-11-29 11:38:04.911711+00', 'reader.example', false);
INSERT INTO public.audience_topic VALUES (1, 'breaking', 'Breaking news', 'The moment it happens, and what follows.', 0, '\x1ce3032957cba46d3aba79174eef147f');
INSERT INTO public.audience_topic VALUES (2, 'politics', 'Politics', 'Decisions of the city and the country, as they are taken.', 1, '\x280db883330e45554b1e86feec9938ed');
INSERT INTO public.audience_topic VALUES (3, 'weather', 'Weather warnings', 'Storms and floods, in time to do something about them.', 2, '\x0863410c47b55452c36634542bdd5daa');
INSERT INTO public.audience_wording VALUES (1, 'alerts', 'en', 1, 'For free real time alerts sent straight to your inbox sign up to our {topic} emails.', 'b49b1d51f1d7a83971c7f10413e3d2e1bbe35d24e33ba3b0218bcf09bbd2df97', '2026-11-29 11:37:48.963129+00');
INSERT INTO public.audience_wording VALUES (2, 'alerts', 'de', 1, 'Kostenlose Eilmeldungen in Echtzeit, direkt in Ihr Postfach: Melden Sie sich für unsere E-Mails „{topic}“ an.', '867d6295b33595ab1db19a1863b1360416768e34b15ddfeaa7940188034b522a', '2026-11-29 11:37:48.973142+00');
INSERT INTO public.audience_wording VALUES (3, 'offers', 'en', 1, 'I would like to be emailed about offers, events and updates.', '6324abfb27af2a96af758237007c62fe120681daf9ed038f3d3504b545ced279', '2026-11-29 11:37:48.981232+00');
INSERT INTO public.audience_wording VALUES (4, 'offers', 'de', 1, 'Ich möchte per E-Mail über Angebote, Veranstaltungen und Neuigkeiten informiert werden.', '6ce2e930124afa3cd803017191afb51363d2c55f54ce824dfb1a594771803e3e', '2026-11-29 11:37:48.989971+00');
INSERT INTO public.audience_wording VALUES (5, 'privacy', 'en', 1, '## Who is responsible
The Harbour Herald, 12 Ropewalk, Port Ellery. Write to us about anything on this page: [alerts@herald.example](mailto:alerts@herald.example).
## What we use your data for
**Alerts.** We keep your email address, your language and the topics you chose, to send you the news you
signed up to.
**Offers, events and updates.** Only if you ticked that box. It is a separate choice and never a condition of
getting the news.
**Proof.** We keep when, where and how you agreed and confirmed, the words you were shown, and the network address
that you did it from, because we have to be able to show that you agreed. After 90 days we cut that
address down to a part that many people share.
We don’t track whether you open our emails or which links you follow.
## Why we may
You agreed to it (Art. 6(1)(a) GDPR). Keeping the proof of that is our legal obligation and our legitimate
interest (Art. 6(1)(c) and (f), Art. 7(1) GDPR).
## Who else gets it
Only those who work for us on sending these emails, such as the company that runs our mail server, and only
for that. We don’t sell or rent addresses.
## How long we keep it
Your address: while you are signed up. If you don’t confirm your sign-up within 7 days, we delete it.
After you leave we keep it with the proof of your consent only, for as long as a claim could be made about
that. If a mailbox is gone or its owner complained, we also keep a keyed fingerprint of
the address, so that we never write to it again.
## What you can do
**Leave** at any time: one click on *Unsubscribe* in any of our emails ends it at once, without a password.
What we did until then stays lawful.
**Your rights:** ask us what we hold about you, have it corrected or deleted, have its use restricted, get a
copy to take along, and object. Write to [alerts@herald.example](mailto:alerts@herald.example).
**Complain:** you can turn to the data protection authority where you live or work, or where we are.
You don’t have to give us your address; without it we can’t send you email. No decision about you is made by a
machine.
', 'c705c97a8954d516337d728df3800616c5f38aef4932cffd62ae387785f0c0cf', '2026-11-29 11:37:49.000473+00');
INSERT INTO public.audience_wording VALUES (6, 'privacy', 'de', 1, '## Wer verantwortlich ist
The Harbour Herald, 12 Ropewalk, Port Ellery. Schreiben Sie uns zu allem auf dieser Seite: [alerts@herald.example](mailto:alerts@herald.example).
## Wofür wir Ihre Daten verwenden
**Eilmeldungen.** Wir speichern Ihre E-Mail-Adresse, Ihre Sprache und die gewählten Themen, um Ihnen die
Nachrichten zu schicken, für die Sie sich angemeldet haben.
**Angebote, Veranstaltungen und Neuigkeiten.** Nur, wenn Sie dieses Kästchen angekreuzt haben. Das ist eine
eigene Entscheidung und nie Bedingung für die Nachrichten.
**Nachweis.** Wir speichern, wann, wo und wie Sie eingewilligt und bestätigt haben, den Wortlaut, der Ihnen gezeigt
wurde, und die Netzadresse, von der aus Sie es taten, denn wir müssen Ihre Einwilligung nachweisen können. Nach
90 Tagen kürzen wir diese Adresse auf einen Teil, den sich viele teilen.
Wir verfolgen nicht, ob Sie unsere E-Mails öffnen oder welchen Links Sie folgen.
## Warum wir das dürfen
Sie haben eingewilligt (Art. 6 Abs. 1 lit. a DSGVO). Den Nachweis darüber aufzubewahren ist unsere rechtliche
Pflicht und unser berechtigtes Interesse (Art. 6 Abs. 1 lit. c und f, Art. 7 Abs. 1 DSGVO).
## Wer sie sonst erhält
Nur wer in unserem Auftrag beim Versand dieser E-Mails hilft, etwa der Betreiber unseres Mailservers, und nur
dafür. Wir verkaufen und vermieten keine Adressen.
## Wie lange wir sie speichern
Ihre Adresse: solange Sie angemeldet sind. Bestätigen Sie Ihre Anmeldung nicht innerhalb von 7 Tagen,
löschen wir sie. Nach der Abmeldung bleibt sie nur beim Nachweis Ihrer Einwilligung, so lange, wie daraus
Ansprüche entstehen können. Gibt es ein Postfach nicht mehr oder hat sich sein Inhaber beschwert, so behalten
wir auch einen verschlüsselten Fingerabdruck der Adresse, um nie wieder dorthin zu schreiben.
## Was Sie tun können
**Sich abmelden**, jederzeit: Ein Klick auf *Abmelden* in jeder unserer E-Mails genügt, sofort und ohne
Passwort. Was bis dahin geschah, bleibt rechtmäßig.
**Ihre Rechte:** Auskunft, Berichtigung, Löschung, Einschränkung der Verarbeitung, Datenübertragbarkeit und
Widerspruch. Schreiben Sie an [alerts@herald.example](mailto:alerts@herald.example).
**Sich beschweren:** bei der Datenschutzbehörde Ihres Wohn- oder Arbeitsorts oder unseres Sitzes.
Sie müssen uns Ihre Adresse nicht geben; ohne sie können wir Ihnen keine E-Mails schicken. Über Sie
entscheidet kein Automat.
', 'c50631bb7b5bf8d0fbb5e63c89a9cfac21bb8d02a01756c6ddf9f27b353cf5d1', '2026-11-29 11:37:49.01267+00');
INSERT INTO public.audit_auditentry VALUES (1, '2026-11-29 11:37:49.175622+00', 'add editor', '{"name": "Administrator", "role": "administrator"}', NULL, NULL, NULL);
INSERT INTO public.audit_auditentry VALUES (2, '2026-11-29 11:37:49.250865+00', 'save', '{"revision": 1}', NULL, 1, 1);
INSERT INTO public.audit_auditentry VALUES (3, '2026-11-29 11:38:00.857882+00', 'save', '{"revision": 1}', NULL, 1, 2);
INSERT INTO public.audit_auditentry VALUES (4, '2026-11-29 11:38:00.903454+00', 'send', '{"kind": "first", "audience": "topic"}', 1, 1, 2);
INSERT INTO public.auth_permission VALUES (1, 'Can add permission', 1, 'add_permission');
INSERT INTO public.auth_permission VALUES (2, 'Can change permission', 1, 'change_permission');
INSERT INTO public.auth_permission VALUES (3, 'Can delete permission', 1, 'delete_permission');
INSERT INTO public.auth_permission VALUES (4, 'Can view permission', 1, 'view_permission');
INSERT INTO public.auth_permission VALUES (5, 'Can add group', 2, 'add_group');
INSERT INTO public.auth_permission VALUES (6, 'Can change group', 2, 'change_group');
INSERT INTO public.auth_permission VALUES (7, 'Can delete group', 2, 'delete_group');
INSERT INTO public.auth_permission VALUES (8, 'Can view group', 2, 'view_group');
INSERT INTO public.auth_permission VALUES (9, 'Can add content type', 3, 'add_contenttype');
INSERT INTO public.auth_permission VALUES (10, 'Can change content type', 3, 'change_contenttype');
INSERT INTO public.auth_permission VALUES (11, 'Can delete content type', 3, 'delete_contenttype');
INSERT INTO public.auth_permission VALUES (12, 'Can view content type', 3, 'view_contenttype');
INSERT INTO public.auth_permission VALUES (13, 'Can add session', 4, 'add_session');
INSERT INTO public.auth_permission VALUES (14, 'Can change session', 4, 'change_session');
INSERT INTO public.auth_permission VALUES (15, 'Can delete session', 4, 'delete_session');
INSERT INTO public.auth_permission VALUES (16, 'Can view session', 4, 'view_session');
INSERT INTO public.auth_permission VALUES (17, 'Can add editor', 5, 'add_editor');
INSERT INTO public.auth_permission VALUES (18, 'Can change editor', 5, 'change_editor');
INSERT INTO public.auth_permission VALUES (19, 'Can delete editor', 5, 'delete_editor');
INSERT INTO public.auth_permission VALUES (20, 'Can view editor', 5, 'view_editor');
INSERT INTO public.auth_permission VALUES (21, 'Can add failed sign ins', 6, 'add_failedsignins');
INSERT INTO public.auth_permission VALUES (22, 'Can change failed sign ins', 6, 'change_failedsignins');
INSERT INTO public.auth_permission VALUES (23, 'Can delete failed sign ins', 6, 'delete_failedsignins');
INSERT INTO public.auth_permission VALUES (24, 'Can view failed sign ins', 6, 'view_failedsignins');
INSERT INTO public.auth_permission VALUES (25, 'Can add audit entry', 7, 'add_auditentry');
INSERT INTO public.auth_permission VALUES (26, 'Can change audit entry', 7, 'change_auditentry');
INSERT INTO public.auth_permission VALUES (27, 'Can delete audit entry', 7, 'delete_auditentry');
INSERT INTO public.auth_permission VALUES (28, 'Can view audit entry', 7, 'view_auditentry');
INSERT INTO public.auth_permission VALUES (29, 'Can add bounce', 8, 'add_bounce');
INSERT INTO public.auth_permission VALUES (30, 'Can change bounce', 8, 'change_bounce');
INSERT INTO public.auth_permission VALUES (31, 'Can delete bounce', 8, 'delete_bounce');
INSERT INTO public.auth_permission VALUES (32, 'Can view bounce', 8, 'view_bounce');
INSERT INTO public.auth_permission VALUES (33, 'Can add consent', 9, 'add_consent');
INSERT INTO public.auth_permission VALUES (34, 'Can change consent', 9, 'change_consent');
INSERT INTO public.auth_permission VALUES (35, 'Can delete consent', 9, 'delete_consent');
INSERT INTO public.auth_permission VALUES (36, 'Can view consent', 9, 'view_consent');
INSERT INTO public.auth_permission VALUES (37, 'Can add departure mark', 10, 'add_departuremark');
INSERT INTO public.auth_permission VALUES (38, 'Can change departure mark', 10, 'change_departuremark');
INSERT INTO public.auth_permission VALUES (39, 'Can delete departure mark', 10, 'delete_departuremark');
INSERT INTO public.auth_permission VALUES (40, 'Can view departure mark', 10, 'view_departuremark');
INSERT INTO public.auth_permission VALUES (41, 'Can add erased reader', 11, 'add_erasedreader');
INSERT INTO public.auth_permission VALUES (42, 'Can change erased reader', 11, 'change_erasedreader');
INSERT INTO public.auth_permission VALUES (43, 'Can delete erased reader', 11, 'delete_erasedreader');
INSERT INTO public.auth_permission VALUES (44, 'Can view erased reader', 11, 'view_erasedreader');
INSERT INTO public.auth_permission VALUES (45, 'Can add reader', 12, 'add_reader');
INSERT INTO public.auth_permission VALUES (46, 'Can change reader', 12, 'change_reader');
INSERT INTO public.auth_permission VALUES (47, 'Can delete reader', 12, 'delete_reader');
INSERT INTO public.auth_permission VALUES (48, 'Can view reader', 12, 'view_reader');
INSERT INTO public.auth_permission VALUES (49, 'Can add key check', 13, 'add_keycheck');
INSERT INTO public.auth_permission VALUES (50, 'Can change key check', 13, 'change_keycheck');
INSERT INTO public.auth_permission VALUES (51, 'Can delete key check', 13, 'delete_keycheck');
INSERT INTO public.auth_permission VALUES (52, 'Can view key check', 13, 'view_keycheck');
INSERT INTO public.auth_permission VALUES (53, 'Can add letter', 14, 'add_letter');
INSERT INTO public.auth_permission VALUES (54, 'Can change letter', 14, 'change_letter');
INSERT INTO public.auth_permission VALUES (55, 'Can delete letter', 14, 'delete_letter');
INSERT INTO public.auth_permission VALUES (56, 'Can view letter', 14, 'view_letter');
INSERT INTO public.auth_permission VALUES (57, 'Can add newsroom', 15, 'add_newsroom');
INSERT INTO public.auth_permission VALUES (58, 'Can change newsroom', 15, 'change_newsroom');
INSERT INTO public.auth_permission VALUES (59, 'Can delete newsroom', 15, 'delete_newsroom');
INSERT INTO public.auth_permission VALUES (60, 'Can view newsroom', 15, 'view_newsroom');
INSERT INTO public.auth_permission VALUES (61, 'Can add seal', 16, 'add_seal');
INSERT INTO public.auth_permission VALUES (62, 'Can change seal', 16, 'change_seal');
INSERT INTO public.auth_permission VALUES (63, 'Can delete seal', 16, 'delete_seal');
INSERT INTO public.auth_permission VALUES (64, 'Can view seal', 16, 'view_seal');
INSERT INTO public.auth_permission VALUES (65, 'Can add seal mark', 17, 'add_sealmark');
INSERT INTO public.auth_permission VALUES (66, 'Can change seal mark', 17, 'change_sealmark');
INSERT INTO public.auth_permission VALUES (67, 'Can delete seal mark', 17, 'delete_sealmark');
INSERT INTO public.auth_permission VALUES (68, 'Can view seal mark', 17, 'view_sealmark');
INSERT INTO public.auth_permission VALUES (69, 'Can add sign up tally', 18, 'add_signuptally');
INSERT INTO public.auth_permission VALUES (70, 'Can change sign up tally', 18, 'change_signuptally');
INSERT INTO public.auth_permission VALUES (71, 'Can delete sign up tally', 18, 'delete_signuptally');
INSERT INTO public.auth_permission VALUES (72, 'Can view sign up tally', 18, 'view_signuptally');
INSERT INTO public.auth_permission VALUES (73, 'Can add site', 19, 'add_site');
INSERT INTO public.auth_permission VALUES (74, 'Can change site', 19, 'change_site');
INSERT INTO public.auth_permission VALUES (75, 'Can delete site', 19, 'delete_site');
INSERT INTO public.auth_permission VALUES (76, 'Can view site', 19, 'view_site');
INSERT INTO public.auth_permission VALUES (77, 'Can add spent work', 20, 'add_spentwork');
INSERT INTO public.auth_permission VALUES (78, 'Can change spent work', 20, 'change_spentwork');
INSERT INTO public.auth_permission VALUES (79, 'Can delete spent work', 20, 'delete_spentwork');
INSERT INTO public.auth_permission VALUES (80, 'Can view spent work', 20, 'view_spentwork');
INSERT INTO public.auth_permission VALUES (81, 'Can add subscription', 21, 'add_subscription');
INSERT INTO public.auth_permission VALUES (82, 'Can change subscription', 21, 'change_subscription');
INSERT INTO public.auth_permission VALUES (83, 'Can delete subscription', 21, 'delete_subscription');
INSERT INTO public.auth_permission VALUES (84, 'Can view subscription', 21, 'view_subscription');
INSERT INTO public.auth_permission VALUES (85, 'Can add suppression', 22, 'add_suppression');
INSERT INTO public.auth_permission VALUES (86, 'Can change suppression', 22, 'change_suppression');
INSERT INTO public.auth_permission VALUES (87, 'Can delete suppression', 22, 'delete_suppression');
INSERT INTO public.auth_permission VALUES (88, 'Can view suppression', 22, 'view_suppression');
INSERT INTO public.auth_permission VALUES (89, 'Can add topic', 23, 'add_topic');
INSERT INTO public.auth_permission VALUES (90, 'Can change topic', 23, 'change_topic');
INSERT INTO public.auth_permission VALUES (91, 'Can delete topic', 23, 'delete_topic');
INSERT INTO public.auth_permission VALUES (92, 'Can view topic', 23, 'view_topic');
INSERT INTO public.auth_permission VALUES (93, 'Can add unfinished import', 24, 'add_unfinishedimport');
INSERT INTO public.auth_permission VALUES (94, 'Can change unfinished import', 24, 'change_unfinishedimport');
INSERT INTO public.auth_permission VALUES (95, 'Can delete unfinished import', 24, 'delete_unfinishedimport');
INSERT INTO public.auth_permission VALUES (96, 'Can view unfinished import', 24, 'view_unfinishedimport');
INSERT INTO public.auth_permission VALUES (97, 'Can add wording', 25, 'add_wording');
INSERT INTO public.auth_permission VALUES (98, 'Can change wording', 25, 'change_wording');
INSERT INTO public.auth_permission VALUES (99, 'Can delete wording', 25, 'delete_wording');
INSERT INTO public.auth_permission VALUES (100, 'Can view wording', 25, 'view_wording');
INSERT INTO public.auth_permission VALUES (101, 'Can add drill reader', 26, 'add_drillreader');
INSERT INTO public.auth_permission VALUES (102, 'Can change drill reader', 26, 'change_drillreader');
INSERT INTO public.auth_permission VALUES (103, 'Can delete drill reader', 26, 'delete_drillreader');
INSERT INTO public.auth_permission VALUES (104, 'Can view drill reader', 26, 'view_drillreader');
INSERT INTO public.auth_permission VALUES (105, 'Can add erasure', 27, 'add_erasure');
INSERT INTO public.auth_permission VALUES (106, 'Can change erasure', 27, 'change_erasure');
INSERT INTO public.auth_permission VALUES (107, 'Can delete erasure', 27, 'delete_erasure');
INSERT INTO public.auth_permission VALUES (108, 'Can view erasure', 27, 'view_erasure');
INSERT INTO public.auth_permission VALUES (109, 'Can add story', 28, 'add_story');
INSERT INTO public.auth_permission VALUES (110, 'Can change story', 28, 'change_story');
INSERT INTO public.auth_permission VALUES (111, 'Can delete story', 28, 'delete_story');
INSERT INTO public.auth_permission VALUES (112, 'Can view story', 28, 'view_story');
INSERT INTO public.auth_permission VALUES (113, 'Can add presence', 29, 'add_presence');
INSERT INTO public.auth_permission VALUES (114, 'Can change presence', 29, 'change_presence');
INSERT INTO public.auth_permission VALUES (115, 'Can delete presence', 29, 'delete_presence');
INSERT INTO public.auth_permission VALUES (116, 'Can view presence', 29, 'view_presence');
INSERT INTO public.auth_permission VALUES (117, 'Can add story preference', 30, 'add_storypreference');
INSERT INTO public.auth_permission VALUES (118, 'Can change story preference', 30, 'change_storypreference');
INSERT INTO public.auth_permission VALUES (119, 'Can delete story preference', 30, 'delete_storypreference');
INSERT INTO public.auth_permission VALUES (120, 'Can view story preference', 30, 'view_storypreference');
INSERT INTO public.auth_permission VALUES (121, 'Can add update', 31, 'add_update');
INSERT INTO public.auth_permission VALUES (122, 'Can change update', 31, 'change_update');
INSERT INTO public.auth_permission VALUES (123, 'Can delete update', 31, 'delete_update');
INSERT INTO public.auth_permission VALUES (124, 'Can view update', 31, 'view_update');
INSERT INTO public.auth_permission VALUES (125, 'Can add image', 32, 'add_image');
INSERT INTO public.auth_permission VALUES (126, 'Can change image', 32, 'change_image');
INSERT INTO public.auth_permission VALUES (127, 'Can delete image', 32, 'delete_image');
INSERT INTO public.auth_permission VALUES (128, 'Can view image', 32, 'view_image');
INSERT INTO public.auth_permission VALUES (129, 'Can add alert', 33, 'add_alert');
INSERT INTO public.auth_permission VALUES (130, 'Can change alert', 33, 'change_alert');
INSERT INTO public.auth_permission VALUES (131, 'Can delete alert', 33, 'delete_alert');
INSERT INTO public.auth_permission VALUES (132, 'Can view alert', 33, 'view_alert');
INSERT INTO public.auth_permission VALUES (133, 'Can add last heartbeat', 34, 'add_lastheartbeat');
INSERT INTO public.auth_permission VALUES (134, 'Can change last heartbeat', 34, 'change_lastheartbeat');
INSERT INTO public.auth_permission VALUES (135, 'Can delete last heartbeat', 34, 'delete_lastheartbeat');
INSERT INTO public.auth_permission VALUES (136, 'Can view last heartbeat', 34, 'view_lastheartbeat');
INSERT INTO public.auth_permission VALUES (137, 'Can add relay', 35, 'add_relay');
INSERT INTO public.auth_permission VALUES (138, 'Can change relay', 35, 'change_relay');
INSERT INTO public.auth_permission VALUES (139, 'Can delete relay', 35, 'delete_relay');
INSERT INTO public.auth_permission VALUES (140, 'Can view relay', 35, 'view_relay');
INSERT INTO public.auth_permission VALUES (141, 'Can add restores', 36, 'add_restores');
INSERT INTO public.auth_permission VALUES (142, 'Can change restores', 36, 'change_restores');
INSERT INTO public.auth_permission VALUES (143, 'Can delete restores', 36, 'delete_restores');
INSERT INTO public.auth_permission VALUES (144, 'Can view restores', 36, 'view_restores');
INSERT INTO public.auth_permission VALUES (145, 'Can add state number', 37, 'add_statenumber');
INSERT INTO public.auth_permission VALUES (146, 'Can change state number', 37, 'change_statenumber');
INSERT INTO public.auth_permission VALUES (147, 'Can delete state number', 37, 'delete_statenumber');
INSERT INTO public.auth_permission VALUES (148, 'Can view state number', 37, 'view_statenumber');
INSERT INTO public.auth_permission VALUES (149, 'Can add relay at work', 38, 'add_relayatwork');
INSERT INTO public.auth_permission VALUES (150, 'Can change relay at work', 38, 'change_relayatwork');
INSERT INTO public.auth_permission VALUES (151, 'Can delete relay at work', 38, 'delete_relayatwork');
INSERT INTO public.auth_permission VALUES (152, 'Can view relay at work', 38, 'view_relayatwork');
INSERT INTO public.auth_permission VALUES (153, 'Can add relay count', 39, 'add_relaycount');
INSERT INTO public.auth_permission VALUES (154, 'Can change relay count', 39, 'change_relaycount');
INSERT INTO public.auth_permission VALUES (155, 'Can delete relay count', 39, 'delete_relaycount');
INSERT INTO public.auth_permission VALUES (156, 'Can view relay count', 39, 'view_relaycount');
INSERT INTO public.auth_permission VALUES (157, 'Can add sender process', 40, 'add_senderprocess');
INSERT INTO public.auth_permission VALUES (158, 'Can change sender process', 40, 'change_senderprocess');
INSERT INTO public.auth_permission VALUES (159, 'Can delete sender process', 40, 'delete_senderprocess');
INSERT INTO public.auth_permission VALUES (160, 'Can view sender process', 40, 'view_senderprocess');
INSERT INTO public.auth_permission VALUES (161, 'Can add batch', 41, 'add_batch');
INSERT INTO public.auth_permission VALUES (162, 'Can change batch', 41, 'change_batch');
INSERT INTO public.auth_permission VALUES (163, 'Can delete batch', 41, 'delete_batch');
INSERT INTO public.auth_permission VALUES (164, 'Can view batch', 41, 'view_batch');
INSERT INTO public.auth_permission VALUES (165, 'Can add brake', 42, 'add_brake');
INSERT INTO public.auth_permission VALUES (166, 'Can change brake', 42, 'change_brake');
INSERT INTO public.auth_permission VALUES (167, 'Can delete brake', 42, 'delete_brake');
INSERT INTO public.auth_permission VALUES (168, 'Can view brake', 42, 'view_brake');
INSERT INTO public.auth_permission VALUES (169, 'Can add composition', 43, 'add_composition');
INSERT INTO public.auth_permission VALUES (170, 'Can change composition', 43, 'change_composition');
INSERT INTO public.auth_permission VALUES (171, 'Can delete composition', 43, 'delete_composition');
INSERT INTO public.auth_permission VALUES (172, 'Can view composition', 43, 'view_composition');
INSERT INTO public.auth_permission VALUES (173, 'Can add digest item', 44, 'add_digestitem');
INSERT INTO public.auth_permission VALUES (174, 'Can change digest item', 44, 'change_digestitem');
INSERT INTO public.auth_permission VALUES (175, 'Can delete digest item', 44, 'delete_digestitem');
INSERT INTO public.auth_permission VALUES (176, 'Can view digest item', 44, 'view_digestitem');
INSERT INTO public.auth_permission VALUES (177, 'Can add refusal', 45, 'add_refusal');
INSERT INTO public.auth_permission VALUES (178, 'Can change refusal', 45, 'change_refusal');
INSERT INTO public.auth_permission VALUES (179, 'Can delete refusal', 45, 'delete_refusal');
INSERT INTO public.auth_permission VALUES (180, 'Can view refusal', 45, 'view_refusal');
INSERT INTO public.auth_permission VALUES (181, 'Can add reply count', 46, 'add_replycount');
INSERT INTO public.auth_permission VALUES (182, 'Can change reply count', 46, 'change_replycount');
INSERT INTO public.auth_permission VALUES (183, 'Can delete reply count', 46, 'delete_replycount');
INSERT INTO public.auth_permission VALUES (184, 'Can view reply count', 46, 'view_replycount');
INSERT INTO public.auth_permission VALUES (185, 'Can add ping', 47, 'add_ping');
INSERT INTO public.auth_permission VALUES (186, 'Can change ping', 47, 'change_ping');
INSERT INTO public.auth_permission VALUES (187, 'Can delete ping', 47, 'delete_ping');
INSERT INTO public.auth_permission VALUES (188, 'Can view ping', 47, 'view_ping');
INSERT INTO public.courier_batch VALUES (1, 1, 2, '\x03000000000000000400000000000000', 3, 4, '\x0101', '\x5f0100005f010000', 1, 0, '', NULL, 0, 2, 0, 0, 0, 0, 0, 0, 1795952281295, false, 1);
INSERT INTO public.courier_batch VALUES (2, 2, 2, '\x01000000000000000200000000000000', 1, 2, '\x0101', '\x95010000a2010000', 1, 0, '', NULL, 0, 2, 0, 0, 0, 0, 0, 0, 1795952281353, false, 1);
INSERT INTO public.courier_composition VALUES (1, 'en', '\x4d464331000d000201010606050101060605010000003746726f6d3a2054686520486172626f757220486572616c64203c616c6572747340686572616c642e6578616d706c653e0d0a546f3a203c000000373e0d0a446174653a2053756e2c203239204e6f7620323032362031313a33383a3030202b303030300d0a4d6573736167652d49443a203c0000016940686572616c642e6578616d706c653e0d0a5375626a6563743a2042726964676520636c6f73656420616674657220637261636b20697320666f756e640d0a4175746f2d5375626d69747465643a206175746f2d67656e6572617465640d0a582d4175746f2d526573706f6e73652d53757070726573733a20416c6c0d0a5265666572656e6365733a203c63346261313761642d313931362d343338652d616330352d32666532646130333138303340686572616c642e6578616d706c653e0d0a5468726561642d546f7069633a2042726964676520636c6f73656420616674657220637261636b20697320666f756e640d0a5468726561642d496e6465783a204164312f39686155784c6f5872526b575134367342532f6932674d5941773d3d0d0a436f6e74656e742d4c616e67756167653a20656e0d0a4c6973742d556e7375627363726962653a203c687474703a2f2f3132372e302e302e313a33373138312f6c656176652f000003102f3e0d0a4c6973742d556e7375627363726962652d506f73743a204c6973742d556e7375627363726962653d4f6e652d436c69636b0d0a4c6973742d49643a2022427265616b696e67206e65777322203c627265616b696e672e686572616c642e6578616d706c653e0d0a4c6973742d48656c703a203c687474703a2f2f3132372e302e302e313a33373138312f707269766163792f3e0d0a4c6973742d4f776e65723a203c6d61696c746f3a616c6572747340686572616c642e6578616d706c653e0d0a4c6973742d417263686976653a203c687474703a2f2f3132372e302e302e313a33373138312f3e0d0a507265636564656e63653a2062756c6b0d0a466565646261636b2d49443a20616c6572742d3762393863356333633438343a73746f72792d6334626131376164313931363a746f7069632d627265616b696e673a6d66373530333436326366310d0a4d494d452d56657273696f6e3a20312e300d0a436f6e74656e742d547970653a206d756c7469706172742f616c7465726e61746976653b20626f756e646172793d223d5f6d6f7265666f6c6c6f7773220d0a0d0a2d2d3d5f6d6f7265666f6c6c6f77730d0a436f6e74656e742d547970653a20746578742f706c61696e3b20636861727365743d7574662d380d0a436f6e74656e742d5472616e736665722d456e636f64696e673a2071756f7465642d7072696e7461626c650d0a0d0a427265616b696e67203d43323d42372054686520486172626f757220486572616c640d0a0d0a42726964676520636c6f73656420616674657220637261636b20697320666f756e640d0a0d0a427265616b696e67206e657773203d43323d4237203239204e6f76656d62657220323032362c2031313a333820474d540d0a52656164206f6e20746865207765623a20687474703a2f2f3132372e302e302e313a33373138312f73746f72792f63346261313761642d313931362d343338652d616330352d3266653d0d0a3264613033313830332f0d0a556e7375627363726962653a20687474703a2f2f3132372e302e302e313a33373138312f6c656176652f3d0d0a0000008c2f0d0a0d0a5468652062726964676520697320636c6f73656420746f20616c6c20747261666669632e0d0a0d0a4d6f726520666f6c6c6f7773206f6e207468697320627265616b696e67206e6577732073746f72792e0d0a466f6c6c6f7720746869732073746f72793a20687474703a2f2f3132372e302e302e313a33373138312f666f6c6c6f772f3d0d0a000000332f0d0a4d75746520746869732073746f72793a20687474703a2f2f3132372e302e302e313a33373138312f6d7574652f3d0d0a000000b12f0d0a0d0a2d2d2d2d2d2d2d2d0d0a596f75206765742074686973206d61696c206265636175736520796f75207369676e656420757020746f203d45323d38303d3943427265616b696e67206e6577733d0d0a3d45323d38303d39442066726f6d2054686520486172626f757220486572616c642e0d0a486f77206d7563682c20616e64207768656e3a20687474703a2f2f3132372e302e302e313a33373138312f707265666572656e6365732f3d0d0a000000302f0d0a556e7375627363726962653a20687474703a2f2f3132372e302e302e313a33373138312f6c656176652f3d0d0a000013cb2f0d0a50726976616379206e6f746963653a20687474703a2f2f3132372e302e302e313a33373138312f707269766163792f0d0a0d0a54686520486172626f757220486572616c642c20313220526f706577616c6b2c20506f727420456c6c6572790d0a0d0a2d2d3d5f6d6f7265666f6c6c6f77730d0a436f6e74656e742d547970653a20746578742f68746d6c3b20636861727365743d7574662d380d0a436f6e74656e742d5472616e736665722d456e636f64696e673a20376269740d0a0d0a3c21646f63747970652068746d6c3e3c68746d6c206c616e673d22656e22206469723d226c74722220786d6c6e733d22687474703a2f2f7777772e77332e6f72672f313939392f7868746d6c2220786d6c6e733a763d2275726e3a736368656d61732d6d6963726f736f66742d636f6d3a766d6c2220786d6c6e733a6f3d2275726e3a736368656d61732d6d6963726f736f66742d636f6d3a6f66666963653a6f6666696365223e3c686561643e3c7469746c653e42726964676520636c6f7365642061667465720d0a637261636b20697320666f756e643c2f7469746c653e3c212d2d5b696620216d736f5d3e3c212d2d3e3c6d65746120687474702d65717569763d22582d55412d436f6d70617469626c652220636f6e74656e743d2249453d65646765223e3c212d2d3c215b656e6469665d2d2d3e3c6d65746120687474702d65717569763d22436f6e74656e742d547970652220636f6e74656e743d22746578742f68746d6c3b20636861727365743d5554462d38223e3c6d657461206e616d653d2276696577706f7274220d0a636f6e74656e743d2277696474683d6465766963652d77696474682c20696e697469616c2d7363616c653d31223e3c7374796c653e236f75746c6f6f6b20617b70616464696e673a307d626f64797b6d617267696e3a303b70616464696e673a303b2d7765626b69742d746578742d73697a652d61646a7573743a313030253b2d6d732d746578742d73697a652d61646a7573743a313030257d7461626c652c74647b0d0a626f726465722d636f6c6c617073653a636f6c6c617073653b6d736f2d7461626c652d6c73706163653a3070743b6d736f2d7461626c652d7273706163653a3070747d696d677b626f726465723a303b6865696768743a6175746f3b6c696e652d6865696768743a313030253b0d0a6f75746c696e653a6e6f6e653b746578742d6465636f726174696f6e3a6e6f6e653b2d6d732d696e746572706f6c6174696f6e2d6d6f64653a626963756269637d707b646973706c61793a626c6f636b3b6d617267696e3a3133707820307d3c2f7374796c653e3c212d2d5b6966206d736f5d3e3c6e6f7363726970743e3c786d6c3e3c6f3a4f6666696365446f63756d656e7453657474696e67733e3c6f3a416c6c6f77504e472f3e3c6f3a506978656c73506572496e63683e39363c2f6f3a506978656c73506572496e63683e3c2f6f3a4f6666696365446f63756d656e7453657474696e67733e3c2f786d6c3e3c2f6e6f7363726970743e3c215b656e6469665d2d2d3e3c212d2d5b6966206c7465206d736f2031315d3e3c7374796c6520747970653d22746578742f637373223e202e6d6a2d6f75746c6f6f6b2d67726f75702d666978207b2077696474683a313030252021696d706f7274616e743b207d203c2f7374796c653e3c215b656e6469665d2d2d3e3c7374796c653e3a726f6f747b636f6c6f722d736368656d653a6c69676874206461726b3b737570706f727465642d636f6c6f722d736368656d65733a6c69676874206461726b7d2e6d662d7465787420703a6c6173742d6368696c647b6d617267696e2d626f74746f6d3a3021696d706f7274616e747d2e6d662d7465787420612c2e6d662d7465787420636f64657b0d0a6f766572666c6f772d777261703a616e7977686572657d406d65646961206f6e6c792073637265656e20616e6420286d61782d77696474683a203437397078297b2e6d662d686561646c696e657b666f6e742d73697a653a3239707821696d706f7274616e747d2e6d662d6e616d657b0d0a666f6e742d73697a653a3234707821696d706f7274616e747d2e6d662d73686565743e7461626c653e74626f64793e74723e74647b70616464696e673a323070782031387078203238707821696d706f7274616e747d2e6d662d666f6f743e7461626c653e74626f64793e74723e74647b0d0a70616464696e673a323070782031387078203336707821696d706f7274616e747d7d406d656469612028707265666572732d636f6c6f722d736368656d653a206461726b297b626f64792c2e6d662d706167657b6261636b67726f756e643a2331303066306421696d706f7274616e747d2e6d662d73686565742c2e6d662d73686565743e7461626c657b0d0a6261636b67726f756e643a2331623139313621696d706f7274616e743b6261636b67726f756e642d636f6c6f723a2331623139313621696d706f7274616e747d2e6d662d696e6b2c2e6d662d696e6b20612c2e6d662d746578742c2e6d662d74657874206469767b0d0a636f6c6f723a2366326565653621696d706f7274616e747d2e6d662d71756965742c2e6d662d717569657420617b636f6c6f723a2362396230613221696d706f7274616e747d2e6d662d72756c657b626f726465722d636f6c6f723a2366326565653621696d706f7274616e747d2e6d662d686169727b0d0a626f726465722d636f6c6f723a2334613435336421696d706f7274616e747d2e6d662d6d6f72657b626f726465722d636f6c6f723a2366663862383021696d706f7274616e747d2e6d662d6e6f74657b626f726465722d636f6c6f723a2362396230613221696d706f7274616e747d2e6d662d6e6f74652d636f7272656374696f6e7b0d0a626f726465722d636f6c6f723a2366306131336121696d706f7274616e747d2e6d662d6d61726b7b6261636b67726f756e643a2366326565653621696d706f7274616e743b636f6c6f723a2331363133306521696d706f7274616e747d2e6d662d6d61726b2d66697273747b0d0a6261636b67726f756e643a2364393330346121696d706f7274616e743b636f6c6f723a2366666666666621696d706f7274616e747d2e6d662d6d61726b2d636f7272656374696f6e7b6261636b67726f756e643a2366306131336121696d706f7274616e747d2e6d662d627574746f6e2074642c2e6d662d627574746f6e20617b0d0a6261636b67726f756e643a2366326565653621696d706f7274616e743b636f6c6f723a2331363133306521696d706f7274616e747d7d5b646174612d6f6773635d202e6d662d696e6b2c5b646174612d6f6773635d202e6d662d696e6b20612c5b646174612d6f6773635d202e6d662d746578747b0d0a636f6c6f723a2366326565653621696d706f7274616e747d5b646174612d6f6773635d202e6d662d71756965742c5b646174612d6f6773635d202e6d662d717569657420617b636f6c6f723a2362396230613221696d706f7274616e747d5b646174612d6f6773625d202e6d662d627574746f6e2074642c5b646174612d6f6773625d202e6d662d627574746f6e20617b0d0a6261636b67726f756e643a2366326565653621696d706f7274616e743b636f6c6f723a2331363133306521696d706f7274616e747d3c2f7374796c653e3c6d657461206e616d653d22636f6c6f722d736368656d652220636f6e74656e743d226c69676874206461726b223e3c6d657461206e616d653d22737570706f727465642d636f6c6f722d736368656d65732220636f6e74656e743d226c69676874206461726b223e3c6d657461206e616d653d22666f726d61742d646574656374696f6e220d0a636f6e74656e743d2274656c6570686f6e653d6e6f2c20646174653d6e6f2c20616464726573733d6e6f2c20656d61696c3d6e6f223e3c2f686561643e3c626f6479207374796c653d22776f72642d73706163696e673a6e6f726d616c3b6261636b67726f756e642d636f6c6f723a23656665626532223e3c64697620617269612d6c6162656c3d2242726964676520636c6f73656420616674657220637261636b20697320666f756e64220d0a617269612d726f6c656465736372697074696f6e3d22656d61696c2220636c6173733d226d662d706167652220726f6c653d2261727469636c6522206c616e673d22656e22206469723d226c747222207374796c653d226261636b67726f756e642d636f6c6f723a23656665626532223e3c646976207374796c653d22646973706c61793a6e6f6e653b6d61782d6865696768743a303b6f766572666c6f773a68696464656e3b6d736f2d686964653a616c6c223e427265616b696e673a205468650d0a62726964676520697320636c6f73656420746f20616c6c0d0a747261666669632e3c2f6469763e3c212d2d5b6966206d736f207c2049455d3e3c7461626c6520626f726465723d2230222063656c6c70616464696e673d2230222063656c6c73706163696e673d22302220726f6c653d2270726573656e746174696f6e22206267636f6c6f723d22236666666466382220616c69676e3d2263656e746572222077696474683d223632302220636c6173733d226d662d73686565742d6f75746c6f6f6b22207374796c653d2277696474683a3632307078223e3c74723e3c7464207374796c653d226c696e652d6865696768743a3070783b666f6e742d73697a653a3070783b6d736f2d6c696e652d6865696768742d72756c653a65786163746c79223e3c215b656e6469665d2d2d3e3c6469760d0a636c6173733d226d662d736865657422207374796c653d226261636b67726f756e643a236666666466383b6261636b67726f756e642d636f6c6f723a236666666466383b6d617267696e3a307078206175746f3b6d61782d77696474683a3632307078223e3c7461626c6520626f726465723d2230222063656c6c70616464696e673d2230222063656c6c73706163696e673d22302220726f6c653d2270726573656e746174696f6e2220616c69676e3d2263656e746572220d0a7374796c653d226261636b67726f756e643a236666666466383b6261636b67726f756e642d636f6c6f723a236666666466383b77696474683a31303025223e3c74626f64793e3c74723e3c74640d0a7374796c653d22646972656374696f6e3a6c74723b666f6e742d73697a653a3070783b70616464696e673a32367078203430707820333670783b746578742d616c69676e3a63656e746572223e3c212d2d5b6966206d736f207c2049455d3e3c7461626c6520626f726465723d2230222063656c6c70616464696e673d2230222063656c6c73706163696e673d22302220726f6c653d2270726573656e746174696f6e223e3c74723e3c7464207374796c653d22766572746963616c2d616c69676e3a746f703b77696474683a3534307078223e3c215b656e6469665d2d2d3e3c6469760d0a636c6173733d226d6a2d6f75746c6f6f6b2d67726f75702d666978206d6a2d636f6c756d6e2d7065722d31303022207374796c653d22666f6e742d73697a653a3070783b746578742d616c69676e3a6c6566743b646972656374696f6e3a6c74723b646973706c61793a696e6c696e652d626c6f636b3b766572746963616c2d616c69676e3a746f703b77696474683a31303025223e3c7461626c6520626f726465723d2230222063656c6c70616464696e673d2230222063656c6c73706163696e673d2230220d0a726f6c653d2270726573656e746174696f6e222077696474683d223130302522207374796c653d22766572746963616c2d616c69676e3a746f70223e3c74626f64793e3c74723e3c746420616c69676e3d226c65667422207374796c653d22666f6e742d73697a653a3070783b70616464696e673a303b776f72642d627265616b3a627265616b2d776f7264223e3c6469760d0a7374796c653d22666f6e742d66616d696c793a47656f726769612c2754696d6573204e657720526f6d616e272c54696d65732c73657269663b666f6e742d73697a653a313770783b6c696e652d6865696768743a312e35353b746578742d616c69676e3a6c6566743b636f6c6f723a23313631333065223e3c64697620636c6173733d226d662d72756c65220d0a7374796c653d22626f726465722d626f74746f6d3a33707820646f75626c6520233136313330653b70616464696e673a30203020313270783b746578742d616c69676e3a63656e746572223e203c646976206469723d226175746f2220636c6173733d226d662d696e6b206d662d6e616d65220d0a7374796c653d22666f6e742d73697a653a323870783b6c696e652d6865696768743a312e31353b666f6e742d7765696768743a626f6c643b6c65747465722d73706163696e673a2d2e3031656d3b636f6c6f723a23313631333065223e54686520486172626f757220486572616c643c2f6469763e203c64697620636c6173733d226d662d7175696574220d0a7374796c653d226d617267696e3a377078203020303b666f6e743a313370782f312e35202d6170706c652d73797374656d2c275365676f65205549272c526f626f746f2c48656c7665746963612c417269616c2c73616e732d73657269663b636f6c6f723a23356635383463223e3c6120687265663d22687474703a2f2f3132372e302e302e313a33373138312f73746f72792f63346261313761642d313931362d343338652d616330352d3266653264613033313830332f220d0a7374796c653d22636f6c6f723a233566353834633b746578742d6465636f726174696f6e3a756e6465726c696e65223e52656164206f6e20746865207765623c2f613e20266e6273703b26233138333b266e6273703b203c6120687265663d22687474703a2f2f3132372e302e302e313a33373138312f6c656176652f000008332f220d0a7374796c653d22636f6c6f723a233566353834633b746578742d6465636f726174696f6e3a756e6465726c696e65223e556e7375627363726962653c2f613e3c2f6469763e203c2f6469763e203c700d0a7374796c653d226d617267696e3a32367078203020313470783b666f6e743a626f6c6420313370782f31202d6170706c652d73797374656d2c275365676f65205549272c526f626f746f2c48656c7665746963612c417269616c2c73616e732d73657269663b6c65747465722d73706163696e673a2e3132656d223e3c7370616e20636c6173733d226d662d6d61726b206d662d6d61726b2d6669727374220d0a7374796c653d22646973706c61793a696e6c696e652d626c6f636b3b70616464696e673a36707820397078203570783b6261636b67726f756e643a236230303032303b636f6c6f723a236666666666663b746578742d7472616e73666f726d3a757070657263617365223e427265616b696e673c2f7370616e3e3c2f703e3c6831206c616e673d22656e22206469723d226175746f2220636c6173733d226d662d686561646c696e65206d662d696e6b220d0a7374796c653d226d617267696e3a303b746578742d616c69676e3a73746172743b666f6e742d73697a653a333770783b6c696e652d6865696768743a312e31323b666f6e742d7765696768743a626f6c643b6c65747465722d73706163696e673a2d2e3031656d3b636f6c6f723a23313631333065223e42726964676520636c6f73656420616674657220637261636b20697320666f756e643c2f68313e203c7020636c6173733d226d662d7175696574206d662d68616972220d0a7374796c653d226d617267696e3a31387078203020323270783b70616464696e673a30203020313670783b626f726465722d626f74746f6d3a31707820736f6c696420236438643163333b666f6e743a313470782f312e34202d6170706c652d73797374656d2c275365676f65205549272c526f626f746f2c48656c7665746963612c417269616c2c73616e732d73657269663b636f6c6f723a23356635383463223e427265616b696e67206e6577732026233138333b203239204e6f76656d6265720d0a323032362c2031313a333820474d543c2f703e3c2f6469763e3c2f74643e3c2f74723e3c74723e3c746420616c69676e3d226c6566742220636c6173733d226d662d7465787422207374796c653d22666f6e742d73697a653a3070783b70616464696e673a303b776f72642d627265616b3a627265616b2d776f7264223e3c6469760d0a7374796c653d22666f6e742d66616d696c793a47656f726769612c2754696d6573204e657720526f6d616e272c54696d65732c73657269663b666f6e742d73697a653a313770783b6c696e652d6865696768743a312e35353b746578742d616c69676e3a6c6566743b636f6c6f723a23313631333065223e3c646976206c616e673d22656e22206469723d226175746f22207374796c653d22746578742d616c69676e3a7374617274223e3c700d0a7374796c653d226d617267696e3a30203020312e31656d223e5468652062726964676520697320636c6f73656420746f20616c6c20747261666669632e3c2f703e203c2f6469763e3c2f6469763e3c2f74643e3c2f74723e3c74723e3c746420616c69676e3d226c65667422207374796c653d22666f6e742d73697a653a3070783b70616464696e673a303b776f72642d627265616b3a627265616b2d776f7264223e3c6469760d0a7374796c653d22666f6e742d66616d696c793a47656f726769612c2754696d6573204e657720526f6d616e272c54696d65732c73657269663b666f6e742d73697a653a313770783b6c696e652d6865696768743a312e35353b746578742d616c69676e3a6c6566743b636f6c6f723a23313631333065223e3c7020636c6173733d226d662d696e6b206d662d6d6f7265220d0a7374796c653d226d617267696e3a32367078203020303b70616464696e673a32707820302032707820313470783b626f726465722d6c6566743a34707820736f6c696420236230303032303b666f6e742d73697a653a313870783b6c696e652d6865696768743a312e343b666f6e742d7374796c653a6974616c69633b636f6c6f723a23313631333065223e4d6f726520666f6c6c6f7773206f6e207468697320627265616b696e67206e6577730d0a73746f72792e3c2f703e3c2f6469763e3c2f74643e3c2f74723e3c74723e3c746420616c69676e3d226c6566742220766572746963616c2d616c69676e3d226d6964646c652220636c6173733d226d662d627574746f6e22207374796c653d22666f6e742d73697a653a3070783b70616464696e673a32367078203020303b776f72642d627265616b3a627265616b2d776f7264223e3c7461626c6520626f726465723d2230222063656c6c70616464696e673d2230222063656c6c73706163696e673d2230220d0a726f6c653d2270726573656e746174696f6e22207374796c653d22626f726465722d636f6c6c617073653a73657061726174653b6c696e652d6865696768743a31303025223e3c74626f64793e3c74723e3c746420616c69676e3d2263656e74657222206267636f6c6f723d22233136313330652220726f6c653d2270726573656e746174696f6e222076616c69676e3d226d6964646c65220d0a7374796c653d22626f726465723a6e6f6e653b626f726465722d7261646975733a3270783b637572736f723a6175746f3b6d736f2d70616464696e672d616c743a3133707820323070783b6261636b67726f756e643a23313631333065223e3c6120687265663d22687474703a2f2f3132372e302e302e313a33373138312f666f6c6c6f772f000003872f22207461726765743d225f626c616e6b220d0a7374796c653d22646973706c61793a696e6c696e652d626c6f636b3b6261636b67726f756e643a233136313330653b636f6c6f723a236666666466383b666f6e742d66616d696c793a2d6170706c652d73797374656d2c275365676f65205549272c526f626f746f2c48656c7665746963612c417269616c2c73616e732d73657269663b666f6e742d73697a653a313670783b666f6e742d7765696768743a3630303b6c696e652d6865696768743a313230253b6d617267696e3a303b746578742d6465636f726174696f6e3a6e6f6e653b746578742d7472616e73666f726d3a6e6f6e653b70616464696e673a3133707820323070783b6d736f2d70616464696e672d616c743a3070783b626f726465722d7261646975733a327078223e466f6c6c6f770d0a746869732073746f72793c2f613e3c2f74643e3c2f74723e3c2f74626f64793e3c2f7461626c653e3c2f74643e3c2f74723e3c74723e3c746420616c69676e3d226c65667422207374796c653d22666f6e742d73697a653a3070783b70616464696e673a303b776f72642d627265616b3a627265616b2d776f7264223e3c6469760d0a7374796c653d22666f6e742d66616d696c793a47656f726769612c2754696d6573204e657720526f6d616e272c54696d65732c73657269663b666f6e742d73697a653a313770783b6c696e652d6865696768743a312e35353b746578742d616c69676e3a6c6566743b636f6c6f723a23313631333065223e3c7020636c6173733d226d662d7175696574220d0a7374796c653d226d617267696e3a31367078203020303b666f6e743a313470782f312e35202d6170706c652d73797374656d2c275365676f65205549272c526f626f746f2c48656c7665746963612c417269616c2c73616e732d73657269663b636f6c6f723a23356635383463223e3c6120687265663d22687474703a2f2f3132372e302e302e313a33373138312f73746f72792f63346261313761642d313931362d343338652d616330352d3266653264613033313830332f220d0a7374796c653d22636f6c6f723a233566353834633b746578742d6465636f726174696f6e3a756e6465726c696e65223e52656164206974206f6e20746865207765623c2f613e20266e6273703b26233138333b266e6273703b203c6120687265663d22687474703a2f2f3132372e302e302e313a33373138312f6d7574652f000006772f220d0a7374796c653d22636f6c6f723a233566353834633b746578742d6465636f726174696f6e3a756e6465726c696e65223e4d75746520746869730d0a73746f72793c2f613e3c2f703e3c2f6469763e3c2f74643e3c2f74723e3c2f74626f64793e3c2f7461626c653e3c2f6469763e3c212d2d5b6966206d736f207c2049455d3e3c2f74643e3c2f74723e3c2f7461626c653e3c215b656e6469665d2d2d3e3c2f74643e3c2f74723e3c2f74626f64793e3c2f7461626c653e3c2f6469763e3c212d2d5b6966206d736f207c2049455d3e3c2f74643e3c2f74723e3c2f7461626c653e3c7461626c6520626f726465723d2230222063656c6c70616464696e673d2230222063656c6c73706163696e673d22302220726f6c653d2270726573656e746174696f6e2220616c69676e3d2263656e746572222077696474683d223632302220636c6173733d226d662d666f6f742d6f75746c6f6f6b22207374796c653d2277696474683a3632307078223e3c74723e3c7464207374796c653d226c696e652d6865696768743a3070783b666f6e742d73697a653a3070783b6d736f2d6c696e652d6865696768742d72756c653a65786163746c79223e3c215b656e6469665d2d2d3e3c6469760d0a636c6173733d226d662d666f6f7422207374796c653d226d617267696e3a307078206175746f3b6d61782d77696474683a3632307078223e3c7461626c6520626f726465723d2230222063656c6c70616464696e673d2230222063656c6c73706163696e673d22302220726f6c653d2270726573656e746174696f6e2220616c69676e3d2263656e74657222207374796c653d2277696474683a31303025223e3c74626f64793e3c74723e3c74640d0a7374796c653d22646972656374696f6e3a6c74723b666f6e742d73697a653a3070783b70616464696e673a32327078203430707820343070783b746578742d616c69676e3a63656e746572223e3c212d2d5b6966206d736f207c2049455d3e3c7461626c6520626f726465723d2230222063656c6c70616464696e673d2230222063656c6c73706163696e673d22302220726f6c653d2270726573656e746174696f6e223e3c74723e3c7464207374796c653d22766572746963616c2d616c69676e3a746f703b77696474683a3534307078223e3c215b656e6469665d2d2d3e3c6469760d0a636c6173733d226d6a2d6f75746c6f6f6b2d67726f75702d666978206d6a2d636f6c756d6e2d7065722d31303022207374796c653d22666f6e742d73697a653a3070783b746578742d616c69676e3a6c6566743b646972656374696f6e3a6c74723b646973706c61793a696e6c696e652d626c6f636b3b766572746963616c2d616c69676e3a746f703b77696474683a31303025223e3c7461626c6520626f726465723d2230222063656c6c70616464696e673d2230222063656c6c73706163696e673d2230220d0a726f6c653d2270726573656e746174696f6e222077696474683d223130302522207374796c653d22766572746963616c2d616c69676e3a746f70223e3c74626f64793e3c74723e3c746420616c69676e3d226c65667422207374796c653d22666f6e742d73697a653a3070783b70616464696e673a303b776f72642d627265616b3a627265616b2d776f7264223e3c6469760d0a7374796c653d22666f6e742d66616d696c793a47656f726769612c2754696d6573204e657720526f6d616e272c54696d65732c73657269663b666f6e742d73697a653a313770783b6c696e652d6865696768743a312e35353b746578742d616c69676e3a6c6566743b636f6c6f723a23313631333065223e3c64697620636c6173733d226d662d7175696574220d0a7374796c653d22666f6e743a313370782f312e36202d6170706c652d73797374656d2c275365676f65205549272c526f626f746f2c48656c7665746963612c417269616c2c73616e732d73657269663b636f6c6f723a23356635383463223e203c70207374796c653d226d617267696e3a30203020387078223e596f75206765742074686973206d61696c206265636175736520796f75207369676e656420757020746f202623383232303b427265616b696e67206e6577732623383232313b2066726f6d0d0a54686520486172626f757220486572616c642e3c2f703e203c70207374796c653d226d617267696e3a30203020387078223e3c6120687265663d22687474703a2f2f3132372e302e302e313a33373138312f707265666572656e6365732f000000842f22207374796c653d22636f6c6f723a233566353834633b746578742d6465636f726174696f6e3a756e6465726c696e65223e486f77206d7563682c20616e640d0a7768656e3c2f613e20266e6273703b26233138333b266e6273703b203c6120687265663d22687474703a2f2f3132372e302e302e313a33373138312f6c656176652f000001ef2f22207374796c653d22636f6c6f723a233566353834633b746578742d6465636f726174696f6e3a756e6465726c696e65223e556e7375627363726962653c2f613e20266e6273703b26233138333b266e6273703b203c610d0a687265663d22687474703a2f2f3132372e302e302e313a33373138312f707269766163792f22207374796c653d22636f6c6f723a233566353834633b746578742d6465636f726174696f6e3a756e6465726c696e65223e50726976616379206e6f746963653c2f613e3c2f703e203c70206469723d226175746f22207374796c653d226d617267696e3a30223e54686520486172626f757220486572616c642c20313220526f706577616c6b2c20506f727420456c6c6572793c2f703e203c2f6469763e0d0a3c2f6469763e3c2f74643e3c2f74723e3c2f74626f64793e3c2f7461626c653e3c2f6469763e3c212d2d5b6966206d736f207c2049455d3e3c2f74643e3c2f74723e3c2f7461626c653e3c215b656e6469665d2d2d3e3c2f74643e3c2f74723e3c2f74626f64793e3c2f7461626c653e3c2f6469763e3c212d2d5b6966206d736f207c2049455d3e3c2f74643e3c2f74723e3c2f7461626c653e3c215b656e6469665d2d2d3e3c2f6469763e3c2f626f64793e3c2f68746d6c3e0d0a2d2d3d5f6d6f7265666f6c6c6f77732d2d0d0a', 1);
INSERT INTO public.courier_composition VALUES (2, 'de', '\x4d464331000d000201010606050101060605010000003746726f6d3a2054686520486172626f757220486572616c64203c616c6572747340686572616c642e6578616d706c653e0d0a546f3a203c000000373e0d0a446174653a2053756e2c203239204e6f7620323032362031313a33383a3030202b303030300d0a4d6573736167652d49443a203c0000016940686572616c642e6578616d706c653e0d0a5375626a6563743a2042726964676520636c6f73656420616674657220637261636b20697320666f756e640d0a4175746f2d5375626d69747465643a206175746f2d67656e6572617465640d0a582d4175746f2d526573706f6e73652d53757070726573733a20416c6c0d0a5265666572656e6365733a203c63346261313761642d313931362d343338652d616330352d32666532646130333138303340686572616c642e6578616d706c653e0d0a5468726561642d546f7069633a2042726964676520636c6f73656420616674657220637261636b20697320666f756e640d0a5468726561642d496e6465783a204164312f39686155784c6f5872526b575134367342532f6932674d5941773d3d0d0a436f6e74656e742d4c616e67756167653a20656e0d0a4c6973742d556e7375627363726962653a203c687474703a2f2f3132372e302e302e313a33373138312f6c656176652f0000030d2f3e0d0a4c6973742d556e7375627363726962652d506f73743a204c6973742d556e7375627363726962653d4f6e652d436c69636b0d0a4c6973742d49643a2022427265616b696e67206e65777322203c627265616b696e672e686572616c642e6578616d706c653e0d0a4c6973742d48656c703a203c687474703a2f2f3132372e302e302e313a33373138312f707269766163792f3e0d0a4c6973742d4f776e65723a203c6d61696c746f3a616c6572747340686572616c642e6578616d706c653e0d0a4c6973742d417263686976653a203c687474703a2f2f3132372e302e302e313a33373138312f3e0d0a507265636564656e63653a2062756c6b0d0a466565646261636b2d49443a20616c6572742d3762393863356333633438343a73746f72792d6334626131376164313931363a746f7069632d627265616b696e673a6d66373530333436326366310d0a4d494d452d56657273696f6e3a20312e300d0a436f6e74656e742d547970653a206d756c7469706172742f616c7465726e61746976653b20626f756e646172793d223d5f6d6f7265666f6c6c6f7773220d0a0d0a2d2d3d5f6d6f7265666f6c6c6f77730d0a436f6e74656e742d547970653a20746578742f706c61696e3b20636861727365743d7574662d380d0a436f6e74656e742d5472616e736665722d456e636f64696e673a2071756f7465642d7072696e7461626c650d0a0d0a45696c6d656c64756e67203d43323d42372054686520486172626f757220486572616c640d0a0d0a42726964676520636c6f73656420616674657220637261636b20697320666f756e640d0a0d0a427265616b696e67206e657773203d43323d42372032392e204e6f76656d62657220323032362c2031313a333820474d540d0a496d20576562206c6573656e3a20687474703a2f2f3132372e302e302e313a33373138312f73746f72792f63346261313761642d313931362d343338652d616330352d3266653264613d0d0a3033313830332f0d0a41626d656c64656e3a20687474703a2f2f3132372e302e302e313a33373138312f6c656176652f3d0d0a000000892f0d0a0d0a5468652062726964676520697320636c6f73656420746f20616c6c20747261666669632e0d0a0d0a4d656872207a75206469657365722045696c6d656c64756e6720666f6c67742e0d0a4469657365204d656c64756e6720766572666f6c67656e3a20687474703a2f2f3132372e302e302e313a33373138312f666f6c6c6f772f3d0d0a0000003f2f0d0a4469657365204d656c64756e67207374756d6d736368616c74656e3a20687474703a2f2f3132372e302e302e313a33373138312f6d7574652f3d0d0a000000c52f0d0a0d0a2d2d2d2d2d2d2d2d0d0a5369652062656b6f6d6d656e206469657365204d61696c2c207765696c20536965207369636820663d43333d424372203d45323d38303d3945427265616b696e67206e6577733d0d0a3d45323d38303d394320766f6e2054686520486172626f757220486572616c6420616e67656d656c64657420686162656e2e0d0a576965207669656c20756e642077616e6e3a20687474703a2f2f3132372e302e302e313a33373138312f707265666572656e6365732f3d0d0a0000002d2f0d0a41626d656c64656e3a20687474703a2f2f3132372e302e302e313a33373138312f6c656176652f3d0d0a000013ce2f0d0a446174656e73636875747a68696e776569733a20687474703a2f2f3132372e302e302e313a33373138312f707269766163792f0d0a0d0a54686520486172626f757220486572616c642c20313220526f706577616c6b2c20506f727420456c6c6572790d0a0d0a2d2d3d5f6d6f7265666f6c6c6f77730d0a436f6e74656e742d547970653a20746578742f68746d6c3b20636861727365743d7574662d380d0a436f6e74656e742d5472616e736665722d456e636f64696e673a20376269740d0a0d0a3c21646f63747970652068746d6c3e3c68746d6c206c616e673d22646522206469723d226c74722220786d6c6e733d22687474703a2f2f7777772e77332e6f72672f313939392f7868746d6c2220786d6c6e733a763d2275726e3a736368656d61732d6d6963726f736f66742d636f6d3a766d6c2220786d6c6e733a6f3d2275726e3a736368656d61732d6d6963726f736f66742d636f6d3a6f66666963653a6f6666696365223e3c686561643e3c7469746c653e42726964676520636c6f7365642061667465720d0a637261636b20697320666f756e643c2f7469746c653e3c212d2d5b696620216d736f5d3e3c212d2d3e3c6d65746120687474702d65717569763d22582d55412d436f6d70617469626c652220636f6e74656e743d2249453d65646765223e3c212d2d3c215b656e6469665d2d2d3e3c6d65746120687474702d65717569763d22436f6e74656e742d547970652220636f6e74656e743d22746578742f68746d6c3b20636861727365743d5554462d38223e3c6d657461206e616d653d2276696577706f7274220d0a636f6e74656e743d2277696474683d6465766963652d77696474682c20696e697469616c2d7363616c653d31223e3c7374796c653e236f75746c6f6f6b20617b70616464696e673a307d626f64797b6d617267696e3a303b70616464696e673a303b2d7765626b69742d746578742d73697a652d61646a7573743a313030253b2d6d732d746578742d73697a652d61646a7573743a313030257d7461626c652c74647b0d0a626f726465722d636f6c6c617073653a636f6c6c617073653b6d736f2d7461626c652d6c73706163653a3070743b6d736f2d7461626c652d7273706163653a3070747d696d677b626f726465723a303b6865696768743a6175746f3b6c696e652d6865696768743a313030253b0d0a6f75746c696e653a6e6f6e653b746578742d6465636f726174696f6e3a6e6f6e653b2d6d732d696e746572706f6c6174696f6e2d6d6f64653a626963756269637d707b646973706c61793a626c6f636b3b6d617267696e3a3133707820307d3c2f7374796c653e3c212d2d5b6966206d736f5d3e3c6e6f7363726970743e3c786d6c3e3c6f3a4f6666696365446f63756d656e7453657474696e67733e3c6f3a416c6c6f77504e472f3e3c6f3a506978656c73506572496e63683e39363c2f6f3a506978656c73506572496e63683e3c2f6f3a4f6666696365446f63756d656e7453657474696e67733e3c2f786d6c3e3c2f6e6f7363726970743e3c215b656e6469665d2d2d3e3c212d2d5b6966206c7465206d736f2031315d3e3c7374796c6520747970653d22746578742f637373223e202e6d6a2d6f75746c6f6f6b2d67726f75702d666978207b2077696474683a313030252021696d706f7274616e743b207d203c2f7374796c653e3c215b656e6469665d2d2d3e3c7374796c653e3a726f6f747b636f6c6f722d736368656d653a6c69676874206461726b3b737570706f727465642d636f6c6f722d736368656d65733a6c69676874206461726b7d2e6d662d7465787420703a6c6173742d6368696c647b6d617267696e2d626f74746f6d3a3021696d706f7274616e747d2e6d662d7465787420612c2e6d662d7465787420636f64657b0d0a6f766572666c6f772d777261703a616e7977686572657d406d65646961206f6e6c792073637265656e20616e6420286d61782d77696474683a203437397078297b2e6d662d686561646c696e657b666f6e742d73697a653a3239707821696d706f7274616e747d2e6d662d6e616d657b0d0a666f6e742d73697a653a3234707821696d706f7274616e747d2e6d662d73686565743e7461626c653e74626f64793e74723e74647b70616464696e673a323070782031387078203238707821696d706f7274616e747d2e6d662d666f6f743e7461626c653e74626f64793e74723e74647b0d0a70616464696e673a323070782031387078203336707821696d706f7274616e747d7d406d656469612028707265666572732d636f6c6f722d736368656d653a206461726b297b626f64792c2e6d662d706167657b6261636b67726f756e643a2331303066306421696d706f7274616e747d2e6d662d73686565742c2e6d662d73686565743e7461626c657b0d0a6261636b67726f756e643a2331623139313621696d706f7274616e743b6261636b67726f756e642d636f6c6f723a2331623139313621696d706f7274616e747d2e6d662d696e6b2c2e6d662d696e6b20612c2e6d662d746578742c2e6d662d74657874206469767b0d0a636f6c6f723a2366326565653621696d706f7274616e747d2e6d662d71756965742c2e6d662d717569657420617b636f6c6f723a2362396230613221696d706f7274616e747d2e6d662d72756c657b626f726465722d636f6c6f723a2366326565653621696d706f7274616e747d2e6d662d686169727b0d0a626f726465722d636f6c6f723a2334613435336421696d706f7274616e747d2e6d662d6d6f72657b626f726465722d636f6c6f723a2366663862383021696d706f7274616e747d2e6d662d6e6f74657b626f726465722d636f6c6f723a2362396230613221696d706f7274616e747d2e6d662d6e6f74652d636f7272656374696f6e7b0d0a626f726465722d636f6c6f723a2366306131336121696d706f7274616e747d2e6d662d6d61726b7b6261636b67726f756e643a2366326565653621696d706f7274616e743b636f6c6f723a2331363133306521696d706f7274616e747d2e6d662d6d61726b2d66697273747b0d0a6261636b67726f756e643a2364393330346121696d706f7274616e743b636f6c6f723a2366666666666621696d706f7274616e747d2e6d662d6d61726b2d636f7272656374696f6e7b6261636b67726f756e643a2366306131336121696d706f7274616e747d2e6d662d627574746f6e2074642c2e6d662d627574746f6e20617b0d0a6261636b67726f756e643a2366326565653621696d706f7274616e743b636f6c6f723a2331363133306521696d706f7274616e747d7d5b646174612d6f6773635d202e6d662d696e6b2c5b646174612d6f6773635d202e6d662d696e6b20612c5b646174612d6f6773635d202e6d662d746578747b0d0a636f6c6f723a2366326565653621696d706f7274616e747d5b646174612d6f6773635d202e6d662d71756965742c5b646174612d6f6773635d202e6d662d717569657420617b636f6c6f723a2362396230613221696d706f7274616e747d5b646174612d6f6773625d202e6d662d627574746f6e2074642c5b646174612d6f6773625d202e6d662d627574746f6e20617b0d0a6261636b67726f756e643a2366326565653621696d706f7274616e743b636f6c6f723a2331363133306521696d706f7274616e747d3c2f7374796c653e3c6d657461206e616d653d22636f6c6f722d736368656d652220636f6e74656e743d226c69676874206461726b223e3c6d657461206e616d653d22737570706f727465642d636f6c6f722d736368656d65732220636f6e74656e743d226c69676874206461726b223e3c6d657461206e616d653d22666f726d61742d646574656374696f6e220d0a636f6e74656e743d2274656c6570686f6e653d6e6f2c20646174653d6e6f2c20616464726573733d6e6f2c20656d61696c3d6e6f223e3c2f686561643e3c626f6479207374796c653d22776f72642d73706163696e673a6e6f726d616c3b6261636b67726f756e642d636f6c6f723a23656665626532223e3c64697620617269612d6c6162656c3d2242726964676520636c6f73656420616674657220637261636b20697320666f756e64220d0a617269612d726f6c656465736372697074696f6e3d22656d61696c2220636c6173733d226d662d706167652220726f6c653d2261727469636c6522206c616e673d22646522206469723d226c747222207374796c653d226261636b67726f756e642d636f6c6f723a23656665626532223e3c646976207374796c653d22646973706c61793a6e6f6e653b6d61782d6865696768743a303b6f766572666c6f773a68696464656e3b6d736f2d686964653a616c6c223e45696c6d656c64756e673a205468650d0a62726964676520697320636c6f73656420746f20616c6c0d0a747261666669632e3c2f6469763e3c212d2d5b6966206d736f207c2049455d3e3c7461626c6520626f726465723d2230222063656c6c70616464696e673d2230222063656c6c73706163696e673d22302220726f6c653d2270726573656e746174696f6e22206267636f6c6f723d22236666666466382220616c69676e3d2263656e746572222077696474683d223632302220636c6173733d226d662d73686565742d6f75746c6f6f6b22207374796c653d2277696474683a3632307078223e3c74723e3c7464207374796c653d226c696e652d6865696768743a3070783b666f6e742d73697a653a3070783b6d736f2d6c696e652d6865696768742d72756c653a65786163746c79223e3c215b656e6469665d2d2d3e3c6469760d0a636c6173733d226d662d736865657422207374796c653d226261636b67726f756e643a236666666466383b6261636b67726f756e642d636f6c6f723a236666666466383b6d617267696e3a307078206175746f3b6d61782d77696474683a3632307078223e3c7461626c6520626f726465723d2230222063656c6c70616464696e673d2230222063656c6c73706163696e673d22302220726f6c653d2270726573656e746174696f6e2220616c69676e3d2263656e746572220d0a7374796c653d226261636b67726f756e643a236666666466383b6261636b67726f756e642d636f6c6f723a236666666466383b77696474683a31303025223e3c74626f64793e3c74723e3c74640d0a7374796c653d22646972656374696f6e3a6c74723b666f6e742d73697a653a3070783b70616464696e673a32367078203430707820333670783b746578742d616c69676e3a63656e746572223e3c212d2d5b6966206d736f207c2049455d3e3c7461626c6520626f726465723d2230222063656c6c70616464696e673d2230222063656c6c73706163696e673d22302220726f6c653d2270726573656e746174696f6e223e3c74723e3c7464207374796c653d22766572746963616c2d616c69676e3a746f703b77696474683a3534307078223e3c215b656e6469665d2d2d3e3c6469760d0a636c6173733d226d6a2d6f75746c6f6f6b2d67726f75702d666978206d6a2d636f6c756d6e2d7065722d31303022207374796c653d22666f6e742d73697a653a3070783b746578742d616c69676e3a6c6566743b646972656374696f6e3a6c74723b646973706c61793a696e6c696e652d626c6f636b3b766572746963616c2d616c69676e3a746f703b77696474683a31303025223e3c7461626c6520626f726465723d2230222063656c6c70616464696e673d2230222063656c6c73706163696e673d2230220d0a726f6c653d2270726573656e746174696f6e222077696474683d223130302522207374796c653d22766572746963616c2d616c69676e3a746f70223e3c74626f64793e3c74723e3c746420616c69676e3d226c65667422207374796c653d22666f6e742d73697a653a3070783b70616464696e673a303b776f72642d627265616b3a627265616b2d776f7264223e3c6469760d0a7374796c653d22666f6e742d66616d696c793a47656f726769612c2754696d6573204e657720526f6d616e272c54696d65732c73657269663b666f6e742d73697a653a313770783b6c696e652d6865696768743a312e35353b746578742d616c69676e3a6c6566743b636f6c6f723a23313631333065223e3c64697620636c6173733d226d662d72756c65220d0a7374796c653d22626f726465722d626f74746f6d3a33707820646f75626c6520233136313330653b70616464696e673a30203020313270783b746578742d616c69676e3a63656e746572223e203c646976206469723d226175746f2220636c6173733d226d662d696e6b206d662d6e616d65220d0a7374796c653d22666f6e742d73697a653a323870783b6c696e652d6865696768743a312e31353b666f6e742d7765696768743a626f6c643b6c65747465722d73706163696e673a2d2e3031656d3b636f6c6f723a23313631333065223e54686520486172626f757220486572616c643c2f6469763e203c64697620636c6173733d226d662d7175696574220d0a7374796c653d226d617267696e3a377078203020303b666f6e743a313370782f312e35202d6170706c652d73797374656d2c275365676f65205549272c526f626f746f2c48656c7665746963612c417269616c2c73616e732d73657269663b636f6c6f723a23356635383463223e3c6120687265663d22687474703a2f2f3132372e302e302e313a33373138312f73746f72792f63346261313761642d313931362d343338652d616330352d3266653264613033313830332f220d0a7374796c653d22636f6c6f723a233566353834633b746578742d6465636f726174696f6e3a756e6465726c696e65223e496d20576562206c6573656e3c2f613e20266e6273703b26233138333b266e6273703b203c6120687265663d22687474703a2f2f3132372e302e302e313a33373138312f6c656176652f0000082a2f220d0a7374796c653d22636f6c6f723a233566353834633b746578742d6465636f726174696f6e3a756e6465726c696e65223e41626d656c64656e3c2f613e3c2f6469763e203c2f6469763e203c700d0a7374796c653d226d617267696e3a32367078203020313470783b666f6e743a626f6c6420313370782f31202d6170706c652d73797374656d2c275365676f65205549272c526f626f746f2c48656c7665746963612c417269616c2c73616e732d73657269663b6c65747465722d73706163696e673a2e3132656d223e3c7370616e20636c6173733d226d662d6d61726b206d662d6d61726b2d6669727374220d0a7374796c653d22646973706c61793a696e6c696e652d626c6f636b3b70616464696e673a36707820397078203570783b6261636b67726f756e643a236230303032303b636f6c6f723a236666666666663b746578742d7472616e73666f726d3a757070657263617365223e45696c6d656c64756e673c2f7370616e3e3c2f703e3c6831206c616e673d22656e22206469723d226175746f2220636c6173733d226d662d686561646c696e65206d662d696e6b220d0a7374796c653d226d617267696e3a303b746578742d616c69676e3a73746172743b666f6e742d73697a653a333770783b6c696e652d6865696768743a312e31323b666f6e742d7765696768743a626f6c643b6c65747465722d73706163696e673a2d2e3031656d3b636f6c6f723a23313631333065223e42726964676520636c6f73656420616674657220637261636b20697320666f756e643c2f68313e203c7020636c6173733d226d662d7175696574206d662d68616972220d0a7374796c653d226d617267696e3a31387078203020323270783b70616464696e673a30203020313670783b626f726465722d626f74746f6d3a31707820736f6c696420236438643163333b666f6e743a313470782f312e34202d6170706c652d73797374656d2c275365676f65205549272c526f626f746f2c48656c7665746963612c417269616c2c73616e732d73657269663b636f6c6f723a23356635383463223e427265616b696e67206e6577732026233138333b2032392e204e6f76656d6265720d0a323032362c2031313a333820474d543c2f703e3c2f6469763e3c2f74643e3c2f74723e3c74723e3c746420616c69676e3d226c6566742220636c6173733d226d662d7465787422207374796c653d22666f6e742d73697a653a3070783b70616464696e673a303b776f72642d627265616b3a627265616b2d776f7264223e3c6469760d0a7374796c653d22666f6e742d66616d696c793a47656f726769612c2754696d6573204e657720526f6d616e272c54696d65732c73657269663b666f6e742d73697a653a313770783b6c696e652d6865696768743a312e35353b746578742d616c69676e3a6c6566743b636f6c6f723a23313631333065223e3c646976206c616e673d22656e22206469723d226175746f22207374796c653d22746578742d616c69676e3a7374617274223e3c700d0a7374796c653d226d617267696e3a30203020312e31656d223e5468652062726964676520697320636c6f73656420746f20616c6c20747261666669632e3c2f703e203c2f6469763e3c2f6469763e3c2f74643e3c2f74723e3c74723e3c746420616c69676e3d226c65667422207374796c653d22666f6e742d73697a653a3070783b70616464696e673a303b776f72642d627265616b3a627265616b2d776f7264223e3c6469760d0a7374796c653d22666f6e742d66616d696c793a47656f726769612c2754696d6573204e657720526f6d616e272c54696d65732c73657269663b666f6e742d73697a653a313770783b6c696e652d6865696768743a312e35353b746578742d616c69676e3a6c6566743b636f6c6f723a23313631333065223e3c7020636c6173733d226d662d696e6b206d662d6d6f7265220d0a7374796c653d226d617267696e3a32367078203020303b70616464696e673a32707820302032707820313470783b626f726465722d6c6566743a34707820736f6c696420236230303032303b666f6e742d73697a653a313870783b6c696e652d6865696768743a312e343b666f6e742d7374796c653a6974616c69633b636f6c6f723a23313631333065223e4d656872207a75206469657365722045696c6d656c64756e6720666f6c67742e3c2f703e3c2f6469763e3c2f74643e3c2f74723e3c74723e3c74640d0a616c69676e3d226c6566742220766572746963616c2d616c69676e3d226d6964646c652220636c6173733d226d662d627574746f6e22207374796c653d22666f6e742d73697a653a3070783b70616464696e673a32367078203020303b776f72642d627265616b3a627265616b2d776f7264223e3c7461626c6520626f726465723d2230222063656c6c70616464696e673d2230222063656c6c73706163696e673d22302220726f6c653d2270726573656e746174696f6e220d0a7374796c653d22626f726465722d636f6c6c617073653a73657061726174653b6c696e652d6865696768743a31303025223e3c74626f64793e3c74723e3c746420616c69676e3d2263656e74657222206267636f6c6f723d22233136313330652220726f6c653d2270726573656e746174696f6e222076616c69676e3d226d6964646c65220d0a7374796c653d22626f726465723a6e6f6e653b626f726465722d7261646975733a3270783b637572736f723a6175746f3b6d736f2d70616464696e672d616c743a3133707820323070783b6261636b67726f756e643a23313631333065223e3c6120687265663d22687474703a2f2f3132372e302e302e313a33373138312f666f6c6c6f772f000003872f22207461726765743d225f626c616e6b220d0a7374796c653d22646973706c61793a696e6c696e652d626c6f636b3b6261636b67726f756e643a233136313330653b636f6c6f723a236666666466383b666f6e742d66616d696c793a2d6170706c652d73797374656d2c275365676f65205549272c526f626f746f2c48656c7665746963612c417269616c2c73616e732d73657269663b666f6e742d73697a653a313670783b666f6e742d7765696768743a3630303b6c696e652d6865696768743a313230253b6d617267696e3a303b746578742d6465636f726174696f6e3a6e6f6e653b746578742d7472616e73666f726d3a6e6f6e653b70616464696e673a3133707820323070783b6d736f2d70616464696e672d616c743a3070783b626f726465722d7261646975733a327078223e44696573650d0a4d656c64756e6720766572666f6c67656e3c2f613e3c2f74643e3c2f74723e3c2f74626f64793e3c2f7461626c653e3c2f74643e3c2f74723e3c74723e3c746420616c69676e3d226c65667422207374796c653d22666f6e742d73697a653a3070783b70616464696e673a303b776f72642d627265616b3a627265616b2d776f7264223e3c6469760d0a7374796c653d22666f6e742d66616d696c793a47656f726769612c2754696d6573204e657720526f6d616e272c54696d65732c73657269663b666f6e742d73697a653a313770783b6c696e652d6865696768743a312e35353b746578742d616c69676e3a6c6566743b636f6c6f723a23313631333065223e3c7020636c6173733d226d662d7175696574220d0a7374796c653d226d617267696e3a31367078203020303b666f6e743a313470782f312e35202d6170706c652d73797374656d2c275365676f65205549272c526f626f746f2c48656c7665746963612c417269616c2c73616e732d73657269663b636f6c6f723a23356635383463223e3c6120687265663d22687474703a2f2f3132372e302e302e313a33373138312f73746f72792f63346261313761642d313931362d343338652d616330352d3266653264613033313830332f220d0a7374796c653d22636f6c6f723a233566353834633b746578742d6465636f726174696f6e3a756e6465726c696e65223e496d20576562206c6573656e3c2f613e20266e6273703b26233138333b266e6273703b203c6120687265663d22687474703a2f2f3132372e302e302e313a33373138312f6d7574652f000006982f220d0a7374796c653d22636f6c6f723a233566353834633b746578742d6465636f726174696f6e3a756e6465726c696e65223e4469657365204d656c64756e670d0a7374756d6d736368616c74656e3c2f613e3c2f703e3c2f6469763e3c2f74643e3c2f74723e3c2f74626f64793e3c2f7461626c653e3c2f6469763e3c212d2d5b6966206d736f207c2049455d3e3c2f74643e3c2f74723e3c2f7461626c653e3c215b656e6469665d2d2d3e3c2f74643e3c2f74723e3c2f74626f64793e3c2f7461626c653e3c2f6469763e3c212d2d5b6966206d736f207c2049455d3e3c2f74643e3c2f74723e3c2f7461626c653e3c7461626c6520626f726465723d2230222063656c6c70616464696e673d2230222063656c6c73706163696e673d22302220726f6c653d2270726573656e746174696f6e2220616c69676e3d2263656e746572222077696474683d223632302220636c6173733d226d662d666f6f742d6f75746c6f6f6b22207374796c653d2277696474683a3632307078223e3c74723e3c7464207374796c653d226c696e652d6865696768743a3070783b666f6e742d73697a653a3070783b6d736f2d6c696e652d6865696768742d72756c653a65786163746c79223e3c215b656e6469665d2d2d3e3c6469760d0a636c6173733d226d662d666f6f7422207374796c653d226d617267696e3a307078206175746f3b6d61782d77696474683a3632307078223e3c7461626c6520626f726465723d2230222063656c6c70616464696e673d2230222063656c6c73706163696e673d22302220726f6c653d2270726573656e746174696f6e2220616c69676e3d2263656e74657222207374796c653d2277696474683a31303025223e3c74626f64793e3c74723e3c74640d0a7374796c653d22646972656374696f6e3a6c74723b666f6e742d73697a653a3070783b70616464696e673a32327078203430707820343070783b746578742d616c69676e3a63656e746572223e3c212d2d5b6966206d736f207c2049455d3e3c7461626c6520626f726465723d2230222063656c6c70616464696e673d2230222063656c6c73706163696e673d22302220726f6c653d2270726573656e746174696f6e223e3c74723e3c7464207374796c653d22766572746963616c2d616c69676e3a746f703b77696474683a3534307078223e3c215b656e6469665d2d2d3e3c6469760d0a636c6173733d226d6a2d6f75746c6f6f6b2d67726f75702d666978206d6a2d636f6c756d6e2d7065722d31303022207374796c653d22666f6e742d73697a653a3070783b746578742d616c69676e3a6c6566743b646972656374696f6e3a6c74723b646973706c61793a696e6c696e652d626c6f636b3b766572746963616c2d616c69676e3a746f703b77696474683a31303025223e3c7461626c6520626f726465723d2230222063656c6c70616464696e673d2230222063656c6c73706163696e673d2230220d0a726f6c653d2270726573656e746174696f6e222077696474683d223130302522207374796c653d22766572746963616c2d616c69676e3a746f70223e3c74626f64793e3c74723e3c746420616c69676e3d226c65667422207374796c653d22666f6e742d73697a653a3070783b70616464696e673a303b776f72642d627265616b3a627265616b2d776f7264223e3c6469760d0a7374796c653d22666f6e742d66616d696c793a47656f726769612c2754696d6573204e657720526f6d616e272c54696d65732c73657269663b666f6e742d73697a653a313770783b6c696e652d6865696768743a312e35353b746578742d616c69676e3a6c6566743b636f6c6f723a23313631333065223e3c64697620636c6173733d226d662d7175696574220d0a7374796c653d22666f6e743a313370782f312e36202d6170706c652d73797374656d2c275365676f65205549272c526f626f746f2c48656c7665746963612c417269616c2c73616e732d73657269663b636f6c6f723a23356635383463223e203c70207374796c653d226d617267696e3a30203020387078223e5369652062656b6f6d6d656e206469657365204d61696c2c207765696c205369652073696368206626233235323b72202623383232323b427265616b696e67206e6577732623383232303b0d0a766f6e2054686520486172626f757220486572616c6420616e67656d656c64657420686162656e2e3c2f703e203c70207374796c653d226d617267696e3a30203020387078223e3c6120687265663d22687474703a2f2f3132372e302e302e313a33373138312f707265666572656e6365732f000000832f220d0a7374796c653d22636f6c6f723a233566353834633b746578742d6465636f726174696f6e3a756e6465726c696e65223e576965207669656c20756e642077616e6e3c2f613e20266e6273703b26233138333b266e6273703b203c6120687265663d22687474703a2f2f3132372e302e302e313a33373138312f6c656176652f000001f12f220d0a7374796c653d22636f6c6f723a233566353834633b746578742d6465636f726174696f6e3a756e6465726c696e65223e41626d656c64656e3c2f613e20266e6273703b26233138333b266e6273703b203c6120687265663d22687474703a2f2f3132372e302e302e313a33373138312f707269766163792f22207374796c653d22636f6c6f723a233566353834633b746578742d6465636f726174696f6e3a756e6465726c696e65223e446174656e73636875747a68696e776569733c2f613e3c2f703e203c700d0a6469723d226175746f22207374796c653d226d617267696e3a30223e54686520486172626f757220486572616c642c20313220526f706577616c6b2c20506f727420456c6c6572793c2f703e203c2f6469763e0d0a3c2f6469763e3c2f74643e3c2f74723e3c2f74626f64793e3c2f7461626c653e3c2f6469763e3c212d2d5b6966206d736f207c2049455d3e3c2f74643e3c2f74723e3c2f7461626c653e3c215b656e6469665d2d2d3e3c2f74643e3c2f74723e3c2f74626f64793e3c2f7461626c653e3c2f6469763e3c212d2d5b6966206d736f207c2049455d3e3c2f74643e3c2f74723e3c2f7461626c653e3c215b656e6469665d2d2d3e3c2f6469763e3c2f626f64793e3c2f68746d6c3e0d0a2d2d3d5f6d6f7265666f6c6c6f77732d2d0d0a', 1);
INSERT INTO public.courier_lastheartbeat VALUES (1, 1795952285505);
INSERT INTO public.courier_relay VALUES (1, 'local inbox', NULL, '', '', NULL, 0, '', NULL, '', NULL);
INSERT INTO public.courier_relayatwork VALUES (1, 'local inbox', '4ffdb10f68a79083/1', 'closed', 20, 0, 0, '[]', 1795952285529);
INSERT INTO public.courier_relaycount VALUES (1, 'local inbox', '2026-11-29', '', 4, 0, 0, '');
INSERT INTO public.courier_statenumber VALUES (1, 'f19-a916f88123e9aa73', 14, 1795952285930);
INSERT INTO public.django_content_type VALUES (1, 'auth', 'permission');
INSERT INTO public.django_content_type VALUES (2, 'auth', 'group');
INSERT INTO public.django_content_type VALUES (3, 'contenttypes', 'contenttype');
INSERT INTO public.django_content_type VALUES (4, 'sessions', 'session');
INSERT INTO public.django_content_type VALUES (5, 'accounts', 'editor');
INSERT INTO public.django_content_type VALUES (6, 'accounts', 'failedsignins');
INSERT INTO public.django_content_type VALUES (7, 'audit', 'auditentry');
INSERT INTO public.django_content_type VALUES (8, 'audience', 'bounce');
INSERT INTO public.django_content_type VALUES (9, 'audience', 'consent');
INSERT INTO public.django_content_type VALUES (10, 'audience', 'departuremark');
INSERT INTO public.django_content_type VALUES (11, 'audience', 'erasedreader');
INSERT INTO public.django_content_type VALUES (12, 'audience', 'reader');
INSERT INTO public.django_content_type VALUES (13, 'audience', 'keycheck');
INSERT INTO public.django_content_type VALUES (14, 'audience', 'letter');
INSERT INTO public.django_content_type VALUES (15, 'audience', 'newsroom');
INSERT INTO public.django_content_type VALUES (16, 'audience', 'seal');
INSERT INTO public.django_content_type VALUES (17, 'audience', 'sealmark');
INSERT INTO public.django_content_type VALUES (18, 'audience', 'signuptally');
INSERT INTO public.django_content_type VALUES (19, 'audience', 'site');
INSERT INTO public.django_content_type VALUES (20, 'audience', 'spentwork');
INSERT INTO public.django_content_type VALUES (21, 'audience', 'subscription');
INSERT INTO public.django_content_type VALUES (22, 'audience', 'suppression');
INSERT INTO public.django_content_type VALUES (23, 'audience', 'topic');
INSERT INTO public.django_content_type VALUES (24, 'audience', 'unfinishedimport');
INSERT INTO public.django_content_type VALUES (25, 'audience', 'wording');
INSERT INTO public.django_content_type VALUES (26, 'audience', 'drillreader');
INSERT INTO public.django_content_type VALUES (27, 'audience', 'erasure');
INSERT INTO public.django_content_type VALUES (28, 'stories', 'story');
INSERT INTO public.django_content_type VALUES (29, 'stories', 'presence');
INSERT INTO public.django_content_type VALUES (30, 'stories', 'storypreference');
INSERT INTO public.django_content_type VALUES (31, 'stories', 'update');
INSERT INTO public.django_content_type VALUES (32, 'stories', 'image');
INSERT INTO public.django_content_type VALUES (33, 'stories', 'alert');
INSERT INTO public.django_content_type VALUES (34, 'courier', 'lastheartbeat');
INSERT INTO public.django_content_type VALUES (35, 'courier', 'relay');
INSERT INTO public.django_content_type VALUES (36, 'courier', 'restores');
INSERT INTO public.django_content_type VALUES (37, 'courier', 'statenumber');
INSERT INTO public.django_content_type VALUES (38, 'courier', 'relayatwork');
INSERT INTO public.django_content_type VALUES (39, 'courier', 'relaycount');
INSERT INTO public.django_content_type VALUES (40, 'courier', 'senderprocess');
INSERT INTO public.django_content_type VALUES (41, 'courier', 'batch');
INSERT INTO public.django_content_type VALUES (42, 'courier', 'brake');
INSERT INTO public.django_content_type VALUES (43, 'courier', 'composition');
INSERT INTO public.django_content_type VALUES (44, 'courier', 'digestitem');
INSERT INTO public.django_content_type VALUES (45, 'courier', 'refusal');
INSERT INTO public.django_content_type VALUES (46, 'courier', 'replycount');
INSERT INTO public.django_content_type VALUES (47, 'live', 'ping');
INSERT INTO public.django_migrations VALUES (1, 'accounts', '0001_initial', '2026-11-29 11:37:46.613538+00');
INSERT INTO public.django_migrations VALUES (2, 'audience', '0001_initial', '2026-11-29 11:37:46.995491+00');
INSERT INTO public.django_migrations VALUES (3, 'stories', '0001_initial', '2026-11-29 11:37:47.419975+00');
INSERT INTO public.django_migrations VALUES (4, 'audit', '0001_initial', '2026-11-29 11:37:47.466174+00');
INSERT INTO public.django_migrations VALUES (5, 'contenttypes', '0001_initial', '2026-11-29 11:37:47.472435+00');
INSERT INTO public.django_migrations VALUES (6, 'contenttypes', '0002_remove_content_type_name', '2026-11-29 11:37:47.528547+00');
INSERT INTO public.django_migrations VALUES (7, 'auth', '0001_initial', '2026-11-29 11:37:47.568214+00');
INSERT INTO public.django_migrations VALUES (8, 'auth', '0002_alter_permission_name_max_length', '2026-11-29 11:37:47.576573+00');
INSERT INTO public.django_migrations VALUES (9, 'auth', '0003_alter_user_email_max_length', '2026-11-29 11:37:47.585756+00');
INSERT INTO public.django_migrations VALUES (10, 'auth', '0004_alter_user_username_opts', '2026-11-29 11:37:47.59597+00');
INSERT INTO public.django_migrations VALUES (11, 'auth', '0005_alter_user_last_login_null', '2026-11-29 11:37:47.614611+00');
INSERT INTO public.django_migrations VALUES (12, 'auth', '0006_require_contenttypes_0002', '2026-11-29 11:37:47.616488+00');
INSERT INTO public.django_migrations VALUES (13, 'auth', '0007_alter_validators_add_error_messages', '2026-11-29 11:37:47.630263+00');
INSERT INTO public.django_migrations VALUES (14, 'auth', '0008_alter_user_username_max_length', '2026-11-29 11:37:47.716914+00');
INSERT INTO public.django_migrations VALUES (15, 'auth', '0009_alter_user_last_name_max_length', '2026-11-29 11:37:47.725798+00');
INSERT INTO public.django_migrations VALUES (16, 'auth', '0010_alter_group_name_max_length', '2026-11-29 11:37:47.736769+00');
INSERT INTO public.django_migrations VALUES (17, 'auth', '0011_update_proxy_permissions', '2026-11-29 11:37:47.783472+00');
INSERT INTO public.django_migrations VALUES (18, 'auth', '0012_alter_user_first_name_max_length', '2026-11-29 11:37:47.799678+00');
INSERT INTO public.django_migrations VALUES (19, 'courier', '0001_initial', '2026-11-29 11:37:48.213451+00');
INSERT INTO public.django_migrations VALUES (20, 'live', '0001_initial', '2026-11-29 11:37:48.293842+00');
INSERT INTO public.django_migrations VALUES (21, 'sessions', '0001_initial', '2026-11-29 11:37:48.300967+00');
INSERT INTO public.stories_alert VALUES (1, '7b98c5c3-c484-49e6-93e6-779ea9e67e13', 'topic', '[]', 'alert', 'mail', false, 'sent', '2026-11-29 11:38:00.899+00', 1795952280899, NULL, 1795966680899, 14400000, true, '2026-11-29 11:38:01.437442+00', 2, 2, true, true, '{"rate": 59.7, "points": [[0.351, 2], [0.405, 3], [0.418, 4]], "seconds": {"p50": 0.351, "p90": 0.418, "p99": 0.418, "last": 0.418, "first": 0.351}}', NULL, NULL, 1, 1, 1);
INSERT INTO public.stories_story VALUES (1, '73b84028-783e-486b-8b22-33d36dc824d3', 'draft', 'Harbour bridge closed after ferry collision', 'Nobody is hurt. Trains and trams are being turned back at both ends of the bridge.', 'The harbour bridge was closed to all traffic at 14:05 after the ferry *Marigold* struck its second pier in thick fog.
The port authority said that nobody was hurt. The 212 passengers were taken ashore by tugs within the hour, and the
ferry lies at the fish quay with a dent in her bow.
“We heard a long groan, and then everything stood still,” said one passenger, a teacher on her way home.
Engineers are on their way to the pier. Until they have seen it, trains and trams end at Custom House on the north
side and at Mill Lane on the south side; buses go round by the old lock.
- The northern ferry pier stays closed until tomorrow morning.
- Road traffic is led over the lock bridge; expect an hour more.
- The city asks sightseers to stay away from the quays.', 'first', '', '[]', 'en', 'alerts', '2026-11-29 11:37:49.24583+00', '2026-11-29 11:37:49.245847+00', 1, 0, NULL, NULL, false, NULL, 1, 1);
INSERT INTO public.stories_story VALUES (2, 'c4ba17ad-1916-438e-ac05-2fe2da031803', 'live', 'Bridge closed after crack is found', '', '', 'update', '', '[]', 'en', 'alerts', '2026-11-29 11:38:00.849506+00', '2026-11-29 11:38:00.84953+00', 2, 1, NULL, NULL, false, NULL, 1, 1);
INSERT INTO public.stories_storypreference VALUES (1, 'follow', '2026-11-29 11:38:05.025278+00', 1, 2);
INSERT INTO public.stories_update VALUES (1, 1, 'first', 'Bridge closed after crack is found', '', 'The bridge is closed to all traffic.', '', '[]', 'en', '2026-11-29 11:38:00.88121+00', '2026-11-29 11:38:01.222005+00', '\x570c1ea6619372c731d490b8c403c132', 1, 2);
SELECT pg_catalog.setval('public.accounts_editor_id_seq', 1, true);
SELECT pg_catalog.setval('public.accounts_failedsignins_id_seq', 1, false);
SELECT pg_catalog.setval('public.audience_bounce_id_seq', 1, false);
SELECT pg_catalog.setval('public.audience_consent_id_seq', 5, true);
SELECT pg_catalog.setval('public.audience_departuremark_id_seq', 1, false);
SELECT pg_catalog.setval('public.audience_drillreader_id_seq', 1, false);
SELECT pg_catalog.setval('public.audience_keycheck_id_seq', 2, true);
SELECT pg_catalog.setval('public.audience_letter_id_seq', 1, false);
SELECT pg_catalog.setval('public.audience_newsroom_id_seq', 1, false);
SELECT pg_catalog.setval('public.audience_reader_id_seq', 4, true);
SELECT pg_catalog.setval('public.audience_signuptally_id_seq', 1, false);
SELECT pg_catalog.setval('public.audience_site_id_seq', 1, false);
SELECT pg_catalog.setval('public.audience_spentwork_id_seq', 1, false);
SELECT pg_catalog.setval('public.audience_subscription_id_seq', 4, true);
SELECT pg_catalog.setval('public.audience_suppression_id_seq', 1, true);
SELECT pg_catalog.setval('public.audience_topic_id_seq', 3, true);
SELECT pg_catalog.setval('public.audience_unfinishedimport_id_seq', 1, false);
SELECT pg_catalog.setval('public.audience_wording_id_seq', 6, true);
SELECT pg_catalog.setval('public.audit_auditentry_id_seq', 4, true);
SELECT pg_catalog.setval('public.auth_group_id_seq', 1, false);
SELECT pg_catalog.setval('public.auth_group_permissions_id_seq', 1, false);
SELECT pg_catalog.setval('public.auth_permission_id_seq', 188, true);
SELECT pg_catalog.setval('public.courier_batch_id_seq', 2, true);
SELECT pg_catalog.setval('public.courier_brake_id_seq', 1, false);
SELECT pg_catalog.setval('public.courier_composition_id_seq', 2, true);
SELECT pg_catalog.setval('public.courier_digestitem_id_seq', 1, false);
SELECT pg_catalog.setval('public.courier_lastheartbeat_id_seq', 1, false);
SELECT pg_catalog.setval('public.courier_refusal_id_seq', 1, false);
SELECT pg_catalog.setval('public.courier_relay_id_seq', 1, true);
SELECT pg_catalog.setval('public.courier_relayatwork_id_seq', 1, true);
SELECT pg_catalog.setval('public.courier_relaycount_id_seq', 1, true);
SELECT pg_catalog.setval('public.courier_replycount_id_seq', 1, false);
SELECT pg_catalog.setval('public.courier_restores_id_seq', 1, false);
SELECT pg_catalog.setval('public.courier_senderprocess_id_seq', 1, true);
SELECT pg_catalog.setval('public.courier_statenumber_id_seq', 1, true);
SELECT pg_catalog.setval('public.django_content_type_id_seq', 47, true);
SELECT pg_catalog.setval('public.django_migrations_id_seq', 21, true);
SELECT pg_catalog.setval('public.live_ping_id_seq', 1, false);
SELECT pg_catalog.setval('public.stories_alert_id_seq', 1, true);
SELECT pg_catalog.setval('public.stories_image_id_seq', 1, false);
SELECT pg_catalog.setval('public.stories_image_updates_id_seq', 1, false);
SELECT pg_catalog.setval('public.stories_presence_id_seq', 1, false);
SELECT pg_catalog.setval('public.stories_story_id_seq', 2, true);
SELECT pg_catalog.setval('public.stories_storypreference_id_seq', 1, true);
SELECT pg_catalog.setval('public.stories_update_id_seq', 1, true);
ALTER TABLE ONLY public.accounts_editor
    ADD CONSTRAINT accounts_editor_email_key UNIQUE (email);
ALTER TABLE ONLY public.accounts_editor
    ADD CONSTRAINT accounts_editor_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.accounts_failedsignins
    ADD CONSTRAINT accounts_failedsignins_key_key UNIQUE (key);
ALTER TABLE ONLY public.accounts_failedsignins
    ADD CONSTRAINT accounts_failedsignins_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.audience_bounce
    ADD CONSTRAINT audience_bounce_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.audience_bounce
    ADD CONSTRAINT audience_bounce_reader_id_key UNIQUE (reader_id);
ALTER TABLE ONLY public.audience_consent
    ADD CONSTRAINT audience_consent_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.audience_departuremark
    ADD CONSTRAINT audience_departuremark_log_key UNIQUE (log);
ALTER TABLE ONLY public.audience_departuremark
    ADD CONSTRAINT audience_departuremark_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.audience_drillreader
    ADD CONSTRAINT audience_drillreader_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.audience_drillreader
    ADD CONSTRAINT audience_drillreader_reader_id_key UNIQUE (reader_id);
ALTER TABLE ONLY public.audience_erasedreader
    ADD CONSTRAINT audience_erasedreader_pkey PRIMARY KEY (number);
ALTER TABLE ONLY public.audience_erasure
    ADD CONSTRAINT audience_erasure_pkey PRIMARY KEY (reader_id);
ALTER TABLE ONLY public.audience_keycheck
    ADD CONSTRAINT audience_keycheck_name_key UNIQUE (name);
ALTER TABLE ONLY public.audience_keycheck
    ADD CONSTRAINT audience_keycheck_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.audience_letter
    ADD CONSTRAINT audience_letter_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.audience_newsroom
    ADD CONSTRAINT audience_newsroom_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.audience_reader
    ADD CONSTRAINT audience_reader_key_key UNIQUE (key);
ALTER TABLE ONLY public.audience_reader
    ADD CONSTRAINT audience_reader_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.audience_seal
    ADD CONSTRAINT audience_seal_pkey PRIMARY KEY (number);
ALTER TABLE ONLY public.audience_sealmark
    ADD CONSTRAINT audience_sealmark_pkey PRIMARY KEY ("table");
ALTER TABLE ONLY public.audience_signuptally
    ADD CONSTRAINT audience_signuptally_key_key UNIQUE (key);
ALTER TABLE ONLY public.audience_signuptally
    ADD CONSTRAINT audience_signuptally_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.audience_site
    ADD CONSTRAINT audience_site_origin_key UNIQUE (origin);
ALTER TABLE ONLY public.audience_site
    ADD CONSTRAINT audience_site_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.audience_spentwork
    ADD CONSTRAINT audience_spentwork_challenge_key UNIQUE (challenge);
ALTER TABLE ONLY public.audience_spentwork
    ADD CONSTRAINT audience_spentwork_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.audience_subscription
    ADD CONSTRAINT audience_subscription_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.audience_suppression
    ADD CONSTRAINT audience_suppression_key_key UNIQUE (key);
ALTER TABLE ONLY public.audience_suppression
    ADD CONSTRAINT audience_suppression_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.audience_topic
    ADD CONSTRAINT audience_topic_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.audience_topic
    ADD CONSTRAINT audience_topic_slug_key UNIQUE (slug);
ALTER TABLE ONLY public.audience_unfinishedimport
    ADD CONSTRAINT audience_unfinishedimport_key_key UNIQUE (key);
ALTER TABLE ONLY public.audience_unfinishedimport
    ADD CONSTRAINT audience_unfinishedimport_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.audience_wording
    ADD CONSTRAINT audience_wording_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.audit_auditentry
    ADD CONSTRAINT audit_auditentry_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.auth_group
    ADD CONSTRAINT auth_group_name_key UNIQUE (name);
ALTER TABLE ONLY public.auth_group_permissions
    ADD CONSTRAINT auth_group_permissions_group_id_permission_id_0cd325b0_uniq UNIQUE (group_id, permission_id);
ALTER TABLE ONLY public.auth_group_permissions
    ADD CONSTRAINT auth_group_permissions_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.auth_group
    ADD CONSTRAINT auth_group_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.auth_permission
    ADD CONSTRAINT auth_permission_content_type_id_codename_01ab375a_uniq UNIQUE (content_type_id, codename);
ALTER TABLE ONLY public.auth_permission
    ADD CONSTRAINT auth_permission_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.courier_batch
    ADD CONSTRAINT batch_number UNIQUE (alert_id, number);
ALTER TABLE ONLY public.courier_batch
    ADD CONSTRAINT courier_batch_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.courier_brake
    ADD CONSTRAINT courier_brake_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.courier_composition
    ADD CONSTRAINT courier_composition_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.courier_digestitem
    ADD CONSTRAINT courier_digestitem_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.courier_lastheartbeat
    ADD CONSTRAINT courier_lastheartbeat_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.courier_refusal
    ADD CONSTRAINT courier_refusal_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.courier_relay
    ADD CONSTRAINT courier_relay_name_key UNIQUE (name);
ALTER TABLE ONLY public.courier_relay
    ADD CONSTRAINT courier_relay_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.courier_relayatwork
    ADD CONSTRAINT courier_relayatwork_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.courier_relaycount
    ADD CONSTRAINT courier_relaycount_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.courier_replycount
    ADD CONSTRAINT courier_replycount_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.courier_restores
    ADD CONSTRAINT courier_restores_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.courier_senderprocess
    ADD CONSTRAINT courier_senderprocess_name_key UNIQUE (name);
ALTER TABLE ONLY public.courier_senderprocess
    ADD CONSTRAINT courier_senderprocess_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.courier_statenumber
    ADD CONSTRAINT courier_statenumber_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.courier_statenumber
    ADD CONSTRAINT courier_statenumber_writer_key UNIQUE (writer);
ALTER TABLE ONLY public.courier_digestitem
    ADD CONSTRAINT digest_items UNIQUE (alert, reader, letter_id);
ALTER TABLE ONLY public.django_content_type
    ADD CONSTRAINT django_content_type_app_label_model_76bd3d3b_uniq UNIQUE (app_label, model);
ALTER TABLE ONLY public.django_content_type
    ADD CONSTRAINT django_content_type_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.django_migrations
    ADD CONSTRAINT django_migrations_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.django_session
    ADD CONSTRAINT django_session_pkey PRIMARY KEY (session_key);
ALTER TABLE ONLY public.live_ping
    ADD CONSTRAINT live_ping_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.live_ping
    ADD CONSTRAINT live_ping_update_id_key UNIQUE (update_id);
ALTER TABLE ONLY public.courier_brake
    ADD CONSTRAINT one_brake UNIQUE (alert_id, scope, name);
ALTER TABLE ONLY public.courier_composition
    ADD CONSTRAINT one_composition UNIQUE (alert_id, language);
ALTER TABLE ONLY public.stories_storypreference
    ADD CONSTRAINT one_interest UNIQUE (story_id, reader_id);
ALTER TABLE ONLY public.stories_presence
    ADD CONSTRAINT one_presence UNIQUE (story_id, editor_id);
ALTER TABLE ONLY public.courier_relayatwork
    ADD CONSTRAINT one_relay_at_work UNIQUE (relay, worker);
ALTER TABLE ONLY public.courier_relaycount
    ADD CONSTRAINT one_relay_count UNIQUE (relay, day, provider);
ALTER TABLE ONLY public.audience_subscription
    ADD CONSTRAINT one_subscription UNIQUE (topic_id, reader_id);
ALTER TABLE ONLY public.courier_replycount
    ADD CONSTRAINT one_verdict UNIQUE (alert_id, domain, outcome, code, status);
ALTER TABLE ONLY public.stories_alert
    ADD CONSTRAINT stories_alert_idempotency_key_key UNIQUE (idempotency_key);
ALTER TABLE ONLY public.stories_alert
    ADD CONSTRAINT stories_alert_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.stories_alert
    ADD CONSTRAINT stories_alert_uuid_key UNIQUE (uuid);
ALTER TABLE ONLY public.stories_image
    ADD CONSTRAINT stories_image_name_key UNIQUE (name);
ALTER TABLE ONLY public.stories_image
    ADD CONSTRAINT stories_image_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.stories_image_updates
    ADD CONSTRAINT stories_image_updates_image_id_update_id_67a40953_uniq UNIQUE (image_id, update_id);
ALTER TABLE ONLY public.stories_image_updates
    ADD CONSTRAINT stories_image_updates_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.stories_presence
    ADD CONSTRAINT stories_presence_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.stories_story
    ADD CONSTRAINT stories_story_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.stories_story
    ADD CONSTRAINT stories_story_uuid_key UNIQUE (uuid);
ALTER TABLE ONLY public.stories_storypreference
    ADD CONSTRAINT stories_storypreference_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.stories_update
    ADD CONSTRAINT stories_update_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.stories_update
    ADD CONSTRAINT update_number UNIQUE (story_id, number);
ALTER TABLE ONLY public.audience_wording
    ADD CONSTRAINT wording_version UNIQUE (kind, language, version);
CREATE INDEX accounts_editor_email_b27fdf15_like ON public.accounts_editor USING btree (email varchar_pattern_ops);
CREATE INDEX accounts_failedsignins_key_8fddb901_like ON public.accounts_failedsignins USING btree (key varchar_pattern_ops);
CREATE INDEX alerts_running ON public.stories_alert USING btree (state) WHERE ((state)::text = ANY ((ARRAY['held'::character varying, 'sending'::character varying])::text[]));
CREATE INDEX audience_bounce_last_at_4e8d004f ON public.audience_bounce USING btree (last_at);
CREATE INDEX audience_consent_reader_id_f74838ca ON public.audience_consent USING btree (reader_id);
CREATE INDEX audience_consent_topic_id_8c7a1c5c ON public.audience_consent USING btree (topic_id);
CREATE INDEX audience_departuremark_log_d97c92ae_like ON public.audience_departuremark USING btree (log varchar_pattern_ops);
CREATE INDEX audience_drillreader_added_by_id_2c8fb4e3 ON public.audience_drillreader USING btree (added_by_id);
CREATE INDEX audience_keycheck_name_a51f70e4_like ON public.audience_keycheck USING btree (name varchar_pattern_ops);
CREATE INDEX audience_letter_reader_id_b94c04b6 ON public.audience_letter USING btree (reader_id);
CREATE INDEX audience_letter_topic_id_1290841f ON public.audience_letter USING btree (topic_id);
CREATE INDEX audience_reader_key_7f3fdfde_like ON public.audience_reader USING btree (key varchar_pattern_ops);
CREATE INDEX audience_sealmark_table_35d5ee70_like ON public.audience_sealmark USING btree ("table" varchar_pattern_ops);
CREATE INDEX audience_signuptally_key_94657ea6_like ON public.audience_signuptally USING btree (key varchar_pattern_ops);
CREATE INDEX audience_site_origin_0054b36e_like ON public.audience_site USING btree (origin varchar_pattern_ops);
CREATE INDEX audience_spentwork_challenge_7a724994_like ON public.audience_spentwork USING btree (challenge varchar_pattern_ops);
CREATE INDEX audience_spentwork_expires_at_745b3c6f ON public.audience_spentwork USING btree (expires_at);
CREATE INDEX audience_subscription_reader_id_ef9d30a7 ON public.audience_subscription USING btree (reader_id);
CREATE INDEX audience_subscription_topic_id_b640df23 ON public.audience_subscription USING btree (topic_id);
CREATE INDEX audience_suppression_key_fd27d0e9_like ON public.audience_suppression USING btree (key varchar_pattern_ops);
CREATE INDEX audience_topic_slug_d2a59adf_like ON public.audience_topic USING btree (slug varchar_pattern_ops);
CREATE INDEX audience_unfinishedimport_key_78087749_like ON public.audience_unfinishedimport USING btree (key varchar_pattern_ops);
CREATE INDEX audit_auditentry_alert_id_1eeafb29 ON public.audit_auditentry USING btree (alert_id);
CREATE INDEX audit_auditentry_editor_id_d7850402 ON public.audit_auditentry USING btree (editor_id);
CREATE INDEX audit_auditentry_story_id_f1927bb3 ON public.audit_auditentry USING btree (story_id);
CREATE INDEX auth_group_name_a6ea08ec_like ON public.auth_group USING btree (name varchar_pattern_ops);
CREATE INDEX auth_group_permissions_group_id_b120cbf9 ON public.auth_group_permissions USING btree (group_id);
CREATE INDEX auth_group_permissions_permission_id_84c5c92e ON public.auth_group_permissions USING btree (permission_id);
CREATE INDEX auth_permission_content_type_id_2f476e4b ON public.auth_permission USING btree (content_type_id);
CREATE INDEX batches_changed ON public.courier_batch USING btree (alert_id, changed_at_ms);
CREATE INDEX batches_due ON public.courier_batch USING btree (alert_id, due_at_ms) WHERE (due_at_ms IS NOT NULL);
CREATE INDEX batches_readers ON public.courier_batch USING btree (alert_id, last);
CREATE INDEX brakes_on ON public.courier_brake USING btree (on_since_ms) WHERE (on_since_ms IS NOT NULL);
CREATE INDEX consent_history ON public.audience_consent USING btree (reader_id, at);
CREATE INDEX consents_withdrawn ON public.audience_consent USING btree (at) WHERE ((event)::text = 'withdrawn'::text);
CREATE INDEX courier_batch_alert_id_acd329e4 ON public.courier_batch USING btree (alert_id);
CREATE INDEX courier_brake_alert_id_4197faf2 ON public.courier_brake USING btree (alert_id);
CREATE INDEX courier_composition_alert_id_5a6710d2 ON public.courier_composition USING btree (alert_id);
CREATE INDEX courier_digestitem_letter_id_b8f70850 ON public.courier_digestitem USING btree (letter_id);
CREATE INDEX courier_refusal_alert_id_2c41207b ON public.courier_refusal USING btree (alert_id);
CREATE INDEX courier_relay_name_7cc0d3a8_like ON public.courier_relay USING btree (name varchar_pattern_ops);
CREATE INDEX courier_replycount_alert_id_9017108e ON public.courier_replycount USING btree (alert_id);
CREATE INDEX courier_senderprocess_name_4ceef31d_like ON public.courier_senderprocess USING btree (name varchar_pattern_ops);
CREATE INDEX courier_statenumber_writer_f41e6ecd_like ON public.courier_statenumber USING btree (writer varchar_pattern_ops);
CREATE INDEX deeds_by_time ON public.audit_auditentry USING btree (at);
CREATE INDEX django_session_expire_date_a5c62663 ON public.django_session USING btree (expire_date);
CREATE INDEX django_session_session_key_c0390e0f_like ON public.django_session USING btree (session_key varchar_pattern_ops);
CREATE INDEX letters_claimed ON public.audience_letter USING btree (worker) WHERE (NOT ((worker)::text = ''::text));
CREATE INDEX letters_due ON public.audience_letter USING btree (bulk, due_at_ms, id) WHERE ((state)::text = 'waiting'::text);
CREATE INDEX letters_elsewhere ON public.audience_letter USING btree (created_at) WHERE (NOT ((address)::text = ''::text));
CREATE INDEX particular_readers ON public.audience_reader USING btree (id) WHERE has_preferences;
CREATE INDEX pings_waiting ON public.live_ping USING btree (due_at_ms) WHERE ((state)::text = 'waiting'::text);
CREATE INDEX reader_state ON public.audience_reader USING btree (state);
CREATE INDEX readers_of_offers ON public.audience_reader USING btree (id) WHERE offers;
CREATE INDEX refusals_of_alert ON public.courier_refusal USING btree (alert_id, reader);
CREATE INDEX seals_by_table ON public.audience_seal USING btree ("table", last);
CREATE INDEX senders_of_place ON public.courier_senderprocess USING btree (place, number);
CREATE INDEX stories_alert_ended_by_id_03dea698 ON public.stories_alert USING btree (ended_by_id);
CREATE INDEX stories_alert_idempotency_key_293ad57b_like ON public.stories_alert USING btree (idempotency_key varchar_pattern_ops);
CREATE INDEX stories_alert_sent_by_id_fbc9678a ON public.stories_alert USING btree (sent_by_id);
CREATE INDEX stories_alert_topic_id_3d3911ce ON public.stories_alert USING btree (topic_id);
CREATE INDEX stories_alert_update_id_34a2ab7a ON public.stories_alert USING btree (update_id);
CREATE INDEX stories_by_change ON public.stories_story USING btree (purpose, changed_at);
CREATE INDEX stories_image_added_by_id_612c87d3 ON public.stories_image USING btree (added_by_id);
CREATE INDEX stories_image_name_73a56428_like ON public.stories_image USING btree (name varchar_pattern_ops);
CREATE INDEX stories_image_updates_image_id_b2c5d05c ON public.stories_image_updates USING btree (image_id);
CREATE INDEX stories_image_updates_update_id_cbdff44d ON public.stories_image_updates USING btree (update_id);
CREATE INDEX stories_presence_editor_id_ac259c2f ON public.stories_presence USING btree (editor_id);
CREATE INDEX stories_presence_story_id_abf439a1 ON public.stories_presence USING btree (story_id);
CREATE INDEX stories_story_approved_by_id_87812b83 ON public.stories_story USING btree (approved_by_id);
CREATE INDEX stories_story_author_id_8dbbe77a ON public.stories_story USING btree (author_id);
CREATE INDEX stories_story_topic_id_662aeb4a ON public.stories_story USING btree (topic_id);
CREATE INDEX stories_storypreference_reader_id_08b12e92 ON public.stories_storypreference USING btree (reader_id);
CREATE INDEX stories_storypreference_story_id_f7d40547 ON public.stories_storypreference USING btree (story_id);
CREATE INDEX stories_update_author_id_07759570 ON public.stories_update USING btree (author_id);
CREATE INDEX stories_update_story_id_7b36bc33 ON public.stories_update USING btree (story_id);
CREATE INDEX story_followers ON public.stories_storypreference USING btree (story_id, choice, reader_id);
CREATE INDEX summaries_due ON public.audience_reader USING btree (summary_at_ms, id) WHERE (summary_at_ms IS NOT NULL);
CREATE INDEX suppressions_by_time ON public.audience_suppression USING btree (reason, at, id);
CREATE INDEX tallies_by_age ON public.audience_signuptally USING btree (since);
CREATE INDEX topic_readers ON public.audience_subscription USING btree (topic_id, state, reader_id);
CREATE INDEX updates_published ON public.stories_update USING btree (published_at, story_id) WHERE (published_at IS NOT NULL);
CREATE TRIGGER audience_consent_no_delete BEFORE DELETE ON public.audience_consent FOR EACH ROW EXECUTE FUNCTION public.audience_consent_no_delete();
ALTER TABLE public.audience_consent ENABLE ALWAYS TRIGGER audience_consent_no_delete;
CREATE TRIGGER audience_consent_no_truncate BEFORE TRUNCATE ON public.audience_consent FOR EACH STATEMENT EXECUTE FUNCTION public.audience_consent_no_truncate();
ALTER TABLE public.audience_consent ENABLE ALWAYS TRIGGER audience_consent_no_truncate;
CREATE TRIGGER audience_consent_no_update BEFORE UPDATE ON public.audience_consent FOR EACH ROW EXECUTE FUNCTION public.audience_consent_no_update();
ALTER TABLE public.audience_consent ENABLE ALWAYS TRIGGER audience_consent_no_update;
CREATE TRIGGER audience_seal_no_delete BEFORE DELETE ON public.audience_seal FOR EACH ROW EXECUTE FUNCTION public.audience_seal_no_delete();
ALTER TABLE public.audience_seal ENABLE ALWAYS TRIGGER audience_seal_no_delete;
CREATE TRIGGER audience_seal_no_truncate BEFORE TRUNCATE ON public.audience_seal FOR EACH STATEMENT EXECUTE FUNCTION public.audience_seal_no_truncate();
ALTER TABLE public.audience_seal ENABLE ALWAYS TRIGGER audience_seal_no_truncate;
CREATE TRIGGER audience_seal_no_update BEFORE UPDATE ON public.audience_seal FOR EACH ROW EXECUTE FUNCTION public.audience_seal_no_update();
ALTER TABLE public.audience_seal ENABLE ALWAYS TRIGGER audience_seal_no_update;
CREATE TRIGGER audience_wording_no_delete BEFORE DELETE ON public.audience_wording FOR EACH ROW EXECUTE FUNCTION public.audience_wording_no_delete();
ALTER TABLE public.audience_wording ENABLE ALWAYS TRIGGER audience_wording_no_delete;
CREATE TRIGGER audience_wording_no_truncate BEFORE TRUNCATE ON public.audience_wording FOR EACH STATEMENT EXECUTE FUNCTION public.audience_wording_no_truncate();
ALTER TABLE public.audience_wording ENABLE ALWAYS TRIGGER audience_wording_no_truncate;
CREATE TRIGGER audience_wording_no_update BEFORE UPDATE ON public.audience_wording FOR EACH ROW EXECUTE FUNCTION public.audience_wording_no_update();
ALTER TABLE public.audience_wording ENABLE ALWAYS TRIGGER audience_wording_no_update;
CREATE TRIGGER audit_auditentry_no_delete BEFORE DELETE ON public.audit_auditentry FOR EACH ROW EXECUTE FUNCTION public.audit_auditentry_no_delete();
ALTER TABLE public.audit_auditentry ENABLE ALWAYS TRIGGER audit_auditentry_no_delete;
CREATE TRIGGER audit_auditentry_no_truncate BEFORE TRUNCATE ON public.audit_auditentry FOR EACH STATEMENT EXECUTE FUNCTION public.audit_auditentry_no_truncate();
ALTER TABLE public.audit_auditentry ENABLE ALWAYS TRIGGER audit_auditentry_no_truncate;
CREATE TRIGGER audit_auditentry_no_update BEFORE UPDATE ON public.audit_auditentry FOR EACH ROW EXECUTE FUNCTION public.audit_auditentry_no_update();
ALTER TABLE public.audit_auditentry ENABLE ALWAYS TRIGGER audit_auditentry_no_update;
CREATE TRIGGER stories_alert_drill BEFORE UPDATE OF audience, update_id ON public.stories_alert FOR EACH ROW EXECUTE FUNCTION public.stories_alert_drill();
CREATE TRIGGER stories_alert_drill_new BEFORE INSERT ON public.stories_alert FOR EACH ROW EXECUTE FUNCTION public.stories_alert_drill_new();
CREATE TRIGGER stories_image_updates_no_delete BEFORE DELETE ON public.stories_image_updates FOR EACH ROW EXECUTE FUNCTION public.stories_image_updates_no_delete();
ALTER TABLE public.stories_image_updates ENABLE ALWAYS TRIGGER stories_image_updates_no_delete;
CREATE TRIGGER stories_image_updates_no_truncate BEFORE TRUNCATE ON public.stories_image_updates FOR EACH STATEMENT EXECUTE FUNCTION public.stories_image_updates_no_truncate();
ALTER TABLE public.stories_image_updates ENABLE ALWAYS TRIGGER stories_image_updates_no_truncate;
CREATE TRIGGER stories_image_updates_no_update BEFORE UPDATE ON public.stories_image_updates FOR EACH ROW EXECUTE FUNCTION public.stories_image_updates_no_update();
ALTER TABLE public.stories_image_updates ENABLE ALWAYS TRIGGER stories_image_updates_no_update;
CREATE TRIGGER stories_story_drill BEFORE UPDATE OF drill ON public.stories_story FOR EACH ROW EXECUTE FUNCTION public.stories_story_drill();
CREATE TRIGGER stories_update_drill BEFORE UPDATE OF story_id ON public.stories_update FOR EACH ROW EXECUTE FUNCTION public.stories_update_drill();
CREATE TRIGGER stories_update_no_delete BEFORE DELETE ON public.stories_update FOR EACH ROW EXECUTE FUNCTION public.stories_update_no_delete();
ALTER TABLE public.stories_update ENABLE ALWAYS TRIGGER stories_update_no_delete;
CREATE TRIGGER stories_update_no_truncate BEFORE TRUNCATE ON public.stories_update FOR EACH STATEMENT EXECUTE FUNCTION public.stories_update_no_truncate();
ALTER TABLE public.stories_update ENABLE ALWAYS TRIGGER stories_update_no_truncate;
CREATE TRIGGER stories_update_no_update BEFORE UPDATE ON public.stories_update FOR EACH ROW EXECUTE FUNCTION public.stories_update_no_update();
ALTER TABLE public.stories_update ENABLE ALWAYS TRIGGER stories_update_no_update;
ALTER TABLE ONLY public.audience_consent
    ADD CONSTRAINT audience_consent_reader_id_f74838ca_fk_audience_reader_id FOREIGN KEY (reader_id) REFERENCES public.audience_reader(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.audience_consent
    ADD CONSTRAINT audience_consent_topic_id_8c7a1c5c_fk_audience_topic_id FOREIGN KEY (topic_id) REFERENCES public.audience_topic(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.audience_drillreader
    ADD CONSTRAINT audience_drillreader_added_by_id_2c8fb4e3_fk_accounts_editor_id FOREIGN KEY (added_by_id) REFERENCES public.accounts_editor(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.audience_drillreader
    ADD CONSTRAINT audience_drillreader_reader_id_c664256f_fk_audience_reader_id FOREIGN KEY (reader_id) REFERENCES public.audience_reader(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.audience_erasure
    ADD CONSTRAINT audience_erasure_reader_id_3b87ab19_fk_audience_reader_id FOREIGN KEY (reader_id) REFERENCES public.audience_reader(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.audience_letter
    ADD CONSTRAINT audience_letter_reader_id_b94c04b6_fk_audience_reader_id FOREIGN KEY (reader_id) REFERENCES public.audience_reader(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.audience_letter
    ADD CONSTRAINT audience_letter_topic_id_1290841f_fk_audience_topic_id FOREIGN KEY (topic_id) REFERENCES public.audience_topic(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.audience_subscription
    ADD CONSTRAINT audience_subscription_reader_id_ef9d30a7_fk_audience_reader_id FOREIGN KEY (reader_id) REFERENCES public.audience_reader(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.audience_subscription
    ADD CONSTRAINT audience_subscription_topic_id_b640df23_fk_audience_topic_id FOREIGN KEY (topic_id) REFERENCES public.audience_topic(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.audit_auditentry
    ADD CONSTRAINT audit_auditentry_alert_id_1eeafb29_fk_stories_alert_id FOREIGN KEY (alert_id) REFERENCES public.stories_alert(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.audit_auditentry
    ADD CONSTRAINT audit_auditentry_editor_id_d7850402_fk_accounts_editor_id FOREIGN KEY (editor_id) REFERENCES public.accounts_editor(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.audit_auditentry
    ADD CONSTRAINT audit_auditentry_story_id_f1927bb3_fk_stories_story_id FOREIGN KEY (story_id) REFERENCES public.stories_story(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.auth_group_permissions
    ADD CONSTRAINT auth_group_permissio_permission_id_84c5c92e_fk_auth_perm FOREIGN KEY (permission_id) REFERENCES public.auth_permission(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.auth_group_permissions
    ADD CONSTRAINT auth_group_permissions_group_id_b120cbf9_fk_auth_group_id FOREIGN KEY (group_id) REFERENCES public.auth_group(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.auth_permission
    ADD CONSTRAINT auth_permission_content_type_id_2f476e4b_fk_django_co FOREIGN KEY (content_type_id) REFERENCES public.django_content_type(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.courier_batch
    ADD CONSTRAINT courier_batch_alert_id_acd329e4_fk_stories_alert_id FOREIGN KEY (alert_id) REFERENCES public.stories_alert(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.courier_composition
    ADD CONSTRAINT courier_composition_alert_id_5a6710d2_fk_stories_alert_id FOREIGN KEY (alert_id) REFERENCES public.stories_alert(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.courier_digestitem
    ADD CONSTRAINT courier_digestitem_letter_id_b8f70850_fk_audience_letter_id FOREIGN KEY (letter_id) REFERENCES public.audience_letter(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.live_ping
    ADD CONSTRAINT live_ping_update_id_64d4bb9d_fk_stories_update_id FOREIGN KEY (update_id) REFERENCES public.stories_update(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.stories_alert
    ADD CONSTRAINT stories_alert_ended_by_id_03dea698_fk_accounts_editor_id FOREIGN KEY (ended_by_id) REFERENCES public.accounts_editor(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.stories_alert
    ADD CONSTRAINT stories_alert_sent_by_id_fbc9678a_fk_accounts_editor_id FOREIGN KEY (sent_by_id) REFERENCES public.accounts_editor(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.stories_alert
    ADD CONSTRAINT stories_alert_topic_id_3d3911ce_fk_audience_topic_id FOREIGN KEY (topic_id) REFERENCES public.audience_topic(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.stories_alert
    ADD CONSTRAINT stories_alert_update_id_34a2ab7a_fk_stories_update_id FOREIGN KEY (update_id) REFERENCES public.stories_update(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.stories_image
    ADD CONSTRAINT stories_image_added_by_id_612c87d3_fk_accounts_editor_id FOREIGN KEY (added_by_id) REFERENCES public.accounts_editor(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.stories_image_updates
    ADD CONSTRAINT stories_image_updates_image_id_b2c5d05c_fk_stories_image_id FOREIGN KEY (image_id) REFERENCES public.stories_image(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.stories_image_updates
    ADD CONSTRAINT stories_image_updates_update_id_cbdff44d_fk_stories_update_id FOREIGN KEY (update_id) REFERENCES public.stories_update(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.stories_presence
    ADD CONSTRAINT stories_presence_editor_id_ac259c2f_fk_accounts_editor_id FOREIGN KEY (editor_id) REFERENCES public.accounts_editor(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.stories_presence
    ADD CONSTRAINT stories_presence_story_id_abf439a1_fk_stories_story_id FOREIGN KEY (story_id) REFERENCES public.stories_story(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.stories_story
    ADD CONSTRAINT stories_story_approved_by_id_87812b83_fk_accounts_editor_id FOREIGN KEY (approved_by_id) REFERENCES public.accounts_editor(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.stories_story
    ADD CONSTRAINT stories_story_author_id_8dbbe77a_fk_accounts_editor_id FOREIGN KEY (author_id) REFERENCES public.accounts_editor(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.stories_story
    ADD CONSTRAINT stories_story_topic_id_662aeb4a_fk_audience_topic_id FOREIGN KEY (topic_id) REFERENCES public.audience_topic(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.stories_storypreference
    ADD CONSTRAINT stories_storyprefere_reader_id_08b12e92_fk_audience_ FOREIGN KEY (reader_id) REFERENCES public.audience_reader(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.stories_storypreference
    ADD CONSTRAINT stories_storypreference_story_id_f7d40547_fk_stories_story_id FOREIGN KEY (story_id) REFERENCES public.stories_story(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.stories_update
    ADD CONSTRAINT stories_update_author_id_07759570_fk_accounts_editor_id FOREIGN KEY (author_id) REFERENCES public.accounts_editor(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.stories_update
    ADD CONSTRAINT stories_update_story_id_7b36bc33_fk_stories_story_id FOREIGN KEY (story_id) REFERENCES public.stories_story(id) DEFERRABLE INITIALLY DEFERRED;
