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
	(1, 6, true, '\x53945585fefa4b99a03e550d8b03fc42');

INSERT INTO public.alert_book VALUES
	(1, '72314266-f3fb-4ed3-a0cb-415c690ed069', '2026-11-30 03:29:54.89433+00', 2, '{"late":{"lasting":{"":{"id":"","name":"tasks","since":1796009369925204,"facts":{"overdue":1,"oldest_due_at":"2026-11-30T03:29:29.925204Z"},"note":"1 overdue, the oldest due at 2026-11-30T03:29:29Z"}},"message":null,"sent_at":1796009374884710}}');

INSERT INTO public.api_key VALUES
	('9nro74hq', 'grafana', 'read', '', '\x439affec40514c3860c56a04b2f5294292a4de1c03af8ce8c3fd41b5a7bbb0c4', '2026-11-30 03:29:12.597219+00', '2126-02-10 15:30:00+00', NULL),
	('i7b8tsn5', 'worker', NULL, 'queues:work:reports tasks:read', '\x69814e1b9dda510aee785b75b7015c6607a9fe72943907e6cf112f6a4cd2f526', '2026-11-30 03:29:12.608033+00', NULL, NULL),
	('gqddgor3', 'admin', 'admin', '', '\x32d8e29230658ab15f83002c1d2c1835ba29724bb0253232e10642d847955718', '2026-11-30 03:29:12.57686+00', NULL, '2026-11-30 03:29:00+00');

INSERT INTO public.attempt VALUES
	('01a22a7f-dede-79e7-9db5-e2c3d22d0b5d', 1, '{"number":1,"node":"699370e9-f5ae-4737-bd86-7d2ae1e0d199","due_at":1796009352926619,"started_at":1796009352978697,"ended_at":1796009352986394,"exchange":{"phases":{"dns":null,"connect":0.003733,"first_byte":0.007466,"total":0.011715},"status":200,"headers":{"content-length":"0"}}}'),
	('01a22a7f-defb-727e-940f-793e9644d614', 1, '{"number":1,"node":"699370e9-f5ae-4737-bd86-7d2ae1e0d199","due_at":1796009352955156,"started_at":1796009352992765,"ended_at":1796009352993366,"fault":{"code":"status_404","msg":"the target answered 404 Not Found","fingerprint":"af5c1b62c3bf5666"},"exchange":{"phases":{"dns":null,"connect":null,"first_byte":0.000306,"total":0.000662},"status":404,"headers":{"content-length":"0"}}}'),
	('01a22a7f-df7a-7a1c-b913-69fdf6669d0c', 1, '{"number":1,"node":"699370e9-f5ae-4737-bd86-7d2ae1e0d199","due_at":1796009353082632,"started_at":1796009353110856,"ended_at":1796009353111567,"fault":{"code":"status_410","msg":"the target answered 410 Gone","fingerprint":"9e0e17755e208de1"},"exchange":{"phases":{"dns":null,"connect":null,"first_byte":0.000409,"total":0.000874},"status":410,"headers":{"content-length":"0"}}}'),
	('01a22a7f-df99-731e-b4f3-fb8e8477be87', 1, '{"number":1,"node":"699370e9-f5ae-4737-bd86-7d2ae1e0d199","due_at":1796009353113195,"started_at":1796009353140896,"ended_at":1796009353142686,"exchange":{"phases":{"dns":null,"connect":null,"first_byte":0.001626,"total":0.001979},"status":200,"headers":{"content-length":"0"}}}'),
	('01a22a7f-dfb0-71eb-a229-139d4d63a1d2', 1, '{"number":1,"node":"699370e9-f5ae-4737-bd86-7d2ae1e0d199","due_at":1796009353136120,"started_at":1796009353156472,"ended_at":1796009353156976,"exchange":{"phases":{"dns":null,"connect":null,"first_byte":0.000332,"total":0.000517},"status":200,"headers":{"content-length":"0"}}}'),
	('01a22a7f-def0-736c-8eac-88a151e6ff90', 1, '{"number":1,"node":"699370e9-f5ae-4737-bd86-7d2ae1e0d199","due_at":1796009352944214,"started_at":1796009352992002,"ended_at":1796009353406236}'),
	('01a22a7f-df7a-7a1c-b913-69fdf6669d0c', 2, '{"number":2,"node":"699370e9-f5ae-4737-bd86-7d2ae1e0d199","due_at":1796009353434737,"started_at":1796009353442577,"ended_at":1796009353443130,"fault":{"code":"status_410","msg":"the target answered 410 Gone","fingerprint":"9e0e17755e208de1"},"exchange":{"phases":{"dns":null,"connect":null,"first_byte":0.000327,"total":0.000531},"status":410,"headers":{"content-length":"0"}}}'),
	('01a22a7f-e0ea-7e41-84e3-1bc348ba2499', 1, '{"number":1,"node":"699370e9-f5ae-4737-bd86-7d2ae1e0d199","due_at":1796009353450891,"started_at":1796009353466836,"ended_at":1796009353467396,"fault":{"code":"status_503","msg":"the target answered 503 Service Unavailable","fingerprint":"80adf5ba63aff478"},"exchange":{"phases":{"dns":null,"connect":null,"first_byte":0.000363,"total":0.000628},"status":503,"headers":{"content-length":"0"}}}'),
	('01a22a7f-e19a-73ae-9411-eb70d461a232', 1, '{"number":1,"node":"699370e9-f5ae-4737-bd86-7d2ae1e0d199","due_at":1796009353626230,"started_at":1796009353692103,"ended_at":1796009353693873,"exchange":{"phases":{"dns":null,"connect":null,"first_byte":0.001467,"total":0.001925},"status":200,"headers":{"content-length":"0"}}}'),
	('01a22a7f-e1f5-76b4-a39f-dc864673cd4b', 1, '{"number":1,"node":"699370e9-f5ae-4737-bd86-7d2ae1e0d199","due_at":1796009353717419,"started_at":1796009353750835,"ended_at":1796009353757090,"fault":{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"},"exchange":{"phases":{"dns":null,"connect":0.005659,"first_byte":null,"total":0.006015}}}'),
	('01a22a7f-e212-7ea7-9682-ef2538909561', 1, '{"number":1,"node":"699370e9-f5ae-4737-bd86-7d2ae1e0d199","due_at":1796009353746916,"started_at":1796009353764382,"ended_at":1796009353769470,"fault":{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"},"exchange":{"phases":{"dns":null,"connect":0.004341,"first_byte":null,"total":0.00454}}}'),
	('01a22a7f-e216-7004-9e76-12558acd6f7d', 1, '{"number":1,"node":"699370e9-f5ae-4737-bd86-7d2ae1e0d199","due_at":1796009353750001,"started_at":1796009353776727,"ended_at":1796009353789542,"fault":{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"},"exchange":{"phases":{"dns":null,"connect":0.012131,"first_byte":null,"total":0.012399}}}'),
	('01a22a7f-e228-7eac-bcb5-ee0cee80bf1e', 1, '{"number":1,"node":"699370e9-f5ae-4737-bd86-7d2ae1e0d199","due_at":1796009353768917,"started_at":1796009353804013,"ended_at":1796009353809427,"fault":{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"},"exchange":{"phases":{"dns":null,"connect":0.004875,"first_byte":null,"total":0.00509}}}'),
	('01a22a7f-e23d-73df-ae55-f2d5301e7c2f', 1, '{"number":1,"node":"699370e9-f5ae-4737-bd86-7d2ae1e0d199","due_at":1796009353789242,"started_at":1796009353814155,"ended_at":1796009353814977,"fault":{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"},"exchange":{"phases":{"dns":null,"connect":0.000383,"first_byte":null,"total":0.000617}}}'),
	('01a22a7f-e24d-7347-934f-c3fcaa85b521', 1, '{"number":1,"node":"699370e9-f5ae-4737-bd86-7d2ae1e0d199","due_at":1796009353805205,"started_at":1796009353835481,"ended_at":1796009353839741,"fault":{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"},"exchange":{"phases":{"dns":null,"connect":0.003848,"first_byte":null,"total":0.004076}}}'),
	('01a22a7f-e269-7d37-93b4-a5dc7e543b95', 1, '{"number":1,"node":"699370e9-f5ae-4737-bd86-7d2ae1e0d199","due_at":1796009353833826,"started_at":1796009353848764,"ended_at":1796009353854633,"fault":{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"},"exchange":{"phases":{"dns":null,"connect":0.005424,"first_byte":null,"total":0.005664}}}'),
	('01a22a7f-e274-76d0-aa31-2467643668b3', 1, '{"number":1,"node":"699370e9-f5ae-4737-bd86-7d2ae1e0d199","due_at":1796009353844426,"started_at":1796009353856735,"ended_at":1796009353857269,"fault":{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"},"exchange":{"phases":{"dns":null,"connect":0.000245,"first_byte":null,"total":0.000413}}}'),
	('01a22a7f-e27e-7d60-ae9e-ed7cc00a27a6', 1, '{"number":1,"node":"699370e9-f5ae-4737-bd86-7d2ae1e0d199","due_at":1796009353854836,"started_at":1796009353869018,"ended_at":1796009353870334,"fault":{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"},"exchange":{"phases":{"dns":null,"connect":0.000793,"first_byte":null,"total":0.000986}}}'),
	('01a22a7f-e287-7e8f-88df-2874bae3f6ba', 1, '{"number":1,"node":"699370e9-f5ae-4737-bd86-7d2ae1e0d199","due_at":1796009353863910,"started_at":1796009353877260,"ended_at":1796009353877923,"fault":{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"},"exchange":{"phases":{"dns":null,"connect":0.000283,"first_byte":null,"total":0.000494}}}'),
	('01a22a7f-e374-7e8f-9161-392bcc817795', 1, '{"number":1,"node":"699370e9-f5ae-4737-bd86-7d2ae1e0d199","due_at":1796009354100910,"started_at":1796009354162379,"ended_at":1796009354162944,"exchange":{"phases":{"dns":null,"connect":null,"first_byte":0.000433,"total":0.000707},"status":200,"headers":{"content-length":"0"}}}'),
	('01a22a7f-e38b-79be-bcd2-fd78bd12c2e0', 1, '{"number":1,"node":"699370e9-f5ae-4737-bd86-7d2ae1e0d199","due_at":1796009355000000,"started_at":1796009355030382,"ended_at":1796009355452281}'),
	('01a22a7f-e708-786a-8a64-404675362435', 1, '{"number":1,"node":"699370e9-f5ae-4737-bd86-7d2ae1e0d199","due_at":1796009356000000,"started_at":1796009356069115,"ended_at":1796009356508229}'),
	('01a22a7f-ecf6-7be7-8bba-570ed38a5c48', 1, '{"number":1,"node":"699370e9-f5ae-4737-bd86-7d2ae1e0d199","due_at":1796009356534744,"started_at":1796009356545643,"ended_at":null,"exchange":{"phases":{"dns":null,"connect":null,"first_byte":0.004936,"total":0.005267},"status":202,"headers":{"content-length":"0"}}}'),
	('01a22a7f-e2ce-7cd0-86a5-6dc63319e0c2', 1, '{"number":1,"node":"72314266-f3fb-4ed3-a0cb-415c690ed069","due_at":1796009353934801,"started_at":1796009369822515,"ended_at":1796009369826858,"late_down":14779026,"late_held":1076971,"fault":{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"},"exchange":{"phases":{"dns":null,"connect":0.003601,"first_byte":null,"total":0.003888}}}');

