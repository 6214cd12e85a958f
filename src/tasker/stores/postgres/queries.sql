-- create_tasks --
-- One statement, so one transaction without further round trips, for any number of tasks. Safe to
-- repeat when it is not known whether it was done: what is stored already is left alone, and comes
-- back.
-- Differs from SQLite: ON CONFLICT, where there the writer undoes the one that conflicts.
WITH given AS (
  SELECT * FROM ROWS FROM (
           json_to_recordset($1::json)
             AS (id uuid, type text, pool integer, due_at bigint, execution_at bigint,
                 execution_time text, patience bigint, gate bigint, host_gate bigint, state smallint,
                 expires_at bigint, parent_id uuid, key text, holds_key boolean, keep bigint,
                 created_by text, schedule text, scheduled_for bigint, run_kind smallint,
                 local_time text, time_zone text, zones text, tags json),
           unnest($2::bytea[], $3::bytea[]))
             AS given (id, type, pool, due_at, execution_at, execution_time, patience, gate,
                       host_gate, state, expires_at, parent_id, key, holds_key, keep, created_by,
                       schedule, scheduled_for, run_kind, local_time, time_zone, zones, tags,
                       payload, content)
), stored AS (
  INSERT INTO task (id, type, state, pool, due_at, execution_at, execution_time, gate, expires_at,
                    parent_id, key, holds_key, content, keep, host_gate, patience, created_by,
                    schedule, scheduled_for, run_kind, local_time, time_zone, zones, created_at,
                    held_by)
  SELECT id, type, coalesce(state, 0), pool, tasker_moment(due_at), tasker_moment(execution_at),
         execution_time, gate, tasker_moment(expires_at), parent_id, key,
         coalesce(holds_key, false), content, keep, host_gate, patience, created_by, schedule,
         tasker_moment(scheduled_for), run_kind, local_time, time_zone, zones, tasker_now(),
         CASE WHEN pool = 3 THEN gate END
    FROM given
      ON CONFLICT (id) DO NOTHING
  RETURNING id
), payloads AS (
  INSERT INTO payload (id, payload) SELECT id, payload FROM given
      ON CONFLICT (id) DO NOTHING -- a task has a payload
), tags AS (
  INSERT INTO tag (task, tag)
  SELECT given.id, tag FROM given, json_array_elements_text(given.tags) AS tag (tag)
   WHERE given.tags IS NOT NULL AND given.id IN (SELECT id FROM stored)
)
SELECT id FROM given WHERE id NOT IN (SELECT id FROM stored)

-- lock_keys --
-- Who makes tasks with these keys does so one after the other, on all nodes. In order, so that two
-- do not wait for each other. Behind the lock on all keys, which it shares. Those of another schema
-- of the database are others.
SELECT pg_advisory_xact_lock(lock)
  FROM (SELECT pg_advisory_xact_lock_shared(7215, hashtext(current_schema()::text)) OFFSET 0) AS all_keys
 CROSS JOIN (SELECT DISTINCT hashtextextended(key, hashtextextended(current_schema()::text, 7215)) AS lock
               FROM unnest($1::text[]) AS given (key) ORDER BY lock) AS locks

-- lock_all_keys --
-- The same for many keys: the server has room for some thousand locks, of all sessions together.
SELECT pg_advisory_xact_lock(7215, hashtext(current_schema()::text))

-- stored --
-- What is stored under these ids, to compare it with what is to be.
SELECT id, content, execution_at FROM task WHERE id = ANY ($1::uuid[])

-- key_holders --
SELECT key, id, type, state, execution_at, created_at FROM task
 WHERE key = ANY ($1::text[]) AND key IS NOT NULL AND holds_key AND state IN (0, 1, 5)

-- release_key --
-- A running task goes on without its key: a successor takes it over. No row: it has ended.
UPDATE task SET holds_key = false WHERE id = $1 AND state IN (1, 5) RETURNING id

-- replace --
-- The task becomes another under its id: what counted for it counts anew. No row: it no longer
-- waits.
WITH replaced AS (
  UPDATE task SET due_at = $2, execution_at = $3, execution_time = $4, gate = $5, host_gate = $6,
         held_by = CASE WHEN pool = 3 THEN $5::bigint END, expires_at = $7, keep = $8,
         patience = $9, created_by = $12, local_time = $13, time_zone = $14, zones = $15, waited = 0,
         crashes = 0,
         retried_after = attempts, late_held = 0, revision = revision + 1, payload_revision = revision + 1
   WHERE id = $1 AND state = 0 AND holds_key
  RETURNING id, payload_revision
), without AS (
  DELETE FROM tag USING replaced WHERE tag.task = replaced.id AND tag.tag <> ALL ($11::text[])
), tags AS (
  INSERT INTO tag (task, tag) SELECT id, given.tag FROM replaced, unnest($11::text[]) AS given (tag)
      ON CONFLICT DO NOTHING
)
UPDATE payload SET payload = $10, result = NULL, revision = replaced.payload_revision
  FROM replaced WHERE payload.id = replaced.id
RETURNING payload.id

-- now --
SELECT tasker_now()

-- insert_type_pool --
INSERT INTO type_pool (type, pool) VALUES ($1, $2) ON CONFLICT DO NOTHING

-- insert_gates --
-- In order, so that two transactions that make the same gates do not wait for each other.
INSERT INTO gate (kind, name)
SELECT kind, name FROM unnest($1::smallint[], $2::text[]) AS given (kind, name) ORDER BY kind, name
    ON CONFLICT DO NOTHING

-- open_queues --
-- No claim of a node looks at what a queue holds: this says where it is found.
INSERT INTO gate_queue (gate, pool, wake_at, room_since)
SELECT id, 3, timestamptz 'epoch', timestamptz 'epoch'
  FROM gate JOIN unnest($1::smallint[], $2::text[]) AS given (kind, name) USING (kind, name)
 WHERE kind = 3 ORDER BY id
    ON CONFLICT DO NOTHING

-- gate_ids --
SELECT kind, name, id
  FROM gate JOIN unnest($1::smallint[], $2::text[]) AS given (kind, name) USING (kind, name)

-- existing --
SELECT id FROM task WHERE id = ANY ($1::uuid[])

-- existing_for_sure --
-- The same for what it is not known whether it was written: a backend that was ended while it
-- waited for a replica leaves that in the primary alone. The message makes this a write, and like
-- any other it is reported only once the replicas have it and all before it.
SELECT id FROM task, pg_logical_emit_message(true, 'tasker', '') WHERE id = ANY ($1::uuid[])

-- confirm --
-- What was read is for sure once this is reported: see existing_for_sure.
SELECT pg_logical_emit_message(true, 'tasker', '')

-- look --
-- What time it is, whether this node may claim, and of each pool when the head of its queue is due
-- and when to look next at the gates that hold tasks, but for those that are full here ($3). What
-- has expired is passed over: it does not start any more. The latest pause, which lasts if it has no
-- end.
SELECT here.now, here.is_leased, latest.begin_at AS pause_began_at, latest.end_at AS pause_ended_at,
       pools.pool,
       (SELECT due_at FROM task
         WHERE task.pool = pools.pool AND state = 0 AND held_by IS NULL
           AND (expires_at IS NULL OR expires_at > tasker_now())
         ORDER BY due_at, id LIMIT 1) AS due_at,
       (SELECT wake_at FROM gate_queue
         WHERE gate_queue.pool = pools.pool AND gate <> ALL ($3::bigint[])
         ORDER BY wake_at LIMIT 1) AS wake_at
  FROM (SELECT tasker_now() AS now,
               EXISTS (SELECT FROM node WHERE id = $2 AND lease_until > tasker_now()) AS is_leased
       ) AS here
  LEFT JOIN (SELECT begin_at, end_at FROM pause ORDER BY begin_at DESC LIMIT 1) AS latest ON true
  LEFT JOIN unnest($1::integer[]) AS pools (pool) ON true

-- claim --
-- Claim up to $2 tasks of a pool, earliest first, and have those held that their gates do not let
-- through: of the first $5 that are due. RETURNING has no order: the caller sorts. $6: tasks of a
-- host that may run at once, NULL: see Gate.room, which this follows; $7: circuit.THRESHOLD;
-- $8: instants.LAST; $9: the end of the latest span in which no node looked; $10: that of the latest
-- pause. Behind the attempt stands the gate that holds the task; NULL: it is claimed.
-- Differs from SQLite: one statement. SKIP LOCKED, because other nodes claim at the same time, and
-- a node whose lease has ended claims nothing.
WITH head AS MATERIALIZED (
  SELECT id, due_at, gate FROM task
   WHERE pool = $1 AND state = 0 AND held_by IS NULL AND due_at <= tasker_now()
     AND (expires_at IS NULL OR expires_at > tasker_now())
   ORDER BY due_at, id LIMIT $5
     FOR NO KEY UPDATE SKIP LOCKED
), queued AS (
  SELECT id, due_at, gate, row_number() OVER per_gate AS turn FROM head
  WINDOW per_gate AS (PARTITION BY gate ORDER BY due_at, id)
), asked AS (
  SELECT *, CASE WHEN turn = 1 THEN (
         -- Once for each gate: room, and, if it shares the slots, how many of them it has here.
         -- Strict gates hand out from what they hold only.
         SELECT CASE WHEN paused OR failures >= $7 AND open_until > tasker_now()
                       OR kind = 2 OR max_running IS NOT NULL OR max_per_second IS NOT NULL
                       OR tasker_recovers(closed_at)
                       OR EXISTS (SELECT FROM gate_queue
                                   WHERE gate_queue.gate = gate.id AND gate_queue.pool = $1)
                       THEN ARRAY[0, NULL]
                     WHEN most IS NOT NULL THEN ARRAY[most -
                       (SELECT sum((SELECT count(*) FROM task
                                     WHERE task.node = node.id AND task.gate = gate.id
                                       AND state = 1))::bigint
                          FROM node), NULL]
                     WHEN kind = 0 THEN (SELECT ARRAY[$2::bigint, count(*)] FROM task
                                          WHERE task.node = $4 AND task.gate = gate.id
                                            AND state = 1)
                     ELSE ARRAY[$2::bigint, NULL] END
           FROM (SELECT *, CASE WHEN failures >= $7 THEN 1 - -- with a group they are probes, too
                                (SELECT sum((SELECT count(*) FROM task
                                              WHERE task.node = node.id AND task.host_gate = gate.id
                                                AND state = 1 AND host_gate IS NOT NULL))::bigint
                                   FROM node)
                                ELSE CASE kind WHEN 0 THEN $6::bigint END END AS most
                   FROM gate WHERE gate.id = queued.gate) AS gate
         ) END AS answer
    FROM queued
), answered AS (
  SELECT id, due_at, gate, turn, first_value(answer) OVER per_gate AS answer FROM asked
  WINDOW per_gate AS (PARTITION BY gate ORDER BY due_at, id)
), counted AS (
  SELECT id, tasker_passed(coalesce(turn <= answer[1], true), answer[2] + turn, $2)
             OVER queue AS passed,
         due_at
    FROM answered
  WINDOW queue AS (ORDER BY due_at, id)
), verdict AS MATERIALIZED (
  SELECT id, passed, passed > lag(passed, 1, 0::bigint) OVER queue AS passes FROM counted
  WINDOW queue AS (ORDER BY due_at, id)
), moved AS (
  UPDATE task
     SET state = CASE WHEN passes THEN 1 ELSE 0 END, held_by = CASE WHEN NOT passes THEN gate END,
         attempts = attempts + passes::integer, fence = CASE WHEN passes THEN $3::bigint END,
         node = CASE WHEN passes THEN $4::uuid END,
         started_at = CASE WHEN passes THEN tasker_now() ELSE started_at END,
         revision = revision + passes::integer,
         late_down = CASE WHEN NOT passes THEN late_down
                          WHEN task.due_at < $9 THEN tasker_down(task.due_at, tasker_now())
                          ELSE 0 END,
         late_held = CASE WHEN passes AND task.due_at < $10
                          THEN greatest(late_held, tasker_paused(task.due_at, tasker_now()))
                          ELSE late_held END
    FROM verdict
   WHERE task.id = verdict.id AND CASE WHEN passes THEN passed <= $2 ELSE passed < $2 END
     AND EXISTS (SELECT FROM node WHERE id = $4 AND lease_until > tasker_now())
     AND NOT EXISTS (SELECT FROM pause WHERE end_at IS NULL)
  RETURNING {attempt},
            -- None, if the task was changed after this statement began: then its row is the new one,
            -- but the payload is read as it was.
            CASE WHEN passes THEN (SELECT payload FROM payload
                                    WHERE payload.id = task.id AND revision = payload_revision) END,
            held_by
), shut AS MATERIALIZED (
  -- Who opens a gate wakes what it holds in a later statement: either this one waits for that, or
  -- that one finds what is held since this. Where slots are shared, other nodes look now.
  SELECT id, CASE WHEN paused THEN $8::timestamptz
                  WHEN failures >= $7 AND open_until > tasker_now() THEN open_until
                  WHEN kind = 2 OR max_running IS NOT NULL OR max_per_second IS NOT NULL
                       OR tasker_recovers(closed_at)
                    THEN tasker_now()
                  WHEN kind = 0 AND $6::bigint IS NULL AND failures < $7 THEN tasker_now()
                  ELSE tasker_now() + interval '1 second' END AS look_at,
         -- A strict gate may have had room all along.
         CASE WHEN NOT paused AND (failures < $7 OR open_until <= tasker_now())
               AND (kind = 2 OR max_running IS NOT NULL OR max_per_second IS NOT NULL
                    OR tasker_recovers(closed_at))
              THEN timestamptz 'epoch' END AS room_since
    FROM gate WHERE id IN (SELECT held_by FROM moved) ORDER BY id FOR SHARE
), queues AS (
  INSERT INTO gate_queue (gate, pool, wake_at, additions, room_since)
  SELECT id, $1, look_at, 1, room_since FROM shut ORDER BY id
      ON CONFLICT (gate, pool) -- it is known when to look
      DO UPDATE SET additions = gate_queue.additions + 1
)
SELECT * FROM moved

-- woken --
-- Gates that hold tasks of a pool and are to be looked at now, but for some ($4), and how many of
-- their tasks are running, everywhere and here.
SELECT {gate},
       (SELECT sum((SELECT count(*) FROM task
                     WHERE task.node = node.id AND task.gate = gate.id AND state = 1))::bigint
          FROM node) AS running,
       (SELECT count(*) FROM task
         WHERE task.node = $2 AND task.gate = gate.id AND state = 1) AS running_here,
       CASE WHEN failures > 0 OR tasker_recovers(closed_at) THEN
         (SELECT sum((SELECT count(*) FROM task
                       WHERE task.node = node.id AND task.host_gate = gate.id AND state = 1
                         AND host_gate IS NOT NULL))::bigint
            FROM node) ELSE 0 END AS grouped,
       version, additions, wake_at, room_since
  FROM (SELECT gate, wake_at, version, additions, room_since FROM gate_queue
         WHERE pool = $1 AND wake_at <= tasker_now() AND gate <> ALL ($4::bigint[])
         ORDER BY wake_at LIMIT $3) AS queue
  JOIN gate ON gate.id = queue.gate
 ORDER BY wake_at

