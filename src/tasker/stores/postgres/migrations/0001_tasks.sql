-- A task is two rows, so that claiming and settling do not rewrite its payload, and two index
-- entries: as on SQLite, but for the key. Here it is the id alone: ids begin with the time they
-- were made at, so that they come in order of arrival, more or less.

-- The clock of every node. STABLE, so that an index is searched with it; tests replace it.
CREATE FUNCTION tasker_now() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
  AS 'SELECT statement_timestamp()';

-- Rows are changed a few times and then deleted: there is room for the changes on their page, and
-- what is dead goes soon. Dead entries at the head of the queue are what makes a claim slow.
CREATE TABLE task (
  id uuid PRIMARY KEY,
  type text NOT NULL,
  state smallint NOT NULL DEFAULT 0,           -- 0 todo, 1 in_progress, 2 done, 3 failed, 4 cancelled
  pool integer NOT NULL,
  due_at timestamptz NOT NULL,                 -- rounded up; so are the other *_at
  execution_at timestamptz NOT NULL,           -- execution_time as an instant
  execution_time text NOT NULL,                -- as it was sent
  attempts integer NOT NULL DEFAULT 0,
  crashes integer NOT NULL DEFAULT 0,          -- in a row
  fence bigint,                                -- random 63 bits, new for each claim call; the fence
  node uuid,                                   -- the node that claimed it
  started_at timestamptz,
  ended_at timestamptz,
  last_fault text                              -- {"code": ..., "msg": ...}
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.01,
        autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_insert_scale_factor = 0.1,
        autovacuum_analyze_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

CREATE TABLE payload (
  id uuid PRIMARY KEY,
  payload bytea NOT NULL,                      -- what the task type was given: a JSON object
  result bytea                                 -- what it computed: JSON
) WITH (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);

-- Which types of task wait in which pools: a row for each pair that was ever stored.
CREATE TABLE type_pool (type text NOT NULL, pool integer NOT NULL, PRIMARY KEY (type, pool));

-- Who shares this database. A node may start tasks until its lease ends; then the others take back
-- what it was running.
CREATE TABLE node (
  id uuid PRIMARY KEY,                         -- new at every start
  address text NOT NULL,
  version text NOT NULL,
  started_at timestamptz NOT NULL,
  lease_until timestamptz NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_threshold = 100, autovacuum_vacuum_scale_factor = 0);

-- The delay queue. It is also the list of what is todo and has never failed: such a task is due at
-- its execution time.
CREATE INDEX task_queue ON task (pool, due_at, id) WHERE state = 0;
-- The rest of that list: tasks that wait for another attempt.
CREATE INDEX task_retrying ON task (pool, execution_at, id)
 WHERE state = 0 AND due_at <> execution_at;
-- All other lists. Not written when a task is created.
CREATE INDEX task_list ON task (type, state, execution_at, id) WHERE state <> 0;
-- What runs, and where.
CREATE INDEX task_running ON task (node) WHERE state = 1;
-- What has ended, oldest first, for retention.
CREATE INDEX task_ended ON task (state, ended_at) WHERE ended_at IS NOT NULL;
