-- Destinations, expiry, callbacks, and what is kept of attempts.
ALTER TABLE task ADD COLUMN gate INTEGER;      -- the gate it has to pass; NULL: none
ALTER TABLE task ADD COLUMN held_by INTEGER;   -- the gate that holds it; NULL: none does
ALTER TABLE task ADD COLUMN expires_at INTEGER;
ALTER TABLE task ADD COLUMN parent_id BLOB;    -- the task whose end it tells of
-- Attempts before the latest retry by hand.
ALTER TABLE task ADD COLUMN retried_after INTEGER NOT NULL DEFAULT 0;

-- What can hold tasks back, one for each destination that was ever named.
CREATE TABLE gate (
  id INTEGER PRIMARY KEY,
  kind INTEGER NOT NULL,                       -- 0 host, 1 task type
  name TEXT NOT NULL,
  paused INTEGER NOT NULL DEFAULT 0,
  max_running INTEGER,                         -- NULL: as the settings say
  failures INTEGER NOT NULL DEFAULT 0,         -- the circuit: model/circuit.py
  open_until INTEGER NOT NULL DEFAULT 0,
  UNIQUE (kind, name)
) STRICT;

-- A row for each gate that holds tasks, and the moment to look again whether it has room. What
-- comes due for such a gate is held, too, so that it comes in its turn. No task is held without
-- such a row, or nobody would look at it again.
CREATE TABLE gate_queue (
  gate INTEGER NOT NULL,
  pool INTEGER NOT NULL,
  wake_at INTEGER NOT NULL,
  PRIMARY KEY (gate, pool)
) STRICT, WITHOUT ROWID;
CREATE INDEX gate_wake ON gate_queue (pool, wake_at);

-- What is kept of the attempts that have ended: the newest of each task.
CREATE TABLE attempt (
  task INTEGER NOT NULL,                       -- its seq
  number INTEGER NOT NULL,
  record TEXT NOT NULL,                        -- model/attempt.py, AttemptRecord, as JSON
  PRIMARY KEY (task, number)
) STRICT, WITHOUT ROWID;

-- The delay queue passes over what is held; that waits in an index of its own.
DROP INDEX task_queue;
CREATE INDEX task_queue ON task (pool, due_at) WHERE state = 0 AND held_by IS NULL;
CREATE INDEX task_held ON task (pool, held_by, due_at) WHERE state = 0 AND held_by IS NOT NULL;
-- The rest of the list of what is todo: tasks that wait for another attempt, or are held.
DROP INDEX task_retrying;
CREATE INDEX task_delayed ON task (pool, execution_at)
 WHERE state = 0 AND (due_at <> execution_at OR held_by IS NOT NULL);
CREATE INDEX task_running ON task (gate) WHERE state = 1;
CREATE INDEX task_expiring ON task (expires_at) WHERE state = 0 AND expires_at IS NOT NULL;
