-- What ties tasks to the records of their callers, and lets them be found and changed. None of the
-- indexes has an entry for a task that does not use what it is for. As on SQLite. Nodes that do not
-- know this can go on meanwhile: see 0004.
ALTER TABLE task
  ADD COLUMN created_at timestamptz NOT NULL DEFAULT 'epoch', -- by the store's clock
  -- One up with every write that changes what is shown, and its value when the payload last changed:
  -- the payload says the same, or a claim has read an old one.
  ADD COLUMN revision bigint NOT NULL DEFAULT 0,
  ADD COLUMN payload_revision bigint NOT NULL DEFAULT 0,
  -- SHA-256 of what was sent; only of a task whose caller named its id.
  ADD COLUMN content bytea,
  ADD COLUMN key text,                         -- the caller's own name for it
  ADD COLUMN holds_key boolean NOT NULL DEFAULT false, -- until it ends, or a successor has it
  -- How long it is kept after its end, in microseconds; NULL: as the settings say; below 0: for ever.
  ADD COLUMN keep bigint,
  -- The gate of the host that a task with a group goes to; NULL: it has no group, gate says it.
  ADD COLUMN host_gate bigint,
  -- The waits of its retry policy in all, and those of them that are over, in microseconds: for what
  -- is left a circuit may keep it.
  -- Of those that were stored without: as long as the longest schedule that has a name.
  ADD COLUMN patience bigint NOT NULL DEFAULT 272105000000,
  ADD COLUMN waited bigint NOT NULL DEFAULT 0,
  ADD COLUMN is_cancelled boolean NOT NULL DEFAULT false, -- to end cancelled, once it no longer runs
  -- Microseconds from the due time of the latest attempt to its claim, by cause; the rest is
  -- tasker's own.
  ADD COLUMN late_down bigint NOT NULL DEFAULT 0,
  ADD COLUMN late_held bigint NOT NULL DEFAULT 0;
ALTER TABLE task ALTER COLUMN created_at SET DEFAULT tasker_now(); -- for nodes that do not say it
ALTER TABLE payload ADD COLUMN revision bigint NOT NULL DEFAULT 0;

-- The version of the tables that a node knows; one that does not say it knows the one before this.
ALTER TABLE node ADD COLUMN schema integer NOT NULL DEFAULT 2;

-- One task that has not ended holds a key: its end sets the key free without a write.
CREATE UNIQUE INDEX task_key_holder ON task (key)
 WHERE key IS NOT NULL AND holds_key AND state IN (0, 1, 5);
CREATE INDEX task_key ON task (key COLLATE "C", id) WHERE key IS NOT NULL;
CREATE INDEX task_parent ON task (parent_id, id) WHERE parent_id IS NOT NULL;

-- What lists are read from besides the queue. Only a query that says `-state` uses these. Those that they
-- replace, task_list and task_delayed, were also taken where it is known what runs or which gate holds a
-- task, while statistics said that there was nearly nothing of the kind: and then walked over all of it.
CREATE INDEX task_listed ON task (type, state, execution_at, id) WHERE -state < 0;
CREATE INDEX task_put_off ON task (pool, execution_at, id)
 WHERE -state = 0 AND (due_at <> execution_at OR held_by IS NOT NULL);

-- How often the tasks of a gate may start: model/rate.py.
ALTER TABLE gate
  ADD COLUMN max_per_second double precision,  -- NULL: as often as they come
  ADD COLUMN burst integer NOT NULL DEFAULT 1,
  ADD COLUMN next_at timestamptz NOT NULL DEFAULT 'epoch';
-- What runs of the tasks with a group, by host: a host that is being tried counts them.
CREATE INDEX task_running_grouped ON task (node, host_gate)
 WHERE state = 1 AND host_gate IS NOT NULL;

-- The answers to requests with an Idempotency-Key, each written with what its request made.
CREATE TABLE kept_answer (
  id bytea PRIMARY KEY,                        -- SHA-256 of the key and of whose it is
  fingerprint bytea NOT NULL,                  -- SHA-256 of the request
  answer bytea NOT NULL,
  kept_until timestamptz NOT NULL
);
CREATE INDEX kept_answer_until ON kept_answer (kept_until);

