-- Destinations, expiry, callbacks, and what is kept of attempts. As on SQLite, but for what several
-- nodes need.
ALTER TABLE task
  ADD COLUMN gate bigint,                    -- the gate it has to pass; NULL: none
  ADD COLUMN held_by bigint,                 -- the gate that holds it; NULL: it waits in the queue
  ADD COLUMN expires_at timestamptz,
  ADD COLUMN parent_id uuid,                 -- the task whose end it tells of
  ADD COLUMN retried_after integer NOT NULL DEFAULT 0; -- attempts before the latest retry by hand

-- What can hold tasks back, one for each destination that was ever named. Never deleted.
CREATE TABLE gate (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind smallint NOT NULL,                      -- 0 host, 1 task type
  name text NOT NULL,
  paused boolean NOT NULL DEFAULT false,
  max_running bigint,                          -- NULL: as the settings say
  failures integer NOT NULL DEFAULT 0,         -- the circuit: model/circuit.py
  open_until timestamptz NOT NULL DEFAULT 'epoch',
  UNIQUE (kind, name)
) WITH (fillfactor = 80);

-- A row for each gate that holds tasks, and the moment to look again whether it has room. What
-- comes due for such a gate is held, too, so that it comes in its turn. No task is held without
-- such a row, or nobody would look at it again (but one that has expired: that ends in any case).
-- One statement has tasks held and counts `additions` up; the row is deleted only if `additions` is
-- what was seen and no task is held.
CREATE TABLE gate_queue (
  gate bigint NOT NULL,
  pool integer NOT NULL,
  wake_at timestamptz NOT NULL,
  -- Counted up by whoever changes `wake_at`: of nodes that have seen one version, one has its turn,
  -- and none if the gate was woken since. Additions do not count, or a node that has many tasks
  -- held would keep the others from their turn.
  version bigint NOT NULL DEFAULT 0,
  additions bigint NOT NULL DEFAULT 0,         -- how often tasks were added to what it holds
  PRIMARY KEY (gate, pool)
) WITH (fillfactor = 50, autovacuum_vacuum_threshold = 100, autovacuum_vacuum_scale_factor = 0,
        autovacuum_vacuum_cost_delay = 0);
CREATE INDEX gate_wake ON gate_queue (pool, wake_at);

-- What is kept of the attempts that have ended: the newest of each task.
CREATE TABLE attempt (
  task uuid NOT NULL,
  number integer NOT NULL,
  record text NOT NULL,                        -- model/attempt.py, AttemptRecord, as JSON
  PRIMARY KEY (task, number)
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);

-- Indexes are replaced, not kept for one version more as an expanding migration would have to: no
-- version that has them was released.
-- The delay queue passes over what is held; that waits in an index of its own.
DROP INDEX task_queue;
CREATE INDEX task_queue ON task (pool, due_at, id) WHERE state = 0 AND held_by IS NULL;
CREATE INDEX task_held ON task (pool, held_by, due_at, id) WHERE state = 0 AND held_by IS NOT NULL;
-- The rest of the list of what is todo: tasks that wait for another attempt, or are held.
DROP INDEX task_retrying;
CREATE INDEX task_delayed ON task (pool, execution_at, id)
 WHERE state = 0 AND (due_at <> execution_at OR held_by IS NOT NULL);
-- What runs, where, and for whom: a gate's running tasks are counted node by node.
DROP INDEX task_running;
CREATE INDEX task_running ON task (node, gate) WHERE state = 1;
CREATE INDEX task_expiring ON task (expires_at) WHERE state = 0 AND expires_at IS NOT NULL;

-- How many of the tasks up to this one pass, in the order of the queue. Gate.room as a fold: a task
-- of a host that shares the slots passes while more are free than its host has; `running` counts
-- those that it would have with this one.
CREATE FUNCTION tasker_pass(passed bigint, has_room boolean, running bigint, free bigint)
  RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
  AS 'SELECT passed + CASE WHEN has_room AND coalesce(running + passed <= free, true)
                           THEN 1 ELSE 0 END';
CREATE AGGREGATE tasker_passed(boolean, bigint, bigint)
  (SFUNC = tasker_pass, STYPE = bigint, INITCOND = '0', PARALLEL = SAFE);