INSERT INTO public.audit OVERRIDING SYSTEM VALUE VALUES
	(1, '2026-11-30 03:29:12.582519+00', 'local', 'local', 'create', 'key', 'gqddgor3', 'admin', '{"role":{"after":"admin"}}'),
	(2, '2026-11-30 03:29:12.597937+00', 'gqddgor3', 'admin', 'create', 'key', '9nro74hq', 'grafana', '{"role":{"after":"read"},"expires_at":{"after":"2126-02-10T15:30:00.000000Z"}}'),
	(3, '2026-11-30 03:29:12.608558+00', 'gqddgor3', 'admin', 'create', 'key', 'i7b8tsn5', 'worker', '{"scopes":{"after":["queues:work:reports","tasks:read"]}}'),
	(4, '2026-11-30 03:29:12.617351+00', 'gqddgor3', 'admin', 'create', 'key', 'xm6pq14s', 'revoked', '{"role":{"after":"write"}}'),
	(5, '2026-11-30 03:29:12.628285+00', 'gqddgor3', 'admin', 'revoke', 'key', 'xm6pq14s', 'revoked', NULL),
	(6, '2026-11-30 03:29:12.755651+00', 'gqddgor3', 'admin', 'change', 'task', '01a22a7f-de22-7168-a11c-25a22f51fa6b', NULL, '{"body":{},"tags":{"after":["changed"]}}'),
	(7, '2026-11-30 03:29:12.789231+00', 'gqddgor3', 'admin', 'delete', 'task', '01a22a7f-de3b-747a-a407-d074a0fca17c', NULL, '{"type":{"before":"webhook"},"execution_time":{"before":"2126-02-10T16:30:00+01:00"}}'),
	(8, '2026-11-30 03:29:12.99496+00', 'gqddgor3', 'admin', 'cancel', 'task', '01a22a7f-df07-70b8-9972-5850adbfcc87', NULL, NULL),
	(9, '2026-11-30 03:29:13.435369+00', 'gqddgor3', 'admin', 'retry', 'task', '01a22a7f-df7a-7a1c-b913-69fdf6669d0c', NULL, NULL),
	(10, '2026-11-30 03:29:13.563513+00', 'gqddgor3', 'admin', 'limit', 'destination', '5', 'reports', '{"max_running":{"before":null,"after":2}}'),
	(11, '2026-11-30 03:29:13.611541+00', 'gqddgor3', 'admin', 'limit', 'destination', '6', 'slow', '{"max_per_second":{"before":null,"after":0.001}}'),
	(12, '2026-11-30 03:29:13.68082+00', 'gqddgor3', 'admin', 'pause', 'destination', '7', 'http://127.0.0.1:9', NULL),
	(13, '2026-11-30 03:29:13.893998+00', 'tasker', 'tasker', 'circuit_opened', 'destination', '8', 'http://127.0.0.1:1', '{"open_until":{"after":"2026-11-30T03:29:18.884609Z"}}'),
	(14, '2026-11-30 03:29:14.006327+00', 'gqddgor3', 'admin', 'create', 'schedule', 'weekdays', NULL, '{"cron":{"after":"0 9 * * MON-FRI"},"time_zone":{"after":"Asia/Tokyo"},"starts_at":{"after":"2126-02-10T15:30:00.000000Z"},"ends_at":{"after":"2127-01-01T00:00:00.000000Z"},"jitter":{"after":"5m"},"overlap":{"after":"queue"},"missed":{"after":"all"},"missed_within":{"after":"1d"},"tags":{"after":["report"]},"paused":{"after":false},"task.webhook.url":{"after":"http://127.0.0.1:35331/report"},"task.webhook.body":{},"task.webhook.expires_at":{"after":"30m"}}'),
	(15, '2026-11-30 03:29:14.085613+00', 'gqddgor3', 'admin', 'create', 'schedule', 'paused', NULL, '{"cron":{"after":"0 9 * * MON-FRI"},"time_zone":{"after":"Asia/Tokyo"},"starts_at":{"after":"2126-02-10T15:30:00.000000Z"},"overlap":{"after":"skip"},"missed":{"after":"once"},"missed_within":{"after":"1d"},"paused":{"after":true},"task.webhook.url":{"after":"http://127.0.0.1:35331/report"},"task.webhook.body":{},"task.webhook.expires_at":{"after":"30m"}}'),
	(16, '2026-11-30 03:29:14.118427+00', 'gqddgor3', 'admin', 'run', 'schedule', 'weekdays', NULL, NULL),
	(17, '2026-11-30 03:29:14.143744+00', 'gqddgor3', 'admin', 'create', 'schedule', 'ended', NULL, '{"every":{"after":"1s"},"overlap":{"after":"skip"},"missed":{"after":"once"},"missed_within":{"after":"1d"},"max_runs":{"after":2},"paused":{"after":false},"task.hash.secret":{"after":"***"}}'),
	(18, '2026-11-30 03:29:16.174329+00', 'gqddgor3', 'admin', 'begin', 'operation', '01a22a7f-eb84-7ed0-91ae-0f9b8b52cec0', NULL, '{"action":{"after":"cancel"},"filter":{"after":{"tag":["operated"]}}}'),
	(19, '2026-11-30 03:29:16.587836+00', 'gqddgor3', 'admin', 'pause', 'server', '', NULL, NULL),
	(20, '2026-11-30 03:29:16.612999+00', 'gqddgor3', 'admin', 'resume', 'server', '', NULL, NULL),
	(21, '2026-11-30 03:29:16.725493+00', 'gqddgor3', 'admin', 'sign_in', 'key', 'gqddgor3', 'admin', NULL),
	(22, '2026-11-30 03:29:29.895047+00', 'tasker', 'tasker', 'circuit_probed', 'destination', '8', 'http://127.0.0.1:1', '{"open_until":{"after":"2026-11-30T03:29:39.877505Z"}}');

