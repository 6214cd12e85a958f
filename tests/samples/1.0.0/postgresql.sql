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
	(1, 6, true, '\x5137bda859924a218e7782e8173c1af2');

INSERT INTO public.alert_book VALUES
	(1, '2256aafe-a5e2-4962-b4f5-e8a6f157a91e', '2026-11-30 04:45:47.919536+00', 2, '{"late":{"lasting":{"":{"id":"","name":"tasks","since":1796013922972694,"facts":{"overdue":1,"oldest_due_at":"2026-11-30T04:45:22.972694Z"},"note":"1 overdue, the oldest due at 2026-11-30T04:45:22Z"}},"message":null,"sent_at":1796013927918518}}');

INSERT INTO public.api_key VALUES
	('saxkvx31', 'grafana', 'read', '', '\x34aae4a289c1a72640935df9f12868c86920d5de34329985fae3f1c837f1330b', '2026-11-30 04:45:00.72928+00', '2126-02-10 15:30:00+00', NULL),
	('16l6xu9x', 'admin', 'admin', '', '\xfcafdc4f3f28b7623ec588893fa313ee706f8df44e9a7ba2d813fdcfb8ce65ef', '2026-11-30 04:45:00.679563+00', NULL, '2026-11-30 04:45:00+00'),
	('yv878gnz', 'worker', NULL, 'queues:work:reports tasks:read', '\x4378e46ea093cde5b5821d760c4c5da875792942159611fdba615ef92b8f9f0c', '2026-11-30 04:45:00.76999+00', NULL, NULL);

INSERT INTO public.attempt VALUES
	('01a22ac5-45ce-7f02-8819-eaf0ee6d91f0', 1, '{"number":1,"node":"63136861-5733-4c1c-930a-e769d88ce748","due_at":1796013901262938,"started_at":1796013901345732,"ended_at":1796013901381498,"exchange":{"phases":{"dns":null,"connect":0.015387,"first_byte":0.004492,"total":0.051404},"status":200,"headers":{"content-length":"0"}}}'),
	('01a22ac5-4601-78e5-8b7a-4ed9862ed7e3', 1, '{"number":1,"node":"63136861-5733-4c1c-930a-e769d88ce748","due_at":1796013901313556,"started_at":1796013901397851,"ended_at":1796013901416158,"fault":{"code":"status_404","msg":"the target answered 404 Not Found","fingerprint":"af5c1b62c3bf5666"},"exchange":{"phases":{"dns":null,"connect":null,"first_byte":0.012939,"total":0.01835},"status":404,"headers":{"content-length":"0"}}}'),
	('01a22ac5-46db-76ed-a6e0-971495c109f4', 1, '{"number":1,"node":"63136861-5733-4c1c-930a-e769d88ce748","due_at":1796013901531433,"started_at":1796013901605518,"ended_at":1796013901619502,"fault":{"code":"status_410","msg":"the target answered 410 Gone","fingerprint":"9e0e17755e208de1"},"exchange":{"phases":{"dns":null,"connect":null,"first_byte":0.01034,"total":0.012916},"status":410,"headers":{"content-length":"0"}}}'),
	('01a22ac5-46b9-77a9-98ff-2285e4acd500', 1, '{"number":1,"node":"63136861-5733-4c1c-930a-e769d88ce748","due_at":1796013901497479,"started_at":1796013901705770,"ended_at":1796013901706200,"exchange":{"phases":{"dns":null,"connect":null,"first_byte":0.000313,"total":0.000546},"status":200,"headers":{"content-length":"0"}}}'),
	('01a22ac5-4762-7502-9786-15d987ace5d6', 1, '{"number":1,"node":"63136861-5733-4c1c-930a-e769d88ce748","due_at":1796013901666313,"started_at":1796013901763306,"ended_at":1796013901765616,"exchange":{"phases":{"dns":null,"connect":null,"first_byte":0.00212,"total":0.002302},"status":200,"headers":{"content-length":"0"}}}'),
	('01a22ac5-45e7-70e5-a49d-5ed8840a4eb0', 1, '{"number":1,"node":"63136861-5733-4c1c-930a-e769d88ce748","due_at":1796013901287056,"started_at":1796013901387769,"ended_at":1796013902298908}'),
	('01a22ac5-46db-76ed-a6e0-971495c109f4', 2, '{"number":2,"node":"63136861-5733-4c1c-930a-e769d88ce748","due_at":1796013902346773,"started_at":1796013902359227,"ended_at":1796013902373030,"fault":{"code":"status_410","msg":"the target answered 410 Gone","fingerprint":"9e0e17755e208de1"},"exchange":{"phases":{"dns":null,"connect":null,"first_byte":0.010862,"total":0.013784},"status":410,"headers":{"content-length":"0"}}}'),
	('01a22ac5-4a80-78e5-8d74-510d77e4a566', 1, '{"number":1,"node":"63136861-5733-4c1c-930a-e769d88ce748","due_at":1796013902464556,"started_at":1796013902486767,"ended_at":1796013902487307,"fault":{"code":"status_503","msg":"the target answered 503 Service Unavailable","fingerprint":"80adf5ba63aff478"},"exchange":{"phases":{"dns":null,"connect":null,"first_byte":0.000368,"total":0.00064},"status":503,"headers":{"content-length":"0"}}}'),
	('01a22ac5-4b41-75a9-be39-fc0492ed3eec', 1, '{"number":1,"node":"63136861-5733-4c1c-930a-e769d88ce748","due_at":1796013902657354,"started_at":1796013902802405,"ended_at":1796013902805272,"exchange":{"phases":{"dns":null,"connect":null,"first_byte":0.002698,"total":0.002999},"status":200,"headers":{"content-length":"0"}}}'),
	('01a22ac5-4c0b-7916-a614-01d59d8e4b76', 1, '{"number":1,"node":"63136861-5733-4c1c-930a-e769d88ce748","due_at":1796013902859568,"started_at":1796013902879300,"ended_at":1796013902880373,"fault":{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"},"exchange":{"phases":{"dns":null,"connect":0.000549,"first_byte":null,"total":0.000886}}}'),
	('01a22ac5-4c1e-7ae1-90e9-4e5d54833e73', 1, '{"number":1,"node":"63136861-5733-4c1c-930a-e769d88ce748","due_at":1796013902878680,"started_at":1796013902896976,"ended_at":1796013902903659,"fault":{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"},"exchange":{"phases":{"dns":null,"connect":0.006239,"first_byte":null,"total":0.006416}}}'),
	('01a22ac5-4c2a-7706-8f4d-17f7a318419b', 1, '{"number":1,"node":"63136861-5733-4c1c-930a-e769d88ce748","due_at":1796013902890439,"started_at":1796013902904915,"ended_at":1796013902905516,"fault":{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"},"exchange":{"phases":{"dns":null,"connect":0.000253,"first_byte":null,"total":0.000428}}}'),
	('01a22ac5-4c37-7791-9022-f63246a178a2', 1, '{"number":1,"node":"63136861-5733-4c1c-930a-e769d88ce748","due_at":1796013902903473,"started_at":1796013902920771,"ended_at":1796013902921268,"fault":{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"},"exchange":{"phases":{"dns":null,"connect":0.000219,"first_byte":null,"total":0.000387}}}'),
	('01a22ac5-4c47-7322-818b-9184ed272fb3', 1, '{"number":1,"node":"63136861-5733-4c1c-930a-e769d88ce748","due_at":1796013902919196,"started_at":1796013902934654,"ended_at":1796013902936971,"fault":{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"},"exchange":{"phases":{"dns":null,"connect":0.002035,"first_byte":null,"total":0.002201}}}'),
	('01a22ac5-4c55-75df-baa8-db014b1ac2dd', 1, '{"number":1,"node":"63136861-5733-4c1c-930a-e769d88ce748","due_at":1796013902933367,"started_at":1796013902943314,"ended_at":1796013902943762,"fault":{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"},"exchange":{"phases":{"dns":null,"connect":0.000185,"first_byte":null,"total":0.00035}}}'),
	('01a22ac5-4c5e-78e9-b32c-bd01c8b93192', 1, '{"number":1,"node":"63136861-5733-4c1c-930a-e769d88ce748","due_at":1796013902942557,"started_at":1796013902950899,"ended_at":1796013902951813,"fault":{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"},"exchange":{"phases":{"dns":null,"connect":0.000575,"first_byte":null,"total":0.000722}}}'),
	('01a22ac5-4c64-7da1-a354-daaff137c651', 1, '{"number":1,"node":"63136861-5733-4c1c-930a-e769d88ce748","due_at":1796013902948852,"started_at":1796013902954775,"ended_at":1796013902955178,"fault":{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"},"exchange":{"phases":{"dns":null,"connect":0.000193,"first_byte":null,"total":0.000315}}}'),
	('01a22ac5-4c69-76c8-b11b-96902d163197', 1, '{"number":1,"node":"63136861-5733-4c1c-930a-e769d88ce748","due_at":1796013902953424,"started_at":1796013902967713,"ended_at":1796013902970462,"fault":{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"},"exchange":{"phases":{"dns":null,"connect":0.002519,"first_byte":null,"total":0.002652}}}'),
	('01a22ac5-4c76-7ba5-9812-3a0a2db51ef2', 1, '{"number":1,"node":"63136861-5733-4c1c-930a-e769d88ce748","due_at":1796013902966728,"started_at":1796013902975072,"ended_at":1796013902977416,"fault":{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"},"exchange":{"phases":{"dns":null,"connect":0.002072,"first_byte":null,"total":0.002193}}}'),
	('01a22ac5-4d36-7fbe-892a-8f4ac0938979', 1, '{"number":1,"node":"63136861-5733-4c1c-930a-e769d88ce748","due_at":1796013903158984,"started_at":1796013903207512,"ended_at":1796013903210747,"exchange":{"phases":{"dns":null,"connect":null,"first_byte":0.003101,"total":0.003334},"status":200,"headers":{"content-length":"0"}}}'),
	('01a22ac5-4d4a-7a14-a111-dd49d8ecbf16', 1, '{"number":1,"node":"63136861-5733-4c1c-930a-e769d88ce748","due_at":1796013904000000,"started_at":1796013904010847,"ended_at":1796013904429134}'),
	('01a22ac5-56b6-79e7-911b-70183ff01db3', 1, '{"number":1,"node":"63136861-5733-4c1c-930a-e769d88ce748","due_at":1796013905590619,"started_at":1796013905630501,"ended_at":null,"exchange":{"phases":{"dns":null,"connect":null,"first_byte":0.019712,"total":0.022349},"status":202,"headers":{"content-length":"0"}}}'),
	('01a22ac5-5086-7be7-93db-22e4481cb5df', 1, '{"number":1,"node":"63136861-5733-4c1c-930a-e769d88ce748","due_at":1796013905000000,"started_at":1796013905078468,"ended_at":1796013906121263}'),
	('01a22ac5-4cc6-7a9f-a93f-8f2eeb289245', 1, '{"number":1,"node":"2256aafe-a5e2-4962-b4f5-e8a6f157a91e","due_at":1796013903046664,"started_at":1796013922837887,"ended_at":1796013922845219,"late_down":17803881,"late_held":1960160,"fault":{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"},"exchange":{"phases":{"dns":null,"connect":0.00671,"first_byte":null,"total":0.007033}}}');

