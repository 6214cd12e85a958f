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

CREATE TABLE public.mark (
    one integer NOT NULL,
    state text NOT NULL,
    at timestamp with time zone NOT NULL,
    other text,
    CONSTRAINT mark_one_check CHECK ((one = 1))
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
	(1, 6, true, '\x8ddb01459d384933ae4055d3f1dc710c');

INSERT INTO public.alert_book VALUES
	(1, 'd2c92a9f-dcd4-4dcb-840a-514af452729e', '2026-11-30 12:54:50.397355+00', 2, '{"late":{"lasting":{"":{"id":"","name":"tasks","since":1796043265412514,"facts":{"overdue":1,"oldest_due_at":"2026-11-30T12:54:25.412514Z"},"note":"1 overdue, the oldest due at 2026-11-30T12:54:25Z"}},"message":null,"sent_at":1796043270396988}}');

INSERT INTO public.api_key VALUES
	('ghj79uhb', 'grafana', 'read', '', '\x06cdf2eead59316e3df88ddfa2d5f9592e676a348a1cd3c67739560c53b9ad5c', '2026-11-30 12:54:12.310883+00', '2126-02-10 15:30:00+00', NULL),
	('c5pctioh', 'worker', NULL, 'queues:work:reports tasks:read', '\x94a10c1d088c469ebee1bab56a26ef55a8db10e065197fe1402e31a02a8172ce', '2026-11-30 12:54:12.338935+00', NULL, NULL),
	('4zyg7dpl', 'admin', 'admin', '', '\xcb92e4c167fe53dec21bb4b8b1320414fac14ae9be2a8affea9b5542b7c93f2b', '2026-11-30 12:54:12.213602+00', NULL, '2026-11-30 12:54:00+00');

INSERT INTO public.attempt VALUES
	('01a22c85-23bf-7b0a-9d78-13916a373db7', 1, '{"number":1,"node":"8995e31b-4969-4567-b151-6362c1ddd3a3","due_at":1796043252671690,"started_at":1796043252697231,"ended_at":1796043252698851,"exchange":{"phases":{"dns":null,"connect":0.005443,"first_byte":0.001187,"total":0.007483},"status":200,"headers":{"content-length":"0"}}}'),
	('01a22c85-23ca-7d26-ad4d-f9acb18dfe86', 1, '{"number":1,"node":"8995e31b-4969-4567-b151-6362c1ddd3a3","due_at":1796043252682822,"started_at":1796043252697550,"ended_at":1796043252699007,"fault":{"code":"status_404","msg":"the target answered 404 Not Found","fingerprint":"af5c1b62c3bf5666"},"exchange":{"phases":{"dns":null,"connect":0.005244,"first_byte":0.000921,"total":0.006773},"status":404,"headers":{"content-length":"0"}}}'),
	('01a22c85-23e0-72c4-ac76-7b85b620f3d8', 1, '{"number":1,"node":"8995e31b-4969-4567-b151-6362c1ddd3a3","due_at":1796043252704173,"started_at":1796043252724642,"ended_at":1796043252725056,"fault":{"code":"status_410","msg":"the target answered 410 Gone","fingerprint":"9e0e17755e208de1"},"exchange":{"phases":{"dns":null,"connect":null,"first_byte":0.000277,"total":0.000479},"status":410,"headers":{"content-length":"0"}}}'),
	('01a22c85-23f9-7697-b192-f2ed04c83e74', 1, '{"number":1,"node":"8995e31b-4969-4567-b151-6362c1ddd3a3","due_at":1796043252729412,"started_at":1796043252744674,"ended_at":1796043252745249,"exchange":{"phases":{"dns":null,"connect":null,"first_byte":0.000463,"total":0.000664},"status":200,"headers":{"content-length":"0"}}}'),
	('01a22c85-23f9-7697-bc02-05d1084ad454', 1, '{"number":1,"node":"8995e31b-4969-4567-b151-6362c1ddd3a3","due_at":1796043252729412,"started_at":1796043252744759,"ended_at":1796043252745308,"exchange":{"phases":{"dns":null,"connect":null,"first_byte":0.000428,"total":0.000558},"status":200,"headers":{"content-length":"0"}}}'),
	('01a22c85-23c5-7aed-ac1c-9e5eafb83d3f', 1, '{"number":1,"node":"8995e31b-4969-4567-b151-6362c1ddd3a3","due_at":1796043252677683,"started_at":1796043252696274,"ended_at":1796043252883444}'),
	('01a22c85-23e0-72c4-ac76-7b85b620f3d8', 2, '{"number":2,"node":"8995e31b-4969-4567-b151-6362c1ddd3a3","due_at":1796043252893800,"started_at":1796043252905676,"ended_at":1796043252906993,"fault":{"code":"status_410","msg":"the target answered 410 Gone","fingerprint":"9e0e17755e208de1"},"exchange":{"phases":{"dns":null,"connect":null,"first_byte":0.00114,"total":0.001281},"status":410,"headers":{"content-length":"0"}}}'),
	('01a22c85-24ea-7cc4-9173-5dc01d6caa84', 1, '{"number":1,"node":"8995e31b-4969-4567-b151-6362c1ddd3a3","due_at":1796043252970798,"started_at":1796043252984377,"ended_at":1796043252986008,"fault":{"code":"status_503","msg":"the target answered 503 Service Unavailable","fingerprint":"80adf5ba63aff478"},"exchange":{"phases":{"dns":null,"connect":null,"first_byte":0.001379,"total":0.001651},"status":503,"headers":{"content-length":"0"}}}'),
	('01a22c85-255c-77f3-850f-eac8aee97d0a', 1, '{"number":1,"node":"8995e31b-4969-4567-b151-6362c1ddd3a3","due_at":1796043253084497,"started_at":1796043253115343,"ended_at":1796043253119662,"exchange":{"phases":{"dns":null,"connect":null,"first_byte":0.004149,"total":0.004407},"status":200,"headers":{"content-length":"0"}}}'),
	('01a22c85-2595-7a7e-b979-64fa73e69970', 1, '{"number":1,"node":"8995e31b-4969-4567-b151-6362c1ddd3a3","due_at":1796043253141656,"started_at":1796043253153655,"ended_at":1796043253156137,"fault":{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"},"exchange":{"phases":{"dns":null,"connect":0.001671,"first_byte":null,"total":0.002152}}}'),
	('01a22c85-25a2-797c-8152-51323335762e', 1, '{"number":1,"node":"8995e31b-4969-4567-b151-6362c1ddd3a3","due_at":1796043253154593,"started_at":1796043253167503,"ended_at":1796043253168249,"fault":{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"},"exchange":{"phases":{"dns":null,"connect":0.0004,"first_byte":null,"total":0.000595}}}'),
	('01a22c85-25ab-7f16-adbd-80fcccef9cdb', 1, '{"number":1,"node":"8995e31b-4969-4567-b151-6362c1ddd3a3","due_at":1796043253163943,"started_at":1796043253175605,"ended_at":1796043253178330,"fault":{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"},"exchange":{"phases":{"dns":null,"connect":0.002251,"first_byte":null,"total":0.002479}}}'),
	('01a22c85-25b8-740c-8ffb-071774816bcf', 1, '{"number":1,"node":"8995e31b-4969-4567-b151-6362c1ddd3a3","due_at":1796043253176253,"started_at":1796043253192093,"ended_at":1796043253196250,"fault":{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"},"exchange":{"phases":{"dns":null,"connect":0.003509,"first_byte":null,"total":0.003712}}}'),
	('01a22c85-25c2-7e24-92b0-52d7098f258f', 1, '{"number":1,"node":"8995e31b-4969-4567-b151-6362c1ddd3a3","due_at":1796043253186884,"started_at":1796043253197304,"ended_at":1796043253199715,"fault":{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"},"exchange":{"phases":{"dns":null,"connect":0.00121,"first_byte":null,"total":0.001405}}}'),
	('01a22c85-25ce-711e-843b-958725d0157a', 1, '{"number":1,"node":"8995e31b-4969-4567-b151-6362c1ddd3a3","due_at":1796043253198070,"started_at":1796043253207422,"ended_at":1796043253209117,"fault":{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"},"exchange":{"phases":{"dns":null,"connect":0.001308,"first_byte":null,"total":0.001514}}}'),
	('01a22c85-25d4-7e31-adda-f2c36395dae7', 1, '{"number":1,"node":"8995e31b-4969-4567-b151-6362c1ddd3a3","due_at":1796043253204887,"started_at":1796043253212500,"ended_at":1796043253216060,"fault":{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"},"exchange":{"phases":{"dns":null,"connect":0.002995,"first_byte":null,"total":0.003204}}}'),
	('01a22c85-25dd-76d9-a4be-35cf1efadcfb', 1, '{"number":1,"node":"8995e31b-4969-4567-b151-6362c1ddd3a3","due_at":1796043253213428,"started_at":1796043253219289,"ended_at":1796043253220176,"fault":{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"},"exchange":{"phases":{"dns":null,"connect":0.000574,"first_byte":null,"total":0.000751}}}'),
	('01a22c85-25e5-76c4-97cc-33f483f138b3', 1, '{"number":1,"node":"8995e31b-4969-4567-b151-6362c1ddd3a3","due_at":1796043253221423,"started_at":1796043253226136,"ended_at":1796043253227791,"fault":{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"},"exchange":{"phases":{"dns":null,"connect":0.000979,"first_byte":null,"total":0.00116}}}'),
	('01a22c85-25ea-74ed-8aef-352a1e5a8996', 1, '{"number":1,"node":"8995e31b-4969-4567-b151-6362c1ddd3a3","due_at":1796043253226308,"started_at":1796043253231619,"ended_at":1796043253232510,"fault":{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"},"exchange":{"phases":{"dns":null,"connect":0.00042,"first_byte":null,"total":0.00059}}}'),
	('01a22c85-2666-77df-acfe-ab6f398ac36a', 1, '{"number":1,"node":"8995e31b-4969-4567-b151-6362c1ddd3a3","due_at":1796043253350492,"started_at":1796043253380484,"ended_at":1796043253385937,"exchange":{"phases":{"dns":null,"connect":null,"first_byte":0.005314,"total":0.005522},"status":200,"headers":{"content-length":"0"}}}'),
	('01a22c85-2673-7ae5-992e-4c692e6d1e33', 1, '{"number":1,"node":"8995e31b-4969-4567-b151-6362c1ddd3a3","due_at":1796043254000000,"started_at":1796043254011975,"ended_at":1796043254238545}'),
	('01a22c85-2dbd-7a6e-835c-9b8a1d3ea5f4', 1, '{"number":1,"node":"8995e31b-4969-4567-b151-6362c1ddd3a3","due_at":1796043255229652,"started_at":1796043255239995,"ended_at":null,"exchange":{"phases":{"dns":null,"connect":null,"first_byte":0.001224,"total":0.001432},"status":202,"headers":{"content-length":"0"}}}'),
	('01a22c85-28f4-7e39-9171-a1b049ab527f', 1, '{"number":1,"node":"8995e31b-4969-4567-b151-6362c1ddd3a3","due_at":1796043255000000,"started_at":1796043255026593,"ended_at":1796043255244827}'),
	('01a22c85-2628-7599-85cf-53e17b5d0278', 1, '{"number":1,"node":"d2c92a9f-dcd4-4dcb-840a-514af452729e","due_at":1796043253288350,"started_at":1796043265367234,"ended_at":1796043265374342,"late_down":10350537,"late_held":1712830,"fault":{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"},"exchange":{"phases":{"dns":null,"connect":0.006585,"first_byte":null,"total":0.006865}}}');

INSERT INTO public.audit OVERRIDING SYSTEM VALUE VALUES
	(1, '2026-11-30 12:54:12.21652+00', 'local', 'local', 'create', 'key', '4zyg7dpl', 'admin', '{"role":{"after":"admin"}}'),
	(2, '2026-11-30 12:54:12.32144+00', '4zyg7dpl', 'admin', 'create', 'key', 'ghj79uhb', 'grafana', '{"role":{"after":"read"},"expires_at":{"after":"2126-02-10T15:30:00.000000Z"}}'),
	(3, '2026-11-30 12:54:12.340177+00', '4zyg7dpl', 'admin', 'create', 'key', 'c5pctioh', 'worker', '{"scopes":{"after":["queues:work:reports","tasks:read"]}}'),
	(4, '2026-11-30 12:54:12.350657+00', '4zyg7dpl', 'admin', 'create', 'key', '2py0p129', 'revoked', '{"role":{"after":"write"}}'),
	(5, '2026-11-30 12:54:12.357444+00', '4zyg7dpl', 'admin', 'revoke', 'key', '2py0p129', 'revoked', NULL),
	(6, '2026-11-30 12:54:12.487466+00', '4zyg7dpl', 'admin', 'change', 'task', '01a22c85-22ea-728b-9475-697ff3618242', NULL, '{"body":{},"tags":{"after":["changed"]}}'),
	(7, '2026-11-30 12:54:12.522315+00', '4zyg7dpl', 'admin', 'delete', 'task', '01a22c85-2311-7add-919a-a222ae161f6c', NULL, '{"type":{"before":"webhook"},"execution_time":{"before":"2126-02-10T16:30:00+01:00"}}'),
	(8, '2026-11-30 12:54:12.698632+00', '4zyg7dpl', 'admin', 'cancel', 'task', '01a22c85-23cd-76ac-af43-2f93f3ca440f', NULL, NULL),
	(9, '2026-11-30 12:54:12.894261+00', '4zyg7dpl', 'admin', 'retry', 'task', '01a22c85-23e0-72c4-ac76-7b85b620f3d8', NULL, NULL),
	(10, '2026-11-30 12:54:13.052897+00', '4zyg7dpl', 'admin', 'limit', 'destination', '5', 'reports', '{"max_running":{"before":null,"after":2}}'),
	(11, '2026-11-30 12:54:13.076017+00', '4zyg7dpl', 'admin', 'limit', 'destination', '6', 'slow', '{"max_per_second":{"before":null,"after":0.001}}'),
	(12, '2026-11-30 12:54:13.130482+00', '4zyg7dpl', 'admin', 'pause', 'destination', '7', 'http://127.0.0.1:9', NULL),
	(13, '2026-11-30 12:54:13.233843+00', 'tasker', 'tasker', 'circuit_opened', 'destination', '8', 'http://127.0.0.1:1', '{"open_until":{"after":"2026-11-30T12:54:18.232822Z"}}'),
	(14, '2026-11-30 12:54:13.315155+00', '4zyg7dpl', 'admin', 'create', 'schedule', 'weekdays', NULL, '{"cron":{"after":"0 9 * * MON-FRI"},"time_zone":{"after":"Asia/Tokyo"},"starts_at":{"after":"2126-02-10T15:30:00.000000Z"},"ends_at":{"after":"2127-01-01T00:00:00.000000Z"},"jitter":{"after":"5m"},"overlap":{"after":"queue"},"missed":{"after":"all"},"missed_within":{"after":"1d"},"tags":{"after":["report"]},"paused":{"after":false},"task.webhook.url":{"after":"http://127.0.0.1:33925/report"},"task.webhook.body":{},"task.webhook.expires_at":{"after":"30m"}}'),
	(15, '2026-11-30 12:54:13.346694+00', '4zyg7dpl', 'admin', 'create', 'schedule', 'paused', NULL, '{"cron":{"after":"0 9 * * MON-FRI"},"time_zone":{"after":"Asia/Tokyo"},"starts_at":{"after":"2126-02-10T15:30:00.000000Z"},"overlap":{"after":"skip"},"missed":{"after":"once"},"missed_within":{"after":"1d"},"paused":{"after":true},"task.webhook.url":{"after":"http://127.0.0.1:33925/report"},"task.webhook.body":{},"task.webhook.expires_at":{"after":"30m"}}'),
	(16, '2026-11-30 12:54:13.355666+00', '4zyg7dpl', 'admin', 'run', 'schedule', 'weekdays', NULL, NULL),
	(17, '2026-11-30 12:54:13.372436+00', '4zyg7dpl', 'admin', 'create', 'schedule', 'ended', NULL, '{"every":{"after":"1s"},"overlap":{"after":"skip"},"missed":{"after":"once"},"missed_within":{"after":"1d"},"max_runs":{"after":2},"paused":{"after":false},"task.hash.secret":{"after":"***"}}'),
	(18, '2026-11-30 12:54:15.084681+00', '4zyg7dpl', 'admin', 'begin', 'operation', '01a22c85-2d2a-7651-b22e-243e4be45190', NULL, '{"action":{"after":"cancel"},"filter":{"after":{"tag":["operated"]}}}'),
	(19, '2026-11-30 12:54:15.270497+00', '4zyg7dpl', 'admin', 'pause', 'server', '', NULL, NULL),
	(20, '2026-11-30 12:54:15.279227+00', '4zyg7dpl', 'admin', 'resume', 'server', '', NULL, NULL),
	(21, '2026-11-30 12:54:15.285667+00', '4zyg7dpl', 'admin', 'sign_in', 'key', '4zyg7dpl', 'admin', NULL),
	(22, '2026-11-30 12:54:25.398536+00', 'tasker', 'tasker', 'circuit_probed', 'destination', '8', 'http://127.0.0.1:1', '{"open_until":{"after":"2026-11-30T12:54:35.392097Z"}}');

INSERT INTO public.completion_key VALUES
	(1, '\x5b952492c1f541efaf9d4fb605d5da5fc8a893941cfb4d768255a8db39508c03');

INSERT INTO public.down VALUES
	('2026-11-30 12:54:15.00118+00', '2026-11-30 12:54:25.351717+00');

INSERT INTO public.gate OVERRIDING SYSTEM VALUE VALUES
	(1, 0, 'http://hooks.example.org:80', false, NULL, 0, '1970-01-01 00:00:00+00', NULL, 1, '1970-01-01 00:00:00+00', NULL, NULL, 0),
	(2, 2, 'customer-42', false, NULL, 0, '1970-01-01 00:00:00+00', NULL, 1, '1970-01-01 00:00:00+00', NULL, NULL, 0),
	(3, 1, 'hash', false, NULL, 0, '1970-01-01 00:00:00+00', NULL, 1, '1970-01-01 00:00:00+00', NULL, NULL, 0),
	(5, 3, 'reports', false, 2, 0, '1970-01-01 00:00:00+00', NULL, 1, '1970-01-01 00:00:00+00', NULL, NULL, 0),
	(6, 2, 'slow', false, NULL, 0, '1970-01-01 00:00:00+00', 0.001, 1, '2026-11-30 13:10:53.105844+00', NULL, NULL, 0),
	(7, 0, 'http://127.0.0.1:9', true, NULL, 0, '1970-01-01 00:00:00+00', NULL, 1, '1970-01-01 00:00:00+00', NULL, NULL, 0),
	(4, 0, 'http://127.0.0.1:33925', false, NULL, 0, '1970-01-01 00:00:00+00', NULL, 1, '1970-01-01 00:00:00+00', NULL, NULL, 0),
	(8, 0, 'http://127.0.0.1:1', false, NULL, 11, '2026-11-30 12:54:35.392097+00', NULL, 1, '1970-01-01 00:00:00+00', '2026-11-30 12:54:13.232822+00', NULL, 0);

INSERT INTO public.gate_queue VALUES
	(5, 3, '1970-01-01 00:00:00+00', 1, 0, '1970-01-01 00:00:00+00'),
	(6, 1, '2026-11-30 13:10:53.105844+00', 1, 2, NULL),
	(7, 1, '9999-12-31 23:59:59.999999+00', 0, 1, NULL),
	(8, 1, '2026-11-30 12:54:26.347623+00', 1, 1, NULL);

INSERT INTO public.history VALUES
	(60000000, '2026-11-30 12:54:00+00', 'a5f9c79f-28da-4d1f-9ce6-cbbc5b08fbdb', '{"created":{"webhook":30,"hash":5,"job":2},"attempts":{"succeeded":{"webhook":5,"hash":3},"retried":{"webhook":1},"failed":{"webhook":13}},"lateness":{"down":[24],"held":[24],"own":[0,0,0,0,0,1,4,15,4]},"lateness_sum":{"own":356122},"destinations":{"4":{"succeeded":4,"retried":1,"failed":3},"3":{"succeeded":3},"6":{"succeeded":1},"8":{"failed":10}}}', '[{"code":"connect_refused","count":10,"first_at":1796043253156137,"last_at":1796043253232510,"fingerprint":"55e8b44ee5b1ce7c","type":"webhook","msg":"the target refuses connections","example":["01a22c85-25ea-74ed-8aef-352a1e5a8996","the target refuses connections"]},{"code":"status_410","count":2,"first_at":1796043252725056,"last_at":1796043252906993,"fingerprint":"9e0e17755e208de1","type":"webhook","status":410,"msg":"the target answered # Gone","example":["01a22c85-23e0-72c4-ac76-7b85b620f3d8","the target answered 410 Gone"]},{"code":"status_503","count":1,"first_at":1796043252986008,"last_at":1796043252986008,"fingerprint":"80adf5ba63aff478","type":"webhook","status":503,"msg":"the target answered # Service Unavailable","example":["01a22c85-24ea-7cc4-9173-5dc01d6caa84","the target answered 503 Service Unavailable"]},{"code":"status_404","count":1,"first_at":1796043252699007,"last_at":1796043252699007,"fingerprint":"af5c1b62c3bf5666","type":"webhook","status":404,"msg":"the target answered # Not Found","example":["01a22c85-23ca-7d26-ad4d-f9acb18dfe86","the target answered 404 Not Found"]}]'),
	(3600000000, '2026-11-30 12:00:00+00', 'a5f9c79f-28da-4d1f-9ce6-cbbc5b08fbdb', '{"created":{"webhook":30,"hash":5,"job":2},"attempts":{"succeeded":{"webhook":5,"hash":3},"retried":{"webhook":1},"failed":{"webhook":13}},"lateness":{"down":[24],"held":[24],"own":[0,0,0,0,0,1,4,15,4]},"lateness_sum":{"own":356122},"destinations":{"4":{"succeeded":4,"retried":1,"failed":3},"3":{"succeeded":3},"6":{"succeeded":1},"8":{"failed":10}}}', '[{"code":"connect_refused","count":10,"first_at":1796043253156137,"last_at":1796043253232510,"fingerprint":"55e8b44ee5b1ce7c","type":"webhook","msg":"the target refuses connections","example":["01a22c85-25ea-74ed-8aef-352a1e5a8996","the target refuses connections"]},{"code":"status_410","count":2,"first_at":1796043252725056,"last_at":1796043252906993,"fingerprint":"9e0e17755e208de1","type":"webhook","status":410,"msg":"the target answered # Gone","example":["01a22c85-23e0-72c4-ac76-7b85b620f3d8","the target answered 410 Gone"]},{"code":"status_503","count":1,"first_at":1796043252986008,"last_at":1796043252986008,"fingerprint":"80adf5ba63aff478","type":"webhook","status":503,"msg":"the target answered # Service Unavailable","example":["01a22c85-24ea-7cc4-9173-5dc01d6caa84","the target answered 503 Service Unavailable"]},{"code":"status_404","count":1,"first_at":1796043252699007,"last_at":1796043252699007,"fingerprint":"af5c1b62c3bf5666","type":"webhook","status":404,"msg":"the target answered # Not Found","example":["01a22c85-23ca-7d26-ad4d-f9acb18dfe86","the target answered 404 Not Found"]}]'),
	(60000000, '2026-11-30 12:54:00+00', '72c5478c-480d-4c52-a3b1-dc1fa38d2216', '{"created":{"webhook":2},"attempts":{"retried":{"webhook":1}},"lateness":{"down":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,1],"held":[0,0,0,0,0,0,0,0,0,0,0,0,0,1],"own":[0,0,0,0,0,0,0,1]},"lateness_sum":{"down":10350537,"held":1712830,"own":15517},"destinations":{"8":{"retried":1}}}', '[{"code":"connect_refused","count":1,"first_at":1796043265374342,"last_at":1796043265374342,"fingerprint":"55e8b44ee5b1ce7c","type":"webhook","msg":"the target refuses connections","example":["01a22c85-2628-7599-85cf-53e17b5d0278","the target refuses connections"]}]'),
	(3600000000, '2026-11-30 12:00:00+00', '72c5478c-480d-4c52-a3b1-dc1fa38d2216', '{"created":{"webhook":2},"attempts":{"retried":{"webhook":1}},"lateness":{"down":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,1],"held":[0,0,0,0,0,0,0,0,0,0,0,0,0,1],"own":[0,0,0,0,0,0,0,1]},"lateness_sum":{"down":10350537,"held":1712830,"own":15517},"destinations":{"8":{"retried":1}}}', '[{"code":"connect_refused","count":1,"first_at":1796043265374342,"last_at":1796043265374342,"fingerprint":"55e8b44ee5b1ce7c","type":"webhook","msg":"the target refuses connections","example":["01a22c85-2628-7599-85cf-53e17b5d0278","the target refuses connections"]}]');

INSERT INTO public.kept_answer VALUES
	('\x1f4b20c415ffadc6cbc9cd52d1ee95e9c2707c3995babf2e8d6aacfdd2a56626', '\x712c04f1a4a7c69c1d1bd9a581b6e3c4231f07eb797951c3a80e5554960a04fc', '\x93ccc9c4967b227461736b73223a5b7b226964223a2230316132326338352d323335312d373935382d623764632d613061636238363433636138227d2c7b226964223a2230316132326338352d323335312d376237302d386462342d646334336464393539666466227d2c7b226964223a2230316132326338352d323335312d376334642d616561362d626438616232353838393231227d5d7d0aa0', '2126-02-11 15:30:00+00');

INSERT INTO public.node VALUES
	('8995e31b-4969-4567-b151-6362c1ddd3a3', 'http://127.0.0.1:46389', '1.0.0', '2026-11-30 12:54:11.483365+00', '2026-11-30 12:54:15.519286+00', 4, '2026-11-30 12:54:15.00118+00', true),
	('d2c92a9f-dcd4-4dcb-840a-514af452729e', 'http://127.0.0.1:41453', '1.0.0', '2026-11-30 12:54:24.505701+00', '2026-11-30 12:54:55.28689+00', 4, '2026-11-30 12:54:29.428826+00', false);

INSERT INTO public.operation VALUES
	('01a22c85-2d2a-7651-b22e-243e4be45190', 'cancel', 1, false, '{"filter":{"tag":["operated"]}}', '2026-11-30 12:54:15.083675+00', '2026-11-30 12:54:15.103679+00', '8995e31b-4969-4567-b151-6362c1ddd3a3', NULL, 1, 1, 0, '{}', '[]'),
	('01a22c85-2d75-7283-85ec-f25db9a45302', 'cancel', 1, true, '{"filter":{"tag":["dry"]}}', '2026-11-30 12:54:15.172985+00', '2026-11-30 12:54:15.172985+00', NULL, NULL, 1, 1, 0, '{}', '[]');

INSERT INTO public.operation_task VALUES
	('01a22c85-2d23-7b26-9d24-ecf5fa07cbeb', '01a22c85-2d2a-7651-b22e-243e4be45190', '2026-11-30 12:54:15.102784+00');

INSERT INTO public.pause VALUES
	('2026-11-30 12:54:15.268365+00', '2026-11-30 12:54:15.278991+00');

INSERT INTO public.payload VALUES
	('01a22c85-228b-726e-8653-f527c53ed7f0', '\x7b227265747279223a7b226d61785f617474656d707473223a332c22696e697469616c5f64656c6179223a322e302c22666163746f72223a322e307d2c226f6e5f73756363657373223a22687474703a2f2f686f6f6b732e6578616d706c652e6f72672f646f6e65222c226f6e5f6661696c757265223a22687474703a2f2f686f6f6b732e6578616d706c652e6f72672f6661696c6564222c226f6e5f63616e63656c223a22687474703a2f2f686f6f6b732e6578616d706c652e6f72672f63616e63656c6c6564222c2274616773223a5b22637573746f6d65723a3432222c2270616964225d2c2267726f7570223a22637573746f6d65722d3432222c226b656570223a22666f7265766572222c2275726c223a22687474703a2f2f686f6f6b732e6578616d706c652e6f72672f686f6f6b222c226d6574686f64223a22505554222c2268656164657273223a7b22617574686f72697a6174696f6e223a2242656172657220736563726574222c22782d6f72646572223a223137227d2c22626f6479223a224ac3bc7267656e20f09f9880222c2274696d656f7574223a352e302c2273756363657373223a5b22327878222c3430345d7d', NULL, 0),
	('01a22c85-22ba-771e-8543-bb4a794c835f', '\x7b2275726c223a22687474703a2f2f686f6f6b732e6578616d706c652e6f72672f6a736f6e222c226a736f6e223a7b226f72646572223a2031372c20226c696e6573223a205b312c20322e352c206e756c6c5d7d7d', NULL, 0),
	('01a22c85-22cb-70a3-8bc7-848ce7e17aaf', '\x7b2275726c223a22687474703a2f2f686f6f6b732e6578616d706c652e6f72672f6279746573222c22626f64795f626173653634223a22414145432f773d3d227d', NULL, 0),
	('01a22c85-22cf-7097-83c8-f05a5c9005c8', '\x7b2275726c223a22687474703a2f2f686f6f6b732e6578616d706c652e6f72672f6c61726765222c22626f6479223a227979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979227d', NULL, 0),
	('01a22c85-22d5-7bae-91be-7bcdfb9724ec', '\x7b22736563726574223a22636f72726563742d686f7273652d626174746572792d737461706c65227d', NULL, 0),
	('01a22c85-22e0-7a93-85a7-0e707b757b0f', '\x7b226b656570223a22333064222c2275726c223a22687474703a2f2f686f6f6b732e6578616d706c652e6f72672f686f6f6b222c22626f6479223a2278227d', NULL, 0),
	('01a22c85-22ea-728b-9475-697ff3618242', '\x7b2274616773223a5b226368616e676564225d2c2275726c223a22687474703a2f2f686f6f6b732e6578616d706c652e6f72672f686f6f6b222c22626f6479223a226368616e676564227d', NULL, 1),
	('01a22c85-2351-7958-b7dc-a0acb8643ca8', '\x7b22736563726574223a2278227d', NULL, 0),
	('01a22c85-2351-7b70-8db4-dc43dd959fdf', '\x7b22736563726574223a2278227d', NULL, 0),
	('01a22c85-2351-7c4d-aea6-bd8ab2588921', '\x7b22736563726574223a2278227d', NULL, 0),
	('01a22c85-23b0-7547-8cec-dc27f95f0c94', '\x7b2275726c223a22687474703a2f2f686f6f6b732e6578616d706c652e6f7267227d', NULL, 0),
	('01a22c85-23bf-7b0a-9d78-13916a373db7', '\x7b226f6e5f73756363657373223a22687474703a2f2f3132372e302e302e313a33333932352f746f6c64222c2274616773223a5b22656e646564225d2c2275726c223a22687474703a2f2f3132372e302e302e313a33333932352f646f6e65222c22626f6479223a2278227d', NULL, 0),
	('01a22c85-23ca-7d26-ad4d-f9acb18dfe86', '\x7b227265747279223a7b226d61785f617474656d707473223a317d2c226f6e5f6661696c757265223a22687474703a2f2f3132372e302e302e313a33333932352f746f6c64222c2275726c223a22687474703a2f2f3132372e302e302e313a33333932352f7374617475732f343034222c22626f6479223a2278227d', NULL, 0),
	('01a22c85-23cd-76ac-af43-2f93f3ca440f', '\x7b226b656570223a22666f7265766572222c2275726c223a22687474703a2f2f686f6f6b732e6578616d706c652e6f72672f686f6f6b222c22626f6479223a2278227d', NULL, 0),
	('01a22c85-23e0-72c4-ac76-7b85b620f3d8', '\x7b227265747279223a7b226d61785f617474656d707473223a317d2c2275726c223a22687474703a2f2f3132372e302e302e313a33333932352f7374617475732f343130222c22626f6479223a2278227d', NULL, 0),
	('01a22c85-23f9-7697-b192-f2ed04c83e74', '\x7b2275726c223a22687474703a2f2f3132372e302e302e313a33333932352f746f6c64222c226a736f6e223a7b226964223a2230316132326338352d323362662d376230612d396437382d313339313661333733646237222c2274797065223a22776562686f6f6b222c227374617465223a22646f6e65222c22617474656d707473223a312c22737461747573223a3230302c226572726f72223a6e756c6c2c22726573756c74223a6e756c6c7d7d', NULL, 0),
	('01a22c85-23f9-7697-bc02-05d1084ad454', '\x7b2275726c223a22687474703a2f2f3132372e302e302e313a33333932352f746f6c64222c226a736f6e223a7b226964223a2230316132326338352d323363612d376432362d616434642d663961636231386466653836222c2274797065223a22776562686f6f6b222c227374617465223a226661696c6564222c22617474656d707473223a312c22737461747573223a3430342c226572726f72223a7b22636f6465223a227374617475735f343034222c226d7367223a227468652074617267657420616e73776572656420343034204e6f7420466f756e64222c2266696e6765727072696e74223a2261663563316236326333626635363636227d2c22726573756c74223a6e756c6c7d7d', NULL, 0),
	('01a22c85-23c5-7aed-ac1c-9e5eafb83d3f', '\x7b22736563726574223a22636f72726563742d686f7273652d626174746572792d737461706c65227d', '\x222470626b6466322d73686132353624693d3630303030302c6c3d3332247176736a534e564875625436646164324b61596e4b6724687272767a3262697a36724941326e6c6750364b52734c646c5466516b50706b7467424242736d3849424122', 0),
	('01a22c85-24ea-7cc4-9173-5dc01d6caa84', '\x7b227265747279223a7b226d61785f617474656d707473223a392c22696e697469616c5f64656c6179223a38363430302e307d2c2275726c223a22687474703a2f2f3132372e302e302e313a33333932352f7374617475732f353033222c22626f6479223a2278227d', NULL, 0),
	('01a22c85-255c-77f3-850f-eac8aee97d0a', '\x7b2267726f7570223a22736c6f77222c2275726c223a22687474703a2f2f3132372e302e302e313a33333932352f736c6f776c79222c22626f6479223a2278227d', NULL, 0),
	('01a22c85-2565-75b6-bcc8-8cf7d8e8002d', '\x7b2267726f7570223a22736c6f77222c2275726c223a22687474703a2f2f3132372e302e302e313a33333932352f736c6f776c79222c22626f6479223a2278227d', NULL, 0),
	('01a22c85-2590-7bef-8b92-078203bb1b61', '\x7b2275726c223a22687474703a2f2f3132372e302e302e313a392f68656c64227d', NULL, 0),
	('01a22c85-2595-7a7e-b979-64fa73e69970', '\x7b227265747279223a7b226d61785f617474656d707473223a317d2c2275726c223a22687474703a2f2f3132372e302e302e313a312f64656164227d', NULL, 0),
	('01a22c85-25a2-797c-8152-51323335762e', '\x7b227265747279223a7b226d61785f617474656d707473223a317d2c2275726c223a22687474703a2f2f3132372e302e302e313a312f64656164227d', NULL, 0),
	('01a22c85-25ab-7f16-adbd-80fcccef9cdb', '\x7b227265747279223a7b226d61785f617474656d707473223a317d2c2275726c223a22687474703a2f2f3132372e302e302e313a312f64656164227d', NULL, 0),
	('01a22c85-25b8-740c-8ffb-071774816bcf', '\x7b227265747279223a7b226d61785f617474656d707473223a317d2c2275726c223a22687474703a2f2f3132372e302e302e313a312f64656164227d', NULL, 0),
	('01a22c85-25c2-7e24-92b0-52d7098f258f', '\x7b227265747279223a7b226d61785f617474656d707473223a317d2c2275726c223a22687474703a2f2f3132372e302e302e313a312f64656164227d', NULL, 0),
	('01a22c85-25ce-711e-843b-958725d0157a', '\x7b227265747279223a7b226d61785f617474656d707473223a317d2c2275726c223a22687474703a2f2f3132372e302e302e313a312f64656164227d', NULL, 0),
	('01a22c85-25d4-7e31-adda-f2c36395dae7', '\x7b227265747279223a7b226d61785f617474656d707473223a317d2c2275726c223a22687474703a2f2f3132372e302e302e313a312f64656164227d', NULL, 0),
	('01a22c85-25dd-76d9-a4be-35cf1efadcfb', '\x7b227265747279223a7b226d61785f617474656d707473223a317d2c2275726c223a22687474703a2f2f3132372e302e302e313a312f64656164227d', NULL, 0),
	('01a22c85-25e5-76c4-97cc-33f483f138b3', '\x7b227265747279223a7b226d61785f617474656d707473223a317d2c2275726c223a22687474703a2f2f3132372e302e302e313a312f64656164227d', NULL, 0),
	('01a22c85-25ea-74ed-8aef-352a1e5a8996', '\x7b227265747279223a7b226d61785f617474656d707473223a317d2c2275726c223a22687474703a2f2f3132372e302e302e313a312f64656164227d', NULL, 0),
	('01a22c85-2628-7599-85cf-53e17b5d0278', '\x7b2275726c223a22687474703a2f2f3132372e302e302e313a312f626568696e64227d', NULL, 0),
	('01a22c85-2633-73ce-a65b-fab9810ab37c', '\x7b2275726c223a22687474703a2f2f3132372e302e302e313a33333932352f7265706f7274222c22626f6479223a2278222c2274616773223a5b227265706f7274225d7d', NULL, 0),
	('01a22c85-2666-77df-acfe-ab6f398ac36a', '\x7b2275726c223a22687474703a2f2f3132372e302e302e313a33333932352f7265706f7274222c22626f6479223a2278222c2274616773223a5b227265706f7274225d7d', NULL, 0),
	('01a22c85-2673-7ae5-992e-4c692e6d1e33', '\x7b22736563726574223a2278227d', '\x222470626b6466322d73686132353624693d3630303030302c6c3d3332244b5a5238726b74426b6738674944675967542b427a5124787a36785949313763596b41766a494b464965707667757059564632482f2f6d4a4543706e33484c70654d22', 0),
	('01a22c85-2d23-7b26-9d24-ecf5fa07cbeb', '\x7b2274616773223a5b226f70657261746564225d2c2275726c223a22687474703a2f2f686f6f6b732e6578616d706c652e6f72672f686f6f6b222c22626f6479223a2278227d', NULL, 0),
	('01a22c85-2d27-7283-b3ae-36cfa857221b', '\x7b2274616773223a5b22647279225d2c2275726c223a22687474703a2f2f686f6f6b732e6578616d706c652e6f72672f686f6f6b222c22626f6479223a2278227d', NULL, 0),
	('01a22c85-2d8f-75ca-a558-ae39062ac9dc', '\x7b227175657565223a227265706f727473222c226a736f6e223a7b226d6f6e7468223a20377d7d', NULL, 0),
	('01a22c85-2d9a-7472-9e41-a99958723d66', '\x7b227175657565223a227265706f727473222c226a736f6e223a7b226d6f6e7468223a20367d7d', NULL, 0),
	('01a22c85-2dbd-7a6e-835c-9b8a1d3ea5f4', '\x7b2275726c223a22687474703a2f2f3132372e302e302e313a33333932352f7374617475732f323032222c22626f6479223a2278222c22636f6d706c6574696f6e223a7b22646561646c696e65223a22333064222c2275726c223a22687474703a2f2f3132372e302e302e313a383038302f636f6d706c6574696f6e73227d7d', NULL, 0),
	('01a22c85-28f4-7e39-9171-a1b049ab527f', '\x7b22736563726574223a2278227d', '\x222470626b6466322d73686132353624693d3630303030302c6c3d33322439334b4c493747784c4e574f6531666e727569597951245751594c6670654c4a7876447477634a39383948445076326f713577467953322f6f544e643462674a516b22', 0),
	('01a22c85-5501-7ce5-a586-aa09ba1a23c6', '\x7b2275726c223a22687474703a2f2f3132372e302e302e313a33333932352f736c6f772f363030222c22626f6479223a2278222c2274696d656f7574223a3930302e307d', NULL, 0),
	('01a22c85-5584-7839-a3bb-4928f6debbf0', '\x7b2275726c223a22687474703a2f2f3132372e302e302e313a33333932352f6c61746572222c22626f6479223a2278227d', NULL, 0);

INSERT INTO public.run_count VALUES
	('paused', 0, 0, 0, 0),
	('weekdays', 0, 0, 0, 1),
	('ended', 2, 0, 0, 2);

INSERT INTO public.schedule VALUES
	('weekdays', 604397483072, 'webhook', '{"cron":"0 9 * * MON-FRI","time_zone":"Asia/Tokyo","starts_at":4926411000000000,"ends_at":4954435200000000,"jitter":300000000,"overlap":"queue","missed":"all","tags":["report"]}', false, '2026-11-30 12:54:13.303289+00', '2026-11-30 12:54:13.303289+00', '4zyg7dpl admin', '2126-02-11 00:00:00+00', '2126-02-11 00:00:00+00'),
	('paused', 722618488772, 'webhook', '{"cron":"0 9 * * MON-FRI","time_zone":"Asia/Tokyo","starts_at":4926411000000000}', true, '2026-11-30 12:54:13.346269+00', '2026-11-30 12:54:13.346269+00', '4zyg7dpl admin', NULL, NULL),
	('ended', 154750506657, 'hash', '{"every":1000000,"anchor":1796043253000000,"max_runs":2}', false, '2026-11-30 12:54:13.36629+00', '2026-11-30 12:54:13.36629+00', '4zyg7dpl admin', '2026-11-30 12:54:15+00', NULL);

INSERT INTO public.sign_in VALUES
	('\x99769087deb78ba7fff28e81877640ef2ff2a326cb4d37a48b0acc169f30bd0a', '4zyg7dpl', '2026-12-01 00:54:15.282991+00');

INSERT INTO public.tag VALUES
	('customer:42', '01a22c85-228b-726e-8653-f527c53ed7f0'),
	('paid', '01a22c85-228b-726e-8653-f527c53ed7f0'),
	('changed', '01a22c85-22ea-728b-9475-697ff3618242'),
	('ended', '01a22c85-23bf-7b0a-9d78-13916a373db7'),
	('report', '01a22c85-2633-73ce-a65b-fab9810ab37c'),
	('report', '01a22c85-2666-77df-acfe-ab6f398ac36a'),
	('operated', '01a22c85-2d23-7b26-9d24-ecf5fa07cbeb'),
	('dry', '01a22c85-2d27-7283-b3ae-36cfa857221b');

INSERT INTO public.task VALUES
	('01a22c85-228b-726e-8653-f527c53ed7f0', 'webhook', 0, 1, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 2, NULL, '2126-03-01 00:00:00+00', NULL, 0, '2026-11-30 12:54:12.398562+00', 0, 0, NULL, 'order-17', true, -1, 1, 6000000, 0, false, 0, 0, '4zyg7dpl admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22c85-22ba-771e-8543-bb4a794c835f', 'webhook', 0, 1, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 1, NULL, NULL, NULL, 0, '2026-11-30 12:54:12.420862+00', 0, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, '4zyg7dpl admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22c85-22cb-70a3-8bc7-848ce7e17aaf', 'webhook', 0, 1, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 1, NULL, NULL, NULL, 0, '2026-11-30 12:54:12.428163+00', 0, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, '4zyg7dpl admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22c85-22cf-7097-83c8-f05a5c9005c8', 'webhook', 0, 1, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 1, NULL, NULL, NULL, 0, '2026-11-30 12:54:12.432104+00', 0, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, '4zyg7dpl admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22c85-22d5-7bae-91be-7bcdfb9724ec', 'hash', 0, 2, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 3, NULL, NULL, NULL, 0, '2026-11-30 12:54:12.445212+00', 0, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, '4zyg7dpl admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22c85-22e0-7a93-85a7-0e707b757b0f', 'webhook', 0, 1, '2126-07-01 00:00:00+00', '2126-07-01 00:00:00+00', '2126-07-01T09:00:00+09:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 1, NULL, NULL, NULL, 0, '2026-11-30 12:54:12.454231+00', 0, 0, NULL, NULL, false, 2592000000000, NULL, 9841000000, 0, false, 0, 0, '4zyg7dpl admin', '2126-07-01T09:00:00', 'Asia/Tokyo', '2026f', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22c85-22ea-728b-9475-697ff3618242', 'webhook', 0, 1, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 1, NULL, NULL, NULL, 0, '2026-11-30 12:54:12.466064+00', 1, 1, NULL, 'changed', true, NULL, NULL, 9841000000, 0, false, 0, 0, '4zyg7dpl admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22c85-2351-7958-b7dc-a0acb8643ca8', 'hash', 0, 2, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 3, NULL, NULL, NULL, 0, '2026-11-30 12:54:12.639046+00', 0, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, '4zyg7dpl admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22c85-2351-7b70-8db4-dc43dd959fdf', 'hash', 0, 2, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 3, NULL, NULL, NULL, 0, '2026-11-30 12:54:12.639046+00', 0, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, '4zyg7dpl admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22c85-2351-7c4d-aea6-bd8ab2588921', 'hash', 0, 2, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 3, NULL, NULL, NULL, 0, '2026-11-30 12:54:12.639046+00', 0, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, '4zyg7dpl admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22c85-23b0-7547-8cec-dc27f95f0c94', 'webhook', 0, 1, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 1, NULL, NULL, NULL, 0, '2026-11-30 12:54:12.668062+00', 0, 0, '\x810b8a4c2f0b58f0fa0ff4b4dcbf554078ec4e25e548fa9d0aa6d4b70b915e15', NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, '4zyg7dpl admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22c85-23cd-76ac-af43-2f93f3ca440f', 'webhook', 4, 1, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, '2026-11-30 12:54:12.696013+00', NULL, 1, NULL, NULL, NULL, 0, '2026-11-30 12:54:12.686517+00', 1, 0, NULL, NULL, false, -1, NULL, 9841000000, 0, false, 0, 0, '4zyg7dpl admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22c85-23bf-7b0a-9d78-13916a373db7', 'webhook', 2, 1, '2026-11-30 12:54:12.67169+00', '2026-11-30 12:54:12.67169+00', '2026-11-30T12:54:12.671690Z', 1, 0, NULL, NULL, '2026-11-30 12:54:12.697231+00', '2026-11-30 12:54:12.698851+00', NULL, 4, NULL, NULL, NULL, 0, '2026-11-30 12:54:12.673845+00', 2, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, '4zyg7dpl admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22c85-23ca-7d26-ad4d-f9acb18dfe86', 'webhook', 3, 1, '2026-11-30 12:54:12.682822+00', '2026-11-30 12:54:12.682822+00', '2026-11-30T12:54:12.682822Z', 1, 0, NULL, NULL, '2026-11-30 12:54:12.69755+00', '2026-11-30 12:54:12.699007+00', '{"code":"status_404","msg":"the target answered 404 Not Found","fingerprint":"af5c1b62c3bf5666"}', 4, NULL, NULL, NULL, 0, '2026-11-30 12:54:12.683983+00', 2, 0, NULL, NULL, false, NULL, NULL, 0, 0, false, 0, 0, '4zyg7dpl admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22c85-23f9-7697-b192-f2ed04c83e74', 'webhook', 2, 1, '2026-11-30 12:54:12.729412+00', '2026-11-30 12:54:12.729412+00', '2026-11-30T12:54:12.729412Z', 1, 0, NULL, NULL, '2026-11-30 12:54:12.744674+00', '2026-11-30 12:54:12.745249+00', NULL, 4, NULL, NULL, '01a22c85-23bf-7b0a-9d78-13916a373db7', 0, '2026-11-30 12:54:12.738774+00', 2, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22c85-23c5-7aed-ac1c-9e5eafb83d3f', 'hash', 2, 2, '2026-11-30 12:54:12.677683+00', '2026-11-30 12:54:12.677683+00', '2026-11-30T12:54:12.677683Z', 1, 0, NULL, NULL, '2026-11-30 12:54:12.696274+00', '2026-11-30 12:54:12.883444+00', NULL, 3, NULL, NULL, NULL, 0, '2026-11-30 12:54:12.678756+00', 2, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, '4zyg7dpl admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22c85-23e0-72c4-ac76-7b85b620f3d8', 'webhook', 3, 1, '2026-11-30 12:54:12.8938+00', '2026-11-30 12:54:12.704173+00', '2026-11-30T12:54:12.704173Z', 2, 0, NULL, NULL, '2026-11-30 12:54:12.905676+00', '2026-11-30 12:54:12.906993+00', '{"code":"status_410","msg":"the target answered 410 Gone","fingerprint":"9e0e17755e208de1"}', 4, NULL, NULL, NULL, 1, '2026-11-30 12:54:12.704844+00', 5, 0, NULL, NULL, false, NULL, NULL, 0, 0, false, 0, 0, '4zyg7dpl admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22c85-23f9-7697-bc02-05d1084ad454', 'webhook', 2, 1, '2026-11-30 12:54:12.729412+00', '2026-11-30 12:54:12.729412+00', '2026-11-30T12:54:12.729412Z', 1, 0, NULL, NULL, '2026-11-30 12:54:12.744759+00', '2026-11-30 12:54:12.745308+00', NULL, 4, NULL, NULL, '01a22c85-23ca-7d26-ad4d-f9acb18dfe86', 0, '2026-11-30 12:54:12.738774+00', 2, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22c85-24ea-7cc4-9173-5dc01d6caa84', 'webhook', 0, 1, '2026-11-30 18:49:56.646383+00', '2026-11-30 12:54:12.970798+00', '2026-11-30T12:54:12.970798Z', 1, 0, NULL, NULL, '2026-11-30 12:54:12.984377+00', NULL, '{"code":"status_503","msg":"the target answered 503 Service Unavailable","fingerprint":"80adf5ba63aff478"}', 4, NULL, NULL, NULL, 0, '2026-11-30 12:54:12.974951+00', 2, 0, NULL, 'waits-for-its-retry', true, NULL, NULL, 172800000000, 21600000000, false, 0, 0, '4zyg7dpl admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22c85-2565-75b6-bcc8-8cf7d8e8002d', 'webhook', 0, 1, '2026-11-30 12:54:13.093357+00', '2026-11-30 12:54:13.093357+00', '2026-11-30T12:54:13.093357Z', 0, 0, NULL, NULL, NULL, NULL, NULL, 6, 6, NULL, NULL, 0, '2026-11-30 12:54:13.09736+00', 0, 0, NULL, 'slowly-1', true, NULL, 4, 9841000000, 0, false, 0, 0, '4zyg7dpl admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22c85-255c-77f3-850f-eac8aee97d0a', 'webhook', 2, 1, '2026-11-30 12:54:13.084497+00', '2026-11-30 12:54:13.084497+00', '2026-11-30T12:54:13.084497Z', 1, 0, NULL, NULL, '2026-11-30 12:54:13.115343+00', '2026-11-30 12:54:13.119662+00', NULL, 6, NULL, NULL, NULL, 0, '2026-11-30 12:54:13.08689+00', 2, 0, NULL, 'slowly-0', true, NULL, 4, 9841000000, 0, false, 0, 0, '4zyg7dpl admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22c85-2590-7bef-8b92-078203bb1b61', 'webhook', 0, 1, '2026-11-30 12:54:13.136746+00', '2026-11-30 12:54:13.136746+00', '2026-11-30T12:54:13.136746Z', 0, 0, NULL, NULL, NULL, NULL, NULL, 7, 7, NULL, NULL, 0, '2026-11-30 12:54:13.13931+00', 0, 0, NULL, 'held', true, NULL, NULL, 9841000000, 0, false, 0, 0, '4zyg7dpl admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22c85-2d9a-7472-9e41-a99958723d66', 'job', 5, 3, '2026-11-30 12:54:15.194278+00', '2026-11-30 12:54:15.194278+00', '2026-11-30T12:54:15.194278Z', 1, 0, 7785819586165355528, '8995e31b-4969-4567-b151-6362c1ddd3a3', '2026-11-30 12:54:15.209577+00', NULL, NULL, 5, 5, NULL, NULL, 0, '2026-11-30 12:54:15.197112+00', 1, 0, NULL, 'claimed', true, NULL, NULL, 9841000000, 0, false, 0, 0, '4zyg7dpl admin', NULL, NULL, NULL, '2026-12-01 12:54:15.209577+00', 5, NULL, '1 day', NULL, NULL, NULL, NULL, NULL),
	('01a22c85-2dbd-7a6e-835c-9b8a1d3ea5f4', 'webhook', 5, 1, '2026-11-30 12:54:15.229652+00', '2026-11-30 12:54:15.229652+00', '2026-11-30T12:54:15.229652Z', 1, 0, 1594773939038186259, NULL, '2026-11-30 12:54:15.239995+00', NULL, NULL, 4, NULL, NULL, NULL, 0, '2026-11-30 12:54:15.234933+00', 2, 0, NULL, 'accepted', true, NULL, NULL, 9841000000, 0, false, 0, 0, '4zyg7dpl admin', NULL, NULL, NULL, '2026-12-30 12:54:15.241413+00', 4, '{"attempt" : 1, "at" : 1796043255261538, "progress" : 0.3, "msg" : "page 3 of 10"}', NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22c85-2628-7599-85cf-53e17b5d0278', 'webhook', 0, 1, '2026-11-30 12:54:26.435186+00', '2026-11-30 12:54:13.28835+00', '2026-11-30T12:54:13.288350Z', 1, 0, NULL, NULL, '2026-11-30 12:54:25.367234+00', NULL, '{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"}', 8, NULL, NULL, NULL, 0, '2026-11-30 12:54:13.29182+00', 2, 0, NULL, 'behind-a-circuit', true, NULL, NULL, 9841000000, 1000000, false, 10350537, 0, '4zyg7dpl admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22c85-2595-7a7e-b979-64fa73e69970', 'webhook', 3, 1, '2026-11-30 12:54:13.141656+00', '2026-11-30 12:54:13.141656+00', '2026-11-30T12:54:13.141656Z', 1, 0, NULL, NULL, '2026-11-30 12:54:13.153655+00', '2026-11-30 12:54:13.156137+00', '{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"}', 8, NULL, NULL, NULL, 0, '2026-11-30 12:54:13.149814+00', 2, 0, NULL, NULL, false, NULL, NULL, 0, 0, false, 0, 0, '4zyg7dpl admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22c85-25a2-797c-8152-51323335762e', 'webhook', 3, 1, '2026-11-30 12:54:13.154593+00', '2026-11-30 12:54:13.154593+00', '2026-11-30T12:54:13.154593Z', 1, 0, NULL, NULL, '2026-11-30 12:54:13.167503+00', '2026-11-30 12:54:13.168249+00', '{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"}', 8, NULL, NULL, NULL, 0, '2026-11-30 12:54:13.154984+00', 2, 0, NULL, NULL, false, NULL, NULL, 0, 0, false, 0, 0, '4zyg7dpl admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22c85-25ab-7f16-adbd-80fcccef9cdb', 'webhook', 3, 1, '2026-11-30 12:54:13.163943+00', '2026-11-30 12:54:13.163943+00', '2026-11-30T12:54:13.163943Z', 1, 0, NULL, NULL, '2026-11-30 12:54:13.175605+00', '2026-11-30 12:54:13.17833+00', '{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"}', 8, NULL, NULL, NULL, 0, '2026-11-30 12:54:13.167071+00', 2, 0, NULL, NULL, false, NULL, NULL, 0, 0, false, 0, 0, '4zyg7dpl admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22c85-25b8-740c-8ffb-071774816bcf', 'webhook', 3, 1, '2026-11-30 12:54:13.176253+00', '2026-11-30 12:54:13.176253+00', '2026-11-30T12:54:13.176253Z', 1, 0, NULL, NULL, '2026-11-30 12:54:13.192093+00', '2026-11-30 12:54:13.19625+00', '{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"}', 8, NULL, NULL, NULL, 0, '2026-11-30 12:54:13.176679+00', 2, 0, NULL, NULL, false, NULL, NULL, 0, 0, false, 0, 0, '4zyg7dpl admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22c85-25c2-7e24-92b0-52d7098f258f', 'webhook', 3, 1, '2026-11-30 12:54:13.186884+00', '2026-11-30 12:54:13.186884+00', '2026-11-30T12:54:13.186884Z', 1, 0, NULL, NULL, '2026-11-30 12:54:13.197304+00', '2026-11-30 12:54:13.199715+00', '{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"}', 8, NULL, NULL, NULL, 0, '2026-11-30 12:54:13.188647+00', 2, 0, NULL, NULL, false, NULL, NULL, 0, 0, false, 0, 0, '4zyg7dpl admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22c85-25ce-711e-843b-958725d0157a', 'webhook', 3, 1, '2026-11-30 12:54:13.19807+00', '2026-11-30 12:54:13.19807+00', '2026-11-30T12:54:13.198070Z', 1, 0, NULL, NULL, '2026-11-30 12:54:13.207422+00', '2026-11-30 12:54:13.209117+00', '{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"}', 8, NULL, NULL, NULL, 0, '2026-11-30 12:54:13.198859+00', 2, 0, NULL, NULL, false, NULL, NULL, 0, 0, false, 0, 0, '4zyg7dpl admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22c85-25d4-7e31-adda-f2c36395dae7', 'webhook', 3, 1, '2026-11-30 12:54:13.204887+00', '2026-11-30 12:54:13.204887+00', '2026-11-30T12:54:13.204887Z', 1, 0, NULL, NULL, '2026-11-30 12:54:13.2125+00', '2026-11-30 12:54:13.21606+00', '{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"}', 8, NULL, NULL, NULL, 0, '2026-11-30 12:54:13.206642+00', 2, 0, NULL, NULL, false, NULL, NULL, 0, 0, false, 0, 0, '4zyg7dpl admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22c85-25dd-76d9-a4be-35cf1efadcfb', 'webhook', 3, 1, '2026-11-30 12:54:13.213428+00', '2026-11-30 12:54:13.213428+00', '2026-11-30T12:54:13.213428Z', 1, 0, NULL, NULL, '2026-11-30 12:54:13.219289+00', '2026-11-30 12:54:13.220176+00', '{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"}', 8, NULL, NULL, NULL, 0, '2026-11-30 12:54:13.214295+00', 2, 0, NULL, NULL, false, NULL, NULL, 0, 0, false, 0, 0, '4zyg7dpl admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22c85-25e5-76c4-97cc-33f483f138b3', 'webhook', 3, 1, '2026-11-30 12:54:13.221423+00', '2026-11-30 12:54:13.221423+00', '2026-11-30T12:54:13.221423Z', 1, 0, NULL, NULL, '2026-11-30 12:54:13.226136+00', '2026-11-30 12:54:13.227791+00', '{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"}', 8, NULL, NULL, NULL, 0, '2026-11-30 12:54:13.222359+00', 2, 0, NULL, NULL, false, NULL, NULL, 0, 0, false, 0, 0, '4zyg7dpl admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22c85-25ea-74ed-8aef-352a1e5a8996', 'webhook', 3, 1, '2026-11-30 12:54:13.226308+00', '2026-11-30 12:54:13.226308+00', '2026-11-30T12:54:13.226308Z', 1, 0, NULL, NULL, '2026-11-30 12:54:13.231619+00', '2026-11-30 12:54:13.23251+00', '{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"}', 8, NULL, NULL, NULL, 0, '2026-11-30 12:54:13.227198+00', 2, 0, NULL, NULL, false, NULL, NULL, 0, 0, false, 0, 0, '4zyg7dpl admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22c85-2633-73ce-a65b-fab9810ab37c', 'webhook', 0, 1, '2126-02-11 00:00:12.313454+00', '2126-02-11 00:00:12.313454+00', '2126-02-11T09:00:12.313454+09:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 4, NULL, '2126-02-11 00:30:12.313454+00', NULL, 0, '2026-11-30 12:54:13.314317+00', 0, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, '4zyg7dpl admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'weekdays', '2126-02-11 00:00:00+00', 0, NULL, NULL),
	('01a22c85-2666-77df-acfe-ab6f398ac36a', 'webhook', 2, 1, '2026-11-30 12:54:13.350492+00', '2026-11-30 12:54:13.350492+00', '2026-11-30T21:54:13.350492+09:00', 1, 0, NULL, NULL, '2026-11-30 12:54:13.380484+00', '2026-11-30 12:54:13.385937+00', NULL, 4, NULL, '2026-11-30 13:24:13.350492+00', NULL, 0, '2026-11-30 12:54:13.355246+00', 2, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, '4zyg7dpl admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'weekdays', '2026-11-30 12:54:13.350473+00', 1, 1, NULL),
	('01a22c85-2673-7ae5-992e-4c692e6d1e33', 'hash', 2, 2, '2026-11-30 12:54:14+00', '2026-11-30 12:54:14+00', '2026-11-30T12:54:14+00:00', 1, 0, NULL, NULL, '2026-11-30 12:54:14.011975+00', '2026-11-30 12:54:14.238545+00', NULL, 3, NULL, NULL, NULL, 0, '2026-11-30 12:54:13.372017+00', 2, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, '4zyg7dpl admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'ended', '2026-11-30 12:54:14+00', 0, 1, NULL),
	('01a22c85-2d27-7283-b3ae-36cfa857221b', 'webhook', 0, 1, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 1, NULL, NULL, NULL, 0, '2026-11-30 12:54:15.07984+00', 0, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, '4zyg7dpl admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22c85-2d23-7b26-9d24-ecf5fa07cbeb', 'webhook', 4, 1, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, '2026-11-30 12:54:15.101583+00', NULL, 1, NULL, NULL, NULL, 0, '2026-11-30 12:54:15.076235+00', 1, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, '4zyg7dpl admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22c85-2d8f-75ca-a558-ae39062ac9dc', 'job', 0, 3, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 5, 5, NULL, NULL, 0, '2026-11-30 12:54:15.187183+00', 0, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, '4zyg7dpl admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22c85-28f4-7e39-9171-a1b049ab527f', 'hash', 2, 2, '2026-11-30 12:54:15+00', '2026-11-30 12:54:15+00', '2026-11-30T12:54:15+00:00', 1, 0, NULL, NULL, '2026-11-30 12:54:15.026593+00', '2026-11-30 12:54:15.244827+00', NULL, 3, NULL, NULL, NULL, 0, '2026-11-30 12:54:14.035876+00', 2, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, '4zyg7dpl admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'ended', '2026-11-30 12:54:15+00', 0, 1, NULL),
	('01a22c85-5501-7ce5-a586-aa09ba1a23c6', 'webhook', 1, 1, '2026-11-30 12:54:25.281806+00', '2026-11-30 12:54:25.281806+00', '2026-11-30T12:54:25.281806Z', 1, 0, 1696936956068853118, 'd2c92a9f-dcd4-4dcb-840a-514af452729e', '2026-11-30 12:54:25.404064+00', NULL, NULL, 4, NULL, NULL, NULL, 0, '2026-11-30 12:54:25.346145+00', 1, 0, NULL, 'running', true, NULL, NULL, 9841000000, 0, false, 69911, 0, '4zyg7dpl admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22c85-5584-7839-a3bb-4928f6debbf0', 'webhook', 0, 1, '2026-11-30 12:54:25.412514+00', '2026-11-30 12:54:25.412514+00', '2026-11-30T12:54:25.412514Z', 0, 0, NULL, NULL, NULL, NULL, NULL, 4, NULL, NULL, NULL, 0, '2026-11-30 12:54:25.417601+00', 0, 0, NULL, 'has-no-slot', true, NULL, NULL, 9841000000, 0, false, 0, 0, '4zyg7dpl admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);

INSERT INTO public.tasker_inbox VALUES
	('d96f0a8b-9fb3-47d4-bbb3-acfd5e0d440f', '{"webhook": {"url": "http://hooks.example.org", "bodi": "x", "delay": "1h"}}', 'webhook.bodi: expected one of retry, expires_at, on_success, on_failure, on_cancel, tags, group, traceparent, keep, url, method, headers, body, json, body_base64, timeout, success, completion, execution_time, delay, local_time, time_zone, id, key, on_conflict, max_wait, got a name that is unknown here', '2026-11-30 12:54:15.314914+00');

INSERT INTO public.tasker_schema VALUES
	(4, 4);

INSERT INTO public.template VALUES
	('weekdays', '\x7b2274797065223a22776562686f6f6b222c22706f6f6c223a312c227061796c6f6164223a7b2275726c223a22687474703a2f2f3132372e302e302e313a33333932352f7265706f7274222c22626f6479223a2278227d2c2264657374696e6174696f6e223a7b226b696e64223a302c226e616d65223a22687474703a2f2f3132372e302e302e313a3333393235227d2c2270617469656e6365223a393834313030303030302c22657870697265735f6166746572223a313830303030303030307d'),
	('paused', '\x7b2274797065223a22776562686f6f6b222c22706f6f6c223a312c227061796c6f6164223a7b2275726c223a22687474703a2f2f3132372e302e302e313a33333932352f7265706f7274222c22626f6479223a2278227d2c2264657374696e6174696f6e223a7b226b696e64223a302c226e616d65223a22687474703a2f2f3132372e302e302e313a3333393235227d2c2270617469656e6365223a393834313030303030302c22657870697265735f6166746572223a313830303030303030307d'),
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

ALTER TABLE ONLY public.mark
    ADD CONSTRAINT mark_pkey PRIMARY KEY (one);

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

CREATE INDEX task_ended_kept ON public.task USING btree (state, ended_at, id) WHERE ((ended_at IS NOT NULL) AND (keep IS NOT NULL));

CREATE INDEX task_expiring ON public.task USING btree (expires_at) WHERE ((state = 0) AND (expires_at IS NOT NULL));

CREATE INDEX task_going_on ON public.task USING btree (schedule) WHERE ((admission = 1) AND (state = ANY (ARRAY[0, 1, 5])));

CREATE INDEX task_held ON public.task USING btree (pool, held_by, due_at, id) WHERE ((state = 0) AND (held_by IS NOT NULL));

CREATE INDEX task_kept ON public.task USING btree ((((ended_at AT TIME ZONE 'UTC'::text) + ((keep)::double precision * '00:00:00.000001'::interval)))) WHERE ((ended_at IS NOT NULL) AND (keep >= 0));

CREATE INDEX task_key ON public.task USING btree (key COLLATE "C", id) WHERE (key IS NOT NULL);

CREATE UNIQUE INDEX task_key_holder ON public.task USING btree (key) WHERE ((key IS NOT NULL) AND holds_key AND (state = ANY (ARRAY[0, 1, 5])));

CREATE INDEX task_lease ON public.task USING btree (deadline) WHERE ((deadline IS NOT NULL) AND (pool = 3));

CREATE INDEX task_listed ON public.task USING btree (type, state, execution_at, id) WHERE ((- state) < 0);

CREATE INDEX task_parent ON public.task USING btree (parent_id, id) WHERE (parent_id IS NOT NULL);

CREATE INDEX task_patience ON public.task USING btree (held_by, ((patience - waited)), due_at) WHERE ((state = 0) AND (held_by IS NOT NULL) AND (pool <> 3));

CREATE INDEX task_put_off ON public.task USING btree (pool, execution_at, id) WHERE (((- state) = 0) AND ((due_at <> execution_at) OR (held_by IS NOT NULL)));

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

