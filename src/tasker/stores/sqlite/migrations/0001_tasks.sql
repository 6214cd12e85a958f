-- A task is two rows, so that claiming and settling do not rewrite its payload, and two index
-- entries.
CREATE TABLE task (
  seq INTEGER PRIMARY KEY,                     -- order of arrival
  id BLOB NOT NULL UNIQUE,                     -- the 16 bytes of the UUID
  type TEXT NOT NULL,
  state INTEGER NOT NULL DEFAULT 0,            -- 0 todo, 1 in_progress, 2 done, 3 failed, 4 cancelled
  pool INTEGER NOT NULL,
  due_at INTEGER NOT NULL,                     -- microseconds since 1970 UTC, rounded up; all *_at
  execution_at INTEGER NOT NULL,               -- execution_time as an instant
  execution_time TEXT NOT NULL,                -- as it was sent
  attempts INTEGER NOT NULL DEFAULT 0,
  crashes INTEGER NOT NULL DEFAULT 0,          -- in a row
  fence INTEGER,                               -- random 63 bits, new for each claim call; the fence
  node BLOB,                                   -- the boot that claimed it
  started_at INTEGER,
  ended_at INTEGER,
  last_fault TEXT                              -- {"code": ..., "msg": ...}
) STRICT;

CREATE TABLE payload (
  seq INTEGER PRIMARY KEY,
  payload BLOB NOT NULL,                       -- what the task type was given: a JSON object
  result BLOB                                  -- what it computed: JSON
) STRICT;

-- Which types of task wait in which pools: a row for each pair that was ever stored.
CREATE TABLE type_pool (
  type TEXT NOT NULL,
  pool INTEGER NOT NULL,
  PRIMARY KEY (type, pool)
) STRICT, WITHOUT ROWID;

-- seq, the row's key, is the last column of every index.
-- The delay queue. It is also the list of what is todo and has never failed: such a task is due at
-- its execution time.
CREATE INDEX task_queue ON task (pool, due_at) WHERE state = 0;
-- The rest of that list: tasks that wait for another attempt.
CREATE INDEX task_retrying ON task (pool, execution_at) WHERE state = 0 AND due_at <> execution_at;
-- All other lists, and what is running. Not written when a task is created: random places in two
-- indexes would cost a create half of its speed.
CREATE INDEX task_list ON task (type, state, execution_at) WHERE state <> 0;

-- Written to find out whether the medium works again.
CREATE TABLE probe (one INTEGER PRIMARY KEY CHECK (one = 1), written INTEGER NOT NULL) STRICT;
INSERT INTO probe VALUES (1, 0);