INSERT INTO public.audit OVERRIDING SYSTEM VALUE VALUES
	(1, '2026-11-30 04:45:00.692047+00', 'local', 'local', 'create', 'key', '16l6xu9x', 'admin', '{"role":{"after":"admin"}}'),
	(2, '2026-11-30 04:45:00.729719+00', '16l6xu9x', 'admin', 'create', 'key', 'saxkvx31', 'grafana', '{"role":{"after":"read"},"expires_at":{"after":"2126-02-10T15:30:00.000000Z"}}'),
	(3, '2026-11-30 04:45:00.770771+00', '16l6xu9x', 'admin', 'create', 'key', 'yv878gnz', 'worker', '{"scopes":{"after":["queues:work:reports","tasks:read"]}}'),
	(4, '2026-11-30 04:45:00.792412+00', '16l6xu9x', 'admin', 'create', 'key', 'v1qak86a', 'revoked', '{"role":{"after":"write"}}'),
	(5, '2026-11-30 04:45:00.837509+00', '16l6xu9x', 'admin', 'revoke', 'key', 'v1qak86a', 'revoked', NULL),
	(6, '2026-11-30 04:45:01.052094+00', '16l6xu9x', 'admin', 'change', 'task', '01a22ac5-44e1-7974-b207-d1bfc072fd85', NULL, '{"body":{},"tags":{"after":["changed"]}}'),
	(7, '2026-11-30 04:45:01.084297+00', '16l6xu9x', 'admin', 'delete', 'task', '01a22ac5-4505-7eac-95b2-001a8e6aaf5c', NULL, '{"type":{"before":"webhook"},"execution_time":{"before":"2126-02-10T16:30:00+01:00"}}'),
	(8, '2026-11-30 04:45:01.470508+00', '16l6xu9x', 'admin', 'cancel', 'task', '01a22ac5-461f-77be-81f6-cececae3c9a0', NULL, NULL),
	(9, '2026-11-30 04:45:02.351643+00', '16l6xu9x', 'admin', 'retry', 'task', '01a22ac5-46db-76ed-a6e0-971495c109f4', NULL, NULL),
	(10, '2026-11-30 04:45:02.562572+00', '16l6xu9x', 'admin', 'limit', 'destination', '5', 'reports', '{"max_running":{"before":null,"after":2}}'),
	(11, '2026-11-30 04:45:02.630642+00', '16l6xu9x', 'admin', 'limit', 'destination', '6', 'slow', '{"max_per_second":{"before":null,"after":0.001}}'),
	(12, '2026-11-30 04:45:02.829796+00', '16l6xu9x', 'admin', 'pause', 'destination', '7', 'http://127.0.0.1:9', NULL),
	(13, '2026-11-30 04:45:02.991976+00', 'tasker', 'tasker', 'circuit_opened', 'destination', '8', 'http://127.0.0.1:1', '{"open_until":{"after":"2026-11-30T04:45:07.985384Z"}}'),
	(14, '2026-11-30 04:45:03.106203+00', '16l6xu9x', 'admin', 'create', 'schedule', 'weekdays', NULL, '{"cron":{"after":"0 9 * * MON-FRI"},"time_zone":{"after":"Asia/Tokyo"},"starts_at":{"after":"2126-02-10T15:30:00.000000Z"},"ends_at":{"after":"2127-01-01T00:00:00.000000Z"},"jitter":{"after":"5m"},"overlap":{"after":"queue"},"missed":{"after":"all"},"missed_within":{"after":"1d"},"tags":{"after":["report"]},"paused":{"after":false},"task.webhook.url":{"after":"http://127.0.0.1:44947/report"},"task.webhook.body":{},"task.webhook.expires_at":{"after":"30m"}}'),
	(15, '2026-11-30 04:45:03.137499+00', '16l6xu9x', 'admin', 'create', 'schedule', 'paused', NULL, '{"cron":{"after":"0 9 * * MON-FRI"},"time_zone":{"after":"Asia/Tokyo"},"starts_at":{"after":"2126-02-10T15:30:00.000000Z"},"overlap":{"after":"skip"},"missed":{"after":"once"},"missed_within":{"after":"1d"},"paused":{"after":true},"task.webhook.url":{"after":"http://127.0.0.1:44947/report"},"task.webhook.body":{},"task.webhook.expires_at":{"after":"30m"}}'),
	(16, '2026-11-30 04:45:03.170073+00', '16l6xu9x', 'admin', 'run', 'schedule', 'weekdays', NULL, NULL),
	(17, '2026-11-30 04:45:03.183121+00', '16l6xu9x', 'admin', 'create', 'schedule', 'ended', NULL, '{"every":{"after":"1s"},"overlap":{"after":"skip"},"missed":{"after":"once"},"missed_within":{"after":"1d"},"max_runs":{"after":2},"paused":{"after":false},"task.hash.secret":{"after":"***"}}'),
	(18, '2026-11-30 04:45:05.266819+00', '16l6xu9x', 'admin', 'begin', 'operation', '01a22ac5-5567-7d02-8fd6-0582163b0b10', NULL, '{"action":{"after":"cancel"},"filter":{"after":{"tag":["operated"]}}}'),
	(19, '2026-11-30 04:45:05.703413+00', '16l6xu9x', 'admin', 'pause', 'server', '', NULL, NULL),
	(20, '2026-11-30 04:45:05.832115+00', '16l6xu9x', 'admin', 'resume', 'server', '', NULL, NULL),
	(21, '2026-11-30 04:45:05.871184+00', '16l6xu9x', 'admin', 'sign_in', 'key', '16l6xu9x', 'admin', NULL),
	(22, '2026-11-30 04:45:22.929881+00', 'tasker', 'tasker', 'circuit_probed', 'destination', '8', 'http://127.0.0.1:1', '{"open_until":{"after":"2026-11-30T04:45:32.906193Z"}}');

