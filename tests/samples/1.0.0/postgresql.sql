SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;

CREATE FUNCTION public.tasker_down(since timestamp with time zone, until timestamp with time zone) RETURNS bigint
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$SELECT coalesce(sum(extract(epoch FROM least(end_at, until) - greatest(begin_at, since))
                          * 1000000), 0)::bigint
        FROM down WHERE end_at > since AND begin_at < until$$;

CREATE FUNCTION public.tasker_held(due timestamp with time zone, let_go timestamp with time zone, down_until timestamp with time zone) RETURNS bigint
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$SELECT CASE WHEN let_go > due THEN (extract(epoch FROM let_go - due) * 1000000)::bigint
                                         - CASE WHEN due < down_until THEN tasker_down(due, let_go) ELSE 0 END
                  ELSE 0 END$$;

CREATE FUNCTION public.tasker_inbox_written() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  PERFORM pg_notify('tasker_inbox' || CASE TG_TABLE_SCHEMA WHEN 'public' THEN ''
                                           ELSE '_' || left(TG_TABLE_SCHEMA, 40) END, '');
  RETURN NULL;
END $$;

CREATE FUNCTION public.tasker_moment(microseconds bigint) RETURNS timestamp with time zone
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$SELECT timestamptz 'epoch' + microseconds / 1000000 * interval '1 second'
                                  + microseconds % 1000000 * interval '1 microsecond'$$;

CREATE FUNCTION public.tasker_now() RETURNS timestamp with time zone
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$SELECT statement_timestamp()$$;

CREATE FUNCTION public.tasker_pass(passed bigint, has_room boolean, running bigint, free bigint) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$SELECT passed + CASE WHEN has_room AND coalesce(running + passed <= free, true)
                           THEN 1 ELSE 0 END$$;

CREATE FUNCTION public.tasker_paused(since timestamp with time zone, until timestamp with time zone) RETURNS bigint
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$SELECT coalesce(sum((extract(epoch FROM span.upto - span.begun) * 1000000)::bigint
                          - tasker_down(span.begun, span.upto)), 0)::bigint
        FROM (SELECT greatest(begin_at, since) AS begun, least(coalesce(end_at, until), until) AS upto
                FROM pause
               WHERE (end_at IS NULL OR end_at > since) AND begin_at < until) AS span$$;

CREATE FUNCTION public.tasker_recovers(closed_at timestamp with time zone) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$SELECT closed_at <= tasker_now() AND closed_at > tasker_now() - interval '10 seconds'$$;

CREATE AGGREGATE public.tasker_passed(boolean, bigint, bigint) (
    SFUNC = public.tasker_pass,
    STYPE = bigint,
    INITCOND = '0',
    PARALLEL = safe
);

CREATE TABLE public.access (
    one integer NOT NULL,
    version bigint NOT NULL,
    asks boolean NOT NULL,
    salt bytea NOT NULL,
    CONSTRAINT access_one_check CHECK ((one = 1))
);

CREATE TABLE public.alert_book (
    id integer NOT NULL,
    node uuid NOT NULL,
    lead_until timestamp with time zone NOT NULL,
    revision bigint NOT NULL,
    told text NOT NULL,
    CONSTRAINT alert_book_id_check CHECK ((id = 1))
)
WITH (fillfactor='50', autovacuum_vacuum_threshold='100', autovacuum_vacuum_scale_factor='0');

CREATE TABLE public.api_key (
    id text NOT NULL,
    name text NOT NULL,
    role text,
    scopes text NOT NULL,
    digest bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone,
    used_at timestamp with time zone
);