-- claim_held --
-- Claim what gates ($2) hold of a pool: of each no more than $3, earliest first. $5: when to look
-- at it next. It is passed over if its queue has another version than was seen ($4): another node
-- was quicker, or it was woken since. $8: as $9 of claim; $9: since when the gates have had room for
-- what is taken now; $10: the same of what is left, NULL: they have none; $11: as $10 of claim. A row
-- without an id: nothing of it can be taken.
WITH turn AS (
  UPDATE gate_queue SET wake_at = given.wake_at, version = version + 1,
         room_since = given.room_since
    FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::timestamptz[], $9::timestamptz[],
                $10::timestamptz[])
           AS given (gate, wanted, seen, wake_at, let_go_at, room_since)
   WHERE gate_queue.pool = $1 AND gate_queue.gate = given.gate AND version = given.seen
     AND EXISTS (SELECT FROM node WHERE id = $7 AND lease_until > tasker_now())
     AND NOT EXISTS (SELECT FROM pause WHERE end_at IS NULL)
  RETURNING gate_queue.gate, wanted, let_go_at
), due AS MATERIALIZED (
  SELECT turn.gate, turn.let_go_at, first.id, first.gate AS own FROM turn CROSS JOIN LATERAL (
    SELECT id, gate FROM task
     WHERE pool = $1 AND held_by = turn.gate AND state = 0 AND held_by IS NOT NULL
       AND due_at <= tasker_now() AND (expires_at IS NULL OR expires_at > tasker_now())
     ORDER BY due_at, id LIMIT turn.wanted
       FOR NO KEY UPDATE SKIP LOCKED) AS first
), claimed AS (
  UPDATE task SET state = 1, held_by = NULL, attempts = attempts + 1, fence = $6, node = $7,
         started_at = tasker_now(), revision = revision + 1,
         late_down = CASE WHEN due_at < $8 THEN tasker_down(due_at, tasker_now()) ELSE 0 END,
         late_held = greatest(late_held, tasker_held(due_at, let_go_at, $8)
                       + CASE WHEN due_at < $11
                              THEN tasker_paused(greatest(due_at, let_go_at), tasker_now())
                              ELSE 0 END)
    FROM due
   WHERE task.id = due.id AND due.own = due.gate
  RETURNING {attempt},
            (SELECT payload FROM payload WHERE payload.id = task.id AND revision = payload_revision),
            due.gate AS had -- without a payload: as in claim
), returned AS ( -- their host lets them start: their group's gate holds them again
  UPDATE task SET held_by = task.gate,
         late_held = greatest(late_held, tasker_held(due_at, let_go_at, $8))
    FROM due
   WHERE task.id = due.id AND due.own <> due.gate
  RETURNING due.gate AS had, task.gate
), shut AS MATERIALIZED ( -- as in claim
  SELECT id FROM gate WHERE id IN (SELECT gate FROM returned) ORDER BY id FOR SHARE
), queues AS (
  INSERT INTO gate_queue (gate, pool, wake_at, additions, room_since)
  SELECT id, $1, tasker_now(), 1, timestamptz 'epoch' FROM shut ORDER BY id
      ON CONFLICT (gate, pool)
      DO UPDATE SET wake_at = least(gate_queue.wake_at, excluded.wake_at),
         version = gate_queue.version + 1, additions = gate_queue.additions + 1
)
SELECT claimed.*, turn.gate AS turn_of,
       (SELECT count(*) FROM returned WHERE returned.had = turn.gate) AS returned
  FROM turn LEFT JOIN claimed ON claimed.had = turn.gate

-- queue --
-- The gate of a queue ($1), how many of its tasks workers have if that is limited, since when it has had
-- room, and when the first is due that it holds: what has expired is passed over. What time it is,
-- whether this node ($2) may claim, and how many others have somebody who has waited longer than $3.
-- No row: there is no such queue.
SELECT {gate},
       CASE WHEN max_running IS NOT NULL
            THEN (SELECT count(*) FROM task WHERE counts_in IS NOT NULL AND counts_in = gate.id)
            ELSE 0 END AS waiting,
       (SELECT room_since FROM gate_queue WHERE gate_queue.gate = gate.id AND pool = 3) AS room_since,
       (SELECT due_at FROM task
         WHERE pool = 3 AND held_by = gate.id AND state = 0 AND held_by IS NOT NULL
           AND (expires_at IS NULL OR expires_at > tasker_now())
         ORDER BY due_at, id LIMIT 1) AS due_at,
       tasker_now() AS now,
       EXISTS (SELECT FROM node WHERE id = $2 AND lease_until > tasker_now()) AS is_leased,
       (SELECT count(*) FROM queue_waiter
         WHERE queue_waiter.gate = gate.id AND node <> $2 AND since < tasker_now() - $3::interval
           AND seen_at > tasker_now() - interval '2.5 seconds') AS longer
  FROM gate WHERE kind = 3 AND name = $1

-- lock_queue --
SELECT id FROM gate WHERE id = $1 FOR NO KEY UPDATE