INSERT INTO public.completion_key VALUES
	(1, '\x8a124c3b97c54088ac6aff543bb71f89916d7e13fb464f39a497a6bbd03e316e');

INSERT INTO public.down VALUES
	('2026-11-30 03:29:15.011772+00', '2026-11-30 03:29:29.790798+00');

INSERT INTO public.gate OVERRIDING SYSTEM VALUE VALUES
	(1, 0, 'http://hooks.example.org:80', false, NULL, 0, '1970-01-01 00:00:00+00', NULL, 1, '1970-01-01 00:00:00+00', NULL, NULL, 0),
	(2, 2, 'customer-42', false, NULL, 0, '1970-01-01 00:00:00+00', NULL, 1, '1970-01-01 00:00:00+00', NULL, NULL, 0),
	(3, 1, 'hash', false, NULL, 0, '1970-01-01 00:00:00+00', NULL, 1, '1970-01-01 00:00:00+00', NULL, NULL, 0),
	(5, 3, 'reports', false, 2, 0, '1970-01-01 00:00:00+00', NULL, 1, '1970-01-01 00:00:00+00', NULL, NULL, 0),
	(7, 0, 'http://127.0.0.1:9', true, NULL, 0, '1970-01-01 00:00:00+00', NULL, 1, '1970-01-01 00:00:00+00', NULL, NULL, 0),
	(6, 2, 'slow', false, NULL, 0, '1970-01-01 00:00:00+00', 0.001, 1, '2026-11-30 03:45:53.676845+00', NULL, NULL, 0),
	(4, 0, 'http://127.0.0.1:35331', false, NULL, 0, '1970-01-01 00:00:00+00', NULL, 1, '1970-01-01 00:00:00+00', NULL, NULL, 0),
	(8, 0, 'http://127.0.0.1:1', false, NULL, 11, '2026-11-30 03:29:39.877505+00', NULL, 1, '1970-01-01 00:00:00+00', '2026-11-30 03:29:13.884609+00', NULL, 0);

INSERT INTO public.gate_queue VALUES
	(5, 3, '1970-01-01 00:00:00+00', 1, 0, '1970-01-01 00:00:00+00'),
	(6, 1, '2026-11-30 03:45:53.676845+00', 1, 2, NULL),
	(7, 1, '9999-12-31 23:59:59.999999+00', 0, 1, NULL),
	(8, 1, '2026-11-30 03:29:30.784741+00', 1, 1, NULL);

INSERT INTO public.history VALUES
	(60000000, '2026-11-30 03:29:00+00', '15bba09c-7026-449f-92e1-293d76fa547c', '{"created":{"webhook":2},"attempts":{"retried":{"webhook":1}},"lateness":{"down":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,1],"held":[0,0,0,0,0,0,0,0,0,0,0,0,0,1],"own":[0,0,0,0,0,0,0,0,1]},"lateness_sum":{"down":14779026,"held":1076971,"own":31717},"destinations":{"8":{"retried":1}}}', '[{"code":"connect_refused","count":1,"first_at":1796009369826858,"last_at":1796009369826858,"fingerprint":"55e8b44ee5b1ce7c","type":"webhook","msg":"the target refuses connections","example":["01a22a7f-e2ce-7cd0-86a5-6dc63319e0c2","the target refuses connections"]}]'),
	(3600000000, '2026-11-30 03:00:00+00', '15bba09c-7026-449f-92e1-293d76fa547c', '{"created":{"webhook":2},"attempts":{"retried":{"webhook":1}},"lateness":{"down":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,1],"held":[0,0,0,0,0,0,0,0,0,0,0,0,0,1],"own":[0,0,0,0,0,0,0,0,1]},"lateness_sum":{"down":14779026,"held":1076971,"own":31717},"destinations":{"8":{"retried":1}}}', '[{"code":"connect_refused","count":1,"first_at":1796009369826858,"last_at":1796009369826858,"fingerprint":"55e8b44ee5b1ce7c","type":"webhook","msg":"the target refuses connections","example":["01a22a7f-e2ce-7cd0-86a5-6dc63319e0c2","the target refuses connections"]}]');

INSERT INTO public.kept_answer VALUES
	('\xa05d4f977aacac0f94619ad51d82b827ca3d8cd45b32b5ac34ccb6bcc081ae2c', '\x712c04f1a4a7c69c1d1bd9a581b6e3c4231f07eb797951c3a80e5554960a04fc', '\x93ccc9c4967b227461736b73223a5b7b226964223a2230316132326137662d646538362d373631342d393133342d303961616432303363306433227d2c7b226964223a2230316132326137662d646538362d373833392d616464622d316461366239333866616163227d2c7b226964223a2230316132326137662d646538362d373865352d393638392d323835306361626263636336227d5d7d0aa0', '2126-02-11 15:30:00+00');

INSERT INTO public.node VALUES
	('699370e9-f5ae-4737-bd86-7d2ae1e0d199', 'http://127.0.0.1:37821', '1.0.0', '2026-11-30 03:29:11.807601+00', '2026-11-30 03:29:42.567672+00', 4, '2026-11-30 03:29:15.011772+00', false),
	('72314266-f3fb-4ed3-a0cb-415c690ed069', 'http://127.0.0.1:44719', '1.0.0', '2026-11-30 03:29:27.074726+00', '2026-11-30 03:29:59.699918+00', 4, '2026-11-30 03:29:33.96239+00', false);

INSERT INTO public.operation VALUES
	('01a22a7f-eb84-7ed0-91ae-0f9b8b52cec0', 'cancel', 1, false, '{"filter":{"tag":["operated"]}}', '2026-11-30 03:29:16.167243+00', '2026-11-30 03:29:16.271285+00', '699370e9-f5ae-4737-bd86-7d2ae1e0d199', NULL, 1, 1, 0, '{}', '[]'),
	('01a22a7f-ec21-71c2-860a-370c0053c68f', 'cancel', 1, true, '{"filter":{"tag":["dry"]}}', '2026-11-30 03:29:16.385935+00', '2026-11-30 03:29:16.385935+00', NULL, NULL, 1, 1, 0, '{}', '[]');

INSERT INTO public.operation_task VALUES
	('01a22a7f-eb61-7610-9ebe-9cafd9cc9b8e', '01a22a7f-eb84-7ed0-91ae-0f9b8b52cec0', '2026-11-30 03:29:16.270317+00');