-- When a node last looked for due tasks, to about two seconds; NULL: it has not yet, or it is of a
-- version that does not say.
ALTER TABLE node ADD COLUMN looked_at timestamptz;

-- Spans of more than some seconds in which no node looked. They do not overlap: each begins with a
-- look and ends with the next.
CREATE TABLE down (
  begin_at timestamptz PRIMARY KEY,
  end_at timestamptz NOT NULL
);
CREATE INDEX down_end ON down (end_at);

-- The moment of a number of microseconds since 1970, which JSON can say. Exact: a whole number of
-- seconds is one in floating point, too.
CREATE FUNCTION tasker_moment(microseconds bigint) RETURNS timestamptz
  LANGUAGE sql STABLE PARALLEL SAFE
  AS $$SELECT timestamptz 'epoch' + microseconds / 1000000 * interval '1 second'
                                  + microseconds % 1000000 * interval '1 microsecond'$$;

-- How many microseconds between two moments lie in such spans.
CREATE FUNCTION tasker_down(since timestamptz, until timestamptz) RETURNS bigint
  LANGUAGE sql STABLE PARALLEL SAFE
  AS 'SELECT coalesce(sum(extract(epoch FROM least(end_at, until) - greatest(begin_at, since))
                          * 1000000), 0)::bigint
        FROM down WHERE end_at > since AND begin_at < until';

-- How long a gate has held a task that let it go at a moment, but for such spans; 0: not at all.
-- No such span has ended after down_until.
CREATE FUNCTION tasker_held(due timestamptz, let_go timestamptz, down_until timestamptz) RETURNS bigint
  LANGUAGE sql STABLE PARALLEL SAFE
  AS 'SELECT CASE WHEN let_go > due THEN (extract(epoch FROM let_go - due) * 1000000)::bigint
                                         - CASE WHEN due < down_until THEN tasker_down(due, let_go) ELSE 0 END
                  ELSE 0 END';

-- Since when a gate has had room for what it holds; NULL: it has none, or had none when it was last
-- looked at.
ALTER TABLE gate_queue ADD COLUMN room_since timestamptz;