INSERT INTO public.completion_key VALUES
	(1, '\x04b8b441c4804d17b67df2307347811672fc70ff77d5445c8daad453753fb6b1');

INSERT INTO public.down VALUES
	('2026-11-30 04:45:05.006824+00', '2026-11-30 04:45:22.810705+00');

INSERT INTO public.gate OVERRIDING SYSTEM VALUE VALUES
	(1, 0, 'http://hooks.example.org:80', false, NULL, 0, '1970-01-01 00:00:00+00', NULL, 1, '1970-01-01 00:00:00+00', NULL, NULL, 0),
	(2, 2, 'customer-42', false, NULL, 0, '1970-01-01 00:00:00+00', NULL, 1, '1970-01-01 00:00:00+00', NULL, NULL, 0),
	(3, 1, 'hash', false, NULL, 0, '1970-01-01 00:00:00+00', NULL, 1, '1970-01-01 00:00:00+00', NULL, NULL, 0),
	(5, 3, 'reports', false, 2, 0, '1970-01-01 00:00:00+00', NULL, 1, '1970-01-01 00:00:00+00', NULL, NULL, 0),
	(6, 2, 'slow', false, NULL, 0, '1970-01-01 00:00:00+00', 0.001, 1, '2026-11-30 05:01:42.779888+00', NULL, NULL, 0),
	(4, 0, 'http://127.0.0.1:44947', false, NULL, 0, '1970-01-01 00:00:00+00', NULL, 1, '1970-01-01 00:00:00+00', NULL, NULL, 0),
	(7, 0, 'http://127.0.0.1:9', true, NULL, 0, '1970-01-01 00:00:00+00', NULL, 1, '1970-01-01 00:00:00+00', NULL, NULL, 0),
	(8, 0, 'http://127.0.0.1:1', false, NULL, 11, '2026-11-30 04:45:32.906193+00', NULL, 1, '1970-01-01 00:00:00+00', '2026-11-30 04:45:02.985384+00', NULL, 0);

INSERT INTO public.gate_queue VALUES
	(5, 3, '1970-01-01 00:00:00+00', 1, 0, '1970-01-01 00:00:00+00'),
	(6, 1, '2026-11-30 05:01:42.779888+00', 1, 2, NULL),
	(7, 1, '9999-12-31 23:59:59.999999+00', 0, 1, NULL),
	(8, 1, '2026-11-30 04:45:23.796732+00', 1, 1, NULL);

INSERT INTO public.history VALUES
	(60000000, '2026-11-30 04:45:00+00', '378b6086-b8a4-4074-b1d6-25023765dc3c', '{"created":{"webhook":30,"hash":5,"job":2},"attempts":{"succeeded":{"webhook":5,"hash":3},"retried":{"webhook":1},"failed":{"webhook":13}},"lateness":{"down":[24],"held":[24],"own":[0,0,0,0,0,0,4,9,2,6,3]},"lateness_sum":{"own":1187458},"destinations":{"4":{"succeeded":4,"retried":1,"failed":3},"3":{"succeeded":3},"6":{"succeeded":1},"8":{"failed":10}}}', '[{"code":"connect_refused","count":10,"first_at":1796013902880373,"last_at":1796013902977416,"fingerprint":"55e8b44ee5b1ce7c","type":"webhook","msg":"the target refuses connections","example":["01a22ac5-4c76-7ba5-9812-3a0a2db51ef2","the target refuses connections"]},{"code":"status_410","count":2,"first_at":1796013901619502,"last_at":1796013902373030,"fingerprint":"9e0e17755e208de1","type":"webhook","status":410,"msg":"the target answered # Gone","example":["01a22ac5-46db-76ed-a6e0-971495c109f4","the target answered 410 Gone"]},{"code":"status_503","count":1,"first_at":1796013902487307,"last_at":1796013902487307,"fingerprint":"80adf5ba63aff478","type":"webhook","status":503,"msg":"the target answered # Service Unavailable","example":["01a22ac5-4a80-78e5-8d74-510d77e4a566","the target answered 503 Service Unavailable"]},{"code":"status_404","count":1,"first_at":1796013901416158,"last_at":1796013901416158,"fingerprint":"af5c1b62c3bf5666","type":"webhook","status":404,"msg":"the target answered # Not Found","example":["01a22ac5-4601-78e5-8b7a-4ed9862ed7e3","the target answered 404 Not Found"]}]'),
	(3600000000, '2026-11-30 04:00:00+00', '378b6086-b8a4-4074-b1d6-25023765dc3c', '{"created":{"webhook":30,"hash":5,"job":2},"attempts":{"succeeded":{"webhook":5,"hash":3},"retried":{"webhook":1},"failed":{"webhook":13}},"lateness":{"down":[24],"held":[24],"own":[0,0,0,0,0,0,4,9,2,6,3]},"lateness_sum":{"own":1187458},"destinations":{"4":{"succeeded":4,"retried":1,"failed":3},"3":{"succeeded":3},"6":{"succeeded":1},"8":{"failed":10}}}', '[{"code":"connect_refused","count":10,"first_at":1796013902880373,"last_at":1796013902977416,"fingerprint":"55e8b44ee5b1ce7c","type":"webhook","msg":"the target refuses connections","example":["01a22ac5-4c76-7ba5-9812-3a0a2db51ef2","the target refuses connections"]},{"code":"status_410","count":2,"first_at":1796013901619502,"last_at":1796013902373030,"fingerprint":"9e0e17755e208de1","type":"webhook","status":410,"msg":"the target answered # Gone","example":["01a22ac5-46db-76ed-a6e0-971495c109f4","the target answered 410 Gone"]},{"code":"status_503","count":1,"first_at":1796013902487307,"last_at":1796013902487307,"fingerprint":"80adf5ba63aff478","type":"webhook","status":503,"msg":"the target answered # Service Unavailable","example":["01a22ac5-4a80-78e5-8d74-510d77e4a566","the target answered 503 Service Unavailable"]},{"code":"status_404","count":1,"first_at":1796013901416158,"last_at":1796013901416158,"fingerprint":"af5c1b62c3bf5666","type":"webhook","status":404,"msg":"the target answered # Not Found","example":["01a22ac5-4601-78e5-8b7a-4ed9862ed7e3","the target answered 404 Not Found"]}]');

INSERT INTO public.kept_answer VALUES
	('\xf6fe16dc27a610bdb064e409508cbc8e872d7d3b404331624945b4fcf24c0fe2', '\x712c04f1a4a7c69c1d1bd9a581b6e3c4231f07eb797951c3a80e5554960a04fc', '\x93ccc9c4967b227461736b73223a5b7b226964223a2230316132326163352d343534302d376331632d393766372d323537313530613336616632227d2c7b226964223a2230316132326163352d343534302d376530342d623363352d333333363734336232303963227d2c7b226964223a2230316132326163352d343534302d376539332d393065632d626335316434333262393466227d5d7d0aa0', '2126-02-11 15:30:00+00');