INSERT INTO public.pause VALUES
	('2026-11-30 03:29:16.587315+00', '2026-11-30 03:29:16.610727+00');

INSERT INTO public.payload VALUES
	('01a22a7f-ddb6-72ed-adc5-9e92221c4c97', '\x7b227265747279223a7b226d61785f617474656d707473223a332c22696e697469616c5f64656c6179223a322e302c22666163746f72223a322e307d2c226f6e5f73756363657373223a22687474703a2f2f686f6f6b732e6578616d706c652e6f72672f646f6e65222c226f6e5f6661696c757265223a22687474703a2f2f686f6f6b732e6578616d706c652e6f72672f6661696c6564222c226f6e5f63616e63656c223a22687474703a2f2f686f6f6b732e6578616d706c652e6f72672f63616e63656c6c6564222c2274616773223a5b22637573746f6d65723a3432222c2270616964225d2c2267726f7570223a22637573746f6d65722d3432222c226b656570223a22666f7265766572222c2275726c223a22687474703a2f2f686f6f6b732e6578616d706c652e6f72672f686f6f6b222c226d6574686f64223a22505554222c2268656164657273223a7b22617574686f72697a6174696f6e223a2242656172657220736563726574222c22782d6f72646572223a223137227d2c22626f6479223a224ac3bc7267656e20f09f9880222c2274696d656f7574223a352e302c2273756363657373223a5b22327878222c3430345d7d', NULL, 0),
	('01a22a7f-dde2-7ef5-8830-b563a3eaff05', '\x7b2275726c223a22687474703a2f2f686f6f6b732e6578616d706c652e6f72672f6a736f6e222c226a736f6e223a7b226f72646572223a2031372c20226c696e6573223a205b312c20322e352c206e756c6c5d7d7d', NULL, 0),
	('01a22a7f-ddf3-7322-a501-08174a1d93b8', '\x7b2275726c223a22687474703a2f2f686f6f6b732e6578616d706c652e6f72672f6279746573222c22626f64795f626173653634223a22414145432f773d3d227d', NULL, 0),
	('01a22a7f-ddfa-77eb-a437-7950e81d53d1', '\x7b2275726c223a22687474703a2f2f686f6f6b732e6578616d706c652e6f72672f6c61726765222c22626f6479223a227979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979797979227d', NULL, 0),
	('01a22a7f-de03-7543-a126-020a7f71fe51', '\x7b22736563726574223a22636f72726563742d686f7273652d626174746572792d737461706c65227d', NULL, 0),
	('01a22a7f-de1a-78d9-bd1e-9e8320bf2810', '\x7b226b656570223a22333064222c2275726c223a22687474703a2f2f686f6f6b732e6578616d706c652e6f72672f686f6f6b222c22626f6479223a2278227d', NULL, 0),
	('01a22a7f-de22-7168-a11c-25a22f51fa6b', '\x7b2274616773223a5b226368616e676564225d2c2275726c223a22687474703a2f2f686f6f6b732e6578616d706c652e6f72672f686f6f6b222c22626f6479223a226368616e676564227d', NULL, 1),
	('01a22a7f-de86-7614-9134-09aad203c0d3', '\x7b22736563726574223a2278227d', NULL, 0),
	('01a22a7f-de86-7839-addb-1da6b938faac', '\x7b22736563726574223a2278227d', NULL, 0),
	('01a22a7f-de86-78e5-9689-2850cabbccc6', '\x7b22736563726574223a2278227d', NULL, 0),
	('01a22a7f-dece-7985-b8cc-ef6d45289cc7', '\x7b2275726c223a22687474703a2f2f686f6f6b732e6578616d706c652e6f7267227d', NULL, 0),
	('01a22a7f-dede-79e7-9db5-e2c3d22d0b5d', '\x7b226f6e5f73756363657373223a22687474703a2f2f3132372e302e302e313a33353333312f746f6c64222c2274616773223a5b22656e646564225d2c2275726c223a22687474703a2f2f3132372e302e302e313a33353333312f646f6e65222c22626f6479223a2278227d', NULL, 0),
	('01a22a7f-defb-727e-940f-793e9644d614', '\x7b227265747279223a7b226d61785f617474656d707473223a317d2c226f6e5f6661696c757265223a22687474703a2f2f3132372e302e302e313a33353333312f746f6c64222c2275726c223a22687474703a2f2f3132372e302e302e313a33353333312f7374617475732f343034222c22626f6479223a2278227d', NULL, 0),
	('01a22a7f-df07-70b8-9972-5850adbfcc87', '\x7b226b656570223a22666f7265766572222c2275726c223a22687474703a2f2f686f6f6b732e6578616d706c652e6f72672f686f6f6b222c22626f6479223a2278227d', NULL, 0),
	('01a22a7f-df7a-7a1c-b913-69fdf6669d0c', '\x7b227265747279223a7b226d61785f617474656d707473223a317d2c2275726c223a22687474703a2f2f3132372e302e302e313a33353333312f7374617475732f343130222c22626f6479223a2278227d', NULL, 0),
	('01a22a7f-df99-731e-b4f3-fb8e8477be87', '\x7b2275726c223a22687474703a2f2f3132372e302e302e313a33353333312f746f6c64222c226a736f6e223a7b226964223a2230316132326137662d646564652d373965372d396462352d653263336432326430623564222c2274797065223a22776562686f6f6b222c227374617465223a22646f6e65222c22617474656d707473223a312c22737461747573223a3230302c226572726f72223a6e756c6c2c22726573756c74223a6e756c6c7d7d', NULL, 0),
	('01a22a7f-dfb0-71eb-a229-139d4d63a1d2', '\x7b2275726c223a22687474703a2f2f3132372e302e302e313a33353333312f746f6c64222c226a736f6e223a7b226964223a2230316132326137662d646566622d373237652d393430662d373933653936343464363134222c2274797065223a22776562686f6f6b222c227374617465223a226661696c6564222c22617474656d707473223a312c22737461747573223a3430342c226572726f72223a7b22636f6465223a227374617475735f343034222c226d7367223a227468652074617267657420616e73776572656420343034204e6f7420466f756e64222c2266696e6765727072696e74223a2261663563316236326333626635363636227d2c22726573756c74223a6e756c6c7d7d', NULL, 0),
	('01a22a7f-def0-736c-8eac-88a151e6ff90', '\x7b22736563726574223a22636f72726563742d686f7273652d626174746572792d737461706c65227d', '\x222470626b6466322d73686132353624693d3630303030302c6c3d3332244e646c4a4f564e36366a6846324e5754356c4c575377244447396c2f6f332f71556b6b6878416e48552b74563759396d41354c4362616e4672434458597462567a4122', 0),
	('01a22a7f-e0ea-7e41-84e3-1bc348ba2499', '\x7b227265747279223a7b226d61785f617474656d707473223a392c22696e697469616c5f64656c6179223a38363430302e307d2c2275726c223a22687474703a2f2f3132372e302e302e313a33353333312f7374617475732f353033222c22626f6479223a2278227d', NULL, 0),
	('01a22a7f-e19a-73ae-9411-eb70d461a232', '\x7b2267726f7570223a22736c6f77222c2275726c223a22687474703a2f2f3132372e302e302e313a33353333312f736c6f776c79222c22626f6479223a2278227d', NULL, 0),
	('01a22a7f-e1aa-7bef-b5d2-47f1acb2bcf7', '\x7b2267726f7570223a22736c6f77222c2275726c223a22687474703a2f2f3132372e302e302e313a33353333312f736c6f776c79222c22626f6479223a2278227d', NULL, 0),
	('01a22a7f-e1e6-740c-af99-02e729b8b083', '\x7b2275726c223a22687474703a2f2f3132372e302e302e313a392f68656c64227d', NULL, 0),
	('01a22a7f-e1f5-76b4-a39f-dc864673cd4b', '\x7b227265747279223a7b226d61785f617474656d707473223a317d2c2275726c223a22687474703a2f2f3132372e302e302e313a312f64656164227d', NULL, 0),
	('01a22a7f-e212-7ea7-9682-ef2538909561', '\x7b227265747279223a7b226d61785f617474656d707473223a317d2c2275726c223a22687474703a2f2f3132372e302e302e313a312f64656164227d', NULL, 0),
	('01a22a7f-e216-7004-9e76-12558acd6f7d', '\x7b227265747279223a7b226d61785f617474656d707473223a317d2c2275726c223a22687474703a2f2f3132372e302e302e313a312f64656164227d', NULL, 0),
	('01a22a7f-e228-7eac-bcb5-ee0cee80bf1e', '\x7b227265747279223a7b226d61785f617474656d707473223a317d2c2275726c223a22687474703a2f2f3132372e302e302e313a312f64656164227d', NULL, 0),
	('01a22a7f-e23d-73df-ae55-f2d5301e7c2f', '\x7b227265747279223a7b226d61785f617474656d707473223a317d2c2275726c223a22687474703a2f2f3132372e302e302e313a312f64656164227d', NULL, 0),
	('01a22a7f-e24d-7347-934f-c3fcaa85b521', '\x7b227265747279223a7b226d61785f617474656d707473223a317d2c2275726c223a22687474703a2f2f3132372e302e302e313a312f64656164227d', NULL, 0),
	('01a22a7f-e269-7d37-93b4-a5dc7e543b95', '\x7b227265747279223a7b226d61785f617474656d707473223a317d2c2275726c223a22687474703a2f2f3132372e302e302e313a312f64656164227d', NULL, 0),
	('01a22a7f-e274-76d0-aa31-2467643668b3', '\x7b227265747279223a7b226d61785f617474656d707473223a317d2c2275726c223a22687474703a2f2f3132372e302e302e313a312f64656164227d', NULL, 0),
	('01a22a7f-e27e-7d60-ae9e-ed7cc00a27a6', '\x7b227265747279223a7b226d61785f617474656d707473223a317d2c2275726c223a22687474703a2f2f3132372e302e302e313a312f64656164227d', NULL, 0),
	('01a22a7f-e287-7e8f-88df-2874bae3f6ba', '\x7b227265747279223a7b226d61785f617474656d707473223a317d2c2275726c223a22687474703a2f2f3132372e302e302e313a312f64656164227d', NULL, 0),
	('01a22a7f-e2ce-7cd0-86a5-6dc63319e0c2', '\x7b2275726c223a22687474703a2f2f3132372e302e302e313a312f626568696e64227d', NULL, 0),
	('01a22a7f-e2ea-72e1-b9c7-fecee895298a', '\x7b2275726c223a22687474703a2f2f3132372e302e302e313a33353333312f7265706f7274222c22626f6479223a2278222c2274616773223a5b227265706f7274225d7d', NULL, 0),
	('01a22a7f-e374-7e8f-9161-392bcc817795', '\x7b2275726c223a22687474703a2f2f3132372e302e302e313a33353333312f7265706f7274222c22626f6479223a2278222c2274616773223a5b227265706f7274225d7d', NULL, 0),
	('01a22a7f-e38b-79be-bcd2-fd78bd12c2e0', '\x7b22736563726574223a2278227d', '\x222470626b6466322d73686132353624693d3630303030302c6c3d3332246e684a556d436247596c4b72747938526e7758597a77246a68576365356250394151656150457761593031692f505a4c38565434544b7538344f672f58563450755122', 0),
	('01a22a7f-eb61-7610-9ebe-9cafd9cc9b8e', '\x7b2274616773223a5b226f70657261746564225d2c2275726c223a22687474703a2f2f686f6f6b732e6578616d706c652e6f72672f686f6f6b222c22626f6479223a2278227d', NULL, 0),
	('01a22a7f-eb71-77a9-99fd-e503730156df', '\x7b2274616773223a5b22647279225d2c2275726c223a22687474703a2f2f686f6f6b732e6578616d706c652e6f72672f686f6f6b222c22626f6479223a2278227d', NULL, 0),
	('01a22a7f-ec7a-7041-a25b-9950e95be93d', '\x7b227175657565223a227265706f727473222c226a736f6e223a7b226d6f6e7468223a20377d7d', NULL, 0),
	('01a22a7f-ec9e-7bb6-aa20-08ce755f845a', '\x7b227175657565223a227265706f727473222c226a736f6e223a7b226d6f6e7468223a20367d7d', NULL, 0),
	('01a22a7f-e708-786a-8a64-404675362435', '\x7b22736563726574223a2278227d', '\x222470626b6466322d73686132353624693d3630303030302c6c3d3332246b34636e39363775486a6b305857674743574b47617724377431656334756357436d787772556f6c744972426b616c6930376a73655377705147353159673965666b22', 0),
	('01a22a7f-ecf6-7be7-8bba-570ed38a5c48', '\x7b2275726c223a22687474703a2f2f3132372e302e302e313a33353333312f7374617475732f323032222c22626f6479223a2278222c22636f6d706c6574696f6e223a7b22646561646c696e65223a22333064222c2275726c223a22687474703a2f2f3132372e302e302e313a383038302f636f6d706c6574696f6e73227d7d', NULL, 0),
	('01a22a80-2039-731a-b97f-0248eda3ede4', '\x7b2275726c223a22687474703a2f2f3132372e302e302e313a33353333312f736c6f772f363030222c22626f6479223a2278222c2274696d656f7574223a3930302e307d', NULL, 0),
	('01a22a80-2145-7343-87f0-d6a863b1cc53', '\x7b2275726c223a22687474703a2f2f3132372e302e302e313a33353333312f6c61746572222c22626f6479223a2278227d', NULL, 0);