-- What tasks are found by. No row for a task without tags.
CREATE TABLE tag (
  tag text COLLATE "C" NOT NULL,
  task uuid NOT NULL,
  PRIMARY KEY (tag, task)
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX tag_task ON tag (task);

-- Circuits: when one left closed, what it holds by the patience that is left, when it closed last, and
-- how many have started since.
ALTER TABLE gate
  ADD COLUMN broken_since timestamptz,
  ADD COLUMN closed_at timestamptz,
  ADD COLUMN let_in integer NOT NULL DEFAULT 0;
-- Whether a circuit that closed then is recovering, which takes circuit.RECOVERY.
CREATE FUNCTION tasker_recovers(closed_at timestamptz)
  RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
  AS $$SELECT closed_at <= tasker_now() AND closed_at > tasker_now() - interval '10 seconds'$$;
CREATE INDEX gate_broken ON gate (broken_since) WHERE broken_since IS NOT NULL;
-- No circuit keeps what is pulled: and where nobody has looked how many tasks queues hold, PostgreSQL would
-- take this index for a pull, and sort them all.
CREATE INDEX task_patience ON task (held_by, (patience - waited), due_at)
 WHERE state = 0 AND held_by IS NOT NULL AND pool <> 3;

-- Retention: what is kept as the settings say, and what is kept for a time of its own, by when that
-- is over. What is kept for ever is in neither, so that nobody walks over it.
CREATE INDEX task_unkept ON task (state, ended_at, id) WHERE ended_at IS NOT NULL AND keep IS NULL;
-- In UTC: timestamptz + interval depends on the session, and is not indexed.
CREATE INDEX task_kept
    ON task (((ended_at AT TIME ZONE 'UTC') + keep * interval '1 microsecond'))
 WHERE ended_at IS NOT NULL AND keep >= 0;
-- With task_unkept, all that has ended, in the order of the end.
CREATE INDEX task_ended_kept ON task (state, ended_at, id)
 WHERE ended_at IS NOT NULL AND keep IS NOT NULL;

-- What is done to many tasks in the background: model/operation.py.
CREATE TABLE operation (
  id uuid PRIMARY KEY,
  action text NOT NULL,
  state smallint NOT NULL,                     -- 0 running, 1 done, 2 cancelled
  is_dry_run boolean NOT NULL,
  asked text NOT NULL,                         -- JSON; so are reasons and refusals
  created_at timestamptz NOT NULL,
  ended_at timestamptz,
  node uuid,                                   -- who is at work on it
  cursor text,                                 -- where it has come to; with node the fence of whoever works on it
  matched bigint NOT NULL,
  changed bigint NOT NULL,
  refused bigint NOT NULL,
  reasons text NOT NULL,
  refusals text NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_threshold = 100, autovacuum_vacuum_scale_factor = 0);
CREATE INDEX operation_running ON operation (id) WHERE state = 0;
CREATE INDEX operation_ended ON operation (ended_at) WHERE ended_at IS NOT NULL;

-- Who created a task: the id of the API key, a space, and its name.
ALTER TABLE task ADD COLUMN created_by text;

-- Of a task whose time was said by the clocks of a zone: that time, the zone, and the version of the
-- zones by which the moment was found. A newer version moves what waits: model/zones.py. As on SQLite.
ALTER TABLE task
  ADD COLUMN local_time text,
  ADD COLUMN time_zone text,
  ADD COLUMN zones text COLLATE "C";
CREATE INDEX task_zones ON task (zones, due_at) WHERE zones IS NOT NULL AND state = 0;
-- The newest version by which all that waits was looked at; empty: none.
CREATE TABLE zone_version (one integer PRIMARY KEY CHECK (one = 1), version text COLLATE "C" NOT NULL);
INSERT INTO zone_version VALUES (1, '');

-- Audit: who has changed what, when: model/audit.py. Written with the change, never changed. As on
-- SQLite. Nodes that do not know it write no rows.
CREATE TABLE audit (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL,
  by_id text NOT NULL,
  by_name text NOT NULL,
  action text NOT NULL,
  kind text NOT NULL,
  subject text NOT NULL,                       -- the id of what was changed; empty: all
  name text,
  changes text                                 -- JSON; NULL: the action says it
);
CREATE INDEX audit_at ON audit (at, id);
CREATE INDEX audit_subject ON audit (subject, at, id);
-- Which tasks an operation has changed, the deleted ones too: they point to its row.
CREATE TABLE operation_task (
  task uuid NOT NULL,
  operation uuid NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (task, operation)
);
CREATE INDEX operation_task_at ON operation_task (at);

-- Alerts: what has been told, and which node sends them. One row, once a node has looked.
CREATE TABLE alert_book (
  id integer PRIMARY KEY CHECK (id = 1),
  node uuid NOT NULL,
  lead_until timestamptz NOT NULL,             -- when another node may send
  revision bigint NOT NULL,
  told text NOT NULL                           -- JSON: model/alerts.py
) WITH (fillfactor = 50, autovacuum_vacuum_threshold = 100, autovacuum_vacuum_scale_factor = 0);
-- Whether a node has ended in order. One of a version before this does not say so.
ALTER TABLE node ADD COLUMN has_ended boolean NOT NULL DEFAULT false;

-- Who may call: model/api_key.py. Of a key its hash alone is kept.
CREATE TABLE api_key (
  id text PRIMARY KEY,
  name text NOT NULL,
  role text,                                   -- NULL: it has the scopes that are listed
  scopes text NOT NULL,                        -- with a blank between them
  digest bytea NOT NULL UNIQUE,                -- SHA-256
  created_at timestamptz NOT NULL,
  expires_at timestamptz,
  used_at timestamptz                          -- to the minute
);
-- The version goes up with every change of who may call; the row is locked for it.
CREATE TABLE access (
  one integer PRIMARY KEY CHECK (one = 1),
  version bigint NOT NULL,
  asks boolean NOT NULL,
  salt bytea NOT NULL
);
INSERT INTO access VALUES (1, 1, false, uuid_send(gen_random_uuid()));

-- Stop everything: when nothing was claimed because somebody had paused it all. They do not overlap.
CREATE TABLE pause (
  begin_at timestamptz PRIMARY KEY,
  end_at timestamptz                           -- NULL: it lasts
);
CREATE UNIQUE INDEX pause_lasting ON pause ((end_at IS NULL)) WHERE end_at IS NULL; -- one at a time

-- How many microseconds between two moments lie in pauses, but for spans in which no node looked.
CREATE FUNCTION tasker_paused(since timestamptz, until timestamptz) RETURNS bigint
  LANGUAGE sql STABLE PARALLEL SAFE
  AS 'SELECT coalesce(sum((extract(epoch FROM span.upto - span.begun) * 1000000)::bigint
                          - tasker_down(span.begun, span.upto)), 0)::bigint
        FROM (SELECT greatest(begin_at, since) AS begun, least(coalesce(end_at, until), until) AS upto
                FROM pause
               WHERE (end_at IS NULL OR end_at > since) AND begin_at < until) AS span';