INSERT INTO public.node VALUES
	('63136861-5733-4c1c-930a-e769d88ce748', 'http://127.0.0.1:40979', '1.0.0', '2026-11-30 04:44:58.53754+00', '2026-11-30 04:45:06.163202+00', 4, '2026-11-30 04:45:05.006824+00', true),
	('2256aafe-a5e2-4962-b4f5-e8a6f157a91e', 'http://127.0.0.1:41827', '1.0.0', '2026-11-30 04:45:20.994788+00', '2026-11-30 04:45:52.684336+00', 4, '2026-11-30 04:45:27.004359+00', false);

INSERT INTO public.operation VALUES
	('01a22ac5-5567-7d02-8fd6-0582163b0b10', 'cancel', 1, false, '{"filter":{"tag":["operated"]}}', '2026-11-30 04:45:05.263026+00', '2026-11-30 04:45:05.369754+00', '63136861-5733-4c1c-930a-e769d88ce748', NULL, 1, 1, 0, '{}', '[]'),
	('01a22ac5-55ef-7147-b154-f33fb44957bd', 'cancel', 1, true, '{"filter":{"tag":["dry"]}}', '2026-11-30 04:45:05.462798+00', '2026-11-30 04:45:05.462798+00', NULL, NULL, 1, 1, 0, '{}', '[]');

INSERT INTO public.operation_task VALUES
	('01a22ac5-54ea-79ca-94b3-eed818c1c1c5', '01a22ac5-5567-7d02-8fd6-0582163b0b10', '2026-11-30 04:45:05.369054+00');

INSERT INTO public.pause VALUES
	('2026-11-30 04:45:05.70305+00', '2026-11-30 04:45:05.81437+00');