INSERT INTO public.run_count VALUES
	('paused', 0, 0, 0, 0),
	('weekdays', 0, 0, 0, 1),
	('ended', 2, 0, 0, 2);

INSERT INTO public.schedule VALUES
	('weekdays', 825254230246, 'webhook', '{"cron":"0 9 * * MON-FRI","time_zone":"Asia/Tokyo","starts_at":4926411000000000,"ends_at":4954435200000000,"jitter":300000000,"overlap":"queue","missed":"all","tags":["report"]}', false, '2026-11-30 03:29:13.969093+00', '2026-11-30 03:29:13.969093+00', 'gqddgor3 admin', '2126-02-11 00:00:00+00', '2126-02-11 00:00:00+00'),
	('paused', 713269016888, 'webhook', '{"cron":"0 9 * * MON-FRI","time_zone":"Asia/Tokyo","starts_at":4926411000000000}', true, '2026-11-30 03:29:14.080694+00', '2026-11-30 03:29:14.080694+00', 'gqddgor3 admin', NULL, NULL),
	('ended', 837858692530, 'hash', '{"every":1000000,"anchor":1796009354000000,"max_runs":2}', false, '2026-11-30 03:29:14.126319+00', '2026-11-30 03:29:14.126319+00', 'gqddgor3 admin', '2026-11-30 03:29:16+00', NULL);

INSERT INTO public.sign_in VALUES
	('\x20810eb8b8d5a46a347946223d101c78b7106d2a2c4516f9fe2a0b3d95c9f6f1', 'gqddgor3', '2026-11-30 15:29:16.624103+00');

INSERT INTO public.tag VALUES
	('customer:42', '01a22a7f-ddb6-72ed-adc5-9e92221c4c97'),
	('paid', '01a22a7f-ddb6-72ed-adc5-9e92221c4c97'),
	('changed', '01a22a7f-de22-7168-a11c-25a22f51fa6b'),
	('ended', '01a22a7f-dede-79e7-9db5-e2c3d22d0b5d'),
	('report', '01a22a7f-e2ea-72e1-b9c7-fecee895298a'),
	('report', '01a22a7f-e374-7e8f-9161-392bcc817795'),
	('operated', '01a22a7f-eb61-7610-9ebe-9cafd9cc9b8e'),
	('dry', '01a22a7f-eb71-77a9-99fd-e503730156df');

