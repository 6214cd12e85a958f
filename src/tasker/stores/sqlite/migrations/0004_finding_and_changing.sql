-- What ties tasks to the records of their callers, and lets them be found and changed. None of the
-- indexes has an entry for a task that does not use what it is for.
ALTER TABLE task ADD COLUMN created_at INTEGER NOT NULL DEFAULT 0; -- by the store's clock
-- One up with every write that changes what is shown, and its value when the payload last changed:
-- the payload says the same, or a claim has read an old one.
ALTER TABLE task ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
ALTER TABLE task ADD COLUMN payload_revision INTEGER NOT NULL DEFAULT 0;
ALTER TABLE payload ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
-- SHA-256 of what was sent; only of a task whose caller named its id.
ALTER TABLE task ADD COLUMN content BLOB;
ALTER TABLE task ADD COLUMN key TEXT;          -- the caller's own name for it
ALTER TABLE task ADD COLUMN holds_key INTEGER NOT NULL DEFAULT 0; -- until it ends, or a successor has it
-- How long it is kept after its end, in microseconds; NULL: as the settings say; below 0: for ever.
ALTER TABLE task ADD COLUMN keep INTEGER;
-- The gate of the host that a task with a group goes to; NULL: it has no group, gate says it.
ALTER TABLE task ADD COLUMN host_gate INTEGER;
-- The waits of its retry policy in all, and those of them that are over, in microseconds: for what is
-- left a circuit may keep it.
ALTER TABLE task ADD COLUMN patience INTEGER NOT NULL DEFAULT 272105000000; -- as on PostgreSQL
ALTER TABLE task ADD COLUMN waited INTEGER NOT NULL DEFAULT 0;
ALTER TABLE task ADD COLUMN is_cancelled INTEGER NOT NULL DEFAULT 0; -- to end cancelled, once it no longer runs
-- Microseconds from the due time of the latest attempt to its claim, by cause; the rest is tasker's
-- own.
ALTER TABLE task ADD COLUMN late_down INTEGER NOT NULL DEFAULT 0;
ALTER TABLE task ADD COLUMN late_held INTEGER NOT NULL DEFAULT 0;

-- One task that has not ended holds a key: its end sets the key free without a write.
CREATE UNIQUE INDEX task_key_holder ON task (key)
 WHERE key IS NOT NULL AND holds_key = 1 AND state IN (0, 1, 5);
CREATE INDEX task_key ON task (key) WHERE key IS NOT NULL;
CREATE INDEX task_parent ON task (parent_id) WHERE parent_id IS NOT NULL;

-- How often the tasks of a gate may start: model/rate.py.
ALTER TABLE gate ADD COLUMN max_per_second REAL;               -- NULL: as often as they come
ALTER TABLE gate ADD COLUMN burst INTEGER NOT NULL DEFAULT 1;
ALTER TABLE gate ADD COLUMN next_at INTEGER NOT NULL DEFAULT 0;
-- What runs of the tasks with a group, by host: a host that is being tried counts them.
CREATE INDEX task_running_grouped ON task (host_gate) WHERE state = 1 AND host_gate IS NOT NULL;