INSERT INTO public.payload VALUES
	('01a22ac5-4433-7a97-b9d0-8bb07aba679b', '\x7b227265747279223a7b226d61785f617474656d707473223a332c22696e697469616c5f64656c6179223a322e302c22666163746f72223a322e307d2c226f6e5f73756363657373223a22687474703a2f2f686f6f6b732e6578616d706c652e6f72672f646f6e65222c226f6e5f6661696c757265223a22687474703a2f2f686f6f6b732e6578616d706c652e6f72672f6661696c6564222c226f6e5f63616e63656c223a22687474703a2f2f686f6f6b732e6578616d706c652e6f72672f63616e63656c6c6564222c2274616773223a5b22637573746f6d65723a3432222c2270616964225d2c2267726f7570223a22637573746f6d65722d3432222c226b656570223a22666f7265766572222c2275726c223a22687474703a2f2f686f6f6b732e6578616d706c652e6f72672f686f6f6b222c226d6574686f64223a22505554222c2268656164657273223a7b22617574686f72697a6174696f6e223a2242656172657220736563726574222c22782d6f72646572223a223137227d2c22626f6479223a224ac3bc7267656e20f09f9880222c2274696d656f7574223a352e302c2273756363657373223a5b22327878222c3430345d7d', NULL, 0),
	('01a22ac5-44a0-753f-bc43-9b4688de886c', '\x7b2275726c223a22687474703a2f2f686f6f6b732e6578616d706c652e6f72672f6a736f6e222c226a736f6e223a7b226f72646572223a2031372c20226c696e6573223a205b312c20322e352c206e756c6c5d7d7d', NULL, 0),
	('01a22ac5-44af-7441-9c90-7b5ce58e4d14', '\x7b2275726c223a22687474703a2f2f686f6f6b732e6578616d706c652e6f72672f6279746573222c22626f64795f626173653634223a22414145432f773d3d227d', NULL, 0),
	('01a22ac5-44bc-7c51-b953-ceb7a1f7644c', '\x7b2275726c223a22687474703a2f2f686f6f6b732e6578616d706c652e6f72672f6c61726765222c22626f6479223a227979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979227d', NULL, 0),
	('01a22ac5-44cd-704d-b2fb-52f396ef5d83', '\x7b22736563726574223a22636f72726563742d686f7273652d626174746572792d737461706c65227d', NULL, 0),
	('01a22ac5-44da-7e6e-803b-20510a1ceef3', '\x7b226b656570223a22333064222c2275726c223a22687474703a2f2f686f6f6b732e6578616d706c652e6f72672f686f6f6b222c22626f6479223a2278227d', NULL, 0),
	('01a22ac5-44e1-7974-b207-d1bfc072fd85', '\x7b2274616773223a5b226368616e676564225d2c2275726c223a22687474703a2f2f686f6f6b732e6578616d706c652e6f72672f686f6f6b222c22626f6479223a226368616e676564227d', NULL, 1),
	('01a22ac5-4540-7c1c-97f7-257150a36af2', '\x7b22736563726574223a2278227d', NULL, 0),
	('01a22ac5-4540-7e04-b3c5-3336743b209c', '\x7b22736563726574223a2278227d', NULL, 0),
	('01a22ac5-4540-7e93-90ec-bc51d432b94f', '\x7b22736563726574223a2278227d', NULL, 0),
	('01a22ac5-45b1-738d-9a1e-096a430d415d', '\x7b2275726c223a22687474703a2f2f686f6f6b732e6578616d706c652e6f7267227d', NULL, 0),
	('01a22ac5-45ce-7f02-8819-eaf0ee6d91f0', '\x7b226f6e5f73756363657373223a22687474703a2f2f3132372e302e302e313a34343934372f746f6c64222c2274616773223a5b22656e646564225d2c2275726c223a22687474703a2f2f3132372e302e302e313a34343934372f646f6e65222c22626f6479223a2278227d', NULL, 0),
	('01a22ac5-4601-78e5-8b7a-4ed9862ed7e3', '\x7b227265747279223a7b226d61785f617474656d707473223a317d2c226f6e5f6661696c757265223a22687474703a2f2f3132372e302e302e313a34343934372f746f6c64222c2275726c223a22687474703a2f2f3132372e302e302e313a34343934372f7374617475732f343034222c22626f6479223a2278227d', NULL, 0),
	('01a22ac5-461f-77be-81f6-cececae3c9a0', '\x7b226b656570223a22666f7265766572222c2275726c223a22687474703a2f2f686f6f6b732e6578616d706c652e6f72672f686f6f6b222c22626f6479223a2278227d', NULL, 0),
	('01a22ac5-46db-76ed-a6e0-971495c109f4', '\x7b227265747279223a7b226d61785f617474656d707473223a317d2c2275726c223a22687474703a2f2f3132372e302e302e313a34343934372f7374617475732f343130222c22626f6479223a2278227d', NULL, 0),
	('01a22ac5-46b9-77a9-98ff-2285e4acd500', '\x7b2275726c223a22687474703a2f2f3132372e302e302e313a34343934372f746f6c64222c226a736f6e223a7b226964223a2230316132326163352d343563652d376630322d383831392d656166306565366439316630222c2274797065223a22776562686f6f6b222c227374617465223a22646f6e65222c22617474656d707473223a312c22737461747573223a3230302c226572726f72223a6e756c6c2c22726573756c74223a6e756c6c7d7d', NULL, 0),
	('01a22ac5-4762-7502-9786-15d987ace5d6', '\x7b2275726c223a22687474703a2f2f3132372e302e302e313a34343934372f746f6c64222c226a736f6e223a7b226964223a2230316132326163352d343630312d373865352d386237612d346564393836326564376533222c2274797065223a22776562686f6f6b222c227374617465223a226661696c6564222c22617474656d707473223a312c22737461747573223a3430342c226572726f72223a7b22636f6465223a227374617475735f343034222c226d7367223a227468652074617267657420616e73776572656420343034204e6f7420466f756e64222c2266696e6765727072696e74223a2261663563316236326333626635363636227d2c22726573756c74223a6e756c6c7d7d', NULL, 0),
	('01a22ac5-45e7-70e5-a49d-5ed8840a4eb0', '\x7b22736563726574223a22636f72726563742d686f7273652d626174746572792d737461706c65227d', '\x222470626b6466322d73686132353624693d3630303030302c6c3d3332245241364b2b6a72344b553734343870575a64536d7077246259756b4e4668536d47764a3477574b6143737857736d6f79504b446d686f664b4b685763506f5469754522', 0),
	('01a22ac5-4a80-78e5-8d74-510d77e4a566', '\x7b227265747279223a7b226d61785f617474656d707473223a392c22696e697469616c5f64656c6179223a38363430302e307d2c2275726c223a22687474703a2f2f3132372e302e302e313a34343934372f7374617475732f353033222c22626f6479223a2278227d', NULL, 0),
	('01a22ac5-4b41-75a9-be39-fc0492ed3eec', '\x7b2267726f7570223a22736c6f77222c2275726c223a22687474703a2f2f3132372e302e302e313a34343934372f736c6f776c79222c22626f6479223a2278227d', NULL, 0),
	('01a22ac5-4b9d-70ac-9ba9-a2fe07b70255', '\x7b2267726f7570223a22736c6f77222c2275726c223a22687474703a2f2f3132372e302e302e313a34343934372f736c6f776c79222c22626f6479223a2278227d', NULL, 0),
	('01a22ac5-4c00-7185-832a-1ba56be47aa2', '\x7b2275726c223a22687474703a2f2f3132372e302e302e313a392f68656c64227d', NULL, 0),
	('01a22ac5-4c0b-7916-a614-01d59d8e4b76', '\x7b227265747279223a7b226d61785f617474656d707473223a317d2c2275726c223a22687474703a2f2f3132372e302e302e313a312f64656164227d', NULL, 0),
	('01a22ac5-4c1e-7ae1-90e9-4e5d54833e73', '\x7b227265747279223a7b226d61785f617474656d707473223a317d2c2275726c223a22687474703a2f2f3132372e302e302e313a312f64656164227d', NULL, 0),
	('01a22ac5-4c2a-7706-8f4d-17f7a318419b', '\x7b227265747279223a7b226d61785f617474656d707473223a317d2c2275726c223a22687474703a2f2f3132372e302e302e313a312f64656164227d', NULL, 0),
	('01a22ac5-4c37-7791-9022-f63246a178a2', '\x7b227265747279223a7b226d61785f617474656d707473223a317d2c2275726c223a22687474703a2f2f3132372e302e302e313a312f64656164227d', NULL, 0),
	('01a22ac5-4c47-7322-818b-9184ed272fb3', '\x7b227265747279223a7b226d61785f617474656d707473223a317d2c2275726c223a22687474703a2f2f3132372e302e302e313a312f64656164227d', NULL, 0),
	('01a22ac5-4c55-75df-baa8-db014b1ac2dd', '\x7b227265747279223a7b226d61785f617474656d707473223a317d2c2275726c223a22687474703a2f2f3132372e302e302e313a312f64656164227d', NULL, 0),
	('01a22ac5-4c5e-78e9-b32c-bd01c8b93192', '\x7b227265747279223a7b226d61785f617474656d707473223a317d2c2275726c223a22687474703a2f2f3132372e302e302e313a312f64656164227d', NULL, 0),
	('01a22ac5-4c64-7da1-a354-daaff137c651', '\x7b227265747279223a7b226d61785f617474656d707473223a317d2c2275726c223a22687474703a2f2f3132372e302e302e313a312f64656164227d', NULL, 0),
	('01a22ac5-4c69-76c8-b11b-96902d163197', '\x7b227265747279223a7b226d61785f617474656d707473223a317d2c2275726c223a22687474703a2f2f3132372e302e302e313a312f64656164227d', NULL, 0),
	('01a22ac5-4c76-7ba5-9812-3a0a2db51ef2', '\x7b227265747279223a7b226d61785f617474656d707473223a317d2c2275726c223a22687474703a2f2f3132372e302e302e313a312f64656164227d', NULL, 0),
	('01a22ac5-4cc6-7a9f-a93f-8f2eeb289245', '\x7b2275726c223a22687474703a2f2f3132372e302e302e313a312f626568696e64227d', NULL, 0),
	('01a22ac5-4cec-70c8-8d2a-81ce356b83ab', '\x7b2275726c223a22687474703a2f2f3132372e302e302e313a34343934372f7265706f7274222c22626f6479223a2278222c2274616773223a5b227265706f7274225d7d', NULL, 0),
	('01a22ac5-4d36-7fbe-892a-8f4ac0938979', '\x7b2275726c223a22687474703a2f2f3132372e302e302e313a34343934372f7265706f7274222c22626f6479223a2278222c2274616773223a5b227265706f7274225d7d', NULL, 0),
	('01a22ac5-4d4a-7a14-a111-dd49d8ecbf16', '\x7b22736563726574223a2278227d', '\x222470626b6466322d73686132353624693d3630303030302c6c3d33322478575a6149347442444230477446595164354a787651245356454c304c3439636b416b356372574f6d78627467684b346e4b726554764e523038686b315834314b3422', 0),
	('01a22ac5-54ea-79ca-94b3-eed818c1c1c5', '\x7b2274616773223a5b226f70657261746564225d2c2275726c223a22687474703a2f2f686f6f6b732e6578616d706c652e6f72672f686f6f6b222c22626f6479223a2278227d', NULL, 0),
	('01a22ac5-5522-7f4b-997d-bcf6c8cf204c', '\x7b2274616773223a5b22647279225d2c2275726c223a22687474703a2f2f686f6f6b732e6578616d706c652e6f72672f686f6f6b222c22626f6479223a2278227d', NULL, 0),
	('01a22ac5-5649-7b47-bf52-b8eece857bce', '\x7b227175657565223a227265706f727473222c226a736f6e223a7b226d6f6e7468223a20377d7d', NULL, 0),
	('01a22ac5-5668-7722-83a7-bc6f97d269a7', '\x7b227175657565223a227265706f727473222c226a736f6e223a7b226d6f6e7468223a20367d7d', NULL, 0),
	('01a22ac5-56b6-79e7-911b-70183ff01db3', '\x7b2275726c223a22687474703a2f2f3132372e302e302e313a34343934372f7374617475732f323032222c22626f6479223a2278222c22636f6d706c6574696f6e223a7b22646561646c696e65223a22333064222c2275726c223a22687474703a2f2f3132372e302e302e313a383038302f636f6d706c6574696f6e73227d7d', NULL, 0),
	('01a22ac5-5086-7be7-93db-22e4481cb5df', '\x7b22736563726574223a2278227d', '\x222470626b6466322d73686132353624693d3630303030302c6c3d3332247a49454c734d70644b4d744d493572676762425155672452532f4551334c4c5a7055554b6b6f775a6e4a503476706d686a5a62536a662b733456366e67445541556f22', 0),
	('01a22ac5-9951-7164-8a8f-440f8eb626d6', '\x7b2275726c223a22687474703a2f2f3132372e302e302e313a34343934372f736c6f772f363030222c22626f6479223a2278222c2274696d656f7574223a3930302e307d', NULL, 0),
	('01a22ac5-9a9c-7b1a-8a17-c66a1e1782fa', '\x7b2275726c223a22687474703a2f2f3132372e302e302e313a34343934372f6c61746572222c22626f6479223a2278227d', NULL, 0);

INSERT INTO public.run_count VALUES
	('paused', 0, 0, 0, 0),
	('weekdays', 0, 0, 0, 1),
	('ended', 2, 0, 0, 2);

INSERT INTO public.schedule VALUES
	('weekdays', 625520713211, 'webhook', '{"cron":"0 9 * * MON-FRI","time_zone":"Asia/Tokyo","starts_at":4926411000000000,"ends_at":4954435200000000,"jitter":300000000,"overlap":"queue","missed":"all","tags":["report"]}', false, '2026-11-30 04:45:03.094404+00', '2026-11-30 04:45:03.094404+00', '16l6xu9x admin', '2126-02-11 00:00:00+00', '2126-02-11 00:00:00+00'),
	('paused', 281402232173, 'webhook', '{"cron":"0 9 * * MON-FRI","time_zone":"Asia/Tokyo","starts_at":4926411000000000}', true, '2026-11-30 04:45:03.137002+00', '2026-11-30 04:45:03.137002+00', '16l6xu9x admin', NULL, NULL),
	('ended', 270067374329, 'hash', '{"every":1000000,"anchor":1796013903000000,"max_runs":2}', false, '2026-11-30 04:45:03.182025+00', '2026-11-30 04:45:03.182025+00', '16l6xu9x admin', '2026-11-30 04:45:05+00', NULL);