CREATE TABLE public.attempt (
    task uuid NOT NULL,
    number integer NOT NULL,
    record text NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0.05', autovacuum_vacuum_cost_delay='0');

CREATE TABLE public.audit (
    id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    by_id text NOT NULL,
    by_name text NOT NULL,
    action text NOT NULL,
    kind text NOT NULL,
    subject text NOT NULL,
    name text,
    changes text
);

ALTER TABLE public.audit ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.audit_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.completion_key (
    one integer NOT NULL,
    key bytea NOT NULL,
    CONSTRAINT completion_key_one_check CHECK ((one = 1))
);

CREATE TABLE public.down (
    begin_at timestamp with time zone NOT NULL,
    end_at timestamp with time zone NOT NULL
);

CREATE TABLE public.gate (
    id bigint NOT NULL,
    kind smallint NOT NULL,
    name text NOT NULL,
    paused boolean DEFAULT false NOT NULL,
    max_running bigint,
    failures integer DEFAULT 0 NOT NULL,
    open_until timestamp with time zone DEFAULT '1970-01-01 00:00:00+00'::timestamp with time zone NOT NULL,
    max_per_second double precision,
    burst integer DEFAULT 1 NOT NULL,
    next_at timestamp with time zone DEFAULT '1970-01-01 00:00:00+00'::timestamp with time zone NOT NULL,
    broken_since timestamp with time zone,
    closed_at timestamp with time zone,
    let_in integer DEFAULT 0 NOT NULL
)
WITH (fillfactor='80');

ALTER TABLE public.gate ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.gate_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.gate_queue (
    gate bigint NOT NULL,
    pool integer NOT NULL,
    wake_at timestamp with time zone NOT NULL,
    version bigint DEFAULT 0 NOT NULL,
    additions bigint DEFAULT 0 NOT NULL,
    room_since timestamp with time zone
)
WITH (fillfactor='50', autovacuum_vacuum_threshold='100', autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_cost_delay='0');

CREATE TABLE public.history (
    length bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    run uuid NOT NULL,
    counts text NOT NULL,
    failures text
)
WITH (fillfactor='50', autovacuum_vacuum_scale_factor='0.05', autovacuum_vacuum_cost_delay='0');

CREATE TABLE public.kept_answer (
    id bytea NOT NULL,
    fingerprint bytea NOT NULL,
    answer bytea NOT NULL,
    kept_until timestamp with time zone NOT NULL
);

CREATE TABLE public.node (
    id uuid NOT NULL,
    address text NOT NULL,
    version text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    lease_until timestamp with time zone NOT NULL,
    schema integer DEFAULT 2 NOT NULL,
    looked_at timestamp with time zone,
    has_ended boolean DEFAULT false NOT NULL
)
WITH (fillfactor='50', autovacuum_vacuum_threshold='100', autovacuum_vacuum_scale_factor='0');

CREATE TABLE public.operation (
    id uuid NOT NULL,
    action text NOT NULL,
    state smallint NOT NULL,
    is_dry_run boolean NOT NULL,
    asked text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    node uuid,
    cursor text,
    matched bigint NOT NULL,
    changed bigint NOT NULL,
    refused bigint NOT NULL,
    reasons text NOT NULL,
    refusals text NOT NULL
)
WITH (fillfactor='50', autovacuum_vacuum_threshold='100', autovacuum_vacuum_scale_factor='0');

CREATE TABLE public.operation_task (
    task uuid NOT NULL,
    operation uuid NOT NULL,
    at timestamp with time zone NOT NULL
);

CREATE TABLE public.pause (
    begin_at timestamp with time zone NOT NULL,
    end_at timestamp with time zone
);

CREATE TABLE public.payload (
    id uuid NOT NULL,
    payload bytea NOT NULL,
    result bytea,
    revision bigint DEFAULT 0 NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_vacuum_cost_delay='0');

CREATE UNLOGGED TABLE public.queue_waiter (
    gate bigint NOT NULL,
    node uuid NOT NULL,
    since timestamp with time zone NOT NULL,
    seen_at timestamp with time zone NOT NULL
)
WITH (fillfactor='50');

CREATE TABLE public.run_count (
    schedule text NOT NULL COLLATE pg_catalog."C",
    started bigint DEFAULT 0 NOT NULL,
    skipped bigint DEFAULT 0 NOT NULL,
    missed_times bigint DEFAULT 0 NOT NULL,
    turn bigint DEFAULT 0 NOT NULL
)
WITH (fillfactor='80');

CREATE TABLE public.schedule (
    name text NOT NULL COLLATE pg_catalog."C",
    revision bigint NOT NULL,
    type text NOT NULL,
    plan text NOT NULL,
    is_paused boolean NOT NULL,
    created_at timestamp with time zone NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    put_by text,
    next_at timestamp with time zone,
    look_at timestamp with time zone
)
WITH (fillfactor='50', autovacuum_vacuum_scale_factor='0.05', autovacuum_vacuum_cost_delay='0');

CREATE TABLE public.sign_in (
    digest bytea NOT NULL,
    key_id text NOT NULL,
    ends_at timestamp with time zone NOT NULL
);

CREATE TABLE public.tag (
    tag text NOT NULL COLLATE pg_catalog."C",
    task uuid NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0.05', autovacuum_vacuum_cost_delay='0');

CREATE TABLE public.task (
    id uuid NOT NULL,
    type text NOT NULL,
    state smallint DEFAULT 0 NOT NULL,
    pool integer NOT NULL,
    due_at timestamp with time zone NOT NULL,
    execution_at timestamp with time zone NOT NULL,
    execution_time text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    crashes integer DEFAULT 0 NOT NULL,
    fence bigint,
    node uuid,
    started_at timestamp with time zone,
    ended_at timestamp with time zone,
    last_fault text,
    gate bigint,
    held_by bigint,
    expires_at timestamp with time zone,
    parent_id uuid,
    retried_after integer DEFAULT 0 NOT NULL,
    created_at timestamp with time zone DEFAULT public.tasker_now() NOT NULL,
    revision bigint DEFAULT 0 NOT NULL,
    payload_revision bigint DEFAULT 0 NOT NULL,
    content bytea,
    key text,
    holds_key boolean DEFAULT false NOT NULL,
    keep bigint,
    host_gate bigint,
    patience bigint DEFAULT '272105000000'::bigint NOT NULL,
    waited bigint DEFAULT 0 NOT NULL,
    is_cancelled boolean DEFAULT false NOT NULL,
    late_down bigint DEFAULT 0 NOT NULL,
    late_held bigint DEFAULT 0 NOT NULL,
    created_by text,
    local_time text,
    time_zone text,
    zones text COLLATE pg_catalog."C",
    deadline timestamp with time zone,
    counts_in bigint,
    progress text,
    lease interval,
    schedule text COLLATE pg_catalog."C",
    scheduled_for timestamp with time zone,
    run_kind smallint,
    admission smallint,
    missed bigint
)
WITH (fillfactor='80', autovacuum_vacuum_scale_factor='0.01', autovacuum_vacuum_threshold='1000', autovacuum_vacuum_insert_scale_factor='0.1', autovacuum_analyze_scale_factor='0.02', autovacuum_vacuum_cost_delay='0');

CREATE TABLE public.tasker_inbox (
    id uuid NOT NULL,
    request jsonb NOT NULL,
    error text,
    inserted_at timestamp with time zone DEFAULT public.tasker_now() NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0.01', autovacuum_vacuum_threshold='1000', autovacuum_vacuum_insert_scale_factor='0.1', autovacuum_vacuum_cost_delay='0');

CREATE TABLE public.tasker_schema (
    version integer NOT NULL,
    "least" integer NOT NULL
);

CREATE TABLE public.template (
    schedule text NOT NULL COLLATE pg_catalog."C",
    template bytea NOT NULL
);

CREATE TABLE public.type_pool (
    type text NOT NULL,
    pool integer NOT NULL
);

CREATE TABLE public.zone_version (
    one integer NOT NULL,
    version text NOT NULL COLLATE pg_catalog."C",
    CONSTRAINT zone_version_one_check CHECK ((one = 1))
);

INSERT INTO public.access VALUES
	(1, 6, true, '\x0295bc3f42f540e783ae4394612a6ecd');

INSERT INTO public.alert_book VALUES
	(1, 'ebe46d5f-2910-4420-ac4f-d64e7a225b58', '2026-11-30 03:06:40.581328+00', 2, '{"late":{"lasting":{"":{"id":"","name":"tasks","since":1796007975794763,"facts":{"overdue":1,"oldest_due_at":"2026-11-30T03:06:15.794763Z"},"note":"1 overdue, the oldest due at 2026-11-30T03:06:15Z"}},"message":null,"sent_at":1796007980580313}}');

INSERT INTO public.api_key VALUES
	('e2mykw9j', 'grafana', 'read', '', '\x7fb05db0af52a614d272185ca77250e7195a51dd70071bbcddb046705b512784', '2026-11-30 03:05:58.39209+00', '2126-02-10 15:30:00+00', NULL),
	('04br37i5', 'worker', NULL, 'queues:work:reports tasks:read', '\x4126113a80d72c0cf16b7da1a8e32428deb7f8480ddb1e44c0ada2544583bb1e', '2026-11-30 03:05:58.399973+00', NULL, NULL),
	('0gr5gv4u', 'admin', 'admin', '', '\x4b83bd7053f1708f0374cdbbae2da2119bb9325faa11cce18ba94147656bea2c', '2026-11-30 03:05:58.364584+00', NULL, '2026-11-30 03:06:00+00');

INSERT INTO public.attempt VALUES
	('01a22a6a-9900-726e-8332-f1810bb5f6c4', 1, '{"number":1,"node":"093bd1a2-d9a1-40b7-b0db-5724bb39728c","due_at":1796007958784152,"started_at":1796007958818804,"ended_at":1796007958823523,"exchange":{"phases":{"dns":null,"connect":0.005596,"first_byte":0.004497,"total":0.010478},"status":200,"headers":{"content-length":"0"}}}'),
	('01a22a6a-9913-7e62-a669-a900c55fe9b1', 1, '{"number":1,"node":"093bd1a2-d9a1-40b7-b0db-5724bb39728c","due_at":1796007958803899,"started_at":1796007958822433,"ended_at":1796007958823748,"fault":{"code":"status_404","msg":"the target answered 404 Not Found","fingerprint":"af5c1b62c3bf5666"},"exchange":{"phases":{"dns":null,"connect":0.001086,"first_byte":0.001147,"total":0.002548},"status":404,"headers":{"content-length":"0"}}}'),
	('01a22a6a-997d-7e6a-9e85-3648376e4bc8', 1, '{"number":1,"node":"093bd1a2-d9a1-40b7-b0db-5724bb39728c","due_at":1796007958909901,"started_at":1796007958944897,"ended_at":1796007958945610,"fault":{"code":"status_410","msg":"the target answered 410 Gone","fingerprint":"9e0e17755e208de1"},"exchange":{"phases":{"dns":null,"connect":null,"first_byte":0.000566,"total":0.000759},"status":410,"headers":{"content-length":"0"}}}'),
	('01a22a6a-9968-7543-b664-09293c1544aa', 1, '{"number":1,"node":"093bd1a2-d9a1-40b7-b0db-5724bb39728c","due_at":1796007958888329,"started_at":1796007958989461,"ended_at":1796007958994259,"exchange":{"phases":{"dns":null,"connect":null,"first_byte":0.004613,"total":0.004919},"status":200,"headers":{"content-length":"0"}}}'),
	('01a22a6a-99cb-7f3f-867a-3c15bc4a2588', 1, '{"number":1,"node":"093bd1a2-d9a1-40b7-b0db-5724bb39728c","due_at":1796007958987953,"started_at":1796007958999050,"ended_at":1796007959007575,"exchange":{"phases":{"dns":null,"connect":null,"first_byte":0.007373,"total":0.007509},"status":200,"headers":{"content-length":"0"}}}'),
	('01a22a6a-990f-7b2f-9a03-43a24fe9904c', 1, '{"number":1,"node":"093bd1a2-d9a1-40b7-b0db-5724bb39728c","due_at":1796007958799699,"started_at":1796007958820673,"ended_at":1796007959126276}'),
	('01a22a6a-997d-7e6a-9e85-3648376e4bc8', 2, '{"number":2,"node":"093bd1a2-d9a1-40b7-b0db-5724bb39728c","due_at":1796007959199404,"started_at":1796007959205438,"ended_at":1796007959210268,"fault":{"code":"status_410","msg":"the target answered 410 Gone","fingerprint":"9e0e17755e208de1"},"exchange":{"phases":{"dns":null,"connect":null,"first_byte":0.004464,"total":0.004813},"status":410,"headers":{"content-length":"0"}}}'),
	('01a22a6a-9aec-7a5a-bf1d-2568cf4cf21b', 1, '{"number":1,"node":"093bd1a2-d9a1-40b7-b0db-5724bb39728c","due_at":1796007959276647,"started_at":1796007959285129,"ended_at":1796007959285575,"fault":{"code":"status_503","msg":"the target answered 503 Service Unavailable","fingerprint":"80adf5ba63aff478"},"exchange":{"phases":{"dns":null,"connect":null,"first_byte":0.000268,"total":0.0005},"status":503,"headers":{"content-length":"0"}}}'),
	('01a22a6a-9b66-7cf9-aa6c-7cb6939ab227', 1, '{"number":1,"node":"093bd1a2-d9a1-40b7-b0db-5724bb39728c","due_at":1796007959398811,"started_at":1796007959455663,"ended_at":1796007959456122,"exchange":{"phases":{"dns":null,"connect":null,"first_byte":0.000341,"total":0.000571},"status":200,"headers":{"content-length":"0"}}}'),
	('01a22a6a-9ba4-700c-8134-171c3cec2fcf', 1, '{"number":1,"node":"093bd1a2-d9a1-40b7-b0db-5724bb39728c","due_at":1796007959460003,"started_at":1796007959481895,"ended_at":1796007959483958,"fault":{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"},"exchange":{"phases":{"dns":null,"connect":0.001419,"first_byte":null,"total":0.001756}}}'),
	('01a22a6a-9bb2-756c-95f9-4fd3af39891a', 1, '{"number":1,"node":"093bd1a2-d9a1-40b7-b0db-5724bb39728c","due_at":1796007959474339,"started_at":1796007959486306,"ended_at":1796007959490754,"fault":{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"},"exchange":{"phases":{"dns":null,"connect":0.004133,"first_byte":null,"total":0.004325}}}'),
	('01a22a6a-9bba-7b0a-9156-2f3f97bc5fc0', 1, '{"number":1,"node":"093bd1a2-d9a1-40b7-b0db-5724bb39728c","due_at":1796007959482690,"started_at":1796007959499651,"ended_at":1796007959506872,"fault":{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"},"exchange":{"phases":{"dns":null,"connect":0.006726,"first_byte":null,"total":0.006882}}}'),
	('01a22a6a-9bc6-78cc-9dea-ad99c35574f0', 1, '{"number":1,"node":"093bd1a2-d9a1-40b7-b0db-5724bb39728c","due_at":1796007959494550,"started_at":1796007959499651,"ended_at":1796007959506953,"fault":{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"},"exchange":{"phases":{"dns":null,"connect":0.006699,"first_byte":null,"total":0.006775}}}'),
	('01a22a6a-9bcb-7cfd-a7a3-25ac1e3045e5', 1, '{"number":1,"node":"093bd1a2-d9a1-40b7-b0db-5724bb39728c","due_at":1796007959499812,"started_at":1796007959510276,"ended_at":1796007959510834,"fault":{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"},"exchange":{"phases":{"dns":null,"connect":0.000251,"first_byte":null,"total":0.000426}}}'),
	('01a22a6a-9bd3-70a7-803a-a59f391d06a7', 1, '{"number":1,"node":"093bd1a2-d9a1-40b7-b0db-5724bb39728c","due_at":1796007959507041,"started_at":1796007959532110,"ended_at":1796007959534176,"fault":{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"},"exchange":{"phases":{"dns":null,"connect":0.001642,"first_byte":null,"total":0.001833}}}'),
	('01a22a6a-9be3-7b74-af10-62dde75addf3', 1, '{"number":1,"node":"093bd1a2-d9a1-40b7-b0db-5724bb39728c","due_at":1796007959523716,"started_at":1796007959532110,"ended_at":1796007959534265,"fault":{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"},"exchange":{"phases":{"dns":null,"connect":0.00164,"first_byte":null,"total":0.001717}}}'),
	('01a22a6a-9be8-71b6-9277-3b9edabd22cf', 1, '{"number":1,"node":"093bd1a2-d9a1-40b7-b0db-5724bb39728c","due_at":1796007959528107,"started_at":1796007959536887,"ended_at":1796007959537439,"fault":{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"},"exchange":{"phases":{"dns":null,"connect":0.000231,"first_byte":null,"total":0.000376}}}'),
	('01a22a6a-9bed-752b-9157-344328d925f1', 1, '{"number":1,"node":"093bd1a2-d9a1-40b7-b0db-5724bb39728c","due_at":1796007959533323,"started_at":1796007959541019,"ended_at":1796007959541480,"fault":{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"},"exchange":{"phases":{"dns":null,"connect":0.000235,"first_byte":null,"total":0.000359}}}'),
	('01a22a6a-9bf0-78d4-b847-da305674e288', 1, '{"number":1,"node":"093bd1a2-d9a1-40b7-b0db-5724bb39728c","due_at":1796007959536552,"started_at":1796007959544378,"ended_at":1796007959545166,"fault":{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"},"exchange":{"phases":{"dns":null,"connect":0.000522,"first_byte":null,"total":0.000661}}}'),
	('01a22a6a-9c6f-7c4d-9bc7-24e393376924', 1, '{"number":1,"node":"093bd1a2-d9a1-40b7-b0db-5724bb39728c","due_at":1796007959663769,"started_at":1796007959696418,"ended_at":1796007959696799,"exchange":{"phases":{"dns":null,"connect":null,"first_byte":0.000263,"total":0.000489},"status":200,"headers":{"content-length":"0"}}}'),
	('01a22a6a-9c78-7c72-8f23-7d44297d8a1b', 1, '{"number":1,"node":"093bd1a2-d9a1-40b7-b0db-5724bb39728c","due_at":1796007960000000,"started_at":1796007960010127,"ended_at":1796007960367683}'),
	('01a22a6a-9dc4-71eb-9cf8-f0b222790bc8', 1, '{"number":1,"node":"093bd1a2-d9a1-40b7-b0db-5724bb39728c","due_at":1796007961000000,"started_at":1796007961032038,"ended_at":1796007961422315}'),
	('01a22a6a-a33b-7d58-b75a-9a4ab6087293', 1, '{"number":1,"node":"093bd1a2-d9a1-40b7-b0db-5724bb39728c","due_at":1796007961403834,"started_at":1796007961423048,"ended_at":null,"exchange":{"phases":{"dns":null,"connect":null,"first_byte":0.003326,"total":0.003568},"status":202,"headers":{"content-length":"0"}}}'),
	('01a22a6a-9c2d-7aa3-8162-d740086d19a0', 1, '{"number":1,"node":"ebe46d5f-2910-4420-ac4f-d64e7a225b58","due_at":1796007959597665,"started_at":1796007975541150,"ended_at":1796007975542098,"late_down":14522510,"late_held":1404959,"fault":{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"},"exchange":{"phases":{"dns":null,"connect":0.000481,"first_byte":null,"total":0.000727}}}');

INSERT INTO public.audit OVERRIDING SYSTEM VALUE VALUES
	(1, '2026-11-30 03:05:58.368685+00', 'local', 'local', 'create', 'key', '0gr5gv4u', 'admin', '{"role":{"after":"admin"}}'),
	(2, '2026-11-30 03:05:58.39255+00', '0gr5gv4u', 'admin', 'create', 'key', 'e2mykw9j', 'grafana', '{"role":{"after":"read"},"expires_at":{"after":"2126-02-10T15:30:00.000000Z"}}'),
	(3, '2026-11-30 03:05:58.400591+00', '0gr5gv4u', 'admin', 'create', 'key', '04br37i5', 'worker', '{"scopes":{"after":["queues:work:reports","tasks:read"]}}'),
	(4, '2026-11-30 03:05:58.415855+00', '0gr5gv4u', 'admin', 'create', 'key', 'bdm173mu', 'revoked', '{"role":{"after":"write"}}'),
	(5, '2026-11-30 03:05:58.423193+00', '0gr5gv4u', 'admin', 'revoke', 'key', 'bdm173mu', 'revoked', NULL),
	(6, '2026-11-30 03:05:58.593527+00', '0gr5gv4u', 'admin', 'change', 'task', '01a22a6a-9834-7035-9477-0af0c1f68791', NULL, '{"body":{},"tags":{"after":["changed"]}}'),
	(7, '2026-11-30 03:05:58.619564+00', '0gr5gv4u', 'admin', 'delete', 'task', '01a22a6a-984a-7f89-9541-3cc02751975c', NULL, '{"type":{"before":"webhook"},"execution_time":{"before":"2126-02-10T16:30:00+01:00"}}'),
	(8, '2026-11-30 03:05:58.879233+00', '0gr5gv4u', 'admin', 'cancel', 'task', '01a22a6a-991b-78f1-a1e6-e55e2ed850de', NULL, NULL),
	(9, '2026-11-30 03:05:59.199837+00', '0gr5gv4u', 'admin', 'retry', 'task', '01a22a6a-997d-7e6a-9e85-3648376e4bc8', NULL, NULL),
	(10, '2026-11-30 03:05:59.350031+00', '0gr5gv4u', 'admin', 'limit', 'destination', '5', 'reports', '{"max_running":{"before":null,"after":2}}'),
	(11, '2026-11-30 03:05:59.387136+00', '0gr5gv4u', 'admin', 'limit', 'destination', '6', 'slow', '{"max_per_second":{"before":null,"after":0.001}}'),
	(12, '2026-11-30 03:05:59.433968+00', '0gr5gv4u', 'admin', 'pause', 'destination', '7', 'http://127.0.0.1:9', NULL),
	(13, '2026-11-30 03:05:59.56187+00', 'tasker', 'tasker', 'circuit_opened', 'destination', '8', 'http://127.0.0.1:1', '{"open_until":{"after":"2026-11-30T03:06:04.558304Z"}}'),
	(14, '2026-11-30 03:05:59.62079+00', '0gr5gv4u', 'admin', 'create', 'schedule', 'weekdays', NULL, '{"cron":{"after":"0 9 * * MON-FRI"},"time_zone":{"after":"Asia/Tokyo"},"starts_at":{"after":"2126-02-10T15:30:00.000000Z"},"ends_at":{"after":"2127-01-01T00:00:00.000000Z"},"jitter":{"after":"5m"},"overlap":{"after":"queue"},"missed":{"after":"all"},"missed_within":{"after":"1d"},"tags":{"after":["report"]},"paused":{"after":false},"task.webhook.url":{"after":"http://127.0.0.1:33499/report"},"task.webhook.body":{},"task.webhook.expires_at":{"after":"30m"}}'),
	(15, '2026-11-30 03:05:59.657521+00', '0gr5gv4u', 'admin', 'create', 'schedule', 'paused', NULL, '{"cron":{"after":"0 9 * * MON-FRI"},"time_zone":{"after":"Asia/Tokyo"},"starts_at":{"after":"2126-02-10T15:30:00.000000Z"},"overlap":{"after":"skip"},"missed":{"after":"once"},"missed_within":{"after":"1d"},"paused":{"after":true},"task.webhook.url":{"after":"http://127.0.0.1:33499/report"},"task.webhook.body":{},"task.webhook.expires_at":{"after":"30m"}}'),
	(16, '2026-11-30 03:05:59.665218+00', '0gr5gv4u', 'admin', 'run', 'schedule', 'weekdays', NULL, NULL),
	(17, '2026-11-30 03:05:59.679472+00', '0gr5gv4u', 'admin', 'create', 'schedule', 'ended', NULL, '{"every":{"after":"1s"},"overlap":{"after":"skip"},"missed":{"after":"once"},"missed_within":{"after":"1d"},"max_runs":{"after":2},"paused":{"after":false},"task.hash.secret":{"after":"***"}}'),
	(18, '2026-11-30 03:06:01.147743+00', '0gr5gv4u', 'admin', 'begin', 'operation', '01a22a6a-a23a-7808-9cf2-6223a31da100', NULL, '{"action":{"after":"cancel"},"filter":{"after":{"tag":["operated"]}}}'),
	(19, '2026-11-30 03:06:01.448585+00', '0gr5gv4u', 'admin', 'pause', 'server', '', NULL, NULL),
	(20, '2026-11-30 03:06:01.46317+00', '0gr5gv4u', 'admin', 'resume', 'server', '', NULL, NULL),
	(21, '2026-11-30 03:06:01.471249+00', '0gr5gv4u', 'admin', 'sign_in', 'key', '0gr5gv4u', 'admin', NULL),
	(22, '2026-11-30 03:06:15.774715+00', 'tasker', 'tasker', 'circuit_probed', 'destination', '8', 'http://127.0.0.1:1', '{"open_until":{"after":"2026-11-30T03:06:25.742675Z"}}');

INSERT INTO public.completion_key VALUES
	(1, '\x25f341847d5f45e39c6adb89cfcf41b3a1965fb369334c8da4a937de424e5fac');

INSERT INTO public.down VALUES
	('2026-11-30 03:06:01.002624+00', '2026-11-30 03:06:15.525134+00');

INSERT INTO public.gate OVERRIDING SYSTEM VALUE VALUES
	(1, 0, 'http://hooks.example.org:80', false, NULL, 0, '1970-01-01 00:00:00+00', NULL, 1, '1970-01-01 00:00:00+00', NULL, NULL, 0),
	(2, 2, 'customer-42', false, NULL, 0, '1970-01-01 00:00:00+00', NULL, 1, '1970-01-01 00:00:00+00', NULL, NULL, 0),
	(3, 1, 'hash', false, NULL, 0, '1970-01-01 00:00:00+00', NULL, 1, '1970-01-01 00:00:00+00', NULL, NULL, 0),
	(5, 3, 'reports', false, 2, 0, '1970-01-01 00:00:00+00', NULL, 1, '1970-01-01 00:00:00+00', NULL, NULL, 0),
	(7, 0, 'http://127.0.0.1:9', true, NULL, 0, '1970-01-01 00:00:00+00', NULL, 1, '1970-01-01 00:00:00+00', NULL, NULL, 0),
	(6, 2, 'slow', false, NULL, 0, '1970-01-01 00:00:00+00', 0.001, 1, '2026-11-30 03:22:39.439562+00', NULL, NULL, 0),
	(4, 0, 'http://127.0.0.1:33499', false, NULL, 0, '1970-01-01 00:00:00+00', NULL, 1, '1970-01-01 00:00:00+00', NULL, NULL, 0),
	(8, 0, 'http://127.0.0.1:1', false, NULL, 11, '2026-11-30 03:06:25.742675+00', NULL, 1, '1970-01-01 00:00:00+00', '2026-11-30 03:05:59.558304+00', NULL, 0);

INSERT INTO public.gate_queue VALUES
	(5, 3, '1970-01-01 00:00:00+00', 1, 0, '1970-01-01 00:00:00+00'),
	(6, 1, '2026-11-30 03:22:39.439562+00', 1, 2, NULL),
	(7, 1, '9999-12-31 23:59:59.999999+00', 0, 1, NULL),
	(8, 1, '2026-11-30 03:06:16.521533+00', 1, 1, NULL);

INSERT INTO public.history VALUES
	(60000000, '2026-11-30 03:05:00+00', '0f7c4d71-1445-4752-8e02-e3b378452906', '{"created":{"webhook":27,"hash":5},"attempts":{"succeeded":{"webhook":5,"hash":1},"retried":{"webhook":1},"failed":{"webhook":13}},"lateness":{"down":[20],"held":[20],"own":[0,0,0,0,0,0,7,7,4,1,1]},"lateness_sum":{"own":449552},"destinations":{"4":{"succeeded":4,"retried":1,"failed":3},"3":{"succeeded":1},"6":{"succeeded":1},"8":{"failed":10}}}', '[{"code":"connect_refused","count":10,"first_at":1796007959483958,"last_at":1796007959545166,"fingerprint":"55e8b44ee5b1ce7c","type":"webhook","msg":"the target refuses connections","example":["01a22a6a-9bf0-78d4-b847-da305674e288","the target refuses connections"]},{"code":"status_410","count":2,"first_at":1796007958945610,"last_at":1796007959210268,"fingerprint":"9e0e17755e208de1","type":"webhook","status":410,"msg":"the target answered # Gone","example":["01a22a6a-997d-7e6a-9e85-3648376e4bc8","the target answered 410 Gone"]},{"code":"status_503","count":1,"first_at":1796007959285575,"last_at":1796007959285575,"fingerprint":"80adf5ba63aff478","type":"webhook","status":503,"msg":"the target answered # Service Unavailable","example":["01a22a6a-9aec-7a5a-bf1d-2568cf4cf21b","the target answered 503 Service Unavailable"]},{"code":"status_404","count":1,"first_at":1796007958823748,"last_at":1796007958823748,"fingerprint":"af5c1b62c3bf5666","type":"webhook","status":404,"msg":"the target answered # Not Found","example":["01a22a6a-9913-7e62-a669-a900c55fe9b1","the target answered 404 Not Found"]}]'),
	(60000000, '2026-11-30 03:06:00+00', '0f7c4d71-1445-4752-8e02-e3b378452906', '{"created":{"webhook":3,"job":2},"attempts":{"succeeded":{"hash":2}},"lateness":{"down":[4],"held":[4],"own":[0,0,0,0,0,0,0,2,1,1]},"lateness_sum":{"own":130987},"destinations":{"3":{"succeeded":2}}}', NULL),
	(3600000000, '2026-11-30 03:00:00+00', '0f7c4d71-1445-4752-8e02-e3b378452906', '{"created":{"webhook":30,"hash":5,"job":2},"attempts":{"succeeded":{"webhook":5,"hash":3},"retried":{"webhook":1},"failed":{"webhook":13}},"lateness":{"down":[24],"held":[24],"own":[0,0,0,0,0,0,7,9,5,2,1]},"lateness_sum":{"own":580539},"destinations":{"4":{"succeeded":4,"retried":1,"failed":3},"3":{"succeeded":3},"6":{"succeeded":1},"8":{"failed":10}}}', '[{"code":"connect_refused","count":10,"first_at":1796007959483958,"last_at":1796007959545166,"fingerprint":"55e8b44ee5b1ce7c","type":"webhook","msg":"the target refuses connections","example":["01a22a6a-9bf0-78d4-b847-da305674e288","the target refuses connections"]},{"code":"status_410","count":2,"first_at":1796007958945610,"last_at":1796007959210268,"fingerprint":"9e0e17755e208de1","type":"webhook","status":410,"msg":"the target answered # Gone","example":["01a22a6a-997d-7e6a-9e85-3648376e4bc8","the target answered 410 Gone"]},{"code":"status_503","count":1,"first_at":1796007959285575,"last_at":1796007959285575,"fingerprint":"80adf5ba63aff478","type":"webhook","status":503,"msg":"the target answered # Service Unavailable","example":["01a22a6a-9aec-7a5a-bf1d-2568cf4cf21b","the target answered 503 Service Unavailable"]},{"code":"status_404","count":1,"first_at":1796007958823748,"last_at":1796007958823748,"fingerprint":"af5c1b62c3bf5666","type":"webhook","status":404,"msg":"the target answered # Not Found","example":["01a22a6a-9913-7e62-a669-a900c55fe9b1","the target answered 404 Not Found"]}]'),
	(60000000, '2026-11-30 03:06:00+00', '30b487b4-669a-4045-9728-305d6ae9c6f0', '{"created":{"webhook":2},"attempts":{"retried":{"webhook":1}},"lateness":{"down":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,1],"held":[0,0,0,0,0,0,0,0,0,0,0,0,0,1],"own":[0,0,0,0,0,0,0,1]},"lateness_sum":{"down":14522510,"held":1404959,"own":16016},"destinations":{"8":{"retried":1}}}', '[{"code":"connect_refused","count":1,"first_at":1796007975542098,"last_at":1796007975542098,"fingerprint":"55e8b44ee5b1ce7c","type":"webhook","msg":"the target refuses connections","example":["01a22a6a-9c2d-7aa3-8162-d740086d19a0","the target refuses connections"]}]'),
	(3600000000, '2026-11-30 03:00:00+00', '30b487b4-669a-4045-9728-305d6ae9c6f0', '{"created":{"webhook":2},"attempts":{"retried":{"webhook":1}},"lateness":{"down":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,1],"held":[0,0,0,0,0,0,0,0,0,0,0,0,0,1],"own":[0,0,0,0,0,0,0,1]},"lateness_sum":{"down":14522510,"held":1404959,"own":16016},"destinations":{"8":{"retried":1}}}', '[{"code":"connect_refused","count":1,"first_at":1796007975542098,"last_at":1796007975542098,"fingerprint":"55e8b44ee5b1ce7c","type":"webhook","msg":"the target refuses connections","example":["01a22a6a-9c2d-7aa3-8162-d740086d19a0","the target refuses connections"]}]');

INSERT INTO public.kept_answer VALUES
	('\x60a4f0e7a24dd20ae325c7603dd908e5d8b2ded3b7c0f8557a231c925283d7d1', '\x712c04f1a4a7c69c1d1bd9a581b6e3c4231f07eb797951c3a80e5554960a04fc', '\x93ccc9c4967b227461736b73223a5b7b226964223a2230316132326136612d393837642d373436652d613761332d646537333063386264376264227d2c7b226964223a2230316132326136612d393837642d373664342d396335632d366564376439356231623063227d2c7b226964223a2230316132326136612d393837642d373739352d613731382d326538303434663338646565227d5d7d0aa0', '2126-02-11 15:30:00+00');

INSERT INTO public.node VALUES
	('093bd1a2-d9a1-40b7-b0db-5724bb39728c', 'http://127.0.0.1:46141', '1.0.0', '2026-11-30 03:05:57.619713+00', '2026-11-30 03:06:01.62154+00', 4, '2026-11-30 03:06:01.002624+00', true),
	('ebe46d5f-2910-4420-ac4f-d64e7a225b58', 'http://127.0.0.1:44317', '1.0.0', '2026-11-30 03:06:13.364777+00', '2026-11-30 03:06:45.430299+00', 4, '2026-11-30 03:06:19.811458+00', false);

INSERT INTO public.operation VALUES
	('01a22a6a-a23a-7808-9cf2-6223a31da100', 'cancel', 1, false, '{"filter":{"tag":["operated"]}}', '2026-11-30 03:06:01.147299+00', '2026-11-30 03:06:01.16495+00', '093bd1a2-d9a1-40b7-b0db-5724bb39728c', NULL, 1, 1, 0, '{}', '[]'),
	('01a22a6a-a277-76f1-95cb-8c9f47906386', 'cancel', 1, true, '{"filter":{"tag":["dry"]}}', '2026-11-30 03:06:01.270305+00', '2026-11-30 03:06:01.270305+00', NULL, NULL, 1, 1, 0, '{}', '[]');

INSERT INTO public.operation_task VALUES
	('01a22a6a-a21a-78e5-af9d-55ee9ff36fdb', '01a22a6a-a23a-7808-9cf2-6223a31da100', '2026-11-30 03:06:01.16431+00');

INSERT INTO public.pause VALUES
	('2026-11-30 03:06:01.448103+00', '2026-11-30 03:06:01.462883+00');

INSERT INTO public.payload VALUES
	('01a22a6a-9798-7af9-a9f7-9e93ab346a26', '\x7b227265747279223a7b226d61785f617474656d707473223a332c22696e697469616c5f64656c6179223a322e302c22666163746f72223a322e307d2c226f6e5f73756363657373223a22687474703a2f2f686f6f6b732e6578616d706c652e6f72672f646f6e65222c226f6e5f6661696c757265223a22687474703a2f2f686f6f6b732e6578616d706c652e6f72672f6661696c6564222c226f6e5f63616e63656c223a22687474703a2f2f686f6f6b732e6578616d706c652e6f72672f63616e63656c6c6564222c2274616773223a5b22637573746f6d65723a3432222c2270616964225d2c2267726f7570223a22637573746f6d65722d3432222c226b656570223a22666f7265766572222c2275726c223a22687474703a2f2f686f6f6b732e6578616d706c652e6f72672f686f6f6b222c226d6574686f64223a22505554222c2268656164657273223a7b22617574686f72697a6174696f6e223a2242656172657220736563726574222c22782d6f72646572223a223137227d2c22626f6479223a224ac3bc7267656e20f09f9880222c2274696d656f7574223a352e302c2273756363657373223a5b22327878222c3430345d7d', NULL, 0),
	('01a22a6a-97f1-7f43-adce-42a76a5e2e03', '\x7b2275726c223a22687474703a2f2f686f6f6b732e6578616d706c652e6f72672f6a736f6e222c226a736f6e223a7b226f72646572223a2031372c20226c696e6573223a205b312c20322e352c206e756c6c5d7d7d', NULL, 0),
	('01a22a6a-9807-7a1c-bbbb-3c509e3ad042', '\x7b2275726c223a22687474703a2f2f686f6f6b732e6578616d706c652e6f72672f6279746573222c22626f64795f626173653634223a22414145432f773d3d227d', NULL, 0),
	('01a22a6a-980d-7e76-acca-14a24b731c6c', '\x7b2275726c223a22687474703a2f2f686f6f6b732e6578616d706c652e6f72672f6c61726765222c22626f6479223a227979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979227d', NULL, 0),
	('01a22a6a-9818-7316-aff5-f35d3f5d503f', '\x7b22736563726574223a22636f72726563742d686f7273652d626174746572792d737461706c65227d', NULL, 0),
	('01a22a6a-982f-76b0-af10-b22d409286d0', '\x7b226b656570223a22333064222c2275726c223a22687474703a2f2f686f6f6b732e6578616d706c652e6f72672f686f6f6b222c22626f6479223a2278227d', NULL, 0),
	('01a22a6a-9834-7035-9477-0af0c1f68791', '\x7b2274616773223a5b226368616e676564225d2c2275726c223a22687474703a2f2f686f6f6b732e6578616d706c652e6f72672f686f6f6b222c22626f6479223a226368616e676564227d', NULL, 1),
	('01a22a6a-987d-746e-a7a3-de730c8bd7bd', '\x7b22736563726574223a2278227d', NULL, 0),
	('01a22a6a-987d-76d4-9c5c-6ed7d95b1b0c', '\x7b22736563726574223a2278227d', NULL, 0),
	('01a22a6a-987d-7795-a718-2e8044f38dee', '\x7b22736563726574223a2278227d', NULL, 0),
	('01a22a6a-98db-7391-868e-6a9dc80e403d', '\x7b2275726c223a22687474703a2f2f686f6f6b732e6578616d706c652e6f7267227d', NULL, 0),
	('01a22a6a-9900-726e-8332-f1810bb5f6c4', '\x7b226f6e5f73756363657373223a22687474703a2f2f3132372e302e302e313a33333439392f746f6c64222c2274616773223a5b22656e646564225d2c2275726c223a22687474703a2f2f3132372e302e302e313a33333439392f646f6e65222c22626f6479223a2278227d', NULL, 0),
	('01a22a6a-9913-7e62-a669-a900c55fe9b1', '\x7b227265747279223a7b226d61785f617474656d707473223a317d2c226f6e5f6661696c757265223a22687474703a2f2f3132372e302e302e313a33333439392f746f6c64222c2275726c223a22687474703a2f2f3132372e302e302e313a33333439392f7374617475732f343034222c22626f6479223a2278227d', NULL, 0),
	('01a22a6a-991b-78f1-a1e6-e55e2ed850de', '\x7b226b656570223a22666f7265766572222c2275726c223a22687474703a2f2f686f6f6b732e6578616d706c652e6f72672f686f6f6b222c22626f6479223a2278227d', NULL, 0),
	('01a22a6a-997d-7e6a-9e85-3648376e4bc8', '\x7b227265747279223a7b226d61785f617474656d707473223a317d2c2275726c223a22687474703a2f2f3132372e302e302e313a33333439392f7374617475732f343130222c22626f6479223a2278227d', NULL, 0),
	('01a22a6a-9968-7543-b664-09293c1544aa', '\x7b2275726c223a22687474703a2f2f3132372e302e302e313a33333439392f746f6c64222c226a736f6e223a7b226964223a2230316132326136612d393930302d373236652d383333322d663138313062623566366334222c2274797065223a22776562686f6f6b222c227374617465223a22646f6e65222c22617474656d707473223a312c22737461747573223a3230302c226572726f72223a6e756c6c2c22726573756c74223a6e756c6c7d7d', NULL, 0),
	('01a22a6a-99cb-7f3f-867a-3c15bc4a2588', '\x7b2275726c223a22687474703a2f2f3132372e302e302e313a33333439392f746f6c64222c226a736f6e223a7b226964223a2230316132326136612d393931332d376536322d613636392d613930306335356665396231222c2274797065223a22776562686f6f6b222c227374617465223a226661696c6564222c22617474656d707473223a312c22737461747573223a3430342c226572726f72223a7b22636f6465223a227374617475735f343034222c226d7367223a227468652074617267657420616e73776572656420343034204e6f7420466f756e64222c2266696e6765727072696e74223a2261663563316236326333626635363636227d2c22726573756c74223a6e756c6c7d7d', NULL, 0),
	('01a22a6a-990f-7b2f-9a03-43a24fe9904c', '\x7b22736563726574223a22636f72726563742d686f7273652d626174746572792d737461706c65227d', '\x222470626b6466322d73686132353624693d3630303030302c6c3d333224486c66664c552f417539477431456f416b65505350412445676a4f366e4a334573742f6a52334b4f76723167486f78512f31305563683663627a4f576b685949334922', 0),
	('01a22a6a-9aec-7a5a-bf1d-2568cf4cf21b', '\x7b227265747279223a7b226d61785f617474656d707473223a392c22696e697469616c5f64656c6179223a38363430302e307d2c2275726c223a22687474703a2f2f3132372e302e302e313a33333439392f7374617475732f353033222c22626f6479223a2278227d', NULL, 0),
	('01a22a6a-9b66-7cf9-aa6c-7cb6939ab227', '\x7b2267726f7570223a22736c6f77222c2275726c223a22687474703a2f2f3132372e302e302e313a33333439392f736c6f776c79222c22626f6479223a2278227d', NULL, 0),
	('01a22a6a-9b75-7d89-99b0-143520eb4fd9', '\x7b2267726f7570223a22736c6f77222c2275726c223a22687474703a2f2f3132372e302e302e313a33333439392f736c6f776c79222c22626f6479223a2278227d', NULL, 0),
	('01a22a6a-9b8e-777c-8643-d5b499b76b8b', '\x7b2275726c223a22687474703a2f2f3132372e302e302e313a392f68656c64227d', NULL, 0),
	('01a22a6a-9ba4-700c-8134-171c3cec2fcf', '\x7b227265747279223a7b226d61785f617474656d707473223a317d2c2275726c223a22687474703a2f2f3132372e302e302e313a312f64656164227d', NULL, 0),
	('01a22a6a-9bb2-756c-95f9-4fd3af39891a', '\x7b227265747279223a7b226d61785f617474656d707473223a317d2c2275726c223a22687474703a2f2f3132372e302e302e313a312f64656164227d', NULL, 0),
	('01a22a6a-9bba-7b0a-9156-2f3f97bc5fc0', '\x7b227265747279223a7b226d61785f617474656d707473223a317d2c2275726c223a22687474703a2f2f3132372e302e302e313a312f64656164227d', NULL, 0),
	('01a22a6a-9bc6-78cc-9dea-ad99c35574f0', '\x7b227265747279223a7b226d61785f617474656d707473223a317d2c2275726c223a22687474703a2f2f3132372e302e302e313a312f64656164227d', NULL, 0),
	('01a22a6a-9bcb-7cfd-a7a3-25ac1e3045e5', '\x7b227265747279223a7b226d61785f617474656d707473223a317d2c2275726c223a22687474703a2f2f3132372e302e302e313a312f64656164227d', NULL, 0),
	('01a22a6a-9bd3-70a7-803a-a59f391d06a7', '\x7b227265747279223a7b226d61785f617474656d707473223a317d2c2275726c223a22687474703a2f2f3132372e302e302e313a312f64656164227d', NULL, 0),
	('01a22a6a-9be3-7b74-af10-62dde75addf3', '\x7b227265747279223a7b226d61785f617474656d707473223a317d2c2275726c223a22687474703a2f2f3132372e302e302e313a312f64656164227d', NULL, 0),
	('01a22a6a-9be8-71b6-9277-3b9edabd22cf', '\x7b227265747279223a7b226d61785f617474656d707473223a317d2c2275726c223a22687474703a2f2f3132372e302e302e313a312f64656164227d', NULL, 0),
	('01a22a6a-9bed-752b-9157-344328d925f1', '\x7b227265747279223a7b226d61785f617474656d707473223a317d2c2275726c223a22687474703a2f2f3132372e302e302e313a312f64656164227d', NULL, 0),
	('01a22a6a-9bf0-78d4-b847-da305674e288', '\x7b227265747279223a7b226d61785f617474656d707473223a317d2c2275726c223a22687474703a2f2f3132372e302e302e313a312f64656164227d', NULL, 0),
	('01a22a6a-9c2d-7aa3-8162-d740086d19a0', '\x7b2275726c223a22687474703a2f2f3132372e302e302e313a312f626568696e64227d', NULL, 0),
	('01a22a6a-9c38-7d95-9522-70a23081ed1e', '\x7b2275726c223a22687474703a2f2f3132372e302e302e313a33333439392f7265706f7274222c22626f6479223a2278222c2274616773223a5b227265706f7274225d7d', NULL, 0),
	('01a22a6a-9c6f-7c4d-9bc7-24e393376924', '\x7b2275726c223a22687474703a2f2f3132372e302e302e313a33333439392f7265706f7274222c22626f6479223a2278222c2274616773223a5b227265706f7274225d7d', NULL, 0),
	('01a22a6a-9c78-7c72-8f23-7d44297d8a1b', '\x7b22736563726574223a2278227d', '\x222470626b6466322d73686132353624693d3630303030302c6c3d33322471767258734961794c312b61764b5a716f5845336b67245442433767335a304533726a582f37625a73424c71364556574b4e6376796b614775327333317170516a3822', 0),
	('01a22a6a-a21a-78e5-af9d-55ee9ff36fdb', '\x7b2274616773223a5b226f70657261746564225d2c2275726c223a22687474703a2f2f686f6f6b732e6578616d706c652e6f72672f686f6f6b222c22626f6479223a2278227d', NULL, 0),
	('01a22a6a-a233-7960-a161-7f7856995ccc', '\x7b2274616773223a5b22647279225d2c2275726c223a22687474703a2f2f686f6f6b732e6578616d706c652e6f72672f686f6f6b222c22626f6479223a2278227d', NULL, 0),
	('01a22a6a-a2c2-77fb-b140-cb08ef21770a', '\x7b227175657565223a227265706f727473222c226a736f6e223a7b226d6f6e7468223a20377d7d', NULL, 0),
	('01a22a6a-a2d2-7712-96b7-eb3de520ebd2', '\x7b227175657565223a227265706f727473222c226a736f6e223a7b226d6f6e7468223a20367d7d', NULL, 0),
	('01a22a6a-a33b-7d58-b75a-9a4ab6087293', '\x7b2275726c223a22687474703a2f2f3132372e302e302e313a33333439392f7374617475732f323032222c22626f6479223a2278222c22636f6d706c6574696f6e223a7b22646561646c696e65223a22333064222c2275726c223a22687474703a2f2f3132372e302e302e313a383038302f636f6d706c6574696f6e73227d7d', NULL, 0),
	('01a22a6a-9dc4-71eb-9cf8-f0b222790bc8', '\x7b22736563726574223a2278227d', '\x222470626b6466322d73686132353624693d3630303030302c6c3d3332244c6638455230303237427552454947453438336c3377245878644c694245542f746568673532347157543331326d3468333055376c4459496b4d644768346d73534522', 0),
	('01a22a6a-d9f4-73fb-b788-a29f8266254e', '\x7b2275726c223a22687474703a2f2f3132372e302e302e313a33333439392f736c6f772f363030222c22626f6479223a2278222c2274696d656f7574223a3930302e307d', NULL, 0),
	('01a22a6a-db72-7c35-b583-7393680bd925', '\x7b2275726c223a22687474703a2f2f3132372e302e302e313a33333439392f6c61746572222c22626f6479223a2278227d', NULL, 0);

INSERT INTO public.run_count VALUES
	('paused', 0, 0, 0, 0),
	('weekdays', 0, 0, 0, 1),
	('ended', 2, 0, 0, 2);

INSERT INTO public.schedule VALUES
	('weekdays', 354910425345, 'webhook', '{"cron":"0 9 * * MON-FRI","time_zone":"Asia/Tokyo","starts_at":4926411000000000,"ends_at":4954435200000000,"jitter":300000000,"overlap":"queue","missed":"all","tags":["report"]}', false, '2026-11-30 03:05:59.61034+00', '2026-11-30 03:05:59.61034+00', '0gr5gv4u admin', '2126-02-11 00:00:00+00', '2126-02-11 00:00:00+00'),
	('paused', 1013929857590, 'webhook', '{"cron":"0 9 * * MON-FRI","time_zone":"Asia/Tokyo","starts_at":4926411000000000}', true, '2026-11-30 03:05:59.657226+00', '2026-11-30 03:05:59.657226+00', '0gr5gv4u admin', NULL, NULL),
	('ended', 151826700421, 'hash', '{"every":1000000,"anchor":1796007959000000,"max_runs":2}', false, '2026-11-30 03:05:59.678649+00', '2026-11-30 03:05:59.678649+00', '0gr5gv4u admin', '2026-11-30 03:06:02+00', NULL);

INSERT INTO public.sign_in VALUES
	('\x70f62687d0cd3fcf75e12a360d407005e9afe2f38ad652004373f1e3fd4bbdd2', '0gr5gv4u', '2026-11-30 15:06:01.467189+00');

INSERT INTO public.tag VALUES
	('customer:42', '01a22a6a-9798-7af9-a9f7-9e93ab346a26'),
	('paid', '01a22a6a-9798-7af9-a9f7-9e93ab346a26'),
	('changed', '01a22a6a-9834-7035-9477-0af0c1f68791'),
	('ended', '01a22a6a-9900-726e-8332-f1810bb5f6c4'),
	('report', '01a22a6a-9c38-7d95-9522-70a23081ed1e'),
	('report', '01a22a6a-9c6f-7c4d-9bc7-24e393376924'),
	('operated', '01a22a6a-a21a-78e5-af9d-55ee9ff36fdb'),
	('dry', '01a22a6a-a233-7960-a161-7f7856995ccc');

INSERT INTO public.task VALUES
	('01a22a6a-9798-7af9-a9f7-9e93ab346a26', 'webhook', 0, 1, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 2, NULL, '2126-03-01 00:00:00+00', NULL, 0, '2026-11-30 03:05:58.496018+00', 0, 0, NULL, 'order-17', true, -1, 1, 6000000, 0, false, 0, 0, '0gr5gv4u admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a6a-97f1-7f43-adce-42a76a5e2e03', 'webhook', 0, 1, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 1, NULL, NULL, NULL, 0, '2026-11-30 03:05:58.522398+00', 0, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, '0gr5gv4u admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a6a-9807-7a1c-bbbb-3c509e3ad042', 'webhook', 0, 1, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 1, NULL, NULL, NULL, 0, '2026-11-30 03:05:58.536105+00', 0, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, '0gr5gv4u admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a6a-980d-7e76-acca-14a24b731c6c', 'webhook', 0, 1, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 1, NULL, NULL, NULL, 0, '2026-11-30 03:05:58.542686+00', 0, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, '0gr5gv4u admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a6a-9818-7316-aff5-f35d3f5d503f', 'hash', 0, 2, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 3, NULL, NULL, NULL, 0, '2026-11-30 03:05:58.568656+00', 0, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, '0gr5gv4u admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a6a-982f-76b0-af10-b22d409286d0', 'webhook', 0, 1, '2126-07-01 00:00:00+00', '2126-07-01 00:00:00+00', '2126-07-01T09:00:00+09:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 1, NULL, NULL, NULL, 0, '2026-11-30 03:05:58.576978+00', 0, 0, NULL, NULL, false, 2592000000000, NULL, 9841000000, 0, false, 0, 0, '0gr5gv4u admin', '2126-07-01T09:00:00', 'Asia/Tokyo', '2026f', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a6a-9834-7035-9477-0af0c1f68791', 'webhook', 0, 1, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 1, NULL, NULL, NULL, 0, '2026-11-30 03:05:58.583049+00', 1, 1, NULL, 'changed', true, NULL, NULL, 9841000000, 0, false, 0, 0, '0gr5gv4u admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a6a-987d-746e-a7a3-de730c8bd7bd', 'hash', 0, 2, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 3, NULL, NULL, NULL, 0, '2026-11-30 03:05:58.721157+00', 0, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, '0gr5gv4u admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a6a-987d-76d4-9c5c-6ed7d95b1b0c', 'hash', 0, 2, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 3, NULL, NULL, NULL, 0, '2026-11-30 03:05:58.721157+00', 0, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, '0gr5gv4u admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a6a-987d-7795-a718-2e8044f38dee', 'hash', 0, 2, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 3, NULL, NULL, NULL, 0, '2026-11-30 03:05:58.721157+00', 0, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, '0gr5gv4u admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a6a-98db-7391-868e-6a9dc80e403d', 'webhook', 0, 1, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 1, NULL, NULL, NULL, 0, '2026-11-30 03:05:58.773332+00', 0, 0, '\x6315bbf97da47015582f53262c820507fdb5b210c49f17fd632615a2fe49b8f7', NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, '0gr5gv4u admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a6a-991b-78f1-a1e6-e55e2ed850de', 'webhook', 4, 1, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, '2026-11-30 03:05:58.870632+00', NULL, 1, NULL, NULL, NULL, 0, '2026-11-30 03:05:58.813791+00', 1, 0, NULL, NULL, false, -1, NULL, 9841000000, 0, false, 0, 0, '0gr5gv4u admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a6a-9900-726e-8332-f1810bb5f6c4', 'webhook', 2, 1, '2026-11-30 03:05:58.784152+00', '2026-11-30 03:05:58.784152+00', '2026-11-30T03:05:58.784152Z', 1, 0, NULL, NULL, '2026-11-30 03:05:58.818804+00', '2026-11-30 03:05:58.823523+00', NULL, 4, NULL, NULL, NULL, 0, '2026-11-30 03:05:58.788626+00', 2, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, '0gr5gv4u admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a6a-9913-7e62-a669-a900c55fe9b1', 'webhook', 3, 1, '2026-11-30 03:05:58.803899+00', '2026-11-30 03:05:58.803899+00', '2026-11-30T03:05:58.803899Z', 1, 0, NULL, NULL, '2026-11-30 03:05:58.822433+00', '2026-11-30 03:05:58.823748+00', '{"code":"status_404","msg":"the target answered 404 Not Found","fingerprint":"af5c1b62c3bf5666"}', 4, NULL, NULL, NULL, 0, '2026-11-30 03:05:58.804488+00', 2, 0, NULL, NULL, false, NULL, NULL, 0, 0, false, 0, 0, '0gr5gv4u admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a6a-9968-7543-b664-09293c1544aa', 'webhook', 2, 1, '2026-11-30 03:05:58.888329+00', '2026-11-30 03:05:58.888329+00', '2026-11-30T03:05:58.888329Z', 1, 0, NULL, NULL, '2026-11-30 03:05:58.989461+00', '2026-11-30 03:05:58.994259+00', NULL, 4, NULL, NULL, '01a22a6a-9900-726e-8332-f1810bb5f6c4', 0, '2026-11-30 03:05:58.954359+00', 2, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a6a-99cb-7f3f-867a-3c15bc4a2588', 'webhook', 2, 1, '2026-11-30 03:05:58.987953+00', '2026-11-30 03:05:58.987953+00', '2026-11-30T03:05:58.987953Z', 1, 0, NULL, NULL, '2026-11-30 03:05:58.99905+00', '2026-11-30 03:05:59.007575+00', NULL, 4, NULL, NULL, '01a22a6a-9913-7e62-a669-a900c55fe9b1', 0, '2026-11-30 03:05:58.989316+00', 2, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a6a-990f-7b2f-9a03-43a24fe9904c', 'hash', 2, 2, '2026-11-30 03:05:58.799699+00', '2026-11-30 03:05:58.799699+00', '2026-11-30T03:05:58.799699Z', 1, 0, NULL, NULL, '2026-11-30 03:05:58.820673+00', '2026-11-30 03:05:59.126276+00', NULL, 3, NULL, NULL, NULL, 0, '2026-11-30 03:05:58.800107+00', 2, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, '0gr5gv4u admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a6a-997d-7e6a-9e85-3648376e4bc8', 'webhook', 3, 1, '2026-11-30 03:05:59.199404+00', '2026-11-30 03:05:58.909901+00', '2026-11-30T03:05:58.909901Z', 2, 0, NULL, NULL, '2026-11-30 03:05:59.205438+00', '2026-11-30 03:05:59.210268+00', '{"code":"status_410","msg":"the target answered 410 Gone","fingerprint":"9e0e17755e208de1"}', 4, NULL, NULL, NULL, 1, '2026-11-30 03:05:58.914336+00', 5, 0, NULL, NULL, false, NULL, NULL, 0, 0, false, 0, 0, '0gr5gv4u admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a6a-9aec-7a5a-bf1d-2568cf4cf21b', 'webhook', 0, 1, '2026-11-30 08:33:01.367611+00', '2026-11-30 03:05:59.276647+00', '2026-11-30T03:05:59.276647Z', 1, 0, NULL, NULL, '2026-11-30 03:05:59.285129+00', NULL, '{"code":"status_503","msg":"the target answered 503 Service Unavailable","fingerprint":"80adf5ba63aff478"}', 4, NULL, NULL, NULL, 0, '2026-11-30 03:05:59.277828+00', 2, 0, NULL, 'waits-for-its-retry', true, NULL, NULL, 172800000000, 21600000000, false, 0, 0, '0gr5gv4u admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a6a-9b66-7cf9-aa6c-7cb6939ab227', 'webhook', 2, 1, '2026-11-30 03:05:59.398811+00', '2026-11-30 03:05:59.398811+00', '2026-11-30T03:05:59.398811Z', 1, 0, NULL, NULL, '2026-11-30 03:05:59.455663+00', '2026-11-30 03:05:59.456122+00', NULL, 6, NULL, NULL, NULL, 0, '2026-11-30 03:05:59.411669+00', 2, 0, NULL, 'slowly-0', true, NULL, 4, 9841000000, 0, false, 0, 0, '0gr5gv4u admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a6a-9ba4-700c-8134-171c3cec2fcf', 'webhook', 3, 1, '2026-11-30 03:05:59.460003+00', '2026-11-30 03:05:59.460003+00', '2026-11-30T03:05:59.460003Z', 1, 0, NULL, NULL, '2026-11-30 03:05:59.481895+00', '2026-11-30 03:05:59.483958+00', '{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"}', 8, NULL, NULL, NULL, 0, '2026-11-30 03:05:59.47066+00', 2, 0, NULL, NULL, false, NULL, NULL, 0, 0, false, 0, 0, '0gr5gv4u admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a6a-9bb2-756c-95f9-4fd3af39891a', 'webhook', 3, 1, '2026-11-30 03:05:59.474339+00', '2026-11-30 03:05:59.474339+00', '2026-11-30T03:05:59.474339Z', 1, 0, NULL, NULL, '2026-11-30 03:05:59.486306+00', '2026-11-30 03:05:59.490754+00', '{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"}', 8, NULL, NULL, NULL, 0, '2026-11-30 03:05:59.474913+00', 2, 0, NULL, NULL, false, NULL, NULL, 0, 0, false, 0, 0, '0gr5gv4u admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a6a-9b75-7d89-99b0-143520eb4fd9', 'webhook', 0, 1, '2026-11-30 03:05:59.413846+00', '2026-11-30 03:05:59.413846+00', '2026-11-30T03:05:59.413846Z', 0, 0, NULL, NULL, NULL, NULL, NULL, 6, 6, NULL, NULL, 0, '2026-11-30 03:05:59.414912+00', 0, 0, NULL, 'slowly-1', true, NULL, 4, 9841000000, 0, false, 0, 0, '0gr5gv4u admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a6a-9b8e-777c-8643-d5b499b76b8b', 'webhook', 0, 1, '2026-11-30 03:05:59.438468+00', '2026-11-30 03:05:59.438468+00', '2026-11-30T03:05:59.438468Z', 0, 0, NULL, NULL, NULL, NULL, NULL, 7, 7, NULL, NULL, 0, '2026-11-30 03:05:59.457068+00', 0, 0, NULL, 'held', true, NULL, NULL, 9841000000, 0, false, 0, 0, '0gr5gv4u admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a6a-a2d2-7712-96b7-eb3de520ebd2', 'job', 5, 3, '2026-11-30 03:06:01.298442+00', '2026-11-30 03:06:01.298442+00', '2026-11-30T03:06:01.298442Z', 1, 0, 6726758516594354369, '093bd1a2-d9a1-40b7-b0db-5724bb39728c', '2026-11-30 03:06:01.36805+00', NULL, NULL, 5, 5, NULL, NULL, 0, '2026-11-30 03:06:01.310535+00', 1, 0, NULL, 'claimed', true, NULL, NULL, 9841000000, 0, false, 0, 0, '0gr5gv4u admin', NULL, NULL, NULL, '2026-12-01 03:06:01.36805+00', 5, NULL, '1 day', NULL, NULL, NULL, NULL, NULL),
	('01a22a6a-a33b-7d58-b75a-9a4ab6087293', 'webhook', 5, 1, '2026-11-30 03:06:01.403834+00', '2026-11-30 03:06:01.403834+00', '2026-11-30T03:06:01.403834Z', 1, 0, 9221073260828993651, NULL, '2026-11-30 03:06:01.423048+00', NULL, NULL, 4, NULL, NULL, NULL, 0, '2026-11-30 03:06:01.418335+00', 2, 0, NULL, 'accepted', true, NULL, NULL, 9841000000, 0, false, 0, 0, '0gr5gv4u admin', NULL, NULL, NULL, '2026-12-30 03:06:01.426597+00', 4, '{"attempt" : 1, "at" : 1796007961440164, "progress" : 0.3, "msg" : "page 3 of 10"}', NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a6a-9c2d-7aa3-8162-d740086d19a0', 'webhook', 0, 1, '2026-11-30 03:06:16.456703+00', '2026-11-30 03:05:59.597665+00', '2026-11-30T03:05:59.597665Z', 1, 0, NULL, NULL, '2026-11-30 03:06:15.54115+00', NULL, '{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"}', 8, NULL, NULL, NULL, 0, '2026-11-30 03:05:59.598848+00', 2, 0, NULL, 'behind-a-circuit', true, NULL, NULL, 9841000000, 1000000, false, 14522510, 0, '0gr5gv4u admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a6a-9bba-7b0a-9156-2f3f97bc5fc0', 'webhook', 3, 1, '2026-11-30 03:05:59.48269+00', '2026-11-30 03:05:59.48269+00', '2026-11-30T03:05:59.482690Z', 1, 0, NULL, NULL, '2026-11-30 03:05:59.499651+00', '2026-11-30 03:05:59.506872+00', '{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"}', 8, NULL, NULL, NULL, 0, '2026-11-30 03:05:59.483102+00', 2, 0, NULL, NULL, false, NULL, NULL, 0, 0, false, 0, 0, '0gr5gv4u admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a6a-9bc6-78cc-9dea-ad99c35574f0', 'webhook', 3, 1, '2026-11-30 03:05:59.49455+00', '2026-11-30 03:05:59.49455+00', '2026-11-30T03:05:59.494550Z', 1, 0, NULL, NULL, '2026-11-30 03:05:59.499651+00', '2026-11-30 03:05:59.506953+00', '{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"}', 8, NULL, NULL, NULL, 0, '2026-11-30 03:05:59.49488+00', 2, 0, NULL, NULL, false, NULL, NULL, 0, 0, false, 0, 0, '0gr5gv4u admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a6a-9bcb-7cfd-a7a3-25ac1e3045e5', 'webhook', 3, 1, '2026-11-30 03:05:59.499812+00', '2026-11-30 03:05:59.499812+00', '2026-11-30T03:05:59.499812Z', 1, 0, NULL, NULL, '2026-11-30 03:05:59.510276+00', '2026-11-30 03:05:59.510834+00', '{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"}', 8, NULL, NULL, NULL, 0, '2026-11-30 03:05:59.500508+00', 2, 0, NULL, NULL, false, NULL, NULL, 0, 0, false, 0, 0, '0gr5gv4u admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a6a-9bd3-70a7-803a-a59f391d06a7', 'webhook', 3, 1, '2026-11-30 03:05:59.507041+00', '2026-11-30 03:05:59.507041+00', '2026-11-30T03:05:59.507041Z', 1, 0, NULL, NULL, '2026-11-30 03:05:59.53211+00', '2026-11-30 03:05:59.534176+00', '{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"}', 8, NULL, NULL, NULL, 0, '2026-11-30 03:05:59.511031+00', 2, 0, NULL, NULL, false, NULL, NULL, 0, 0, false, 0, 0, '0gr5gv4u admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a6a-9be3-7b74-af10-62dde75addf3', 'webhook', 3, 1, '2026-11-30 03:05:59.523716+00', '2026-11-30 03:05:59.523716+00', '2026-11-30T03:05:59.523716Z', 1, 0, NULL, NULL, '2026-11-30 03:05:59.53211+00', '2026-11-30 03:05:59.534265+00', '{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"}', 8, NULL, NULL, NULL, 0, '2026-11-30 03:05:59.524173+00', 2, 0, NULL, NULL, false, NULL, NULL, 0, 0, false, 0, 0, '0gr5gv4u admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a6a-9be8-71b6-9277-3b9edabd22cf', 'webhook', 3, 1, '2026-11-30 03:05:59.528107+00', '2026-11-30 03:05:59.528107+00', '2026-11-30T03:05:59.528107Z', 1, 0, NULL, NULL, '2026-11-30 03:05:59.536887+00', '2026-11-30 03:05:59.537439+00', '{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"}', 8, NULL, NULL, NULL, 0, '2026-11-30 03:05:59.528504+00', 2, 0, NULL, NULL, false, NULL, NULL, 0, 0, false, 0, 0, '0gr5gv4u admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a6a-9bed-752b-9157-344328d925f1', 'webhook', 3, 1, '2026-11-30 03:05:59.533323+00', '2026-11-30 03:05:59.533323+00', '2026-11-30T03:05:59.533323Z', 1, 0, NULL, NULL, '2026-11-30 03:05:59.541019+00', '2026-11-30 03:05:59.54148+00', '{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"}', 8, NULL, NULL, NULL, 0, '2026-11-30 03:05:59.534451+00', 2, 0, NULL, NULL, false, NULL, NULL, 0, 0, false, 0, 0, '0gr5gv4u admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a6a-9bf0-78d4-b847-da305674e288', 'webhook', 3, 1, '2026-11-30 03:05:59.536552+00', '2026-11-30 03:05:59.536552+00', '2026-11-30T03:05:59.536552Z', 1, 0, NULL, NULL, '2026-11-30 03:05:59.544378+00', '2026-11-30 03:05:59.545166+00', '{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"}', 8, NULL, NULL, NULL, 0, '2026-11-30 03:05:59.537644+00', 2, 0, NULL, NULL, false, NULL, NULL, 0, 0, false, 0, 0, '0gr5gv4u admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a6a-9c38-7d95-9522-70a23081ed1e', 'webhook', 0, 1, '2126-02-11 00:00:12.313454+00', '2126-02-11 00:00:12.313454+00', '2126-02-11T09:00:12.313454+09:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 4, NULL, '2126-02-11 00:30:12.313454+00', NULL, 0, '2026-11-30 03:05:59.62008+00', 0, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, '0gr5gv4u admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'weekdays', '2126-02-11 00:00:00+00', 0, NULL, NULL),
	('01a22a6a-9c6f-7c4d-9bc7-24e393376924', 'webhook', 2, 1, '2026-11-30 03:05:59.663769+00', '2026-11-30 03:05:59.663769+00', '2026-11-30T12:05:59.663769+09:00', 1, 0, NULL, NULL, '2026-11-30 03:05:59.696418+00', '2026-11-30 03:05:59.696799+00', NULL, 4, NULL, '2026-11-30 03:35:59.663769+00', NULL, 0, '2026-11-30 03:05:59.664728+00', 2, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, '0gr5gv4u admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'weekdays', '2026-11-30 03:05:59.663745+00', 1, 1, NULL),
	('01a22a6a-9c78-7c72-8f23-7d44297d8a1b', 'hash', 2, 2, '2026-11-30 03:06:00+00', '2026-11-30 03:06:00+00', '2026-11-30T03:06:00+00:00', 1, 0, NULL, NULL, '2026-11-30 03:06:00.010127+00', '2026-11-30 03:06:00.367683+00', NULL, 3, NULL, NULL, NULL, 0, '2026-11-30 03:05:59.679078+00', 2, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, '0gr5gv4u admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'ended', '2026-11-30 03:06:00+00', 0, 1, NULL),
	('01a22a6a-9dc4-71eb-9cf8-f0b222790bc8', 'hash', 2, 2, '2026-11-30 03:06:01+00', '2026-11-30 03:06:01+00', '2026-11-30T03:06:01+00:00', 1, 0, NULL, NULL, '2026-11-30 03:06:01.032038+00', '2026-11-30 03:06:01.422315+00', NULL, 3, NULL, NULL, NULL, 0, '2026-11-30 03:06:00.090573+00', 2, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, '0gr5gv4u admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'ended', '2026-11-30 03:06:01+00', 0, 1, NULL),
	('01a22a6a-a233-7960-a161-7f7856995ccc', 'webhook', 0, 1, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 1, NULL, NULL, NULL, 0, '2026-11-30 03:06:01.140109+00', 0, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, '0gr5gv4u admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a6a-a21a-78e5-af9d-55ee9ff36fdb', 'webhook', 4, 1, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, '2026-11-30 03:06:01.163733+00', NULL, 1, NULL, NULL, NULL, 0, '2026-11-30 03:06:01.118335+00', 1, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, '0gr5gv4u admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a6a-a2c2-77fb-b140-cb08ef21770a', 'job', 0, 3, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 5, 5, NULL, NULL, 0, '2026-11-30 03:06:01.293506+00', 0, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, '0gr5gv4u admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a6a-d9f4-73fb-b788-a29f8266254e', 'webhook', 1, 1, '2026-11-30 03:06:15.412249+00', '2026-11-30 03:06:15.412249+00', '2026-11-30T03:06:15.412249Z', 1, 0, 7746364176885806802, 'ebe46d5f-2910-4420-ac4f-d64e7a225b58', '2026-11-30 03:06:15.787123+00', NULL, NULL, 4, NULL, NULL, NULL, 0, '2026-11-30 03:06:15.509301+00', 1, 0, NULL, 'running', true, NULL, NULL, 9841000000, 0, false, 112885, 0, '0gr5gv4u admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a6a-db72-7c35-b583-7393680bd925', 'webhook', 0, 1, '2026-11-30 03:06:15.794763+00', '2026-11-30 03:06:15.794763+00', '2026-11-30T03:06:15.794763Z', 0, 0, NULL, NULL, NULL, NULL, NULL, 4, NULL, NULL, NULL, 0, '2026-11-30 03:06:15.802859+00', 0, 0, NULL, 'has-no-slot', true, NULL, NULL, 9841000000, 0, false, 0, 0, '0gr5gv4u admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);

INSERT INTO public.tasker_inbox VALUES
	('382e75f9-975c-4ce3-bced-11a598304fe0', '{"webhook": {"url": "http://hooks.example.org", "bodi": "x", "delay": "1h"}}', 'webhook.bodi: expected one of retry, expires_at, on_success, on_failure, on_cancel, tags, group, traceparent, keep, url, method, headers, body, json, body_base64, timeout, success, completion, execution_time, delay, local_time, time_zone, id, key, on_conflict, max_wait, got a name that is unknown here', '2026-11-30 03:06:01.498641+00');

INSERT INTO public.tasker_schema VALUES
	(4, 4);

INSERT INTO public.template VALUES
	('weekdays', '\x7b2274797065223a22776562686f6f6b222c22706f6f6c223a312c227061796c6f6164223a7b2275726c223a22687474703a2f2f3132372e302e302e313a33333439392f7265706f7274222c22626f6479223a2278227d2c2264657374696e6174696f6e223a7b226b696e64223a302c226e616d65223a22687474703a2f2f3132372e302e302e313a3333343939227d2c2270617469656e6365223a393834313030303030302c22657870697265735f6166746572223a313830303030303030307d'),
	('paused', '\x7b2274797065223a22776562686f6f6b222c22706f6f6c223a312c227061796c6f6164223a7b2275726c223a22687474703a2f2f3132372e302e302e313a33333439392f7265706f7274222c22626f6479223a2278227d2c2264657374696e6174696f6e223a7b226b696e64223a302c226e616d65223a22687474703a2f2f3132372e302e302e313a3333343939227d2c2270617469656e6365223a393834313030303030302c22657870697265735f6166746572223a313830303030303030307d'),
	('ended', '\x7b2274797065223a2268617368222c22706f6f6c223a322c227061796c6f6164223a7b22736563726574223a2278227d2c2264657374696e6174696f6e223a7b226b696e64223a312c226e616d65223a2268617368227d2c2270617469656e6365223a393834313030303030307d');

INSERT INTO public.type_pool VALUES
	('webhook', 1),
	('hash', 2),
	('job', 3);

INSERT INTO public.zone_version VALUES
	(1, '2026f');

SELECT pg_catalog.setval('public.audit_id_seq', 22, true);

SELECT pg_catalog.setval('public.gate_id_seq', 8, true);

ALTER TABLE ONLY public.access
    ADD CONSTRAINT access_pkey PRIMARY KEY (one);

ALTER TABLE ONLY public.alert_book
    ADD CONSTRAINT alert_book_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.api_key
    ADD CONSTRAINT api_key_digest_key UNIQUE (digest);

ALTER TABLE ONLY public.api_key
    ADD CONSTRAINT api_key_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.attempt
    ADD CONSTRAINT attempt_pkey PRIMARY KEY (task, number);

ALTER TABLE ONLY public.audit
    ADD CONSTRAINT audit_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.completion_key
    ADD CONSTRAINT completion_key_pkey PRIMARY KEY (one);

ALTER TABLE ONLY public.down
    ADD CONSTRAINT down_pkey PRIMARY KEY (begin_at);

ALTER TABLE ONLY public.gate
    ADD CONSTRAINT gate_kind_name_key UNIQUE (kind, name);

ALTER TABLE ONLY public.gate
    ADD CONSTRAINT gate_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.gate_queue
    ADD CONSTRAINT gate_queue_pkey PRIMARY KEY (gate, pool);

ALTER TABLE ONLY public.history
    ADD CONSTRAINT history_pkey PRIMARY KEY (length, at, run);

ALTER TABLE ONLY public.kept_answer
    ADD CONSTRAINT kept_answer_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.node
    ADD CONSTRAINT node_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.operation
    ADD CONSTRAINT operation_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.operation_task
    ADD CONSTRAINT operation_task_pkey PRIMARY KEY (task, operation);

ALTER TABLE ONLY public.pause
    ADD CONSTRAINT pause_pkey PRIMARY KEY (begin_at);

ALTER TABLE ONLY public.payload
    ADD CONSTRAINT payload_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.queue_waiter
    ADD CONSTRAINT queue_waiter_pkey PRIMARY KEY (gate, node);

ALTER TABLE ONLY public.run_count
    ADD CONSTRAINT run_count_pkey PRIMARY KEY (schedule);

ALTER TABLE ONLY public.schedule
    ADD CONSTRAINT schedule_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.sign_in
    ADD CONSTRAINT sign_in_pkey PRIMARY KEY (digest);

ALTER TABLE ONLY public.tag
    ADD CONSTRAINT tag_pkey PRIMARY KEY (tag, task);

ALTER TABLE ONLY public.task
    ADD CONSTRAINT task_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.tasker_inbox
    ADD CONSTRAINT tasker_inbox_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.template
    ADD CONSTRAINT template_pkey PRIMARY KEY (schedule);

ALTER TABLE public.node
    ADD CONSTRAINT this_tasker_is_too_old CHECK ((schema >= 4)) NOT VALID;

ALTER TABLE ONLY public.type_pool
    ADD CONSTRAINT type_pool_pkey PRIMARY KEY (type, pool);

ALTER TABLE ONLY public.zone_version
    ADD CONSTRAINT zone_version_pkey PRIMARY KEY (one);

CREATE INDEX audit_at ON public.audit USING btree (at, id);

CREATE INDEX audit_subject ON public.audit USING btree (subject, at, id);

CREATE INDEX down_end ON public.down USING btree (end_at);

CREATE INDEX gate_broken ON public.gate USING btree (broken_since) WHERE (broken_since IS NOT NULL);

CREATE INDEX gate_wake ON public.gate_queue USING btree (pool, wake_at);

CREATE INDEX kept_answer_until ON public.kept_answer USING btree (kept_until);

CREATE INDEX operation_ended ON public.operation USING btree (ended_at) WHERE (ended_at IS NOT NULL);

CREATE INDEX operation_running ON public.operation USING btree (id) WHERE (state = 0);

CREATE INDEX operation_task_at ON public.operation_task USING btree (at);

CREATE UNIQUE INDEX pause_lasting ON public.pause USING btree (((end_at IS NULL))) WHERE (end_at IS NULL);

CREATE INDEX schedule_look ON public.schedule USING btree (look_at, name) WHERE (look_at IS NOT NULL);

CREATE INDEX sign_in_end ON public.sign_in USING btree (ends_at);

CREATE INDEX sign_in_key ON public.sign_in USING btree (key_id);

CREATE INDEX tag_task ON public.tag USING btree (task);

CREATE INDEX task_behind ON public.task USING btree (schedule, id) WHERE ((admission = 3) AND (state = 0));

CREATE INDEX task_counted ON public.task USING btree (counts_in) WHERE (counts_in IS NOT NULL);

CREATE INDEX task_deadline ON public.task USING btree (deadline) WHERE ((deadline IS NOT NULL) AND (pool <> 3));

CREATE INDEX task_delayed ON public.task USING btree (pool, execution_at, id) WHERE ((state = 0) AND ((due_at <> execution_at) OR (held_by IS NOT NULL)));

CREATE INDEX task_ended_kept ON public.task USING btree (state, ended_at, id) WHERE ((ended_at IS NOT NULL) AND (keep IS NOT NULL));

CREATE INDEX task_expiring ON public.task USING btree (expires_at) WHERE ((state = 0) AND (expires_at IS NOT NULL));

CREATE INDEX task_going_on ON public.task USING btree (schedule) WHERE ((admission = 1) AND (state = ANY (ARRAY[0, 1, 5])));

CREATE INDEX task_held ON public.task USING btree (pool, held_by, due_at, id) WHERE ((state = 0) AND (held_by IS NOT NULL));

CREATE INDEX task_kept ON public.task USING btree ((((ended_at AT TIME ZONE 'UTC'::text) + ((keep)::double precision * '00:00:00.000001'::interval)))) WHERE ((ended_at IS NOT NULL) AND (keep >= 0));

CREATE INDEX task_key ON public.task USING btree (key COLLATE "C", id) WHERE (key IS NOT NULL);

CREATE UNIQUE INDEX task_key_holder ON public.task USING btree (key) WHERE ((key IS NOT NULL) AND holds_key AND (state = ANY (ARRAY[0, 1, 5])));

CREATE INDEX task_lease ON public.task USING btree (deadline) WHERE ((deadline IS NOT NULL) AND (pool = 3));

CREATE INDEX task_list ON public.task USING btree (type, state, execution_at, id) WHERE (state <> 0);

CREATE INDEX task_parent ON public.task USING btree (parent_id, id) WHERE (parent_id IS NOT NULL);

CREATE INDEX task_patience ON public.task USING btree (held_by, ((patience - waited)), due_at) WHERE ((state = 0) AND (held_by IS NOT NULL) AND (pool <> 3));

CREATE INDEX task_queue ON public.task USING btree (pool, due_at, id) WHERE ((state = 0) AND (held_by IS NULL));

CREATE UNIQUE INDEX task_run ON public.task USING btree (schedule, scheduled_for) WHERE ((schedule IS NOT NULL) AND (run_kind = 0));

CREATE INDEX task_running ON public.task USING btree (node, gate) WHERE (state = 1);

CREATE INDEX task_running_grouped ON public.task USING btree (node, host_gate) WHERE ((state = 1) AND (host_gate IS NOT NULL));

CREATE INDEX task_schedule ON public.task USING btree (schedule, id) WHERE (schedule IS NOT NULL);

CREATE INDEX task_unkept ON public.task USING btree (state, ended_at, id) WHERE ((ended_at IS NOT NULL) AND (keep IS NULL));

CREATE INDEX task_zones ON public.task USING btree (zones, due_at) WHERE ((zones IS NOT NULL) AND (state = 0));

CREATE INDEX tasker_inbox_refused ON public.tasker_inbox USING btree (id) WHERE (error IS NOT NULL);

CREATE INDEX tasker_inbox_waiting ON public.tasker_inbox USING btree (id) WHERE (error IS NULL);

CREATE TRIGGER tasker_inbox_inserted AFTER INSERT ON public.tasker_inbox FOR EACH STATEMENT EXECUTE FUNCTION public.tasker_inbox_written();

CREATE TRIGGER tasker_inbox_mended AFTER UPDATE ON public.tasker_inbox FOR EACH ROW WHEN ((new.error IS NULL)) EXECUTE FUNCTION public.tasker_inbox_written();