-- The answers to requests with an Idempotency-Key, each written with what its request made.
CREATE TABLE kept_answer (
  id BLOB PRIMARY KEY,                         -- SHA-256 of the key and of whose it is
  fingerprint BLOB NOT NULL,                   -- SHA-256 of the request
  answer BLOB NOT NULL,
  kept_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX kept_answer_until ON kept_answer (kept_until);

-- The numbers of payloads that are stored before their tasks: see stager.py.
CREATE TABLE staged (
  first_seq INTEGER PRIMARY KEY,
  last_seq INTEGER NOT NULL
) STRICT;

-- When the node last looked for due tasks, to about two seconds. The first look finds that nobody did
-- before.
CREATE TABLE look (one INTEGER PRIMARY KEY CHECK (one = 1), at INTEGER NOT NULL) STRICT;
INSERT INTO look VALUES (1, 0);

-- Spans of more than some seconds in which nobody looked. They do not overlap.
CREATE TABLE down (
  end_at INTEGER PRIMARY KEY,
  begin_at INTEGER NOT NULL
) STRICT;

-- What tasks are found by. No row for a task without tags.
CREATE TABLE tag (
  tag TEXT NOT NULL,
  task INTEGER NOT NULL,                       -- its seq
  PRIMARY KEY (tag, task)
) STRICT, WITHOUT ROWID;
CREATE INDEX tag_task ON tag (task);

-- Circuits: when one left closed, what it holds by the patience that is left, when it closed last, and
-- how many have started since.
ALTER TABLE gate ADD COLUMN broken_since INTEGER;
ALTER TABLE gate ADD COLUMN closed_at INTEGER;
ALTER TABLE gate ADD COLUMN let_in INTEGER NOT NULL DEFAULT 0;
CREATE INDEX gate_broken ON gate (broken_since) WHERE broken_since IS NOT NULL;
-- No circuit keeps what is pulled.
CREATE INDEX task_patience ON task (held_by, patience - waited, due_at)
 WHERE state = 0 AND held_by IS NOT NULL AND pool <> 3;

-- Retention: what is kept as the settings say, and what is kept for a time of its own, by when that
-- is over. What is kept for ever is in neither, so that nobody walks over it.
DROP INDEX task_ended;
CREATE INDEX task_ended ON task (state, ended_at) WHERE ended_at IS NOT NULL AND keep IS NULL;
CREATE INDEX task_kept ON task (ended_at + keep) WHERE ended_at IS NOT NULL AND keep >= 0;
-- With task_ended, all that has ended, in the order of the end.
CREATE INDEX task_ended_kept ON task (state, ended_at)
 WHERE ended_at IS NOT NULL AND keep IS NOT NULL;

-- What is done to many tasks in the background: model/operation.py.
CREATE TABLE operation (
  id BLOB PRIMARY KEY,
  action TEXT NOT NULL,
  state INTEGER NOT NULL,                      -- 0 running, 1 done, 2 cancelled
  is_dry_run INTEGER NOT NULL,
  asked TEXT NOT NULL,                         -- JSON; so are reasons and refusals
  created_at INTEGER NOT NULL,
  ended_at INTEGER,
  cursor TEXT,                                 -- where it has come to; the fence of whoever works on it
  matched INTEGER NOT NULL,
  changed INTEGER NOT NULL,
  refused INTEGER NOT NULL,
  reasons TEXT NOT NULL,
  refusals TEXT NOT NULL
) STRICT;
CREATE INDEX operation_running ON operation (id) WHERE state = 0;
CREATE INDEX operation_ended ON operation (ended_at) WHERE ended_at IS NOT NULL;

-- Who created a task: the id of the API key, a space, and its name.
ALTER TABLE task ADD COLUMN created_by TEXT;

-- Of a task whose time was said by the clocks of a zone: that time, the zone, and the version of the
-- zones by which the moment was found. A newer version moves what waits: model/zones.py.
ALTER TABLE task ADD COLUMN local_time TEXT;
ALTER TABLE task ADD COLUMN time_zone TEXT;
ALTER TABLE task ADD COLUMN zones TEXT;
CREATE INDEX task_zones ON task (zones, due_at) WHERE zones IS NOT NULL AND state = 0;
-- The newest version by which all that waits was looked at; empty: none.
CREATE TABLE zone_version (one INTEGER PRIMARY KEY CHECK (one = 1), version TEXT NOT NULL) STRICT;
INSERT INTO zone_version VALUES (1, '');

-- Audit: who has changed what, when: model/audit.py. Written with the change, never changed.
CREATE TABLE audit (
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  by_id TEXT NOT NULL,
  by_name TEXT NOT NULL,
  action TEXT NOT NULL,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,                       -- the id of what was changed; empty: all
  name TEXT,
  changes TEXT                                 -- JSON; NULL: the action says it
) STRICT;
CREATE INDEX audit_at ON audit (at);
CREATE INDEX audit_subject ON audit (subject, at);
-- Which tasks an operation has changed, the deleted ones too: they point to its row.
CREATE TABLE operation_task (
  task BLOB NOT NULL,
  operation TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (task, operation)
) STRICT, WITHOUT ROWID;
CREATE INDEX operation_task_at ON operation_task (at);

-- Alerts: what has been told. One row, once something was.
CREATE TABLE alert_book (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  revision INTEGER NOT NULL,
  told TEXT NOT NULL                           -- JSON: model/alerts.py
) STRICT;

-- Who may call: model/api_key.py. Of a key its hash alone is kept.
CREATE TABLE api_key (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  role TEXT,                                   -- NULL: it has the scopes that are listed
  scopes TEXT NOT NULL,                        -- with a blank between them
  digest BLOB NOT NULL UNIQUE,                 -- SHA-256
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  used_at INTEGER                              -- to the minute
) STRICT, WITHOUT ROWID;
-- The version goes up with every change of who may call.
CREATE TABLE access (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  version INTEGER NOT NULL,
  asks INTEGER NOT NULL,
  salt BLOB NOT NULL
) STRICT;
INSERT INTO access VALUES (1, 1, 0, randomblob(16));

-- Stop everything: when nothing was claimed because somebody had paused it all. They do not overlap.
CREATE TABLE pause (
  begin_at INTEGER PRIMARY KEY,
  end_at INTEGER                               -- NULL: it lasts
) STRICT;
CREATE UNIQUE INDEX pause_lasting ON pause (end_at IS NULL) WHERE end_at IS NULL; -- one at a time

-- History: what each run of the server has counted, in spans of a minute and of an hour. The rows of
-- those under way are written anew.
CREATE TABLE history (
  length INTEGER NOT NULL,                     -- of the span, in microseconds
  at INTEGER NOT NULL,
  run BLOB NOT NULL,                           -- the 16 bytes of a UUID
  counts TEXT NOT NULL,                        -- model/history.py, Tally, as JSON
  failures TEXT,                               -- model/failures.py, FailureGroups, as JSON; NULL: none
  PRIMARY KEY (length, at, run)
) STRICT, WITHOUT ROWID;

-- Attempts in other hands. Their tasks have the state 5, which reads as in_progress: they keep their
-- fence, and no node has them. The indexes are not touched by what is written of any other task.
ALTER TABLE task ADD COLUMN deadline INTEGER;  -- until when it waits to be told how the attempt ended
ALTER TABLE task ADD COLUMN counts_in INTEGER; -- the gate in whose max_running it counts; NULL: in none
ALTER TABLE task ADD COLUMN progress TEXT;     -- model/task.py, Progress, as JSON
ALTER TABLE task ADD COLUMN lease INTEGER;     -- microseconds by which a heartbeat moves it; NULL: by none
CREATE INDEX task_deadline ON task (deadline) WHERE deadline IS NOT NULL AND pool <> 3;
CREATE INDEX task_lease ON task (deadline) WHERE deadline IS NOT NULL AND pool = 3; -- what was pulled
CREATE INDEX task_counted ON task (counts_in) WHERE counts_in IS NOT NULL;
-- What tokens are signed with: model/completion_token.py.
CREATE TABLE completion_key (one INTEGER PRIMARY KEY CHECK (one = 1), key BLOB NOT NULL) STRICT;
INSERT INTO completion_key VALUES (1, randomblob(32));

-- Schedules: model/schedule.py. The row drives: it says which run was made last, and when the next is
-- to be made. The runs are tasks; a regular one stands for its time alone.
CREATE TABLE schedule (
  name TEXT PRIMARY KEY,
  revision INTEGER NOT NULL,
  type TEXT NOT NULL,                          -- of its runs
  plan TEXT NOT NULL,                          -- JSON
  is_paused INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  put_by TEXT,                             -- as task.created_by
  next_at INTEGER,                             -- the time of the run that was made last; NULL: none was
  look_at INTEGER                              -- when the next one is to be made; NULL: none is
) STRICT, WITHOUT ROWID;
CREATE INDEX schedule_look ON schedule (look_at) WHERE look_at IS NOT NULL;
-- What has become of its runs, apart: a claim counts those that start, and does not write the schedule.
CREATE TABLE run_count (
  schedule TEXT PRIMARY KEY,
  started INTEGER NOT NULL DEFAULT 0,          -- regular runs
  skipped INTEGER NOT NULL DEFAULT 0,          -- those that were left out because another was going on
  missed_times INTEGER NOT NULL DEFAULT 0      -- times that were missed, and have had no run of their own
) STRICT, WITHOUT ROWID;
-- What its runs are, apart: a step of the schedule does not write it anew.
CREATE TABLE template (
  schedule TEXT PRIMARY KEY,
  template BLOB NOT NULL                       -- JSON
) STRICT;
ALTER TABLE task ADD COLUMN schedule TEXT;     -- whose run it is; the schedule may be gone
ALTER TABLE task ADD COLUMN scheduled_for INTEGER; -- the time that it stands for
ALTER TABLE task ADD COLUMN run_kind INTEGER;  -- 0 regular, 1 manual, 2 backfill
ALTER TABLE task ADD COLUMN admission INTEGER; -- model/task.py, Admission
ALTER TABLE task ADD COLUMN missed INTEGER;    -- how many missed times it stands for; NULL: it was not missed
-- The runs that go on, and those that wait for them: held_by is 0 then, which is no gate.
CREATE INDEX task_going_on ON task (schedule) WHERE admission = 1 AND state IN (0, 1, 5);
CREATE INDEX task_behind ON task (schedule) WHERE admission = 3 AND state = 0;
CREATE INDEX task_schedule ON task (schedule) WHERE schedule IS NOT NULL;
CREATE UNIQUE INDEX task_run ON task (schedule, scheduled_for)
 WHERE schedule IS NOT NULL AND run_kind = 0;

-- Sign-ins of the dashboard: model/sign_in.py. Of what a browser shows its hash alone is kept.
CREATE TABLE sign_in (
  digest BLOB PRIMARY KEY,                     -- SHA-256
  key_id TEXT NOT NULL,                        -- of a key of the store, or of a node's file
  ends_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sign_in_key ON sign_in (key_id);
CREATE INDEX sign_in_end ON sign_in (ends_at);

-- What whoever starts a server has to know first: stores/mark.py. No row: nothing.
CREATE TABLE mark (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  state TEXT NOT NULL,
  at INTEGER NOT NULL,
  other TEXT                                   -- the other database, as it may be shown
) STRICT;