-- History: what each run of a node has counted, in spans of a minute and of an hour. The rows of those
-- under way are written anew.
CREATE TABLE history (
  length bigint NOT NULL,                      -- of the span, in microseconds
  at timestamptz NOT NULL,
  run uuid NOT NULL,
  counts text NOT NULL,                        -- model/history.py, Tally, as JSON
  failures text,                               -- model/failures.py, FailureGroups, as JSON; NULL: none
  PRIMARY KEY (length, at, run)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);

-- Attempts in other hands. Their tasks have the state 5, which reads as in_progress: they keep their
-- fence, and no node has them. As on SQLite.
ALTER TABLE task
  ADD COLUMN deadline timestamptz,             -- until when it waits to be told how the attempt ended
  ADD COLUMN counts_in bigint,                 -- the gate in whose max_running it counts; NULL: in none
  ADD COLUMN progress text,                    -- model/task.py, Progress, as JSON
  ADD COLUMN lease interval;                   -- how far a heartbeat moves it; NULL: it does not
CREATE INDEX task_deadline ON task (deadline) WHERE deadline IS NOT NULL AND pool <> 3;
CREATE INDEX task_lease ON task (deadline) WHERE deadline IS NOT NULL AND pool = 3; -- what was pulled
CREATE INDEX task_counted ON task (counts_in) WHERE counts_in IS NOT NULL;
-- Since when somebody waits on a node for what is pulled from a queue, once that is a second: another
-- node leaves something to it. Worth nothing after some seconds.
CREATE UNLOGGED TABLE queue_waiter (
  gate bigint NOT NULL,
  node uuid NOT NULL,
  since timestamptz NOT NULL,
  seen_at timestamptz NOT NULL,
  PRIMARY KEY (gate, node)
) WITH (fillfactor = 50);
-- What tokens are signed with: model/completion_token.py.
CREATE TABLE completion_key (one integer PRIMARY KEY CHECK (one = 1), key bytea NOT NULL);
INSERT INTO completion_key VALUES (1, uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));

