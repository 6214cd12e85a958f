-- A task is two rows, so that claiming and settling do not rewrite its body, and three index entries.
CREATE TABLE task (
  seq INTEGER PRIMARY KEY,                     -- order of arrival
  id BLOB NOT NULL UNIQUE,                     -- the 16 bytes of the UUID
  type TEXT NOT NULL,
  state INTEGER NOT NULL DEFAULT 0,            -- 0 todo, 1 in_progress, 2 done, 3 failed
  pool INTEGER NOT NULL,
  due_at INTEGER NOT NULL,                     -- microseconds since 1970 UTC, rounded up; so are the other *_at
  execution_at INTEGER NOT NULL,               -- execution_time as an instant
  execution_time TEXT NOT NULL,                -- as it was sent
  attempts INTEGER NOT NULL DEFAULT 0,
  crashes INTEGER NOT NULL DEFAULT 0,          -- in a row
  claim INTEGER,                               -- random 63 bits, new for each claim call; the fence
  node BLOB,                                   -- the boot that claimed it
  started_at INTEGER,
  ended_at INTEGER,
  last_error TEXT                              -- {"code": ..., "msg": ...}
) STRICT;

CREATE TABLE payload (
  seq INTEGER PRIMARY KEY,
  data BLOB NOT NULL,                          -- what the task type was given: a JSON object
  result BLOB                                  -- what it computed: JSON
) STRICT;

-- The delay queue. seq, the row's key, is the last column of every index.
CREATE INDEX task_queue ON task (pool, due_at) WHERE state = 0;
-- Both lists, the counts, and what is running: by type a merge of the states, by state a merge of the types.
CREATE INDEX task_list ON task (type, state, execution_at);

-- Written to find out whether the medium works again.
CREATE TABLE probe (one INTEGER PRIMARY KEY CHECK (one = 1), written INTEGER NOT NULL) STRICT;
INSERT INTO probe VALUES (1, 0);