INSERT INTO public.sign_in VALUES
	('\x571755c6dd4d6d8d59d6ec96ee9146f129ccc60cb50979c67729b91d8cdc37f7', '16l6xu9x', '2026-11-30 16:45:05.855167+00');

INSERT INTO public.tag VALUES
	('customer:42', '01a22ac5-4433-7a97-b9d0-8bb07aba679b'),
	('paid', '01a22ac5-4433-7a97-b9d0-8bb07aba679b'),
	('changed', '01a22ac5-44e1-7974-b207-d1bfc072fd85'),
	('ended', '01a22ac5-45ce-7f02-8819-eaf0ee6d91f0'),
	('report', '01a22ac5-4cec-70c8-8d2a-81ce356b83ab'),
	('report', '01a22ac5-4d36-7fbe-892a-8f4ac0938979'),
	('operated', '01a22ac5-54ea-79ca-94b3-eed818c1c1c5'),
	('dry', '01a22ac5-5522-7f4b-997d-bcf6c8cf204c');

INSERT INTO public.task VALUES
	('01a22ac5-4433-7a97-b9d0-8bb07aba679b', 'webhook', 0, 1, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 2, NULL, '2126-03-01 00:00:00+00', NULL, 0, '2026-11-30 04:45:00.947054+00', 0, 0, NULL, 'order-17', true, -1, 1, 6000000, 0, false, 0, 0, '16l6xu9x admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22ac5-44a0-753f-bc43-9b4688de886c', 'webhook', 0, 1, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 1, NULL, NULL, NULL, 0, '2026-11-30 04:45:00.966662+00', 0, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, '16l6xu9x admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22ac5-44af-7441-9c90-7b5ce58e4d14', 'webhook', 0, 1, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 1, NULL, NULL, NULL, 0, '2026-11-30 04:45:00.982326+00', 0, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, '16l6xu9x admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22ac5-44bc-7c51-b953-ceb7a1f7644c', 'webhook', 0, 1, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 1, NULL, NULL, NULL, 0, '2026-11-30 04:45:00.989854+00', 0, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, '16l6xu9x admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22ac5-44cd-704d-b2fb-52f396ef5d83', 'hash', 0, 2, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 3, NULL, NULL, NULL, 0, '2026-11-30 04:45:01.01141+00', 0, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, '16l6xu9x admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22ac5-44da-7e6e-803b-20510a1ceef3', 'webhook', 0, 1, '2126-07-01 00:00:00+00', '2126-07-01 00:00:00+00', '2126-07-01T09:00:00+09:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 1, NULL, NULL, NULL, 0, '2026-11-30 04:45:01.020422+00', 0, 0, NULL, NULL, false, 2592000000000, NULL, 9841000000, 0, false, 0, 0, '16l6xu9x admin', '2126-07-01T09:00:00', 'Asia/Tokyo', '2026f', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22ac5-44e1-7974-b207-d1bfc072fd85', 'webhook', 0, 1, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 1, NULL, NULL, NULL, 0, '2026-11-30 04:45:01.034601+00', 1, 1, NULL, 'changed', true, NULL, NULL, 9841000000, 0, false, 0, 0, '16l6xu9x admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22ac5-4540-7c1c-97f7-257150a36af2', 'hash', 0, 2, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 3, NULL, NULL, NULL, 0, '2026-11-30 04:45:01.205287+00', 0, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, '16l6xu9x admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22ac5-4540-7e04-b3c5-3336743b209c', 'hash', 0, 2, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 3, NULL, NULL, NULL, 0, '2026-11-30 04:45:01.205287+00', 0, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, '16l6xu9x admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22ac5-4540-7e93-90ec-bc51d432b94f', 'hash', 0, 2, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 3, NULL, NULL, NULL, 0, '2026-11-30 04:45:01.205287+00', 0, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, '16l6xu9x admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22ac5-45b1-738d-9a1e-096a430d415d', 'webhook', 0, 1, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 1, NULL, NULL, NULL, 0, '2026-11-30 04:45:01.250908+00', 0, 0, '\xbf2a05ff125ba8d9e15b7325e761d072637d8f010f8fac30b24a448c37198d55', NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, '16l6xu9x admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22ac5-461f-77be-81f6-cececae3c9a0', 'webhook', 4, 1, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, '2026-11-30 04:45:01.454989+00', NULL, 1, NULL, NULL, NULL, 0, '2026-11-30 04:45:01.345441+00', 1, 0, NULL, NULL, false, -1, NULL, 9841000000, 0, false, 0, 0, '16l6xu9x admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22ac5-45ce-7f02-8819-eaf0ee6d91f0', 'webhook', 2, 1, '2026-11-30 04:45:01.262938+00', '2026-11-30 04:45:01.262938+00', '2026-11-30T04:45:01.262938Z', 1, 0, NULL, NULL, '2026-11-30 04:45:01.345732+00', '2026-11-30 04:45:01.381498+00', NULL, 4, NULL, NULL, NULL, 0, '2026-11-30 04:45:01.277973+00', 2, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, '16l6xu9x admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22ac5-4601-78e5-8b7a-4ed9862ed7e3', 'webhook', 3, 1, '2026-11-30 04:45:01.313556+00', '2026-11-30 04:45:01.313556+00', '2026-11-30T04:45:01.313556Z', 1, 0, NULL, NULL, '2026-11-30 04:45:01.397851+00', '2026-11-30 04:45:01.416158+00', '{"code":"status_404","msg":"the target answered 404 Not Found","fingerprint":"af5c1b62c3bf5666"}', 4, NULL, NULL, NULL, 0, '2026-11-30 04:45:01.316693+00', 2, 0, NULL, NULL, false, NULL, NULL, 0, 0, false, 0, 0, '16l6xu9x admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22ac5-46b9-77a9-98ff-2285e4acd500', 'webhook', 2, 1, '2026-11-30 04:45:01.497479+00', '2026-11-30 04:45:01.497479+00', '2026-11-30T04:45:01.497479Z', 1, 0, NULL, NULL, '2026-11-30 04:45:01.70577+00', '2026-11-30 04:45:01.7062+00', NULL, 4, NULL, NULL, '01a22ac5-45ce-7f02-8819-eaf0ee6d91f0', 0, '2026-11-30 04:45:01.625556+00', 2, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22ac5-4762-7502-9786-15d987ace5d6', 'webhook', 2, 1, '2026-11-30 04:45:01.666313+00', '2026-11-30 04:45:01.666313+00', '2026-11-30T04:45:01.666313Z', 1, 0, NULL, NULL, '2026-11-30 04:45:01.763306+00', '2026-11-30 04:45:01.765616+00', NULL, 4, NULL, NULL, '01a22ac5-4601-78e5-8b7a-4ed9862ed7e3', 0, '2026-11-30 04:45:01.698442+00', 2, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22ac5-45e7-70e5-a49d-5ed8840a4eb0', 'hash', 2, 2, '2026-11-30 04:45:01.287056+00', '2026-11-30 04:45:01.287056+00', '2026-11-30T04:45:01.287056Z', 1, 0, NULL, NULL, '2026-11-30 04:45:01.387769+00', '2026-11-30 04:45:02.298908+00', NULL, 3, NULL, NULL, NULL, 0, '2026-11-30 04:45:01.288047+00', 2, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, '16l6xu9x admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22ac5-46db-76ed-a6e0-971495c109f4', 'webhook', 3, 1, '2026-11-30 04:45:02.346773+00', '2026-11-30 04:45:01.531433+00', '2026-11-30T04:45:01.531433Z', 2, 0, NULL, NULL, '2026-11-30 04:45:02.359227+00', '2026-11-30 04:45:02.37303+00', '{"code":"status_410","msg":"the target answered 410 Gone","fingerprint":"9e0e17755e208de1"}', 4, NULL, NULL, NULL, 1, '2026-11-30 04:45:01.534376+00', 5, 0, NULL, NULL, false, NULL, NULL, 0, 0, false, 0, 0, '16l6xu9x admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22ac5-4a80-78e5-8d74-510d77e4a566', 'webhook', 0, 1, '2026-11-30 10:45:02.487307+00', '2026-11-30 04:45:02.464556+00', '2026-11-30T04:45:02.464556Z', 1, 0, NULL, NULL, '2026-11-30 04:45:02.486767+00', NULL, '{"code":"status_503","msg":"the target answered 503 Service Unavailable","fingerprint":"80adf5ba63aff478"}', 4, NULL, NULL, NULL, 0, '2026-11-30 04:45:02.472799+00', 2, 0, NULL, 'waits-for-its-retry', true, NULL, NULL, 172800000000, 21600000000, false, 0, 0, '16l6xu9x admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22ac5-4b41-75a9-be39-fc0492ed3eec', 'webhook', 2, 1, '2026-11-30 04:45:02.657354+00', '2026-11-30 04:45:02.657354+00', '2026-11-30T04:45:02.657354Z', 1, 0, NULL, NULL, '2026-11-30 04:45:02.802405+00', '2026-11-30 04:45:02.805272+00', NULL, 6, NULL, NULL, NULL, 0, '2026-11-30 04:45:02.701532+00', 2, 0, NULL, 'slowly-0', true, NULL, 4, 9841000000, 0, false, 0, 0, '16l6xu9x admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22ac5-4b9d-70ac-9ba9-a2fe07b70255', 'webhook', 0, 1, '2026-11-30 04:45:02.749042+00', '2026-11-30 04:45:02.749042+00', '2026-11-30T04:45:02.749042Z', 0, 0, NULL, NULL, NULL, NULL, NULL, 6, 6, NULL, NULL, 0, '2026-11-30 04:45:02.772552+00', 0, 0, NULL, 'slowly-1', true, NULL, 4, 9841000000, 0, false, 0, 0, '16l6xu9x admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22ac5-4c00-7185-832a-1ba56be47aa2', 'webhook', 0, 1, '2026-11-30 04:45:02.848095+00', '2026-11-30 04:45:02.848095+00', '2026-11-30T04:45:02.848095Z', 0, 0, NULL, NULL, NULL, NULL, NULL, 7, 7, NULL, NULL, 0, '2026-11-30 04:45:02.855331+00', 0, 0, NULL, 'held', true, NULL, NULL, 9841000000, 0, false, 0, 0, '16l6xu9x admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22ac5-4c0b-7916-a614-01d59d8e4b76', 'webhook', 3, 1, '2026-11-30 04:45:02.859568+00', '2026-11-30 04:45:02.859568+00', '2026-11-30T04:45:02.859568Z', 1, 0, NULL, NULL, '2026-11-30 04:45:02.8793+00', '2026-11-30 04:45:02.880373+00', '{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"}', 8, NULL, NULL, NULL, 0, '2026-11-30 04:45:02.865519+00', 2, 0, NULL, NULL, false, NULL, NULL, 0, 0, false, 0, 0, '16l6xu9x admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22ac5-4c1e-7ae1-90e9-4e5d54833e73', 'webhook', 3, 1, '2026-11-30 04:45:02.87868+00', '2026-11-30 04:45:02.87868+00', '2026-11-30T04:45:02.878680Z', 1, 0, NULL, NULL, '2026-11-30 04:45:02.896976+00', '2026-11-30 04:45:02.903659+00', '{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"}', 8, NULL, NULL, NULL, 0, '2026-11-30 04:45:02.880096+00', 2, 0, NULL, NULL, false, NULL, NULL, 0, 0, false, 0, 0, '16l6xu9x admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22ac5-4c2a-7706-8f4d-17f7a318419b', 'webhook', 3, 1, '2026-11-30 04:45:02.890439+00', '2026-11-30 04:45:02.890439+00', '2026-11-30T04:45:02.890439Z', 1, 0, NULL, NULL, '2026-11-30 04:45:02.904915+00', '2026-11-30 04:45:02.905516+00', '{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"}', 8, NULL, NULL, NULL, 0, '2026-11-30 04:45:02.891833+00', 2, 0, NULL, NULL, false, NULL, NULL, 0, 0, false, 0, 0, '16l6xu9x admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22ac5-4c37-7791-9022-f63246a178a2', 'webhook', 3, 1, '2026-11-30 04:45:02.903473+00', '2026-11-30 04:45:02.903473+00', '2026-11-30T04:45:02.903473Z', 1, 0, NULL, NULL, '2026-11-30 04:45:02.920771+00', '2026-11-30 04:45:02.921268+00', '{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"}', 8, NULL, NULL, NULL, 0, '2026-11-30 04:45:02.904167+00', 2, 0, NULL, NULL, false, NULL, NULL, 0, 0, false, 0, 0, '16l6xu9x admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22ac5-4c47-7322-818b-9184ed272fb3', 'webhook', 3, 1, '2026-11-30 04:45:02.919196+00', '2026-11-30 04:45:02.919196+00', '2026-11-30T04:45:02.919196Z', 1, 0, NULL, NULL, '2026-11-30 04:45:02.934654+00', '2026-11-30 04:45:02.936971+00', '{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"}', 8, NULL, NULL, NULL, 0, '2026-11-30 04:45:02.919512+00', 2, 0, NULL, NULL, false, NULL, NULL, 0, 0, false, 0, 0, '16l6xu9x admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22ac5-4c55-75df-baa8-db014b1ac2dd', 'webhook', 3, 1, '2026-11-30 04:45:02.933367+00', '2026-11-30 04:45:02.933367+00', '2026-11-30T04:45:02.933367Z', 1, 0, NULL, NULL, '2026-11-30 04:45:02.943314+00', '2026-11-30 04:45:02.943762+00', '{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"}', 8, NULL, NULL, NULL, 0, '2026-11-30 04:45:02.934362+00', 2, 0, NULL, NULL, false, NULL, NULL, 0, 0, false, 0, 0, '16l6xu9x admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22ac5-4c5e-78e9-b32c-bd01c8b93192', 'webhook', 3, 1, '2026-11-30 04:45:02.942557+00', '2026-11-30 04:45:02.942557+00', '2026-11-30T04:45:02.942557Z', 1, 0, NULL, NULL, '2026-11-30 04:45:02.950899+00', '2026-11-30 04:45:02.951813+00', '{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"}', 8, NULL, NULL, NULL, 0, '2026-11-30 04:45:02.944711+00', 2, 0, NULL, NULL, false, NULL, NULL, 0, 0, false, 0, 0, '16l6xu9x admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22ac5-4c64-7da1-a354-daaff137c651', 'webhook', 3, 1, '2026-11-30 04:45:02.948852+00', '2026-11-30 04:45:02.948852+00', '2026-11-30T04:45:02.948852Z', 1, 0, NULL, NULL, '2026-11-30 04:45:02.954775+00', '2026-11-30 04:45:02.955178+00', '{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"}', 8, NULL, NULL, NULL, 0, '2026-11-30 04:45:02.950408+00', 2, 0, NULL, NULL, false, NULL, NULL, 0, 0, false, 0, 0, '16l6xu9x admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22ac5-4c69-76c8-b11b-96902d163197', 'webhook', 3, 1, '2026-11-30 04:45:02.953424+00', '2026-11-30 04:45:02.953424+00', '2026-11-30T04:45:02.953424Z', 1, 0, NULL, NULL, '2026-11-30 04:45:02.967713+00', '2026-11-30 04:45:02.970462+00', '{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"}', 8, NULL, NULL, NULL, 0, '2026-11-30 04:45:02.9583+00', 2, 0, NULL, NULL, false, NULL, NULL, 0, 0, false, 0, 0, '16l6xu9x admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22ac5-4c76-7ba5-9812-3a0a2db51ef2', 'webhook', 3, 1, '2026-11-30 04:45:02.966728+00', '2026-11-30 04:45:02.966728+00', '2026-11-30T04:45:02.966728Z', 1, 0, NULL, NULL, '2026-11-30 04:45:02.975072+00', '2026-11-30 04:45:02.977416+00', '{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"}', 8, NULL, NULL, NULL, 0, '2026-11-30 04:45:02.966998+00', 2, 0, NULL, NULL, false, NULL, NULL, 0, 0, false, 0, 0, '16l6xu9x admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22ac5-4cec-70c8-8d2a-81ce356b83ab', 'webhook', 0, 1, '2126-02-11 00:00:12.313454+00', '2126-02-11 00:00:12.313454+00', '2126-02-11T09:00:12.313454+09:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 4, NULL, '2126-02-11 00:30:12.313454+00', NULL, 0, '2026-11-30 04:45:03.105377+00', 0, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, '16l6xu9x admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'weekdays', '2126-02-11 00:00:00+00', 0, NULL, NULL),
	('01a22ac5-4d36-7fbe-892a-8f4ac0938979', 'webhook', 2, 1, '2026-11-30 04:45:03.158984+00', '2026-11-30 04:45:03.158984+00', '2026-11-30T13:45:03.158984+09:00', 1, 0, NULL, NULL, '2026-11-30 04:45:03.207512+00', '2026-11-30 04:45:03.210747+00', NULL, 4, NULL, '2026-11-30 05:15:03.158984+00', NULL, 0, '2026-11-30 04:45:03.169393+00', 2, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, '16l6xu9x admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'weekdays', '2026-11-30 04:45:03.158961+00', 1, 1, NULL),
	('01a22ac5-4d4a-7a14-a111-dd49d8ecbf16', 'hash', 2, 2, '2026-11-30 04:45:04+00', '2026-11-30 04:45:04+00', '2026-11-30T04:45:04+00:00', 1, 0, NULL, NULL, '2026-11-30 04:45:04.010847+00', '2026-11-30 04:45:04.429134+00', NULL, 3, NULL, NULL, NULL, 0, '2026-11-30 04:45:03.182752+00', 2, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, '16l6xu9x admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'ended', '2026-11-30 04:45:04+00', 0, 1, NULL),
	('01a22ac5-5522-7f4b-997d-bcf6c8cf204c', 'webhook', 0, 1, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 1, NULL, NULL, NULL, 0, '2026-11-30 04:45:05.187616+00', 0, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, '16l6xu9x admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22ac5-54ea-79ca-94b3-eed818c1c1c5', 'webhook', 4, 1, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, '2026-11-30 04:45:05.368176+00', NULL, 1, NULL, NULL, NULL, 0, '2026-11-30 04:45:05.133277+00', 1, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, '16l6xu9x admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22ac5-5649-7b47-bf52-b8eece857bce', 'job', 0, 3, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 5, 5, NULL, NULL, 0, '2026-11-30 04:45:05.50314+00', 0, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, '16l6xu9x admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22ac5-5668-7722-83a7-bc6f97d269a7', 'job', 5, 3, '2026-11-30 04:45:05.512446+00', '2026-11-30 04:45:05.512446+00', '2026-11-30T04:45:05.512446Z', 1, 0, 67400325140290631, '63136861-5733-4c1c-930a-e769d88ce748', '2026-11-30 04:45:05.563187+00', NULL, NULL, 5, 5, NULL, NULL, 0, '2026-11-30 04:45:05.530825+00', 1, 0, NULL, 'claimed', true, NULL, NULL, 9841000000, 0, false, 0, 0, '16l6xu9x admin', NULL, NULL, NULL, '2026-12-01 04:45:05.563187+00', 5, NULL, '1 day', NULL, NULL, NULL, NULL, NULL),
	('01a22ac5-56b6-79e7-911b-70183ff01db3', 'webhook', 5, 1, '2026-11-30 04:45:05.590619+00', '2026-11-30 04:45:05.590619+00', '2026-11-30T04:45:05.590619Z', 1, 0, 4180223878684964439, NULL, '2026-11-30 04:45:05.630501+00', NULL, NULL, 4, NULL, NULL, NULL, 0, '2026-11-30 04:45:05.600332+00', 2, 0, NULL, 'accepted', true, NULL, NULL, 9841000000, 0, false, 0, 0, '16l6xu9x admin', NULL, NULL, NULL, '2026-12-30 04:45:05.650569+00', 4, '{"attempt" : 1, "at" : 1796013905674677, "progress" : 0.3, "msg" : "page 3 of 10"}', NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22ac5-5086-7be7-93db-22e4481cb5df', 'hash', 2, 2, '2026-11-30 04:45:05+00', '2026-11-30 04:45:05+00', '2026-11-30T04:45:05+00:00', 1, 0, NULL, NULL, '2026-11-30 04:45:05.078468+00', '2026-11-30 04:45:06.121263+00', NULL, 3, NULL, NULL, NULL, 0, '2026-11-30 04:45:04.02744+00', 2, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, '16l6xu9x admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'ended', '2026-11-30 04:45:05+00', 0, 1, NULL),
	('01a22ac5-4cc6-7a9f-a93f-8f2eeb289245', 'webhook', 0, 1, '2026-11-30 04:45:23.845959+00', '2026-11-30 04:45:03.046664+00', '2026-11-30T04:45:03.046664Z', 1, 0, NULL, NULL, '2026-11-30 04:45:22.837887+00', NULL, '{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"}', 8, NULL, NULL, NULL, 0, '2026-11-30 04:45:03.070365+00', 2, 0, NULL, 'behind-a-circuit', true, NULL, NULL, 9841000000, 1000000, false, 17803881, 0, '16l6xu9x admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22ac5-9951-7164-8a8f-440f8eb626d6', 'webhook', 1, 1, '2026-11-30 04:45:22.641087+00', '2026-11-30 04:45:22.641087+00', '2026-11-30T04:45:22.641087Z', 1, 0, 1614389909628708559, '2256aafe-a5e2-4962-b4f5-e8a6f157a91e', '2026-11-30 04:45:22.963547+00', NULL, NULL, 4, NULL, NULL, NULL, 0, '2026-11-30 04:45:22.723608+00', 1, 0, NULL, 'running', true, NULL, NULL, 9841000000, 0, false, 169618, 0, '16l6xu9x admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22ac5-9a9c-7b1a-8a17-c66a1e1782fa', 'webhook', 0, 1, '2026-11-30 04:45:22.972694+00', '2026-11-30 04:45:22.972694+00', '2026-11-30T04:45:22.972694Z', 0, 0, NULL, NULL, NULL, NULL, NULL, 4, NULL, NULL, NULL, 0, '2026-11-30 04:45:22.984252+00', 0, 0, NULL, 'has-no-slot', true, NULL, NULL, 9841000000, 0, false, 0, 0, '16l6xu9x admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);

INSERT INTO public.tasker_inbox VALUES
	('216b6997-8505-464b-a480-6a7d1fc779d5', '{"webhook": {"url": "http://hooks.example.org", "bodi": "x", "delay": "1h"}}', 'webhook.bodi: expected one of retry, expires_at, on_success, on_failure, on_cancel, tags, group, traceparent, keep, url, method, headers, body, json, body_base64, timeout, success, completion, execution_time, delay, local_time, time_zone, id, key, on_conflict, max_wait, got a name that is unknown here', '2026-11-30 04:45:05.958734+00');

INSERT INTO public.tasker_schema VALUES
	(4, 4);

INSERT INTO public.template VALUES
	('weekdays', '\x7b2274797065223a22776562686f6f6b222c22706f6f6c223a312c227061796c6f6164223a7b2275726c223a22687474703a2f2f3132372e302e302e313a34343934372f7265706f7274222c22626f6479223a2278227d2c2264657374696e6174696f6e223a7b226b696e64223a302c226e616d65223a22687474703a2f2f3132372e302e302e313a3434393437227d2c2270617469656e6365223a393834313030303030302c22657870697265735f6166746572223a313830303030303030307d'),
	('paused', '\x7b2274797065223a22776562686f6f6b222c22706f6f6c223a312c227061796c6f6164223a7b2275726c223a22687474703a2f2f3132372e302e302e313a34343934372f7265706f7274222c22626f6479223a2278227d2c2264657374696e6174696f6e223a7b226b696e64223a302c226e616d65223a22687474703a2f2f3132372e302e302e313a3434393437227d2c2270617469656e6365223a393834313030303030302c22657870697265735f6166746572223a313830303030303030307d'),
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