-- Schedules: model/schedule.py. The row drives: it says which run was made last, and when the next is
-- to be made. The runs are tasks; a regular one stands for its time alone. As on SQLite.
CREATE TABLE schedule (
  name text COLLATE "C" PRIMARY KEY,
  revision bigint NOT NULL,
  type text NOT NULL,                          -- of its runs
  plan text NOT NULL,                          -- JSON
  is_paused boolean NOT NULL,
  created_at timestamptz NOT NULL,
  changed_at timestamptz NOT NULL,
  put_by text,                             -- as task.created_by
  next_at timestamptz,                         -- the time of the run that was made last; NULL: none was
  look_at timestamptz                          -- when the next one is to be made; NULL: none is
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX schedule_look ON schedule (look_at, name) WHERE look_at IS NOT NULL;
-- What has become of its runs, apart: who counts those that start does not wait for who makes the next.
CREATE TABLE run_count (
  schedule text COLLATE "C" PRIMARY KEY,
  started bigint NOT NULL DEFAULT 0,           -- regular runs
  skipped bigint NOT NULL DEFAULT 0,           -- those that were left out because another was going on
  missed_times bigint NOT NULL DEFAULT 0,      -- times that were missed, and have had no run of their own
  turn bigint NOT NULL DEFAULT 0               -- another one whenever runs, of any kind, have started
) WITH (fillfactor = 80);
-- What its runs are.
CREATE TABLE template (
  schedule text COLLATE "C" PRIMARY KEY,
  template bytea NOT NULL                      -- JSON
);
ALTER TABLE task
  ADD COLUMN schedule text COLLATE "C",        -- whose run it is; the schedule may be gone
  ADD COLUMN scheduled_for timestamptz,        -- the time that it stands for
  ADD COLUMN run_kind smallint,                -- 0 regular, 1 manual, 2 backfill
  ADD COLUMN admission smallint,               -- model/task.py, Admission
  ADD COLUMN missed bigint;                    -- how many missed times it stands for; NULL: it was not missed
-- The runs that go on, and those that wait for them: held_by is 0 then, which is no gate.
CREATE INDEX task_going_on ON task (schedule) WHERE admission = 1 AND state IN (0, 1, 5);
CREATE INDEX task_behind ON task (schedule, id) WHERE admission = 3 AND state = 0;
CREATE INDEX task_schedule ON task (schedule, id) WHERE schedule IS NOT NULL;
CREATE UNIQUE INDEX task_run ON task (schedule, scheduled_for)
 WHERE schedule IS NOT NULL AND run_kind = 0;

-- Sign-ins of the dashboard: model/sign_in.py. Of what a browser shows its hash alone is kept.
CREATE TABLE sign_in (
  digest bytea PRIMARY KEY,                    -- SHA-256
  key_id text NOT NULL,                        -- of a key of the store, or of a node's file
  ends_at timestamptz NOT NULL
);
CREATE INDEX sign_in_key ON sign_in (key_id);
CREATE INDEX sign_in_end ON sign_in (ends_at);

-- The inbox: requests for new tasks, which applications write in transactions of their own. Nodes take
-- them from here. The roles of applications need INSERT on this table alone.
CREATE TABLE tasker_inbox (
  id uuid PRIMARY KEY,                         -- that of the task to be
  request jsonb NOT NULL,                      -- what POST /tasks/new takes
  error text,                                  -- why it was refused; NULL: it is to be taken
  inserted_at timestamptz NOT NULL DEFAULT tasker_now()
) WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000,
        autovacuum_vacuum_insert_scale_factor = 0.1, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX tasker_inbox_waiting ON tasker_inbox (id) WHERE error IS NULL;
CREATE INDEX tasker_inbox_refused ON tasker_inbox (id) WHERE error IS NOT NULL;
-- Sent when the transaction commits. The channel as in bell.py: every schema has its own.
CREATE FUNCTION tasker_inbox_written() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('tasker_inbox' || CASE TG_TABLE_SCHEMA WHEN 'public' THEN ''
                                           ELSE '_' || left(TG_TABLE_SCHEMA, 40) END, '');
  RETURN NULL;
END $$;
CREATE TRIGGER tasker_inbox_inserted AFTER INSERT ON tasker_inbox
  FOR EACH STATEMENT EXECUTE FUNCTION tasker_inbox_written();
CREATE TRIGGER tasker_inbox_mended AFTER UPDATE ON tasker_inbox
  FOR EACH ROW WHEN (NEW.error IS NULL) EXECUTE FUNCTION tasker_inbox_written();

-- What whoever starts a server has to know first: stores/mark.py. No row: nothing. While it says that
-- no server may start, no node renews its lease.
CREATE TABLE mark (
  one integer PRIMARY KEY CHECK (one = 1),
  state text NOT NULL,
  at timestamptz NOT NULL,
  other text                                   -- the other database, as it may be shown
);