-- pull --
-- Claim up to $2 of what a queue ($1) holds for a caller, earliest first, but for the first $9, for so
-- long ($5). $6, $8: as $9 and $10 of claim; $7: since when the queue has had room. What others have
-- locked is passed over. $10: whether it is known of this node that somebody waits here.
WITH served AS (
  DELETE FROM queue_waiter WHERE gate = $1 AND node = $4 AND $10::boolean
), head AS MATERIALIZED (
  SELECT id FROM task
   WHERE pool = 3 AND held_by = $1 AND state = 0 AND held_by IS NOT NULL
     AND due_at <= tasker_now() AND (expires_at IS NULL OR expires_at > tasker_now())
   ORDER BY due_at, id LIMIT $2 OFFSET $9
     FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE task SET state = 5, attempts = attempts + 1, fence = $3, node = $4, started_at = tasker_now(),
       deadline = tasker_now() + $5::interval, lease = $5, counts_in = gate, revision = revision + 1,
       late_down = CASE WHEN due_at < $6 THEN tasker_down(due_at, tasker_now()) ELSE 0 END,
       late_held = greatest(late_held, coalesce(tasker_held(due_at, $7, $6), 0)
                     + CASE WHEN due_at < $8
                            THEN tasker_paused(greatest(due_at, $7), tasker_now()) ELSE 0 END)
  FROM head
 WHERE task.id = head.id AND task.state = 0
   AND EXISTS (SELECT FROM node WHERE id = $4 AND lease_until > tasker_now())
   AND NOT EXISTS (SELECT FROM pause WHERE end_at IS NULL)
   AND NOT EXISTS (SELECT FROM gate WHERE id = $1 AND paused)
RETURNING {attempt}, -- without a payload: as in claim
          (SELECT payload FROM payload WHERE payload.id = task.id AND revision = payload_revision),
          started_at, deadline

-- wait_for_queue --
-- Say that somebody has waited here ($2) for what a queue ($1) holds, for so long ($3).
INSERT INTO queue_waiter (gate, node, since, seen_at)
VALUES ($1, $2, tasker_now() - $3::interval, tasker_now())
    ON CONFLICT (gate, node) DO UPDATE SET since = excluded.since, seen_at = excluded.seen_at

-- forget_waiters --
-- Those that were not seen for long. Every row is looked at: there is one for each queue and node.
DELETE FROM queue_waiter WHERE seen_at < tasker_now() - interval '1 minute'

-- end_pull --
-- What the rate of a queue remembers, and whether its room is used up ($3).
WITH queue AS (
  UPDATE gate_queue SET room_since = NULL WHERE gate = $1 AND pool = 3 AND $3::boolean
)
UPDATE gate SET next_at = $2 WHERE id = $1 AND next_at <> $2

-- give_back_unknown_pulled --
-- Undo pulls of which it is not known whether they were done: of these queues ($1), with these
-- claims ($2).
UPDATE task SET state = 0, attempts = greatest(attempts - 1, 0), fence = NULL, node = NULL,
       deadline = NULL, counts_in = NULL, revision = revision + 1
 WHERE state = 5 AND counts_in IS NOT NULL AND counts_in = ANY ($1::bigint[])
   AND fence = ANY ($2::bigint[])

-- next_lease --
SELECT tasker_now() AS now,
       (SELECT deadline FROM task WHERE pool = 3 AND deadline IS NOT NULL
         ORDER BY deadline LIMIT 1) AS deadline

-- end_leases --
-- As take_back: a batch of what was pulled by workers that were not heard of in time.
WITH lost AS MATERIALIZED (
  SELECT id FROM task
   WHERE pool = 3 AND deadline IS NOT NULL AND deadline <= tasker_now() AND state = 5
   ORDER BY deadline LIMIT $3
     FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE task SET crashes = crashes + 1, attempts = greatest(attempts - 1, 0),
       fence = NULL, node = NULL, deadline = NULL, counts_in = NULL, revision = revision + 1,
       state = CASE WHEN crashes + 1 >= $1 THEN 3 ELSE 0 END,
       ended_at = CASE WHEN crashes + 1 >= $1 THEN tasker_now() END,
       last_fault = CASE WHEN crashes + 1 >= $1 THEN $2 ELSE last_fault END
  FROM lost
 WHERE task.id = lost.id
RETURNING {ending},
          CASE state WHEN 3 THEN (SELECT payload FROM payload WHERE payload.id = task.id) END,
          state, gate, tasker_now() AS now

-- lock_gate --
-- For a turn of a strict gate. No row: it is another node's, which hands out now. In this turn nothing
-- waits long for what others have locked: they may be waiting for this gate.
SELECT id, set_config('lock_timeout', '100ms', true) FROM gate WHERE id = $1 FOR NO KEY UPDATE SKIP LOCKED

-- turn --
-- A strict gate that this transaction has locked: what runs now, as the turn before has left it.
SELECT {gate}, tasker_now() AS now, version, additions,
       coalesce(room_since, wake_at) AS let_go_at, least(room_since, wake_at) AS due_since,
       (SELECT count(*) FROM task
         WHERE task.node = $3 AND task.gate = gate.id AND state = 1) AS running_here,
       (SELECT sum((SELECT count(*) FROM task
                     WHERE task.node = node.id AND task.gate = gate.id AND state = 1))::bigint
          FROM node) AS running,
       CASE WHEN max_running IS NOT NULL
            THEN (SELECT count(*) FROM task WHERE counts_in IS NOT NULL AND counts_in = gate.id)
            ELSE 0 END AS waiting,
       CASE WHEN failures > 0 OR tasker_recovers(closed_at) THEN
         (SELECT sum((SELECT count(*) FROM task
                       WHERE task.node = node.id AND task.host_gate = gate.id AND state = 1
                         AND host_gate IS NOT NULL))::bigint
            FROM node) ELSE 0 END AS grouped
  FROM gate JOIN gate_queue ON gate_queue.gate = gate.id AND gate_queue.pool = $2
 WHERE gate.id = $1 AND wake_at <= tasker_now()
   AND EXISTS (SELECT FROM node WHERE id = $3 AND lease_until > tasker_now())
   AND NOT EXISTS (SELECT FROM pause WHERE end_at IS NULL)

-- claim_strict --
-- Claim up to $3 of the tasks of a pool that a strict gate ($2) holds, earliest first: of the first
-- $6. Those whose host lets nothing start ($7: circuit.THRESHOLD; see Gate.lets_grouped, which this
-- follows) are held there from now on. Those with other gates than $2 go to those ($2 is their
-- host's). $9: as in claim; $10: since when the gate has had room; $11: as $10 of claim. Behind the
-- attempt stands the gate that holds the task; NULL: it is claimed.
WITH first AS MATERIALIZED (
  SELECT id, due_at, gate, host_gate FROM task
   WHERE pool = $1 AND held_by = $2 AND state = 0 AND held_by IS NOT NULL
     AND due_at <= tasker_now() AND (expires_at IS NULL OR expires_at > tasker_now())
   ORDER BY due_at, id LIMIT $6
     FOR NO KEY UPDATE SKIP LOCKED
), host AS MATERIALIZED (
  SELECT id, CASE WHEN paused OR failures >= $7 AND open_until > tasker_now() THEN 0
                  WHEN failures >= $7 OR tasker_recovers(closed_at) THEN
                    CASE WHEN failures >= $7 THEN 1
                         ELSE 1 << floor(extract(epoch FROM tasker_now() - closed_at))::integer END -
                    (SELECT sum((SELECT count(*) FROM task
                                  WHERE task.node = node.id AND task.gate = gate.id AND state = 1)
                              + (SELECT count(*) FROM task
                                  WHERE task.node = node.id AND task.host_gate = gate.id
                                    AND state = 1 AND host_gate IS NOT NULL))::bigint
                       FROM node) END AS most
    FROM gate WHERE id IN (SELECT host_gate FROM first)
), asked AS (
  SELECT first.id, due_at, gate, host_gate,
         gate = $2 AND coalesce(row_number() OVER (PARTITION BY host_gate ORDER BY due_at, first.id)
                                <= most, true) AS passes
    FROM first LEFT JOIN host ON host.id = first.host_gate
), verdict AS MATERIALIZED (
  SELECT *, count(*) FILTER (WHERE passes) OVER (ORDER BY due_at, id) AS passed FROM asked
), moved AS (
  UPDATE task
     SET state = CASE WHEN passes THEN 1 ELSE 0 END,
         held_by = CASE WHEN passes THEN NULL WHEN task.gate = $2 THEN task.host_gate
                        ELSE task.gate END,
         attempts = attempts + passes::integer, fence = CASE WHEN passes THEN $4::bigint END,
         node = CASE WHEN passes THEN $5::uuid END,
         started_at = CASE WHEN passes THEN tasker_now() ELSE started_at END,
         revision = revision + passes::integer,
         late_down = CASE WHEN NOT passes THEN late_down
                          WHEN task.due_at < $9 THEN tasker_down(task.due_at, tasker_now())
                          ELSE 0 END,
         late_held = CASE WHEN passes OR task.gate <> $2 -- which its host lets go
                          THEN greatest(late_held, tasker_held(task.due_at, $10, $9)
                                 + CASE WHEN passes AND task.due_at < $11
                                        THEN tasker_paused(greatest(task.due_at, $10), tasker_now())
                                        ELSE 0 END)
                          ELSE late_held END
    FROM verdict
   WHERE task.id = verdict.id AND CASE WHEN passes THEN passed <= $3::bigint
                                         ELSE passed < $3::bigint END
     AND NOT EXISTS (SELECT FROM pause WHERE end_at IS NULL)
  RETURNING {attempt},
            CASE WHEN passes THEN (SELECT payload FROM payload -- none: as in claim
                                    WHERE payload.id = task.id AND revision = payload_revision) END,
            held_by, tasker_now() AS now
), shut AS MATERIALIZED ( -- as in claim
  SELECT id, CASE WHEN kind = 2 THEN tasker_now()
                  WHEN paused THEN $8::timestamptz
                  WHEN failures >= $7 AND open_until > tasker_now() THEN open_until
                  ELSE tasker_now() + interval '1 second' END AS look_at,
         CASE WHEN kind = 2 THEN timestamptz 'epoch' END AS room_since
    FROM gate WHERE id IN (SELECT held_by FROM moved) ORDER BY id FOR SHARE
), queues AS (
  INSERT INTO gate_queue (gate, pool, wake_at, additions, room_since)
  SELECT id, $1, look_at, 1, room_since FROM shut ORDER BY id
      ON CONFLICT (gate, pool)
      DO UPDATE SET wake_at = least(gate_queue.wake_at, excluded.wake_at),
         version = gate_queue.version + 1, additions = gate_queue.additions + 1
)
SELECT * FROM moved

-- end_turn --
-- Say when to look next ($3; NULL: now, as before), what the rate remembers, and how many have
-- started since the circuit closed. Who has woken the gate since it was seen ($4) stands. $7: what
-- close_gate_queue takes, if the gate seems to hold no more; else NULL. If that is not closed, what
-- it holds is another session's for now: it stays to be looked at.
WITH closed AS (
  DELETE FROM gate_queue
   WHERE pool = $2 AND gate = $1 AND additions = $7::bigint
     AND NOT EXISTS (SELECT FROM task
                      WHERE task.pool = $2 AND held_by = $1 AND state = 0 AND held_by IS NOT NULL
                        AND (expires_at IS NULL OR expires_at > tasker_now()))
  RETURNING gate
), queue AS (
  UPDATE gate_queue SET wake_at = $3::timestamptz, version = version + 1, room_since = NULL
   WHERE gate = $1 AND pool = $2 AND version = $4 AND $3::timestamptz IS NOT NULL
     AND NOT EXISTS (SELECT FROM closed)
)
UPDATE gate SET next_at = $5, let_in = $6 WHERE id = $1 AND (next_at <> $5 OR let_in <> $6)

-- close_gate_queue --
-- Unless it holds some that may start, or some were added since it was looked at ($3): another node
-- may be about to commit that. What has expired ends, gate or no gate.
DELETE FROM gate_queue USING unnest($2::bigint[], $3::bigint[]) AS given (gate, additions)
 WHERE pool = $1 AND gate_queue.gate = given.gate AND gate_queue.additions = given.additions
   AND NOT EXISTS (SELECT FROM task
                    WHERE task.pool = $1 AND held_by = given.gate AND state = 0
                      AND held_by IS NOT NULL
                      AND (expires_at IS NULL OR expires_at > tasker_now()))
RETURNING gate_queue.gate

-- wake --
-- What these gates hold is looked at now: they may have room. A node that has looked before finds
-- another version here and looks again. $2: it need not wait for the disk, and the claims for it:
-- if it is lost, it is looked a little later.
WITH quick AS MATERIALIZED (
  SELECT CASE WHEN $2::boolean THEN set_config('synchronous_commit', 'off', true) END
), queue AS MATERIALIZED (
  SELECT gate, pool FROM gate_queue WHERE gate = ANY ($1::bigint[]) ORDER BY gate, pool
     FOR NO KEY UPDATE
)
UPDATE gate_queue SET wake_at = least(wake_at, tasker_now()), version = version + 1,
       room_since = coalesce(room_since, tasker_now())
  FROM quick, queue
 WHERE gate_queue.gate = queue.gate AND gate_queue.pool = queue.pool
RETURNING gate_queue.gate

-- next_expiry --
-- What time it is, and when the first task expires.
SELECT tasker_now() AS now,
       (SELECT expires_at FROM task WHERE state = 0 AND expires_at IS NOT NULL
         ORDER BY expires_at LIMIT 1) AS expires_at

-- expired --
-- A batch of what could not start in time.
SELECT {ending},
       (SELECT payload FROM payload WHERE payload.id = task.id AND revision = payload_revision),
       last_fault, {run_gone}, tasker_now() AS now -- without a payload: as in claim
  FROM task
 WHERE state = 0 AND expires_at IS NOT NULL AND expires_at <= tasker_now()
 ORDER BY expires_at LIMIT $1
   FOR NO KEY UPDATE SKIP LOCKED

-- expire --
UPDATE task SET state = 3, ended_at = tasker_now(), last_fault = given.last_fault,
       held_by = CASE WHEN pool = 3 THEN held_by END, revision = revision + 1
  FROM unnest($1::uuid[], $2::text[]) AS given (id, last_fault)
 WHERE task.id = given.id AND task.state = 0

-- zones --
SELECT version FROM zone_version

-- note_zones --
UPDATE zone_version SET version = $1 WHERE version < $1

-- outdated --
-- A batch of what an older version than $1 found the moment of.
SELECT id, due_at, execution_at, attempts, local_time, time_zone, tasker_now() AS now FROM task
 WHERE zones < $1 AND zones IS NOT NULL AND state = 0
 ORDER BY zones, due_at LIMIT $2
   FOR NO KEY UPDATE SKIP LOCKED

-- move_by_zones --
-- Of those that $3 says no moment for, the version alone is written.
UPDATE task SET due_at = coalesce(at, due_at), execution_at = coalesce(at, execution_at),
       execution_time = coalesce(text, execution_time),
       held_by = CASE WHEN at IS NULL OR pool = 3 THEN held_by END,
       late_held = CASE WHEN at IS NULL THEN late_held ELSE 0 END,
       zones = $1, revision = revision + (at IS NOT NULL)::integer
  FROM unnest($2::uuid[], $3::timestamptz[], $4::text[]) AS given (id, at, text)
 WHERE task.id = given.id AND task.state = 0

-- broken --
-- Whether the circuit of any gate has left *closed* $1 microseconds ago or longer.
SELECT EXISTS (SELECT FROM gate
                WHERE broken_since IS NOT NULL
                  AND broken_since <= tasker_now() - $1::bigint * interval '1 microsecond')

-- given_up --
-- A batch of what circuits have kept for too long. The tasks that a gate holds have few different
-- patiences left: each is found in the index, and then the tasks that have it. The time of a pause
-- does not count: `later` is how long those lasted that came after it, and `ripe` is what has been
-- due for its patience, or longer, without them. $2: microseconds for which a circuit may keep any
-- task; $3: circuit.THRESHOLD.
WITH RECURSIVE stop (end_at, length, later) AS MATERIALIZED (
  SELECT coalesce(end_at, tasker_now()), coalesce(end_at, tasker_now()) - begin_at,
         coalesce(sum(coalesce(end_at, tasker_now()) - begin_at) OVER (
           ORDER BY begin_at DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), interval '0')
    FROM pause
), span (gate_id, since, patience) AS (
  SELECT id, broken_since,
         (SELECT task.patience - waited FROM task
           WHERE held_by = gate.id AND state = 0 AND held_by IS NOT NULL AND pool <> 3
           ORDER BY task.patience - waited LIMIT 1)
    FROM gate
   WHERE broken_since IS NOT NULL AND failures >= $3
     AND broken_since <= tasker_now() - $2::bigint * interval '1 microsecond'
   UNION ALL
  SELECT gate_id, since,
         (SELECT task.patience - waited FROM task
           WHERE held_by = gate_id AND state = 0 AND held_by IS NOT NULL AND pool <> 3
             AND task.patience - waited > span.patience
           ORDER BY task.patience - waited LIMIT 1)
    FROM span WHERE since + patience * interval '1 microsecond' <= tasker_now()
), ripe (gate_id, since, patience, due_by) AS MATERIALIZED (
  SELECT gate_id, since, patience, due_by
         - (SELECT coalesce(sum(length), interval '0') FROM stop WHERE due_by - later < stop.end_at)
    FROM (SELECT *, tasker_now() - greatest(patience, $2::bigint) * interval '1 microsecond' AS due_by
            FROM span) AS span
)
SELECT {ending},
       (SELECT payload FROM payload WHERE payload.id = task.id AND revision = payload_revision),
       last_fault, {run_gone}, tasker_now() AS now -- without a payload: as in claim
  FROM ripe CROSS JOIN LATERAL (
    SELECT * FROM task
     WHERE held_by = gate_id AND task.patience - waited = ripe.patience AND state = 0
       AND held_by IS NOT NULL AND pool <> 3 AND due_at <= due_by
     ORDER BY due_at LIMIT $1
       FOR NO KEY UPDATE SKIP LOCKED) AS task
 WHERE since <= due_by
 LIMIT $1

-- settle --
-- Those that are missing from what comes back have lost their claim: nothing was written for them.
-- What was cancelled meanwhile goes no further.
-- $5: how many attempts of a task are kept. Comes back as places, counted from 0, of those that have
-- the same to say to gates: of a gate that has had failures, or holds tasks, or is said not to work
-- (is_dead), what `circuits` says. To another one nothing is to be said.
-- The condition on the state also depends on what has ended, so that it is never where the search begins:
-- decision 48.
-- Differs from SQLite: a whole group in one statement.
WITH ended AS (
  SELECT * FROM ROWS FROM (
           json_to_recordset($1::json)
             AS (id uuid, fence bigint, state smallint, started_at bigint, ended_at bigint,
                 number integer, is_dead boolean, due_at bigint, waited bigint, deadline bigint,
                 counts boolean, is_of_running boolean),
           unnest($2::text[], $3::text[], $4::bytea[])) WITH ORDINALITY
             AS ended (id, fence, state, started_at, ended_at, number, is_dead, due_at, waited,
                       deadline, counts, is_of_running, record, last_fault, result, place)
), settled AS (
  UPDATE task SET state = CASE WHEN is_cancelled AND ended.state <> 2 THEN 4 ELSE ended.state END,
         due_at = CASE WHEN is_cancelled THEN task.due_at
                       ELSE coalesce(tasker_moment(ended.due_at), task.due_at) END,
         waited = coalesce(ended.waited, task.waited),
         started_at = tasker_moment(ended.started_at),
         ended_at = coalesce(tasker_moment(ended.ended_at),
                             CASE WHEN is_cancelled THEN tasker_now() END),
         last_fault = coalesce(ended.last_fault, task.last_fault),
         crashes = 0, node = NULL, is_cancelled = false, revision = revision + 1,
         late_held = CASE WHEN is_cancelled OR ended.due_at IS NULL THEN late_held ELSE 0 END,
         fence = CASE WHEN ended.state = 5 AND NOT is_cancelled THEN task.fence END,
         deadline = CASE WHEN NOT is_cancelled THEN tasker_moment(ended.deadline) END,
         counts_in = CASE WHEN ended.counts AND NOT is_cancelled THEN task.gate END
    FROM ended
   WHERE task.id = ended.id AND task.fence = ended.fence
     AND task.state IN (1, CASE WHEN ended.is_of_running THEN 1 ELSE 5 END)
  RETURNING task.id, coalesce(host_gate, gate) AS gate,
            CASE WHEN host_gate IS NOT NULL THEN gate END AS group_gate,
            place - 1 AS place, result, number, record, is_dead, task.state
), results AS (
  UPDATE payload SET result = settled.result FROM settled
   WHERE payload.id = settled.id AND settled.result IS NOT NULL
), kept AS ( -- a number that a crash or a drain took back is given out again
  INSERT INTO attempt (task, number, record)
  SELECT id, number, record FROM settled WHERE record IS NOT NULL
      ON CONFLICT (task, number) DO UPDATE SET record = excluded.record
), dropped AS (
  DELETE FROM attempt USING settled
   WHERE settled.number > $5 AND attempt.task = settled.id
     AND attempt.number <= settled.number - $5
), alike AS (
  SELECT gate, group_gate, array_agg(place) AS places,
         array_agg(place) FILTER (WHERE state = 4) AS stopped, bool_or(is_dead) AS is_dead
    FROM settled GROUP BY gate, group_gate
)
SELECT places, stopped,
       (SELECT id FROM gate WHERE gate.id = group_gate AND max_running IS NOT NULL) AS group_gate,
       gate.id AS gate, failures, open_until, broken_since, closed_at, paused, holds,
       tasker_now() AS now
  FROM alike
  LEFT JOIN LATERAL (
    SELECT *, EXISTS (SELECT FROM gate_queue WHERE gate_queue.gate = gate.id
                         AND (pool <> 3 OR max_running IS NOT NULL)) AS holds
      FROM gate WHERE gate.id = alike.gate
  ) AS gate ON failures > 0 OR is_dead OR holds

-- attempt_record --
SELECT record FROM attempt WHERE task = $1 AND number = $2 FOR NO KEY UPDATE

-- set_attempt_record --
UPDATE attempt SET record = $3 WHERE task = $1 AND number = $2

-- settled_before --
-- Which of these ends were written although the connection broke before the answer: no two attempts
-- begin in one microsecond, and what is kept of one tells its end from that of somebody else, such
-- as a cancel. They come, and come back, as those of `settle`, but that nothing was seen of a gate.
-- For sure, as above: an end that no replica has would free its slot, and the delivery be made again
-- after a failover.
SELECT array_agg(place - 1) AS places,
       array_agg(place - 1) FILTER (WHERE task.state = 4) AS stopped,
       coalesce(host_gate, gate) AS gate, CASE WHEN host_gate IS NOT NULL THEN gate END AS group_gate
  FROM pg_logical_emit_message(true, 'tasker', ''),
       ROWS FROM (
         json_to_recordset($1::json) AS (id uuid, state smallint, started_at bigint, number integer),
         unnest($2::text[])) WITH ORDINALITY
           AS ended (id, state, started_at, number, record, place)
  JOIN task ON task.id = ended.id AND task.state IN (ended.state, 4)
           AND task.started_at = tasker_moment(ended.started_at)
           AND (task.fence IS NULL OR task.state = 5)
 WHERE ended.record IS NULL
    OR ended.record = (SELECT record FROM attempt WHERE task = ended.id AND number = ended.number)
 GROUP BY gate, host_gate

-- completion_key --
SELECT key FROM completion_key

-- awaited --
-- An attempt whose end is told from outside. No row: it has ended.
SELECT {attempt}, payload.payload, started_at, deadline, is_cancelled, progress,
       (SELECT record FROM attempt WHERE attempt.task = task.id AND number = attempts) AS record
  FROM task JOIN payload USING (id)
 WHERE task.id = $1 AND state IN (1, 5) AND fence = $2

-- beat --
-- $5: how long it waits from now on, NULL: as before. Only that waits for the disk. No row: as for
-- awaited.
WITH quick AS MATERIALIZED (
  SELECT CASE WHEN $5::interval IS NULL THEN set_config('synchronous_commit', 'off', true) END
)
UPDATE task SET
       progress = json_build_object('attempt', attempts, 'at', (extract(epoch FROM tasker_now()) * 1000000)::bigint,
                                    'progress', $3::double precision, 'msg', $4::text)::text,
       deadline = CASE state WHEN 5 THEN coalesce(tasker_now() + coalesce($5::interval, lease), deadline) END
  FROM quick
 WHERE task.id = $1 AND state IN (1, 5) AND fence = $2
RETURNING deadline, is_cancelled

-- next_deadline --
SELECT tasker_now() AS now,
       (SELECT deadline FROM task WHERE pool <> 3 AND deadline IS NOT NULL
         ORDER BY deadline LIMIT 1) AS deadline

-- past_deadline --
-- A batch of the attempts in other hands whose deadline has passed, but for what was pulled.
SELECT {attempt},
       (SELECT payload FROM payload WHERE payload.id = task.id),
       started_at, deadline, is_cancelled, progress,
       (SELECT record FROM attempt WHERE attempt.task = task.id AND number = attempts) AS record,
       tasker_now() AS now
  FROM task
 WHERE pool <> 3 AND deadline IS NOT NULL AND deadline <= tasker_now()
 ORDER BY deadline LIMIT $1
   FOR NO KEY UPDATE SKIP LOCKED

-- circuits --
-- OFFSET 0: searched for each, where PostgreSQL would read the whole of gate_queue first.
SELECT id AS gate, failures, open_until, broken_since, closed_at, paused,
       EXISTS (SELECT FROM gate_queue WHERE gate_queue.gate = gate.id OFFSET 0) AS holds,
       tasker_now() AS now
  FROM gate WHERE id = ANY ($1::bigint[])

-- circuit_to_probe --
-- The same of a gate that stays locked.
SELECT id AS gate, failures, open_until, broken_since, closed_at, paused,
       EXISTS (SELECT FROM gate_queue WHERE gate_queue.gate = $1) AS holds, tasker_now() AS now
  FROM gate WHERE id = $1 FOR NO KEY UPDATE

-- set_circuits --
-- Where they still are what was seen, $4 and $5. In order, so that two nodes do not wait for each
-- other. $8 to $13: the rows of the audit log, each for one of the gates.
WITH seen AS MATERIALIZED (
  SELECT gate.id, given.failures, given.open_until, given.broken_since, given.closed_at
    FROM unnest($1::bigint[], $2::integer[], $3::timestamptz[], $4::integer[], $5::timestamptz[],
                $6::timestamptz[], $7::timestamptz[])
           AS given (id, failures, open_until, failures_seen, open_until_seen, broken_since,
                     closed_at)
    JOIN gate ON gate.id = given.id AND gate.failures = failures_seen
             AND gate.open_until = open_until_seen
   ORDER BY gate.id FOR NO KEY UPDATE OF gate
), changed AS (
  UPDATE gate SET failures = seen.failures, open_until = seen.open_until,
         broken_since = seen.broken_since, closed_at = seen.closed_at,
         let_in = CASE WHEN gate.closed_at IS NOT DISTINCT FROM seen.closed_at THEN let_in
                       ELSE 0 END
    FROM seen WHERE gate.id = seen.id
  RETURNING gate.id, gate.name
), audited AS (
  INSERT INTO audit (at, by_id, by_name, action, kind, subject, name, changes)
  SELECT tasker_now(), by_id, by_name, action, entry.kind, id::text, changed.name, changes
    FROM unnest($8::bigint[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[])
           AS entry (id, by_id, by_name, action, kind, changes)
    JOIN changed USING (id)
)
SELECT id FROM changed

-- last_pause --
-- No end: it lasts.
SELECT begin_at, end_at FROM pause ORDER BY begin_at DESC LIMIT 1

-- paused_at --
-- No row: nothing is paused.
SELECT begin_at FROM pause WHERE end_at IS NULL

-- cut_pauses_ahead --
-- The clock was set back: what lies ahead of it has yet to come.
UPDATE pause SET end_at = tasker_now() WHERE end_at > tasker_now() AND begin_at < tasker_now()

-- forget_pauses_ahead --
DELETE FROM pause WHERE begin_at >= tasker_now() AND end_at IS NOT NULL

-- begin_pause --
-- One that lasts goes on.
INSERT INTO pause (begin_at) VALUES (tasker_now()) ON CONFLICT DO NOTHING RETURNING true

-- forget_pause --
-- One that has not lasted at all, or began ahead of a clock that was set back.
DELETE FROM pause WHERE end_at IS NULL AND begin_at >= tasker_now() RETURNING true

-- end_pause --
UPDATE pause SET end_at = tasker_now() WHERE end_at IS NULL RETURNING true

-- mark --
-- One node after the other: each sees what the one before has made of it.
SELECT state, at, other FROM mark FOR UPDATE

-- mark_now --
-- As mark, for one who only looks.
SELECT state, at, other FROM mark

-- drop_mark --
DELETE FROM mark

-- put_mark --
INSERT INTO mark (one, state, at, other) VALUES (1, $1, $2, $3)

-- prune_pauses --
DELETE FROM pause WHERE end_at < tasker_now() - $1::interval RETURNING 1

-- pause --
-- Returns whether it was paused.
WITH before AS (
  SELECT id, paused FROM gate WHERE id = $1 FOR NO KEY UPDATE
), queue AS ( -- since when a queue has had room: what it holds is late without that
  UPDATE gate_queue SET room_since = tasker_now() FROM before
   WHERE gate_queue.gate = before.id AND pool = 3 AND paused AND NOT $2
)
UPDATE gate SET paused = $2 FROM before WHERE gate.id = before.id
RETURNING before.paused

-- limit --
UPDATE gate SET max_running = $2, max_per_second = $3, burst = $4, next_at = $5 WHERE id = $1

-- gate_to_change --
SELECT {gate}, tasker_now() AS now FROM gate WHERE id = $1 FOR NO KEY UPDATE

-- give_back --
UPDATE task SET state = CASE WHEN is_cancelled THEN 4 ELSE 0 END,
       ended_at = CASE WHEN is_cancelled THEN tasker_now() END, is_cancelled = false,
       attempts = greatest(attempts - 1, 0), fence = NULL, node = NULL, deadline = NULL,
       counts_in = NULL, revision = revision + 1,
       admission = CASE WHEN admission = 1 AND attempts <= 1 THEN 4 ELSE admission END
 WHERE task.id = $1 AND (task.state = 1 OR task.state = 5 AND task.pool = 3) AND task.fence = $2
RETURNING {ending},
          CASE WHEN state = 4 THEN (SELECT payload FROM payload WHERE payload.id = task.id) END,
          state, gate, host_gate, tasker_now() AS now

-- give_back_unknown --
-- Undo claims of which it is not known whether they were done. One that was cancelled since is
-- given back once the node finds that it does not run it: something may follow its end.
UPDATE task SET state = 0, attempts = greatest(attempts - 1, 0), fence = NULL, node = NULL,
       revision = revision + 1,
       admission = CASE WHEN admission = 1 AND attempts <= 1 THEN 4 ELSE admission END
 WHERE state = 1 AND node = $1 AND fence = ANY ($2::bigint[]) AND NOT is_cancelled

-- claims --
-- What is written as running here.
SELECT id, fence FROM task WHERE state = 1 AND node = $1

-- retry --
-- $2: when, now if that has passed. No row: look why.
UPDATE task SET state = 0, due_at = greatest(tasker_now(), $2::timestamptz), ended_at = NULL, crashes = 0,
       retried_after = attempts, waited = 0, late_held = 0, revision = revision + 1,
       holds_key = key IS NOT NULL
 WHERE id = $1 AND state IN (3, 4) AND (expires_at IS NULL OR expires_at > greatest(tasker_now(), $2::timestamptz))
RETURNING id

-- other_holder --
-- Who holds the key of a task that could be retried but for that. No row: nobody.
SELECT holder.id, holder.key FROM task AS holder
 WHERE holder.key = (SELECT key FROM task WHERE id = $1 AND state IN (3, 4))
   AND holder.key IS NOT NULL AND holder.holds_key AND holder.state IN (0, 1, 5)

-- newest_of_key --
SELECT id FROM task WHERE key COLLATE "C" = $1 AND key IS NOT NULL ORDER BY id DESC LIMIT 1

-- cancel --
-- No row: it does not wait.
UPDATE task SET state = 4, ended_at = tasker_now(), held_by = CASE WHEN pool = 3 THEN held_by END,
       revision = revision + 1
 WHERE id = $1 AND state = 0
RETURNING {ending}, -- without a payload: as in claim
          (SELECT payload FROM payload WHERE payload.id = task.id AND revision = payload_revision),
          {run_gone}, tasker_now() AS now

-- cancel_waiting --
-- The same of one whose attempt is in other hands: these have nothing to tell any more.
UPDATE task SET state = 4, ended_at = tasker_now(), fence = NULL, node = NULL, deadline = NULL,
       counts_in = NULL, revision = revision + 1
 WHERE id = $1 AND state = 5
RETURNING {ending}, (SELECT payload FROM payload WHERE payload.id = task.id), tasker_now() AS now,
          gate, host_gate

-- cancel_running --
-- $2: the row of the audit log, NULL: none. Once is enough. No row: look why.
-- `+state`, here and where else the id is known: not by the index of what is running.
WITH running AS (
  SELECT id, is_cancelled FROM task WHERE id = $1 AND +state = 1 FOR NO KEY UPDATE
), stopped AS (
  UPDATE task SET is_cancelled = true
    FROM running
   WHERE task.id = running.id AND NOT running.is_cancelled
  RETURNING task.id
), audited AS (
  INSERT INTO audit (at, by_id, by_name, action, kind, subject, name, changes)
  SELECT tasker_now(), entry[1], entry[2], entry[3], entry[4], entry[5], entry[6], entry[7]
    FROM stopped, (SELECT $2::text[] AS entry) AS given WHERE entry IS NOT NULL
)
SELECT id FROM running

-- run_now --
-- $2: when, now if that has passed. What is due before stays where it is in the queue. $3: the row of
-- the audit log for one that is moved. No row: look why.
WITH moved AS (
  UPDATE task SET due_at = least(due_at, moment.at),
         revision = revision + (due_at > moment.at)::integer,
         execution_at = CASE WHEN attempts = 0 THEN least(execution_at, moment.at)
                             ELSE execution_at END,
         execution_time = CASE WHEN attempts = 0 AND execution_at > moment.at
                               THEN to_char(moment.at AT TIME ZONE 'UTC',
                                            'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
                               ELSE execution_time END,
         local_time = CASE WHEN attempts > 0 OR execution_at <= moment.at THEN local_time END,
         time_zone = CASE WHEN attempts > 0 OR execution_at <= moment.at THEN time_zone END,
         zones = CASE WHEN attempts > 0 OR execution_at <= moment.at THEN zones END
    FROM (SELECT greatest(tasker_now(), $2::timestamptz) AS at) AS moment
   WHERE id = $1 AND state = 0 AND (expires_at IS NULL OR expires_at > moment.at)
  RETURNING id, due_at = moment.at AS is_moved
), audited AS (
  INSERT INTO audit (at, by_id, by_name, action, kind, subject, name, changes)
  SELECT tasker_now(), entry[1], entry[2], entry[3], entry[4], entry[5], entry[6], entry[7]
    FROM moved, (SELECT $3::text[] AS entry) AS given WHERE is_moved AND entry IS NOT NULL
)
SELECT id FROM moved

-- postpone --
-- As postponed() in model/operation.py says. What a gate holds comes in its turn anew. No row: look
-- why.
UPDATE task SET due_at = moment.at, held_by = CASE WHEN pool = 3 THEN held_by END, late_held = 0,
       revision = revision + 1,
       execution_at = CASE WHEN attempts = 0 THEN moment.at ELSE execution_at END,
       execution_time = CASE WHEN attempts = 0
                             THEN to_char(moment.at AT TIME ZONE 'UTC',
                                          'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
                             ELSE execution_time END,
       local_time = CASE WHEN attempts > 0 THEN local_time END,
       time_zone = CASE WHEN attempts > 0 THEN time_zone END,
       zones = CASE WHEN attempts > 0 THEN zones END
  FROM (SELECT id, least(greatest(due_at, tasker_now()) + $2::interval, $3::timestamptz) AS at
          FROM task WHERE id = $1 FOR NO KEY UPDATE) AS moment
 WHERE task.id = moment.id AND state = 0 AND (expires_at IS NULL OR expires_at > moment.at)
RETURNING task.id

-- change --
-- Only of the revision that the change was made from. No row: look why. With another time or another
-- gate it is no longer held: its turn comes anew. What is pulled waits at the gate of its queue. $12:
-- the new payload, NULL: it stays; $13: the
-- tags that it has then; $14: the row of the audit log.
WITH changed AS (
  UPDATE task SET held_by = CASE WHEN pool = 3 THEN $6
                                 WHEN due_at = $3 AND gate IS NOT DISTINCT FROM $6
                                 AND host_gate IS NOT DISTINCT FROM $7 THEN held_by END,
         late_held = CASE WHEN due_at = $3 THEN late_held ELSE 0 END,
         due_at = $3, execution_at = $4, execution_time = $5,
         local_time = $15, time_zone = $16, zones = $17, gate = $6, host_gate = $7,
         expires_at = $8, keep = $9, patience = $10, waited = $11, revision = revision + 1,
         payload_revision = CASE WHEN $12::bytea IS NULL THEN payload_revision
                                 ELSE revision + 1 END
   WHERE id = $1 AND revision = $2 AND state IN (0, 3, 4)
  RETURNING id, payload_revision
), payloads AS (
  UPDATE payload SET payload = $12, revision = payload_revision FROM changed
   WHERE payload.id = changed.id AND $12 IS NOT NULL
), dropped AS ( -- a tag that stays is left alone: one statement cannot delete and insert it
  DELETE FROM tag USING changed
   WHERE task = changed.id AND $12 IS NOT NULL AND tag <> ALL ($13::text[])
), added AS (
  INSERT INTO tag (task, tag) SELECT id, given FROM changed, unnest($13::text[]) AS given
   WHERE $12 IS NOT NULL
      ON CONFLICT DO NOTHING
), audited AS (
  INSERT INTO audit (at, by_id, by_name, action, kind, subject, name, changes)
  SELECT tasker_now(), entry[1], entry[2], entry[3], entry[4], entry[5], entry[6], entry[7]
    FROM changed, (SELECT $14::text[] AS entry) AS given WHERE entry IS NOT NULL
)
SELECT id FROM changed

-- payloads --
-- Of tasks that this session has claimed or locked: nobody changes them.
SELECT id, payload FROM payload WHERE id = ANY ($1::uuid[])

-- state --
SELECT state FROM task WHERE id = $1

-- delete --
-- Missing from what comes back: look whether it is there. If so, it is in_progress, and cannot be
-- deleted. $1: in order; $2, $3: who deletes each, NULL: no row of the audit log is asked for.
WITH gone AS (
  DELETE FROM task USING unnest($1::uuid[], $2::text[], $3::text[]) AS given (id, by_id, by_name)
   WHERE task.id = given.id AND state IN (0, 2, 3, 4)
  RETURNING task.id, type, execution_time, key, by_id, by_name, {run_gone}
), looked AS ( -- see look_at_schedules
  UPDATE schedule SET look_at = 'epoch'
    FROM (SELECT name FROM gone JOIN schedule ON name = run_of AND next_at = run_at
           WHERE run_of IS NOT NULL AND look_at > 'epoch'
             FOR NO KEY UPDATE OF schedule SKIP LOCKED) AS found
   WHERE schedule.name = found.name
), payloads AS (
  DELETE FROM payload USING gone WHERE payload.id = gone.id
), attempts AS (
  DELETE FROM attempt USING gone WHERE attempt.task = gone.id
), tags AS (
  DELETE FROM tag USING gone WHERE tag.task = gone.id
), audited AS (
  INSERT INTO audit (at, by_id, by_name, action, kind, subject, changes)
  SELECT tasker_now(), by_id, by_name, 'delete', 'task', id::text,
         json_strip_nulls(json_build_object(
           'type', json_build_object('before', type),
           'execution_time', json_build_object('before', execution_time),
           'key', CASE WHEN key IS NOT NULL THEN json_build_object('before', key) END))::text
    FROM gone WHERE by_id IS NOT NULL
)
SELECT id FROM gone

-- renew --
-- No row: the mark says that no server may use the database, since its tasks are in another one.
INSERT INTO node (id, address, version, started_at, lease_until, schema)
SELECT $1, $2, $3, tasker_now(), tasker_now() + $4::interval, $5
 WHERE NOT EXISTS (SELECT FROM mark WHERE state IN ('copying', 'moved'))
    ON CONFLICT (id) DO UPDATE SET lease_until = excluded.lease_until
RETURNING tasker_now()

-- end_lease --
UPDATE node SET lease_until = least(lease_until, tasker_now()), has_ended = true WHERE id = $1

-- note_look --
-- Note that this node looks for due tasks, and, if no node has looked for longer than $3, that there
-- was such a span; but for the time ($2) that this node itself was not able to look. A node of a
-- version that does not note when it looks (before 0003) counts as looking until its lease ends. No
-- row of `down` ahead of the clock is true: it was set back; but another session's may be ahead of
-- this statement's beginning.
-- Returns when the latest span ended.
WITH latest AS MATERIALIZED (
  SELECT max(coalesce(looked_at, lease_until)) AS looked_at FROM node
   WHERE looked_at IS NOT NULL OR schema < 3
), span AS (
  INSERT INTO down (begin_at, end_at)
  SELECT looked_at, tasker_now() - $2::interval FROM latest
   WHERE tasker_now() - $2::interval - looked_at > $3::interval
      ON CONFLICT (begin_at) DO UPDATE SET end_at = down.end_at -- another node has found it
  RETURNING end_at
), here AS (
  UPDATE node SET looked_at = tasker_now() WHERE id = $1
), ahead AS (
  DELETE FROM down WHERE end_at > tasker_now() + interval '1 second'
)
SELECT max(end_at) FROM (
  SELECT end_at FROM span
   UNION ALL
  SELECT end_at FROM down WHERE end_at <= tasker_now() + interval '1 second') AS known

-- prune_down --
DELETE FROM down WHERE end_at < tasker_now() - $1::interval RETURNING 1

-- take_back --
-- What runs on nodes whose lease has ended, in batches.
WITH lost AS MATERIALIZED (
  SELECT task.id FROM node JOIN task ON task.node = node.id AND task.state = 1
   WHERE node.lease_until <= tasker_now() AND node.id <> $1
   LIMIT $4
     FOR UPDATE OF task SKIP LOCKED
)
UPDATE task SET crashes = crashes + 1, attempts = greatest(attempts - 1, 0),
       fence = NULL, node = NULL, revision = revision + 1,
       state = CASE WHEN is_cancelled THEN 4 WHEN crashes + 1 >= $2 THEN 3 ELSE 0 END,
       ended_at = CASE WHEN is_cancelled OR crashes + 1 >= $2 THEN tasker_now() END,
       last_fault = CASE WHEN crashes + 1 >= $2 AND NOT is_cancelled THEN $3 ELSE last_fault END,
       is_cancelled = false
  FROM lost
 WHERE task.id = lost.id
RETURNING {ending},
          CASE WHEN state IN (3, 4) THEN (SELECT payload FROM payload WHERE payload.id = task.id) END,
          state, tasker_now() AS now

-- forget_nodes --
-- Nodes that ended long ago and left nothing behind.
DELETE FROM node
 WHERE lease_until < tasker_now() - interval '1 hour'
   AND NOT EXISTS (SELECT FROM task WHERE task.node = node.id AND state = 1)

-- nodes --
SELECT id, address, version, started_at, lease_until,
       (SELECT count(*) FROM task WHERE task.node = node.id AND state = 1) AS running
  FROM node ORDER BY started_at, id

-- type_pools --
SELECT type, pool FROM type_pool

-- get --
SELECT {task}, task.gate, host_gate, held_by
  FROM task JOIN payload USING (id) WHERE id = $1

-- ended --
-- Those that have ended, or that there are not. OFFSET keeps it a search for each.
SELECT asked.id
  FROM unnest($1::uuid[]) AS asked (id)
  LEFT JOIN LATERAL (SELECT state FROM task WHERE task.id = asked.id OFFSET 0) AS found ON true
 WHERE found.state IS NULL OR found.state NOT IN (0, 1, 5)

-- attempts --
-- One row without a record: it has none.
SELECT record FROM task LEFT JOIN attempt ON attempt.task = task.id
 WHERE task.id = $1 ORDER BY number

-- gates --
-- Counting what they hold stops at $3.
SELECT {gate},
       (SELECT coalesce(sum((SELECT count(*) FROM task
                              WHERE task.node = node.id AND task.gate = gate.id AND state = 1)),
                        0)::bigint
          FROM node)
       + CASE WHEN max_running IS NOT NULL OR kind = 3
              THEN (SELECT count(*) FROM task WHERE counts_in IS NOT NULL AND counts_in = gate.id)
              ELSE 0 END AS running,
       (SELECT count(*) FROM (
         SELECT FROM gate_queue AS queue
          CROSS JOIN LATERAL (
            SELECT FROM task
             WHERE task.pool = queue.pool AND held_by = gate.id AND state = 0
               AND held_by IS NOT NULL AND due_at <= tasker_now()) AS held
          WHERE queue.gate = gate.id LIMIT $3) AS counted) AS held
  FROM gate WHERE id > $1 ORDER BY id LIMIT $2

-- troubled_gates --
-- Every gate is looked at, along its key.
SELECT id FROM gate WHERE id > 0 AND (paused OR failures >= $1) ORDER BY id LIMIT $2

-- count_ahead --
-- How many tasks the gate that holds a task holds before it; counting stops at $2.
SELECT count(*) FROM (
  SELECT FROM task AS this CROSS JOIN LATERAL (
    SELECT FROM task
     WHERE task.pool = this.pool AND task.held_by = this.held_by AND task.state = 0
       AND task.held_by IS NOT NULL AND (task.due_at, task.id) < (this.due_at, this.id)) AS other
   WHERE this.id = $1 LIMIT $2) AS counted

-- list_todo --
-- The index ranges of a type's tasks in a pool that are todo: of those that are due at their
-- execution time, then of those that wait for another attempt or are held. $1, $2: where the list
-- has come to; $3: how many. Without `-state`, the indexes of lists are not used: see migration 0003.
(SELECT id, due_at AS execution_at FROM task
  WHERE pool = {pool} AND state = 0 AND held_by IS NULL AND (due_at, id) > ($1, $2)
    AND due_at = execution_at AND type = {type}
  ORDER BY due_at, id LIMIT $3)
 UNION ALL
(SELECT id, execution_at FROM task
  WHERE pool = {pool} AND -state = 0 AND (due_at <> execution_at OR held_by IS NOT NULL)
    AND (execution_at, id) > ($1, $2) AND type = {type}
  ORDER BY execution_at, id LIMIT $3)

-- list_other --
-- The same for a type's tasks in another state.
(SELECT id, execution_at FROM task
  WHERE type = {type} AND state = {state} AND -state < 0 AND (execution_at, id) > ($1, $2)
  ORDER BY execution_at, id LIMIT $3)

-- list_page --
-- {branches}: list_todo for each type and pool, list_other for each type and state, joined by
-- UNION ALL. They are merged in order, not sorted. A page ends once the payloads in it are longer
-- than $4 bytes; found: how many tasks it would have had without that.
SELECT {task}, sized.found
  FROM (SELECT page.id, page.execution_at, size, count(*) OVER () AS found,
               sum(size) OVER (ORDER BY page.execution_at, page.id) AS so_far
          FROM (SELECT * FROM ({branches}) AS merged ORDER BY execution_at, id LIMIT $3) AS page
          JOIN (SELECT id, octet_length(payload) + coalesce(octet_length(result), 0) AS size
                  FROM payload) AS body ON body.id = page.id
       ) AS sized
  JOIN task ON task.id = sized.id
  JOIN payload ON payload.id = sized.id
 WHERE so_far - size <= $4
 ORDER BY sized.execution_at, sized.id

-- find_page --
-- {walks}: one walk or several, joined by UNION ALL and merged in order. What of the first $4 rows
-- passes the filters, $5 of it at most. $1, $2: where the walk has come to; $3: where it ends. The
-- last row is the one that was looked at last, with the number of rows looked at; the others have 0
-- there. Each row's place in the order is given, because UNION ALL keeps none.
WITH given AS (
  SELECT $1::timestamptz, $2::uuid, $3::timestamptz -- of these types, also where no walk needs them
), looked AS MATERIALIZED (
  SELECT id, at, fits FROM ({walks}) AS merged ORDER BY {order} LIMIT $4
)
(SELECT id, at, 0::bigint AS looked FROM looked WHERE fits
  ORDER BY at {direction}, id {direction} LIMIT $5)
 UNION ALL
(SELECT id, at, (SELECT count(*) FROM looked) FROM looked
  ORDER BY at {opposite}, id {opposite} LIMIT 1)

-- count_found --
-- How many rows were looked at, how many of them pass, and the last one. Numbers as in find_page.
WITH given AS (
  SELECT $1::timestamptz, $2::uuid, $3::timestamptz, $5::bigint
), looked AS MATERIALIZED (
  SELECT id, at, fits FROM ({walks}) AS merged ORDER BY {order} LIMIT $4
)
SELECT (SELECT count(*) FROM looked) AS looked, (SELECT count(*) FROM looked WHERE fits) AS passed,
       id, at
  FROM looked ORDER BY at {opposite}, id {opposite} LIMIT 1

-- found_tasks --
-- In the order of $1. A page ends once the payloads in it are longer than $2 bytes.
SELECT {task}
  FROM (SELECT found.id, place, size, sum(size) OVER (ORDER BY place) AS so_far
          FROM unnest($1::uuid[]) WITH ORDINALITY AS found (id, place)
          JOIN (SELECT id, octet_length(payload) + coalesce(octet_length(result), 0) AS size
                  FROM payload) AS body ON body.id = found.id
       ) AS sized
  JOIN task ON task.id = sized.id
  JOIN payload ON payload.id = sized.id
 WHERE so_far - size <= $2
 ORDER BY place

-- order_by_time --
at {direction}, id {direction}

-- order_by_arrival --
id {direction}

-- walk_arrival --
-- Differs from SQLite: the order of arrival is that of the ids.
(SELECT id, 'epoch'::timestamptz AS at, {fits} AS fits FROM task WHERE id {beyond} $2
  ORDER BY id {direction} LIMIT $4)

-- walk_key --
(SELECT id, 'epoch'::timestamptz AS at, {fits} AS fits FROM task
  WHERE key IS NOT NULL AND key COLLATE "C" = {value} AND id {beyond} $2
  ORDER BY id {direction} LIMIT $4)

-- walk_parent --
(SELECT id, 'epoch'::timestamptz AS at, {fits} AS fits FROM task
  WHERE parent_id IS NOT NULL AND parent_id = {value} AND id {beyond} $2
  ORDER BY id {direction} LIMIT $4)

-- walk_schedule --
(SELECT id, 'epoch'::timestamptz AS at, {fits} AS fits FROM task
  WHERE schedule IS NOT NULL AND schedule = {value} AND id {beyond} $2
  ORDER BY id {direction} LIMIT $4)

-- walk_tag --
-- OFFSET 0: each task is searched for.
(SELECT tagged.tagged AS id, at, fits
  FROM (SELECT task AS tagged FROM tag WHERE tag = {value} AND task {beyond} $2
         ORDER BY task {direction} LIMIT $4) AS tagged
 CROSS JOIN LATERAL (SELECT 'epoch'::timestamptz AS at, {fits} AS fits FROM task
                      WHERE task.id = tagged.tagged OFFSET 0) AS found)

-- walk_keys --
-- Of a range of keys, which are sorted by arrival first: there are no more than a page looks at.
(SELECT named.named AS id, at, fits
  FROM (SELECT id AS named FROM task WHERE {keys} AND id {beyond} $2
         ORDER BY id {direction} LIMIT $4) AS named
 CROSS JOIN LATERAL (SELECT 'epoch'::timestamptz AS at, {fits} AS fits FROM task
                      WHERE task.id = named.named OFFSET 0) AS found)

-- count_keys --
SELECT count(*) FROM (SELECT FROM task WHERE {keys} LIMIT {up_to}) AS counted

-- walk_queue --
-- What is todo in a pool: see list_todo.
(SELECT id, due_at AS at, {fits} AS fits FROM task
  WHERE pool = {pool} AND state = 0 AND held_by IS NULL AND (due_at, id) {beyond} ($1, $2)
    AND due_at {within} $3 AND due_at = execution_at
  ORDER BY due_at {direction}, id {direction} LIMIT $4)
 UNION ALL
(SELECT id, execution_at AS at, {fits} AS fits FROM task
  WHERE pool = {pool} AND -state = 0 AND (due_at <> execution_at OR held_by IS NOT NULL)
    AND (execution_at, id) {beyond} ($1, $2) AND execution_at {within} $3
  ORDER BY execution_at {direction}, id {direction} LIMIT $4)

-- walk_list --
(SELECT id, execution_at AS at, {fits} AS fits FROM task
  WHERE type = {type} AND state = {state} AND -state < 0 AND (execution_at, id) {beyond} ($1, $2)
    AND execution_at {within} $3
  ORDER BY execution_at {direction}, id {direction} LIMIT $4)

-- walk_ended --
(SELECT id, ended_at AS at, {fits} AS fits FROM task
  WHERE state = {state} AND ended_at IS NOT NULL AND keep IS NULL
    AND (ended_at, id) {beyond} ($1, $2) AND ended_at {within} $3
  ORDER BY ended_at {direction}, id {direction} LIMIT $4)

-- walk_kept --
-- The same of what has a time of its own for which it is kept.
(SELECT id, ended_at AS at, {fits} AS fits FROM task
  WHERE state = {state} AND ended_at IS NOT NULL AND keep IS NOT NULL
    AND (ended_at, id) {beyond} ($1, $2) AND ended_at {within} $3
  ORDER BY ended_at {direction}, id {direction} LIMIT $4)

-- filter_text --
task.{column} = {value}

-- filter_id --
task.{column} = {value}

-- filter_from --
task.{column} >= {value}

-- filter_before --
task.{column} < {value}

-- filter_key --
task.key = {value}

-- filter_keys_from --
-- By code points, as on SQLite, whatever the database's collation.
task.key IS NOT NULL AND task.key COLLATE "C" >= {value}

-- filter_keys_before --
task.key COLLATE "C" < {value}

-- filter_tag --
EXISTS (SELECT FROM tag WHERE tag.tag = {value} AND tag.task = task.id)

-- filter_destination --
task.gate = {value} OR task.host_gate = {value}

-- filter_destination_named --
coalesce(task.host_gate, task.gate) IN (SELECT id FROM gate WHERE kind IN (0, 1) AND name = {value})

-- filter_group --
task.gate IN (SELECT id FROM gate WHERE kind = 2 AND name = {value})

-- filter_queue --
task.gate IN (SELECT id FROM gate WHERE kind = 3 AND name = {value})

-- filter_error --
-- Differs from SQLite: PostgreSQL cannot read JSON that has the character U+0000 anywhere.
replace(task.last_fault, '\u0000', '\ufffd')::json ->> 'code' = {value}

-- filter_fingerprint --
replace(task.last_fault, '\u0000', '\ufffd')::json ->> 'fingerprint' = {value}

-- reason_waiting --
-- These say in SQL what explaining.py says of one task.
task.state = 0 AND task.due_at > tasker_now() AND task.attempts = task.retried_after

-- reason_retrying --
task.state = 0 AND task.due_at > tasker_now() AND task.attempts <> task.retried_after

-- reason_paused_all --
task.state = 0 AND task.due_at <= tasker_now() AND {all_paused}

-- all_paused --
-- While everything is, nothing else counts of what is due.
EXISTS (SELECT FROM pause WHERE end_at IS NULL)

-- reason_paused --
task.state = 0 AND task.due_at <= tasker_now()
AND (coalesce(task.gate, 0) IN (SELECT id FROM gate WHERE paused)
     OR coalesce(task.host_gate, 0) IN (SELECT id FROM gate WHERE paused))

-- reason_circuit_open --
task.state = 0 AND task.due_at <= tasker_now()
AND coalesce(task.gate, 0) NOT IN (SELECT id FROM gate WHERE paused)
AND coalesce(task.host_gate, 0) NOT IN (SELECT id FROM gate WHERE paused)
AND coalesce(task.host_gate, task.gate) IN (SELECT id FROM gate WHERE failures >= {threshold})

-- gates_with_rate --
-- Those whose rate holds what they hold, and not that as many are running as may at once. A queue
-- also holds what it lets go.
SELECT id FROM gate
 WHERE max_per_second IS NOT NULL
   AND (kind <> 3 OR next_at - (burst - 1) * ceil(1000000 / max_per_second) * interval '1 microsecond'
                     > tasker_now())
   AND (max_running IS NULL
        OR max_running > (SELECT coalesce(sum((SELECT count(*) FROM task AS other
                                                WHERE other.node = node.id AND other.gate = gate.id
                                                  AND other.state = 1)), 0) FROM node)
                       + (SELECT count(*) FROM task AS other
                           WHERE other.counts_in IS NOT NULL AND other.counts_in = gate.id))

-- reason_rate --
task.state = 0 AND task.due_at <= tasker_now() AND task.held_by IN ({with_rate})
AND coalesce(task.gate, 0) NOT IN (SELECT id FROM gate WHERE paused OR failures >= {threshold})
AND coalesce(task.host_gate, 0) NOT IN (SELECT id FROM gate WHERE paused OR failures >= {threshold})

-- reason_full --
task.state = 0 AND task.due_at <= tasker_now() AND task.held_by IS NOT NULL
AND task.held_by NOT IN ({with_rate}) AND (task.pool <> 3 OR task.held_by IN ({full_queues}))
AND task.held_by <> 0 -- which is no gate: see release_runs
AND coalesce(task.gate, 0) NOT IN (SELECT id FROM gate WHERE paused OR failures >= {threshold})
AND coalesce(task.host_gate, 0) NOT IN (SELECT id FROM gate WHERE paused OR failures >= {threshold})

-- reason_overlap --
-- It waits for another run of its schedule.
task.state = 0 AND task.due_at <= tasker_now() AND task.held_by = 0
AND coalesce(task.gate, 0) NOT IN (SELECT id FROM gate WHERE paused OR failures >= {threshold})
AND coalesce(task.host_gate, 0) NOT IN (SELECT id FROM gate WHERE paused OR failures >= {threshold})

-- full_queues --
SELECT id FROM gate
 WHERE kind = 3 AND max_running <= (SELECT count(*) FROM task AS other
                                     WHERE other.counts_in IS NOT NULL AND other.counts_in = gate.id)

-- reason_unclaimed --
task.state = 0 AND task.due_at <= tasker_now() AND task.pool = 3
AND task.held_by NOT IN ({with_rate}) AND task.held_by NOT IN ({full_queues})
AND task.held_by NOT IN (SELECT id FROM gate WHERE paused)

-- reason_due --
task.state = 0 AND task.due_at <= tasker_now() AND task.held_by IS NULL
AND task.pool IN ({pools})
AND coalesce(task.gate, 0) NOT IN (SELECT id FROM gate WHERE paused OR failures >= {threshold})
AND coalesce(task.host_gate, 0) NOT IN (SELECT id FROM gate WHERE paused OR failures >= {threshold})

-- reason_no_slot --
task.state = 0 AND task.due_at <= tasker_now() AND task.held_by IS NULL AND task.pool NOT IN ({pools})
AND coalesce(task.gate, 0) NOT IN (SELECT id FROM gate WHERE paused OR failures >= {threshold})
AND coalesce(task.host_gate, 0) NOT IN (SELECT id FROM gate WHERE paused OR failures >= {threshold})

-- count_gates --
-- Every gate is looked at, along its key. The columns are in the order of GATE_STATES.
SELECT count(*) FILTER (WHERE paused),
       count(*) FILTER (WHERE state = 'closed'),
       count(*) FILTER (WHERE state = 'open'),
       count(*) FILTER (WHERE state = 'half_open'),
       count(*) FILTER (WHERE state = 'recovering')
  FROM (SELECT paused,
               CASE WHEN paused THEN NULL
                    WHEN failures >= $1 AND open_until > tasker_now() THEN 'open'
                    WHEN failures >= $1 THEN 'half_open'
                    WHEN tasker_recovers(closed_at) THEN 'recovering'
                    ELSE 'closed' END AS state
          FROM gate WHERE id > 0) AS each

-- upkeep --
-- Transactions of other users are seen only by members of pg_read_all_stats.
SELECT (SELECT n_dead_tup FROM pg_stat_all_tables WHERE relid = 'task'::regclass) AS dead_rows,
       (SELECT greatest(extract(epoch FROM clock_timestamp() - min(xact_start)), 0)::float8
          FROM pg_stat_activity
         WHERE datname = current_database() AND backend_type = 'client backend'
           AND pid <> pg_backend_pid()) AS oldest_transaction

-- overdue --
-- {walks}: what is due, joined by UNION ALL. {reasons}: for each reason_..., when it is why.
WITH late AS MATERIALIZED ({walks})
SELECT reason, sum(counted)::bigint AS count, min(due_at) AS oldest
  FROM (SELECT CASE {reasons} END AS reason, counted, due_at FROM late AS task) AS task
 GROUP BY reason

-- overdue_in_inbox --
-- What stands in the inbox to be taken: no row if nothing does.
SELECT $1::text AS reason, count(*) AS count, min(inserted_at) AS oldest
  FROM (SELECT inserted_at FROM tasker_inbox WHERE error IS NULL LIMIT $2) AS waiting
HAVING count(*) > 0

-- overdue_queue --
-- The head of a pool's queue.
SELECT * FROM (
  SELECT task.state, task.pool, task.gate, task.host_gate, task.held_by, task.due_at, 1 AS counted
    FROM task WHERE pool = {pool} AND state = 0 AND held_by IS NULL AND due_at <= tasker_now()
   ORDER BY due_at, id LIMIT {up_to}) AS head

-- overdue_held --
-- What some gates hold.
SELECT * FROM (
  SELECT task.*, 1 AS counted
    FROM gate_queue AS queue
    JOIN gate ON gate.id = queue.gate
   CROSS JOIN LATERAL (
     SELECT task.state, task.pool, task.gate, task.host_gate, task.held_by, task.due_at
       FROM task WHERE task.pool = queue.pool AND task.held_by = queue.gate AND task.state = 0
                   AND task.held_by IS NOT NULL AND task.due_at <= tasker_now()
      LIMIT {up_to}) AS task
   WHERE {gates} LIMIT {up_to}) AS held

-- overdue_behind --
-- Runs in a pool that wait for others of their schedules.
SELECT * FROM (
  SELECT task.state, task.pool, task.gate, task.host_gate, task.held_by, task.due_at, 1 AS counted
    FROM task WHERE pool = {pool} AND held_by = 0 AND state = 0 AND held_by IS NOT NULL
                AND due_at <= tasker_now()
   ORDER BY due_at LIMIT {up_to}) AS behind

-- overdue_first --
-- The first of what each gate holds, whether it is counted or not.
SELECT task.*, 0 AS counted
  FROM gate_queue AS queue
 CROSS JOIN LATERAL (
   SELECT task.state, task.pool, task.gate, task.host_gate, task.held_by, task.due_at
     FROM task WHERE task.pool = queue.pool AND task.held_by = queue.gate AND task.state = 0
                 AND task.held_by IS NOT NULL AND task.due_at <= tasker_now()
    ORDER BY task.due_at LIMIT 1) AS task

-- overdue_at_paused --
gate.paused

-- overdue_at_failing --
NOT gate.paused AND gate.failures >= {threshold}

-- overdue_at_rated --
NOT gate.paused AND gate.failures < {threshold} AND gate.max_per_second IS NOT NULL

-- overdue_at_others --
NOT gate.paused AND gate.failures < {threshold} AND gate.max_per_second IS NULL

-- walk_due --
-- What is todo in a pool, by when it is due.
(SELECT due_at AS at, id FROM task
  WHERE pool = {pool} AND state = 0 AND held_by IS NULL AND (due_at, id) > ($1, $2) AND due_at < $3
  ORDER BY due_at, id LIMIT $4)

-- due_counts --
-- How many of the first $4 tasks that {walks} come to are due in each step: a row for each, and one
-- with the last task, and how many there were. $5: where the first step begins; $6: how many
-- microseconds each has. The type numeric and sorting are slow: they are left for what is few.
WITH looked AS MATERIALIZED (
  SELECT at, id FROM ({walks}) AS merged ORDER BY at, id LIMIT $4
), binned AS MATERIALIZED (
  SELECT date_bin($6::bigint * interval '1 microsecond', at, $5::timestamptz) AS begin,
         count(*) AS counted, max(at) AS latest
    FROM looked GROUP BY 1
)
SELECT (extract(epoch FROM begin - $5::timestamptz) * 1000000)::bigint / $6::bigint AS number,
       counted, NULL::uuid AS id
  FROM binned
 UNION ALL
(SELECT (extract(epoch FROM at) * 1000000)::bigint, (SELECT sum(counted) FROM binned)::bigint, id
   FROM looked WHERE at = (SELECT max(latest) FROM binned) ORDER BY id DESC LIMIT 1)

-- held_due_counts --
-- The same of what gates hold, in no order. $1, $2: where the steps begin and end; $3: how many tasks
-- are looked at; $4: how many microseconds each step has.
WITH looked AS MATERIALIZED (
  SELECT at FROM gate_queue AS queue
   CROSS JOIN LATERAL (
     SELECT due_at AS at FROM task
      WHERE task.pool = queue.pool AND held_by = queue.gate AND state = 0 AND held_by IS NOT NULL
        AND due_at >= $1 AND due_at < $2 OFFSET 0) AS held
   LIMIT $3
)
SELECT (extract(epoch FROM begin - $1::timestamptz) * 1000000)::bigint / $4::bigint AS place, counted
  FROM (SELECT date_bin($4::bigint * interval '1 microsecond', at, $1::timestamptz) AS begin, count(*) AS counted
          FROM looked GROUP BY 1) AS binned

-- last_due_in_pool --
(SELECT due_at AS at FROM task
  WHERE pool = {pool} AND state = 0 AND held_by IS NULL AND due_at < $1
  ORDER BY due_at DESC LIMIT 1)

-- last_due --
-- The last moment before $1 at which anything is due.
SELECT max(at) FROM ({walks}) AS found

-- last_held_due --
-- The same of what gates hold.
SELECT max((SELECT due_at FROM task
             WHERE task.pool = queue.pool AND held_by = queue.gate AND state = 0
               AND held_by IS NOT NULL AND due_at < $1
             ORDER BY due_at DESC LIMIT 1))
  FROM gate_queue AS queue

-- count_todo --
SELECT count(*) FROM (
  SELECT FROM task WHERE pool = $1 AND state = 0 AND held_by IS NULL
   UNION ALL
  SELECT FROM task WHERE pool = $1 AND state = 0 AND held_by IS NOT NULL
   LIMIT $2) AS counted

-- count_other --
SELECT count(*)
  FROM (SELECT FROM task WHERE type = $1 AND state = $2 AND -state < 0 LIMIT $3) AS counted

-- prune --
-- A batch of what ended before a moment, oldest first, and is kept as the settings say. Nodes may
-- prune at the same time: each takes what the other does not.
WITH old AS MATERIALIZED (
  SELECT id FROM task
   WHERE state = $1 AND ended_at IS NOT NULL AND keep IS NULL
     AND ended_at < tasker_now() - $2::interval
   ORDER BY ended_at LIMIT $3 FOR UPDATE SKIP LOCKED
), gone AS (
  DELETE FROM task USING old WHERE task.id = old.id RETURNING task.id
), payloads AS (
  DELETE FROM payload USING gone WHERE payload.id = gone.id
), attempts AS (
  DELETE FROM attempt USING gone WHERE attempt.task = gone.id
), tags AS (
  DELETE FROM tag USING gone WHERE tag.task = gone.id
)
SELECT count(*) FROM gone

-- prune_kept --
-- The same of what was kept for a time of its own, which is over.
WITH old AS MATERIALIZED (
  SELECT id FROM task
   WHERE ended_at IS NOT NULL AND keep >= 0
     AND (ended_at AT TIME ZONE 'UTC') + keep * interval '1 microsecond'
         < tasker_now() AT TIME ZONE 'UTC'
   ORDER BY (ended_at AT TIME ZONE 'UTC') + keep * interval '1 microsecond'
   LIMIT $1 FOR UPDATE SKIP LOCKED
), gone AS (
  DELETE FROM task USING old WHERE task.id = old.id RETURNING task.id
), payloads AS (
  DELETE FROM payload USING gone WHERE payload.id = gone.id
), attempts AS (
  DELETE FROM attempt USING gone WHERE attempt.task = gone.id
), tags AS (
  DELETE FROM tag USING gone WHERE tag.task = gone.id
)
SELECT count(*) FROM gone

-- take_turns --
-- Which of several idempotency keys no other transaction is at work with. Each is locked until the
-- end of this one, without waiting for any. The lock goes by 64 bits of the key: two keys that
-- share them wait for each other, no more. Those of another schema of the database are others.
SELECT pg_try_advisory_xact_lock(number # hashtextextended(current_schema()::text, 0)) FROM unnest($1::bigint[]) AS turn (number)

-- kept_answers --
-- The message makes this a write if it finds any: see existing_for_sure.
SELECT id, fingerprint, answer, pg_logical_emit_message(true, 'tasker', '')
  FROM kept_answer WHERE id = ANY ($1::bytea[]) AND kept_until > tasker_now()

-- keep_answers --
-- Each is kept until $4 or for $5, whichever is later. One whose time has passed may still be there.
INSERT INTO kept_answer (id, fingerprint, answer, kept_until)
SELECT id, fingerprint, answer, greatest(kept_until, tasker_now() + kept)
  FROM unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::timestamptz[], $5::interval[])
    AS given (id, fingerprint, answer, kept_until, kept)
    ON CONFLICT (id) DO UPDATE SET fingerprint = excluded.fingerprint, answer = excluded.answer,
                                   kept_until = excluded.kept_until

-- prune_kept_answers --
-- A batch of those whose time has passed. Nodes may prune at the same time: see prune.
WITH old AS MATERIALIZED (
  SELECT id FROM kept_answer WHERE kept_until <= tasker_now()
   ORDER BY kept_until LIMIT $1 FOR UPDATE SKIP LOCKED
), gone AS (
  DELETE FROM kept_answer USING old WHERE kept_answer.id = old.id RETURNING kept_answer.id
)
SELECT count(*) FROM gone

-- still_passing --
-- Which of these tasks pass the filters still. All are locked, in order, so that it stays so.
WITH locked AS MATERIALIZED (
  SELECT id, {fits} AS fits FROM task WHERE id = ANY ($1::uuid[]) ORDER BY id FOR NO KEY UPDATE
)
SELECT id FROM locked WHERE fits

-- create_operation --
INSERT INTO operation (id, action, state, is_dry_run, asked, created_at, ended_at, cursor, matched,
                       changed, refused, reasons, refusals)
VALUES ($1, $2, $3::smallint, $4, $5, tasker_now(), CASE WHEN $3::smallint > 0 THEN tasker_now() END, $6, $7, $8, $9,
        $10, $11)
    ON CONFLICT (id) DO NOTHING
RETURNING id

-- operation --
SELECT {operation} FROM operation WHERE id = $1

-- operations --
SELECT {operation} FROM operation WHERE id < $1 ORDER BY id DESC LIMIT $2

-- next_operation --
-- One that is this node's, or else the oldest that nobody is at work on. is_ours: it is known to be.
SELECT {operation}, operation.node = $1 AS is_ours FROM operation
 WHERE state = 0
   AND (operation.node IS NULL OR operation.node = $1
        OR NOT EXISTS (SELECT FROM node
                        WHERE node.id = operation.node AND lease_until > tasker_now()))
 ORDER BY operation.node = $1 DESC NULLS LAST, id LIMIT 1

-- take_operation --
-- No row: another node was quicker.
UPDATE operation SET node = $2
 WHERE id = $1 AND state = 0
   AND (operation.node IS NULL
        OR NOT EXISTS (SELECT FROM node
                        WHERE node.id = operation.node AND lease_until > tasker_now()))
   AND EXISTS (SELECT FROM node WHERE node.id = $2 AND lease_until > tasker_now())
RETURNING id

-- operation_at --
-- No row: it was cancelled, has gone on, or is another node's.
SELECT id FROM operation WHERE id = $1 AND state = 0 AND node = $2 AND cursor IS NOT DISTINCT FROM $3
   FOR NO KEY UPDATE

-- advance_operation --
UPDATE operation SET state = $2::smallint,
       ended_at = CASE WHEN $2::smallint > 0 THEN tasker_now() END, cursor = $3, matched = $4,
       changed = $5, refused = $6, reasons = $7, refusals = $8
 WHERE id = $1
RETURNING {operation}

-- cancel_operation --
UPDATE operation SET state = 2, ended_at = tasker_now() WHERE id = $1 AND state = 0 RETURNING id

-- prune_operations --
-- Nodes may prune at the same time: see prune.
WITH old AS MATERIALIZED (
  SELECT id FROM operation WHERE ended_at IS NOT NULL AND ended_at < tasker_now() - $1::interval
   ORDER BY ended_at LIMIT $2 FOR UPDATE SKIP LOCKED
), gone AS (
  DELETE FROM operation USING old WHERE operation.id = old.id RETURNING operation.id
)
SELECT count(*) FROM gone

-- create_schedule --
-- No row: there is one with this name.
WITH made AS (
  INSERT INTO schedule (name, revision, type, plan, is_paused, created_at, changed_at, put_by,
                        next_at, look_at)
  VALUES ($1, $2, $3, $4, $5, tasker_now(), tasker_now(), $6, $7, $8)
      ON CONFLICT (name) DO NOTHING
  RETURNING name
)
INSERT INTO run_count (schedule) SELECT name FROM made RETURNING schedule

-- change_schedule --
-- No row: it is not as it was seen.
UPDATE schedule SET revision = $2, type = $3, plan = $4, is_paused = $5,
       changed_at = CASE WHEN revision = $2 THEN changed_at ELSE tasker_now() END,
       put_by = $6, next_at = $7, look_at = $8
 WHERE name = $1 AND revision = $9 AND next_at IS NOT DISTINCT FROM $10
RETURNING name

-- keep_template --
INSERT INTO template (schedule, template) VALUES ($1, $2)
    ON CONFLICT (schedule) DO UPDATE SET template = excluded.template

-- delete_schedule --
-- No row: as for change_schedule.
WITH gone AS (
  DELETE FROM schedule WHERE name = $1 AND revision = $2 AND next_at IS NOT DISTINCT FROM $3
  RETURNING name
)
DELETE FROM run_count USING gone WHERE schedule = name RETURNING schedule

-- delete_template --
DELETE FROM template WHERE schedule = $1

-- schedule --
SELECT {schedule}, template
  FROM schedule JOIN run_count ON run_count.schedule = schedule.name
  JOIN template ON template.schedule = schedule.name
 WHERE name = $1

-- schedule_revision --
-- It stays as it is meanwhile, but for how far it has come.
SELECT revision FROM schedule WHERE name = $1 FOR KEY SHARE

-- schedules --
SELECT {schedule} FROM schedule JOIN run_count ON run_count.schedule = schedule.name
 WHERE name > $1 ORDER BY name LIMIT $2

-- due_schedules --
-- $2: time zones: what is in them is passed over.
SELECT {schedule}, template.template
  FROM (SELECT * FROM schedule WHERE look_at IS NOT NULL AND look_at <= tasker_now()
           AND ((plan::json ->> 'time_zone') = ANY ($2::text[])) IS NOT TRUE
         ORDER BY look_at, name LIMIT $1) AS schedule
  JOIN run_count ON run_count.schedule = schedule.name
  JOIN template ON template.schedule = schedule.name

-- next_schedule --
-- When to look next at one, $1 as $2 above, and whether runs wait for others.
SELECT (SELECT look_at FROM schedule
         WHERE look_at IS NOT NULL AND ((plan::json ->> 'time_zone') = ANY ($1::text[])) IS NOT TRUE
         ORDER BY look_at LIMIT 1) AS look_at,
       EXISTS (SELECT FROM task WHERE admission = 3 AND state = 0 AND held_by = 0) AS has_waiting,
       tasker_now() AS now

-- lock_schedules --
-- Those that are as they were seen, and nobody else is at. Whoever has locked one makes its runs alone.
SELECT seen.name
  FROM unnest($1::text[], $2::bigint[], $3::timestamptz[]) AS seen (name, revision, next_at)
 CROSS JOIN LATERAL (
   SELECT FROM schedule
    WHERE schedule.name = seen.name AND schedule.revision = seen.revision
      AND schedule.next_at IS NOT DISTINCT FROM seen.next_at AND look_at <= tasker_now()
    LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED) AS locked

-- advance_schedules --
-- has_run: there was a run for the time of the one that was to be made last.
UPDATE schedule
   SET next_at = given.next_at,
       look_at = CASE WHEN given.has_run AND given.look_at IS NOT NULL THEN 'epoch' ELSE given.look_at END
  FROM unnest($1::text[], $2::timestamptz[], $3::timestamptz[], $4::boolean[])
       AS given (name, next_at, look_at, has_run)
 WHERE schedule.name = given.name

-- look_at_schedules --
-- The runs that were made last have left the queue without starting: the next are made at once, even if
-- the clock is set back. A schedule that is being written now is left alone, so that nobody waits for
-- each other: it goes on when the time has passed.
UPDATE schedule SET look_at = 'epoch'
  FROM (SELECT name FROM unnest($1::text[], $2::timestamptz[]) AS gone (run_of, run_at)
          JOIN schedule ON name = run_of AND next_at = run_at
         WHERE look_at > 'epoch'
           FOR NO KEY UPDATE OF schedule SKIP LOCKED) AS found
 WHERE schedule.name = found.name

-- runs_for --
-- The regular runs for some times of some schedules.
SELECT found.id, found.state, found.attempts, given.schedule, given.scheduled_for
  FROM unnest($1::text[], $2::timestamptz[]) AS given (schedule, scheduled_for)
 CROSS JOIN LATERAL (
   SELECT id, state, attempts FROM task
    WHERE task.schedule = given.schedule AND task.schedule IS NOT NULL AND run_kind = 0
      AND task.scheduled_for = given.scheduled_for
    LIMIT 1) AS found

-- schedules_to_admit --
-- In order, so that two nodes do not wait for each other.
SELECT {schedule} FROM schedule JOIN run_count ON run_count.schedule = schedule.name
 WHERE name = ANY ($1::text[]) ORDER BY name FOR NO KEY UPDATE

-- asking_at_once --
-- Runs that were claimed now and would start, with their schedules, the turns of these, and whether others
-- of them go on.
SELECT {schedule}, turn, task.id, run_kind, scheduled_for, admission, due_at, missed, late_down > 0 AS was_down,
       EXISTS (SELECT FROM task AS other
                WHERE other.schedule = schedule.name AND other.admission = 1 AND other.state IN (0, 1, 5)
               OFFSET 0) AS goes_on -- searched for each
  FROM unnest($1::uuid[]) WITH ORDINALITY AS asked (id, place)
  JOIN task ON task.id = asked.id
  JOIN schedule ON schedule.name = task.schedule
  JOIN run_count ON run_count.schedule = schedule.name
 ORDER BY place

-- start_at_once --
-- Runs ($3) of schedules ($4), each counted once or not at all ($5), with their claim ($6): if the turns of
-- the schedules ($1) are still those that were read ($2). What another session decides now comes first.
WITH turns AS MATERIALIZED (
  SELECT given.schedule
    FROM unnest($1::text[], $2::bigint[]) AS given (schedule, turn)
   CROSS JOIN LATERAL (
     SELECT FROM run_count WHERE run_count.schedule = given.schedule AND run_count.turn = given.turn
      LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED) AS locked
), started AS (
  UPDATE task SET admission = 1
    FROM unnest($3::uuid[], $4::text[], $5::integer[]) AS given (id, schedule, counted)
    JOIN turns USING (schedule)
   WHERE task.id = given.id AND +state = 1 AND fence = $6
  RETURNING task.id, given.schedule, given.counted
), counted AS (
  UPDATE run_count SET started = run_count.started + found.started, turn = turn + 1
    FROM (SELECT started.schedule, sum(counted) AS started FROM started GROUP BY started.schedule) AS found
   WHERE run_count.schedule = found.schedule
)
SELECT id FROM started

-- asking --
-- The runs that would start, and whose claims stand.
SELECT task.id, schedule, run_kind, scheduled_for, admission, due_at, missed
  FROM unnest($1::uuid[], $2::bigint[]) AS asked (id, fence)
  JOIN task ON task.id = asked.id AND +state = 1 AND task.fence = asked.fence
   FOR NO KEY UPDATE OF task

-- going_on --
-- What goes on of some schedules, and whether a regular run waits for that.
SELECT name,
       (SELECT array_agg(id) FROM (SELECT id FROM task
          WHERE task.schedule = name AND admission = 1 AND state IN (0, 1, 5) LIMIT 200) AS going) AS going,
       EXISTS (SELECT FROM task
                WHERE task.schedule = name AND admission = 3 AND state = 0 AND run_kind = 0
               OFFSET 0) AS waits -- searched for each
  FROM unnest($1::text[]) AS given (name)

-- lock_counts --
-- In order, and before the tasks, as for what starts with its claim.
SELECT schedule FROM run_count WHERE schedule = ANY ($1::text[]) ORDER BY schedule FOR NO KEY UPDATE

-- spans_of --
-- The spans in which some moments lie.
SELECT moment, begin_at, end_at
  FROM unnest($1::timestamptz[]) AS given (moment)
  JOIN down ON begin_at < moment AND end_at > moment

-- spans --
SELECT begin_at, end_at FROM down WHERE end_at > $1 AND end_at <= tasker_now() + interval '1 second' ORDER BY end_at

-- latest_look --
-- When a server last looked for due tasks, to about two seconds, and what time it is. NULL: none ever did, or it is of
-- a version that does not say.
SELECT max(looked_at), tasker_now() FROM node

-- stand_ins --
-- The regular runs that stand for what was missed in some spans, or will: of each the first that has not started.
SELECT place, found.id
  FROM unnest($1::text[], $2::timestamptz[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[])
       WITH ORDINALITY AS given (schedule, since, until, begin_at, end_at, place)
 CROSS JOIN LATERAL (
   SELECT id FROM task
    WHERE task.schedule = given.schedule AND task.schedule IS NOT NULL AND run_kind = 0
      AND scheduled_for >= given.since AND scheduled_for < given.until
      AND due_at > given.begin_at AND due_at < given.end_at
      AND (missed IS NOT NULL AND admission IN (1, 3, 4)
           OR admission IS NULL AND state IN (0, 1, 5) AND (expires_at IS NULL OR expires_at > tasker_now()))
    ORDER BY scheduled_for LIMIT 1 FOR NO KEY UPDATE) AS found

-- other_stand_ins --
-- The same of those that have been decided of, and are other runs than some.
SELECT given.id, found.id AS other
  FROM unnest($1::text[], $2::timestamptz[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[], $6::uuid[])
       AS given (schedule, since, until, begin_at, end_at, id)
 CROSS JOIN LATERAL (
   SELECT task.id FROM task
    WHERE task.schedule = given.schedule AND task.schedule IS NOT NULL AND run_kind = 0
      AND scheduled_for >= given.since AND scheduled_for < given.until
      AND due_at > given.begin_at AND due_at < given.end_at
      AND missed IS NOT NULL AND admission IN (1, 3, 4) AND task.id <> given.id
    ORDER BY scheduled_for LIMIT 1 FOR NO KEY UPDATE) AS found

-- stand_for --
-- As many times more that were missed. They may start as long as the last of these could.
UPDATE task SET missed = coalesce(missed, 1) + given.count, revision = revision + 1,
       expires_at = CASE WHEN state = 0 AND expires_at IS NOT NULL
                         THEN greatest(expires_at, given.expiry) ELSE expires_at END
  FROM unnest($1::uuid[], $2::bigint[], $3::timestamptz[]) AS given (id, count, expiry)
 WHERE task.id = given.id

-- set_missed --
UPDATE task SET missed = given.missed
  FROM unnest($1::uuid[], $2::bigint[]) AS given (id, missed) WHERE task.id = given.id

-- start_runs --
-- $2: those that were missed.
UPDATE task SET admission = 1, missed = CASE WHEN id = ANY ($2::uuid[]) THEN coalesce(missed, 1) ELSE missed END
 WHERE id = ANY ($1::uuid[])

-- keep_runs_back --
-- They wait, or are left out; no attempt was used.
UPDATE task SET admission = given.admission, state = CASE given.admission WHEN 3 THEN 0 ELSE 4 END,
       ended_at = CASE WHEN given.admission <> 3 THEN tasker_now() END,
       held_by = CASE WHEN given.admission = 3 THEN 0 END, is_cancelled = false,
       missed = CASE WHEN given.admission = 6 THEN NULL WHEN given.is_missed THEN coalesce(missed, 1) ELSE missed END,
       attempts = greatest(attempts - 1, 0), fence = NULL, node = NULL, revision = revision + 1
  FROM unnest($1::uuid[], $2::smallint[], $3::boolean[]) AS given (id, admission, is_missed)
 WHERE task.id = given.id AND +state = 1
RETURNING {ending}, (SELECT payload FROM payload WHERE payload.id = task.id), gate, host_gate, tasker_now() AS now

-- count_runs --
UPDATE run_count SET started = run_count.started + given.started, skipped = run_count.skipped + given.skipped,
       missed_times = run_count.missed_times + given.missed_times, turn = turn + 1
  FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[])
       AS given (schedule, started, skipped, missed_times)
 WHERE run_count.schedule = given.schedule

-- look_after_runs --
-- Of a run that stood for next_at and does not start, the next one is made.
UPDATE schedule SET look_at = CASE WHEN given.is_spent THEN NULL ELSE 'epoch'::timestamptz END
  FROM unnest($1::text[], $2::boolean[]) AS given (name, is_spent)
 WHERE schedule.name = given.name AND look_at IS NOT NULL

-- release_runs --
-- Of each schedule the first.
WITH behind AS MATERIALIZED (
  SELECT id FROM task AS behind
   WHERE admission = 3 AND state = 0 AND held_by = 0
     AND NOT EXISTS (SELECT FROM task AS earlier
                      WHERE earlier.schedule = behind.schedule AND earlier.admission = 3
                        AND earlier.state = 0 AND earlier.held_by = 0 AND earlier.id < behind.id
                     OFFSET 0) -- searched for each
     AND NOT EXISTS (SELECT FROM task AS other
                      WHERE other.schedule = behind.schedule AND other.admission = 1
                        AND other.state IN (0, 1, 5)
                     OFFSET 0)
   LIMIT $1
), free AS MATERIALIZED (
  SELECT task.id FROM task JOIN behind ON behind.id = task.id
   WHERE admission = 3 AND state = 0 AND held_by = 0 FOR NO KEY UPDATE OF task SKIP LOCKED
)
UPDATE task SET held_by = NULL, revision = revision + 1,
       late_held = greatest(late_held, (extract(epoch FROM tasker_now() - due_at) * 1000000)::bigint)
  FROM free WHERE task.id = free.id
RETURNING 1

-- remove_queued_runs --
-- The regular runs for times after now - $2 that stand in the queue and are not due. One that is being
-- claimed is waited for, and stays.
WITH gone AS (
  DELETE FROM task
   WHERE schedule = $1 AND schedule IS NOT NULL AND run_kind = 0
     AND scheduled_for > tasker_now() - $2::interval
     AND state = 0 AND attempts = 0 AND due_at > tasker_now()
  RETURNING id
), payloads AS (
  DELETE FROM payload USING gone WHERE payload.id = gone.id
), attempts AS (
  DELETE FROM attempt USING gone WHERE attempt.task = gone.id
), tags AS (
  DELETE FROM tag USING gone WHERE tag.task = gone.id
)
SELECT id FROM gone

-- runs --
-- The latest runs of a schedule that have started, or whose time has come.
SELECT id, run_kind, scheduled_for, state, due_at, started_at, ended_at, missed FROM task
 WHERE schedule = $1 AND schedule IS NOT NULL
   AND (state <> 0 OR attempts > 0 OR scheduled_for <= tasker_now())
 ORDER BY id DESC LIMIT $2

-- insert_audit --
-- $1: the values of an entry, in the order of ENTRY.
INSERT INTO audit (at, by_id, by_name, action, kind, subject, name, changes)
SELECT tasker_now(), entry[1], entry[2], entry[3], entry[4], entry[5],
       coalesce(entry[6], CASE entry[4] WHEN 'destination'
                          THEN (SELECT name FROM gate WHERE id = entry[5]::bigint) END),
       entry[7]
  FROM (SELECT $1::text[] AS entry) AS given

-- insert_operation_tasks --
INSERT INTO operation_task (task, operation, at)
SELECT task, $2::uuid, tasker_now() FROM unnest($1::uuid[]) AS given (task)
    ON CONFLICT DO NOTHING

-- audit --
SELECT at, {audit} FROM audit
 WHERE at >= $1 AND (at, id) < ($2::timestamptz, $3::bigint) ORDER BY at DESC, id DESC LIMIT $4

-- audit_of_subject --
-- And of the operations that have changed a task, at that moment.
(SELECT audit.at, {audit} FROM audit
  WHERE subject = $5 AND at >= $1 AND (at, id) < ($2::timestamptz, $3::bigint)
  ORDER BY at DESC, id DESC LIMIT $4)
 UNION ALL
(SELECT operation_task.at, {audit} FROM operation_task
   JOIN audit ON audit.subject = operation_task.operation::text AND audit.action = 'begin'
  WHERE operation_task.task = $6::uuid AND operation_task.at >= $1
    AND (operation_task.at, audit.id) < ($2::timestamptz, $3::bigint)
  ORDER BY operation_task.at DESC, audit.id DESC LIMIT $4)
 ORDER BY 1 DESC, 2 DESC LIMIT $4

-- prune_audit --
-- Nodes may prune at the same time: see prune.
WITH old AS MATERIALIZED (
  SELECT id FROM audit WHERE at < tasker_now() - $1::interval
   ORDER BY at LIMIT $2 FOR UPDATE SKIP LOCKED
), gone AS (
  DELETE FROM audit USING old WHERE audit.id = old.id RETURNING audit.id
)
SELECT count(*) FROM gone

-- prune_operation_tasks --
WITH old AS MATERIALIZED (
  SELECT task, operation FROM operation_task WHERE at < tasker_now() - $1::interval
   ORDER BY at LIMIT $2 FOR UPDATE SKIP LOCKED
), gone AS (
  DELETE FROM operation_task USING old
   WHERE operation_task.task = old.task AND operation_task.operation = old.operation
  RETURNING operation_task.task
)
SELECT count(*) FROM gone

-- lead_alerts --
-- No row: another node sends alerts.
INSERT INTO alert_book AS book (id, node, lead_until, revision, told)
VALUES (1, $1, tasker_now() + $2::interval, 0, '{}')
    ON CONFLICT (id) DO UPDATE SET node = excluded.node, lead_until = excluded.lead_until
    WHERE book.node = excluded.node OR book.lead_until <= tasker_now()
       OR book.lead_until > tasker_now() + $2::interval -- the clock was set back
RETURNING revision, told

-- keep_alerts --
-- No row: another node sends alerts, or has meanwhile.
UPDATE alert_book SET told = $3, revision = revision + 1, lead_until = tasker_now() + $4::interval
 WHERE node = $1 AND revision = $2
RETURNING revision

-- yield_alerts --
UPDATE alert_book SET lead_until = tasker_now() WHERE node = $1 AND lead_until > tasker_now()

-- failing_circuits --
SELECT id, name, broken_since FROM gate
 WHERE broken_since IS NOT NULL AND broken_since <= tasker_now() - $1::interval
   AND failures >= $3 -- a node that knows no broken_since may have closed it
 ORDER BY broken_since LIMIT $2

-- node_ends --
-- The other nodes. One is replaced by another that has started since at the same address ($2: LEASE).
SELECT id, address, lease_until, schema, has_ended, lease_until <= tasker_now() AS is_over,
       EXISTS (SELECT FROM node AS other
                WHERE other.address = node.address AND other.id <> node.id
                  AND other.lease_until > tasker_now()
                  AND other.started_at > node.lease_until - $2::interval) AS is_replaced
  FROM node WHERE id <> $1 ORDER BY lease_until, id

-- access --
SELECT version, asks, salt FROM access

-- access_version --
SELECT version FROM access

-- any_node --
SELECT EXISTS (SELECT FROM node WHERE lease_until > tasker_now())

-- lock_access --
-- One after the other: each sees what the one before has changed.
SELECT tasker_now() FROM access FOR UPDATE

-- api_keys --
SELECT {api_key} FROM api_key

-- create_api_key --
INSERT INTO api_key (id, name, role, scopes, digest, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)

-- revoke_api_key --
DELETE FROM api_key WHERE id = $1 RETURNING name

-- change_access --
-- $1: NULL leaves it as it is.
UPDATE access SET version = version + 1, asks = coalesce($1, asks)

-- mark_api_keys_used --
UPDATE api_key SET used_at = used.at
  FROM unnest($1::text[], $2::timestamptz[]) AS used (id, at)
 WHERE api_key.id = used.id AND (used_at IS NULL OR used_at < used.at)

-- end_sign_ins --
-- Those that were made with a key.
DELETE FROM sign_in WHERE key_id = $1

-- sign_in --
INSERT INTO sign_in (digest, key_id, ends_at) VALUES ($1, $2, $3)

-- signed_in --
SELECT key_id FROM sign_in WHERE digest = $1 AND ends_at > tasker_now()

-- sign_out --
DELETE FROM sign_in WHERE digest = $1 RETURNING 1

-- prune_sign_ins --
-- Nodes may prune at the same time: see prune.
WITH old AS MATERIALIZED (
  SELECT digest FROM sign_in WHERE ends_at <= tasker_now()
   ORDER BY ends_at LIMIT $1 FOR UPDATE SKIP LOCKED
), gone AS (
  DELETE FROM sign_in USING old WHERE sign_in.digest = old.digest RETURNING sign_in.digest
)
SELECT count(*) FROM gone

-- write_history --
INSERT INTO history (length, at, run, counts, failures)
SELECT * FROM unnest($1::bigint[], $2::timestamptz[], $3::uuid[], $4::text[], $5::text[])
    ON CONFLICT (length, at, run) DO UPDATE SET counts = excluded.counts, failures = excluded.failures

-- history_counts --
SELECT at, run, counts AS text FROM history
 WHERE length = $1 AND (at, run) > ($2, $3) AND at < $4
 ORDER BY at, run LIMIT $5

-- history_failures --
SELECT at, run, failures AS text FROM history
 WHERE length = $1 AND (at, run) > ($2, $3) AND at < $4 AND failures IS NOT NULL
 ORDER BY at, run LIMIT $5

-- prune_history --
-- Nodes may prune at the same time: see prune.
WITH old AS MATERIALIZED (
  SELECT length, at, run FROM history
   WHERE length = $1 AND at < tasker_now() - $2::interval - $1 * interval '1 microsecond'
   ORDER BY at, run LIMIT $3 FOR UPDATE SKIP LOCKED
), gone AS (
  DELETE FROM history USING old
   WHERE history.length = old.length AND history.at = old.at AND history.run = old.run
  RETURNING history.run
)
SELECT count(*) FROM gone

-- waiting_rows --
-- The first $2 rows of the inbox from $1 on that are to be taken, with their requests if these have no
-- more than $3 bytes; but for the first, no more than have $4 bytes together. None while a node runs
-- that knows a newer version than $5.
SELECT id, version, inserted_at, error, CASE WHEN size <= $3 THEN request END AS request
  FROM (SELECT head.*, octet_length(request) AS size,
               sum(octet_length(request)) OVER (ORDER BY id) - octet_length(request) AS before
          FROM (SELECT id, xmin::text AS version, inserted_at, error, request::text AS request
                  FROM tasker_inbox
                 WHERE error IS NULL AND id >= $1
                   AND NOT EXISTS (SELECT FROM node WHERE schema > $5 AND lease_until > tasker_now())
                 ORDER BY id LIMIT $2) AS head) AS sized
 WHERE before < $4
 ORDER BY id

-- lock_waiting_rows --
-- Those of these rows that no other node is taking, and that are still there.
SELECT id, xmin::text AS version FROM tasker_inbox
 WHERE id = ANY ($1::uuid[]) AND error IS NULL
   FOR UPDATE SKIP LOCKED

-- delete_inbox_rows --
DELETE FROM tasker_inbox WHERE id = ANY ($1::uuid[])

-- refuse_inbox_rows --
UPDATE tasker_inbox SET error = given.error
  FROM unnest($1::uuid[], $2::text[]) AS given (id, error) WHERE tasker_inbox.id = given.id

-- note_held_in_inbox --
-- They were due before they were created: until then the inbox has held them.
UPDATE task SET late_held = tasker_held(due_at, tasker_now(), tasker_now())
 WHERE id = ANY ($1::uuid[]) AND due_at < tasker_now()

-- inbox_rows --
-- The first $2 rows from $1 on; but for the first, no more than have $3 bytes together.
SELECT id, version, inserted_at, error, request
  FROM (SELECT head.*, sum(octet_length(request)) OVER (ORDER BY id) - octet_length(request) AS before
          FROM (SELECT id, xmin::text AS version, inserted_at, error, request::text AS request
                  FROM tasker_inbox WHERE id >= $1 ORDER BY id LIMIT $2) AS head) AS sized
 WHERE before < $3
 ORDER BY id

-- retry_inbox_row --
-- Whether it was refused. No row: there is none.
UPDATE tasker_inbox SET error = NULL FROM (SELECT id, error FROM tasker_inbox WHERE id = $1 FOR UPDATE) AS seen
 WHERE tasker_inbox.id = seen.id
RETURNING seen.error IS NOT NULL

-- delete_inbox_row --
DELETE FROM tasker_inbox WHERE id = $1 RETURNING id

-- count_inbox --
SELECT (SELECT count(*) FROM (SELECT FROM tasker_inbox WHERE error IS NULL LIMIT $1) AS waiting) AS waiting,
       (SELECT count(*) FROM (SELECT FROM tasker_inbox WHERE error IS NOT NULL LIMIT $1) AS refused) AS refused