INSERT INTO public.task VALUES
	('01a22a7f-ddb6-72ed-adc5-9e92221c4c97', 'webhook', 0, 1, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 2, NULL, '2126-03-01 00:00:00+00', NULL, 0, '2026-11-30 03:29:12.667584+00', 0, 0, NULL, 'order-17', true, -1, 1, 6000000, 0, false, 0, 0, 'gqddgor3 admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a7f-dde2-7ef5-8830-b563a3eaff05', 'webhook', 0, 1, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 1, NULL, NULL, NULL, 0, '2026-11-30 03:29:12.678337+00', 0, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, 'gqddgor3 admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a7f-ddf3-7322-a501-08174a1d93b8', 'webhook', 0, 1, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 1, NULL, NULL, NULL, 0, '2026-11-30 03:29:12.691738+00', 0, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, 'gqddgor3 admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a7f-ddfa-77eb-a437-7950e81d53d1', 'webhook', 0, 1, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 1, NULL, NULL, NULL, 0, '2026-11-30 03:29:12.699006+00', 0, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, 'gqddgor3 admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a7f-de03-7543-a126-020a7f71fe51', 'hash', 0, 2, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 3, NULL, NULL, NULL, 0, '2026-11-30 03:29:12.718797+00', 0, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, 'gqddgor3 admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a7f-de1a-78d9-bd1e-9e8320bf2810', 'webhook', 0, 1, '2126-07-01 00:00:00+00', '2126-07-01 00:00:00+00', '2126-07-01T09:00:00+09:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 1, NULL, NULL, NULL, 0, '2026-11-30 03:29:12.734356+00', 0, 0, NULL, NULL, false, 2592000000000, NULL, 9841000000, 0, false, 0, 0, 'gqddgor3 admin', '2126-07-01T09:00:00', 'Asia/Tokyo', '2026f', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a7f-de22-7168-a11c-25a22f51fa6b', 'webhook', 0, 1, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 1, NULL, NULL, NULL, 0, '2026-11-30 03:29:12.739158+00', 1, 1, NULL, 'changed', true, NULL, NULL, 9841000000, 0, false, 0, 0, 'gqddgor3 admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a7f-de86-7614-9134-09aad203c0d3', 'hash', 0, 2, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 3, NULL, NULL, NULL, 0, '2026-11-30 03:29:12.899165+00', 0, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, 'gqddgor3 admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a7f-de86-7839-addb-1da6b938faac', 'hash', 0, 2, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 3, NULL, NULL, NULL, 0, '2026-11-30 03:29:12.899165+00', 0, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, 'gqddgor3 admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a7f-de86-78e5-9689-2850cabbccc6', 'hash', 0, 2, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 3, NULL, NULL, NULL, 0, '2026-11-30 03:29:12.899165+00', 0, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, 'gqddgor3 admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a7f-dece-7985-b8cc-ef6d45289cc7', 'webhook', 0, 1, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 1, NULL, NULL, NULL, 0, '2026-11-30 03:29:12.921471+00', 0, 0, '\x44ef2d470ea57e31ca3d68fb68a4905bc686d50178640062f088e59c18680e7c', NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, 'gqddgor3 admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a7f-df07-70b8-9972-5850adbfcc87', 'webhook', 4, 1, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, '2026-11-30 03:29:12.992401+00', NULL, 1, NULL, NULL, NULL, 0, '2026-11-30 03:29:12.970369+00', 1, 0, NULL, NULL, false, -1, NULL, 9841000000, 0, false, 0, 0, 'gqddgor3 admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a7f-dede-79e7-9db5-e2c3d22d0b5d', 'webhook', 2, 1, '2026-11-30 03:29:12.926619+00', '2026-11-30 03:29:12.926619+00', '2026-11-30T03:29:12.926619Z', 1, 0, NULL, NULL, '2026-11-30 03:29:12.978697+00', '2026-11-30 03:29:12.986394+00', NULL, 4, NULL, NULL, NULL, 0, '2026-11-30 03:29:12.934117+00', 2, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, 'gqddgor3 admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a7f-defb-727e-940f-793e9644d614', 'webhook', 3, 1, '2026-11-30 03:29:12.955156+00', '2026-11-30 03:29:12.955156+00', '2026-11-30T03:29:12.955156Z', 1, 0, NULL, NULL, '2026-11-30 03:29:12.992765+00', '2026-11-30 03:29:12.993366+00', '{"code":"status_404","msg":"the target answered 404 Not Found","fingerprint":"af5c1b62c3bf5666"}', 4, NULL, NULL, NULL, 0, '2026-11-30 03:29:12.955839+00', 2, 0, NULL, NULL, false, NULL, NULL, 0, 0, false, 0, 0, 'gqddgor3 admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a7f-df99-731e-b4f3-fb8e8477be87', 'webhook', 2, 1, '2026-11-30 03:29:13.113195+00', '2026-11-30 03:29:13.113195+00', '2026-11-30T03:29:13.113195Z', 1, 0, NULL, NULL, '2026-11-30 03:29:13.140896+00', '2026-11-30 03:29:13.142686+00', NULL, 4, NULL, NULL, '01a22a7f-dede-79e7-9db5-e2c3d22d0b5d', 0, '2026-11-30 03:29:13.128676+00', 2, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a7f-def0-736c-8eac-88a151e6ff90', 'hash', 2, 2, '2026-11-30 03:29:12.944214+00', '2026-11-30 03:29:12.944214+00', '2026-11-30T03:29:12.944214Z', 1, 0, NULL, NULL, '2026-11-30 03:29:12.992002+00', '2026-11-30 03:29:13.406236+00', NULL, 3, NULL, NULL, NULL, 0, '2026-11-30 03:29:12.945093+00', 2, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, 'gqddgor3 admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a7f-df7a-7a1c-b913-69fdf6669d0c', 'webhook', 3, 1, '2026-11-30 03:29:13.434737+00', '2026-11-30 03:29:13.082632+00', '2026-11-30T03:29:13.082632Z', 2, 0, NULL, NULL, '2026-11-30 03:29:13.442577+00', '2026-11-30 03:29:13.44313+00', '{"code":"status_410","msg":"the target answered 410 Gone","fingerprint":"9e0e17755e208de1"}', 4, NULL, NULL, NULL, 1, '2026-11-30 03:29:13.085273+00', 5, 0, NULL, NULL, false, NULL, NULL, 0, 0, false, 0, 0, 'gqddgor3 admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a7f-e0ea-7e41-84e3-1bc348ba2499', 'webhook', 0, 1, '2026-11-30 09:29:13.467396+00', '2026-11-30 03:29:13.450891+00', '2026-11-30T03:29:13.450891Z', 1, 0, NULL, NULL, '2026-11-30 03:29:13.466836+00', NULL, '{"code":"status_503","msg":"the target answered 503 Service Unavailable","fingerprint":"80adf5ba63aff478"}', 4, NULL, NULL, NULL, 0, '2026-11-30 03:29:13.455451+00', 2, 0, NULL, 'waits-for-its-retry', true, NULL, NULL, 172800000000, 21600000000, false, 0, 0, 'gqddgor3 admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a7f-e1aa-7bef-b5d2-47f1acb2bcf7', 'webhook', 0, 1, '2026-11-30 03:29:13.642746+00', '2026-11-30 03:29:13.642746+00', '2026-11-30T03:29:13.642746Z', 0, 0, NULL, NULL, NULL, NULL, NULL, 6, 6, NULL, NULL, 0, '2026-11-30 03:29:13.647349+00', 0, 0, NULL, 'slowly-1', true, NULL, 4, 9841000000, 0, false, 0, 0, 'gqddgor3 admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a7f-e19a-73ae-9411-eb70d461a232', 'webhook', 2, 1, '2026-11-30 03:29:13.62623+00', '2026-11-30 03:29:13.62623+00', '2026-11-30T03:29:13.626230Z', 1, 0, NULL, NULL, '2026-11-30 03:29:13.692103+00', '2026-11-30 03:29:13.693873+00', NULL, 6, NULL, NULL, NULL, 0, '2026-11-30 03:29:13.631464+00', 2, 0, NULL, 'slowly-0', true, NULL, 4, 9841000000, 0, false, 0, 0, 'gqddgor3 admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a7f-e1e6-740c-af99-02e729b8b083', 'webhook', 0, 1, '2026-11-30 03:29:13.702253+00', '2026-11-30 03:29:13.702253+00', '2026-11-30T03:29:13.702253Z', 0, 0, NULL, NULL, NULL, NULL, NULL, 7, 7, NULL, NULL, 0, '2026-11-30 03:29:13.712653+00', 0, 0, NULL, 'held', true, NULL, NULL, 9841000000, 0, false, 0, 0, 'gqddgor3 admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a7f-e1f5-76b4-a39f-dc864673cd4b', 'webhook', 3, 1, '2026-11-30 03:29:13.717419+00', '2026-11-30 03:29:13.717419+00', '2026-11-30T03:29:13.717419Z', 1, 0, NULL, NULL, '2026-11-30 03:29:13.750835+00', '2026-11-30 03:29:13.75709+00', '{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"}', 8, NULL, NULL, NULL, 0, '2026-11-30 03:29:13.73201+00', 2, 0, NULL, NULL, false, NULL, NULL, 0, 0, false, 0, 0, 'gqddgor3 admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a7f-e212-7ea7-9682-ef2538909561', 'webhook', 3, 1, '2026-11-30 03:29:13.746916+00', '2026-11-30 03:29:13.746916+00', '2026-11-30T03:29:13.746916Z', 1, 0, NULL, NULL, '2026-11-30 03:29:13.764382+00', '2026-11-30 03:29:13.76947+00', '{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"}', 8, NULL, NULL, NULL, 0, '2026-11-30 03:29:13.747425+00', 2, 0, NULL, NULL, false, NULL, NULL, 0, 0, false, 0, 0, 'gqddgor3 admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a7f-e216-7004-9e76-12558acd6f7d', 'webhook', 3, 1, '2026-11-30 03:29:13.750001+00', '2026-11-30 03:29:13.750001+00', '2026-11-30T03:29:13.750001Z', 1, 0, NULL, NULL, '2026-11-30 03:29:13.776727+00', '2026-11-30 03:29:13.789542+00', '{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"}', 8, NULL, NULL, NULL, 0, '2026-11-30 03:29:13.752011+00', 2, 0, NULL, NULL, false, NULL, NULL, 0, 0, false, 0, 0, 'gqddgor3 admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a7f-dfb0-71eb-a229-139d4d63a1d2', 'webhook', 2, 1, '2026-11-30 03:29:13.13612+00', '2026-11-30 03:29:13.13612+00', '2026-11-30T03:29:13.136120Z', 1, 0, NULL, NULL, '2026-11-30 03:29:13.156472+00', '2026-11-30 03:29:13.156976+00', NULL, 4, NULL, NULL, '01a22a7f-defb-727e-940f-793e9644d614', 0, '2026-11-30 03:29:13.137349+00', 2, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a7f-e228-7eac-bcb5-ee0cee80bf1e', 'webhook', 3, 1, '2026-11-30 03:29:13.768917+00', '2026-11-30 03:29:13.768917+00', '2026-11-30T03:29:13.768917Z', 1, 0, NULL, NULL, '2026-11-30 03:29:13.804013+00', '2026-11-30 03:29:13.809427+00', '{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"}', 8, NULL, NULL, NULL, 0, '2026-11-30 03:29:13.769402+00', 2, 0, NULL, NULL, false, NULL, NULL, 0, 0, false, 0, 0, 'gqddgor3 admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a7f-e23d-73df-ae55-f2d5301e7c2f', 'webhook', 3, 1, '2026-11-30 03:29:13.789242+00', '2026-11-30 03:29:13.789242+00', '2026-11-30T03:29:13.789242Z', 1, 0, NULL, NULL, '2026-11-30 03:29:13.814155+00', '2026-11-30 03:29:13.814977+00', '{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"}', 8, NULL, NULL, NULL, 0, '2026-11-30 03:29:13.789981+00', 2, 0, NULL, NULL, false, NULL, NULL, 0, 0, false, 0, 0, 'gqddgor3 admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a7f-e24d-7347-934f-c3fcaa85b521', 'webhook', 3, 1, '2026-11-30 03:29:13.805205+00', '2026-11-30 03:29:13.805205+00', '2026-11-30T03:29:13.805205Z', 1, 0, NULL, NULL, '2026-11-30 03:29:13.835481+00', '2026-11-30 03:29:13.839741+00', '{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"}', 8, NULL, NULL, NULL, 0, '2026-11-30 03:29:13.81051+00', 2, 0, NULL, NULL, false, NULL, NULL, 0, 0, false, 0, 0, 'gqddgor3 admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a7f-e269-7d37-93b4-a5dc7e543b95', 'webhook', 3, 1, '2026-11-30 03:29:13.833826+00', '2026-11-30 03:29:13.833826+00', '2026-11-30T03:29:13.833826Z', 1, 0, NULL, NULL, '2026-11-30 03:29:13.848764+00', '2026-11-30 03:29:13.854633+00', '{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"}', 8, NULL, NULL, NULL, 0, '2026-11-30 03:29:13.834448+00', 2, 0, NULL, NULL, false, NULL, NULL, 0, 0, false, 0, 0, 'gqddgor3 admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a7f-e274-76d0-aa31-2467643668b3', 'webhook', 3, 1, '2026-11-30 03:29:13.844426+00', '2026-11-30 03:29:13.844426+00', '2026-11-30T03:29:13.844426Z', 1, 0, NULL, NULL, '2026-11-30 03:29:13.856735+00', '2026-11-30 03:29:13.857269+00', '{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"}', 8, NULL, NULL, NULL, 0, '2026-11-30 03:29:13.845379+00', 2, 0, NULL, NULL, false, NULL, NULL, 0, 0, false, 0, 0, 'gqddgor3 admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a7f-e27e-7d60-ae9e-ed7cc00a27a6', 'webhook', 3, 1, '2026-11-30 03:29:13.854836+00', '2026-11-30 03:29:13.854836+00', '2026-11-30T03:29:13.854836Z', 1, 0, NULL, NULL, '2026-11-30 03:29:13.869018+00', '2026-11-30 03:29:13.870334+00', '{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"}', 8, NULL, NULL, NULL, 0, '2026-11-30 03:29:13.855499+00', 2, 0, NULL, NULL, false, NULL, NULL, 0, 0, false, 0, 0, 'gqddgor3 admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a7f-e287-7e8f-88df-2874bae3f6ba', 'webhook', 3, 1, '2026-11-30 03:29:13.86391+00', '2026-11-30 03:29:13.86391+00', '2026-11-30T03:29:13.863910Z', 1, 0, NULL, NULL, '2026-11-30 03:29:13.87726+00', '2026-11-30 03:29:13.877923+00', '{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"}', 8, NULL, NULL, NULL, 0, '2026-11-30 03:29:13.864583+00', 2, 0, NULL, NULL, false, NULL, NULL, 0, 0, false, 0, 0, 'gqddgor3 admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a7f-e2ea-72e1-b9c7-fecee895298a', 'webhook', 0, 1, '2126-02-11 00:00:12.313454+00', '2126-02-11 00:00:12.313454+00', '2126-02-11T09:00:12.313454+09:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 4, NULL, '2126-02-11 00:30:12.313454+00', NULL, 0, '2026-11-30 03:29:14.002391+00', 0, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, 'gqddgor3 admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'weekdays', '2126-02-11 00:00:00+00', 0, NULL, NULL),
	('01a22a7f-e374-7e8f-9161-392bcc817795', 'webhook', 2, 1, '2026-11-30 03:29:14.10091+00', '2026-11-30 03:29:14.10091+00', '2026-11-30T12:29:14.100910+09:00', 1, 0, NULL, NULL, '2026-11-30 03:29:14.162379+00', '2026-11-30 03:29:14.162944+00', NULL, 4, NULL, '2026-11-30 03:59:14.10091+00', NULL, 0, '2026-11-30 03:29:14.116916+00', 2, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, 'gqddgor3 admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'weekdays', '2026-11-30 03:29:14.10088+00', 1, 1, NULL),
	('01a22a7f-e38b-79be-bcd2-fd78bd12c2e0', 'hash', 2, 2, '2026-11-30 03:29:15+00', '2026-11-30 03:29:15+00', '2026-11-30T03:29:15+00:00', 1, 0, NULL, NULL, '2026-11-30 03:29:15.030382+00', '2026-11-30 03:29:15.452281+00', NULL, 3, NULL, NULL, NULL, 0, '2026-11-30 03:29:14.137126+00', 2, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, 'gqddgor3 admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'ended', '2026-11-30 03:29:15+00', 0, 1, NULL),
	('01a22a7f-eb71-77a9-99fd-e503730156df', 'webhook', 0, 1, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 1, NULL, NULL, NULL, 0, '2026-11-30 03:29:16.146131+00', 0, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, 'gqddgor3 admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a7f-eb61-7610-9ebe-9cafd9cc9b8e', 'webhook', 4, 1, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, '2026-11-30 03:29:16.262976+00', NULL, 1, NULL, NULL, NULL, 0, '2026-11-30 03:29:16.129975+00', 1, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, 'gqddgor3 admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a7f-ec7a-7041-a25b-9950e95be93d', 'job', 0, 3, '2126-02-10 15:30:00+00', '2126-02-10 15:30:00+00', '2126-02-10T16:30:00+01:00', 0, 0, NULL, NULL, NULL, NULL, NULL, 5, 5, NULL, NULL, 0, '2026-11-30 03:29:16.414631+00', 0, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, 'gqddgor3 admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a7f-e708-786a-8a64-404675362435', 'hash', 2, 2, '2026-11-30 03:29:16+00', '2026-11-30 03:29:16+00', '2026-11-30T03:29:16+00:00', 1, 0, NULL, NULL, '2026-11-30 03:29:16.069115+00', '2026-11-30 03:29:16.508229+00', NULL, 3, NULL, NULL, NULL, 0, '2026-11-30 03:29:15.111722+00', 2, 0, NULL, NULL, false, NULL, NULL, 9841000000, 0, false, 0, 0, 'gqddgor3 admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'ended', '2026-11-30 03:29:16+00', 0, 1, NULL),
	('01a22a7f-ec9e-7bb6-aa20-08ce755f845a', 'job', 5, 3, '2026-11-30 03:29:16.446732+00', '2026-11-30 03:29:16.446732+00', '2026-11-30T03:29:16.446732Z', 1, 0, 2570364538587892332, '699370e9-f5ae-4737-bd86-7d2ae1e0d199', '2026-11-30 03:29:16.513168+00', NULL, NULL, 5, 5, NULL, NULL, 0, '2026-11-30 03:29:16.470365+00', 1, 0, NULL, 'claimed', true, NULL, NULL, 9841000000, 0, false, 0, 0, 'gqddgor3 admin', NULL, NULL, NULL, '2026-12-01 03:29:16.513168+00', 5, NULL, '1 day', NULL, NULL, NULL, NULL, NULL),
	('01a22a7f-ecf6-7be7-8bba-570ed38a5c48', 'webhook', 5, 1, '2026-11-30 03:29:16.534744+00', '2026-11-30 03:29:16.534744+00', '2026-11-30T03:29:16.534744Z', 1, 0, 5700722757040105450, NULL, '2026-11-30 03:29:16.545643+00', NULL, NULL, 4, NULL, NULL, NULL, 0, '2026-11-30 03:29:16.539037+00', 2, 0, NULL, 'accepted', true, NULL, NULL, 9841000000, 0, false, 0, 0, 'gqddgor3 admin', NULL, NULL, NULL, '2026-12-30 03:29:16.550928+00', 4, '{"attempt" : 1, "at" : 1796009356571678, "progress" : 0.3, "msg" : "page 3 of 10"}', NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a7f-e2ce-7cd0-86a5-6dc63319e0c2', 'webhook', 0, 1, '2026-11-30 03:29:30.740243+00', '2026-11-30 03:29:13.934801+00', '2026-11-30T03:29:13.934801Z', 1, 0, NULL, NULL, '2026-11-30 03:29:29.822515+00', NULL, '{"code":"connect_refused","msg":"the target refuses connections","fingerprint":"55e8b44ee5b1ce7c"}', 8, NULL, NULL, NULL, 0, '2026-11-30 03:29:13.942693+00', 2, 0, NULL, 'behind-a-circuit', true, NULL, NULL, 9841000000, 1000000, false, 14779026, 0, 'gqddgor3 admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a80-2039-731a-b97f-0248eda3ede4', 'webhook', 1, 1, '2026-11-30 03:29:29.657194+00', '2026-11-30 03:29:29.657194+00', '2026-11-30T03:29:29.657194Z', 1, 0, 2492644526638976956, '72314266-f3fb-4ed3-a0cb-415c690ed069', '2026-11-30 03:29:29.909509+00', NULL, NULL, 4, NULL, NULL, NULL, 0, '2026-11-30 03:29:29.745236+00', 1, 0, NULL, 'running', true, NULL, NULL, 9841000000, 0, false, 133604, 0, 'gqddgor3 admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('01a22a80-2145-7343-87f0-d6a863b1cc53', 'webhook', 0, 1, '2026-11-30 03:29:29.925204+00', '2026-11-30 03:29:29.925204+00', '2026-11-30T03:29:29.925204Z', 0, 0, NULL, NULL, NULL, NULL, NULL, 4, NULL, NULL, NULL, 0, '2026-11-30 03:29:29.934678+00', 0, 0, NULL, 'has-no-slot', true, NULL, NULL, 9841000000, 0, false, 0, 0, 'gqddgor3 admin', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);

INSERT INTO public.tasker_inbox VALUES
	('ac76d05b-e552-4584-b097-525de5129078', '{"webhook": {"url": "http://hooks.example.org", "bodi": "x", "delay": "1h"}}', 'webhook.bodi: expected one of retry, expires_at, on_success, on_failure, on_cancel, tags, group, traceparent, keep, url, method, headers, body, json, body_base64, timeout, success, completion, execution_time, delay, local_time, time_zone, id, key, on_conflict, max_wait, got a name that is unknown here', '2026-11-30 03:29:16.824914+00');

INSERT INTO public.tasker_schema VALUES
	(4, 4);

INSERT INTO public.template VALUES
	('weekdays', '\x7b2274797065223a22776562686f6f6b222c22706f6f6c223a312c227061796c6f6164223a7b2275726c223a22687474703a2f2f3132372e302e302e313a33353333312f7265706f7274222c22626f6479223a2278227d2c2264657374696e6174696f6e223a7b226b696e64223a302c226e616d65223a22687474703a2f2f3132372e302e302e313a3335333331227d2c2270617469656e6365223a393834313030303030302c22657870697265735f6166746572223a313830303030303030307d'),
	('paused', '\x7b2274797065223a22776562686f6f6b222c22706f6f6c223a312c227061796c6f6164223a7b2275726c223a22687474703a2f2f3132372e302e302e313a33353333312f7265706f7274222c22626f6479223a2278227d2c2264657374696e6174696f6e223a7b226b696e64223a302c226e616d65223a22687474703a2f2f3132372e302e302e313a3335333331227d2c2270617469656e6365223a393834313030303030302c22657870697265735f6166746572223a313830303030303030307d'),
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

