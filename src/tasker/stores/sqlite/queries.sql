-- create_tasks --
-- {rows} is repeated for as many tasks as there are. If all have nothing in the columns after
-- created_at, these are left out.
INSERT INTO task (seq, id, type, state, pool, due_at, execution_at, execution_time, gate, patience,
                  created_by, created_at, expires_at, parent_id, key, holds_key, content, keep,
                  host_gate, schedule, scheduled_for, run_kind, local_time, time_zone, zones, held_by)
VALUES {rows}

-- create_payloads --
INSERT INTO payload (seq, payload) VALUES {rows}

-- stage --
INSERT INTO staged (first_seq, last_seq) VALUES (:first, :last)

-- unstage --
DELETE FROM staged WHERE first_seq = :first

-- all_staged --
SELECT first_seq, last_seq FROM staged

-- drop_staged --
DELETE FROM payload
 WHERE seq >= :start AND seq < :stop AND EXISTS (SELECT 1 FROM staged WHERE first_seq = :first)

-- create_tags --
INSERT INTO tag (task, tag) VALUES {rows}

-- stored --
-- What is stored under an id, to compare it with what is to be.
SELECT content, execution_at FROM task WHERE id = :id

-- key_holder --
SELECT seq, id, type, state, execution_at, created_at FROM task
 WHERE key = :key AND key IS NOT NULL AND holds_key = 1 AND state IN (0, 1, 5)

-- release_key --
-- A running task goes on without its key: a successor takes it over.
UPDATE task SET holds_key = 0 WHERE seq = :seq

-- replace --
-- The task becomes another under its id: what counted for it counts anew.
UPDATE task SET due_at = :due_at, execution_at = :execution_at, execution_time = :execution_time,
       local_time = :local_time, time_zone = :time_zone, zones = :zones,
       gate = :gate, host_gate = :host_gate, held_by = iif(pool = 3, :gate, NULL),
       expires_at = :expires_at,
       keep = :keep, patience = :patience, created_by = :created_by, waited = 0, crashes = 0, retried_after = attempts,
       late_held = 0, revision = revision + 1, payload_revision = revision + 1
 WHERE seq = :seq AND state = 0
RETURNING payload_revision

-- replace_payload --
UPDATE payload SET payload = :payload, result = NULL, revision = :revision WHERE seq = :seq

-- insert_type_pool --
INSERT OR IGNORE INTO type_pool (type, pool) VALUES (:type, :pool)

-- insert_gate --
INSERT OR IGNORE INTO gate (kind, name) VALUES (:kind, :name)

-- gate_id --
SELECT id FROM gate WHERE kind = :kind AND name = :name

-- last_seq --
SELECT max(coalesce((SELECT max(seq) FROM task), 0), coalesce((SELECT max(last_seq) FROM staged), 0))

-- next_due --
-- When to look next at a pool: at the head of its queue, or at what gates hold. What has expired meanwhile never
-- starts: it is passed over.
SELECT min(at) FROM (
  SELECT (SELECT due_at FROM task
           WHERE pool = :pool AND state = 0 AND held_by IS NULL AND (expires_at IS NULL OR expires_at > :now)
           ORDER BY due_at, seq LIMIT 1) AS at
   UNION ALL
  SELECT (SELECT wake_at FROM gate_queue WHERE pool = :pool ORDER BY wake_at LIMIT 1))

-- due --
-- The first due tasks of a pool that no gate holds, after a place in the queue.
SELECT due_at, seq, gate FROM task
 WHERE pool = :pool AND state = 0 AND held_by IS NULL AND due_at <= :now AND due_at >= :after_at
   AND (due_at > :after_at OR seq > :after_seq) AND (expires_at IS NULL OR expires_at > :now)
 ORDER BY due_at, seq LIMIT :limit

-- due_held --
-- The same of those that a gate holds, due or not.
SELECT due_at, seq, gate, host_gate FROM task
 WHERE pool = :pool AND held_by = :gate AND state = 0 AND held_by IS NOT NULL
   AND (expires_at IS NULL OR expires_at > :now)
 ORDER BY due_at, seq LIMIT :limit

-- part_late --
-- How late what is claimed is, by cause. :down_until: the end of the latest span in which nobody looked.
-- :let_go_at: until when a gate held it; NULL: none did. :paused_until: the end of the latest pause.
late_down = iif(due_at < :down_until,
                (SELECT coalesce(sum(min(end_at, :now) - max(begin_at, due_at)), 0)
                   FROM down WHERE end_at > due_at), 0),
late_held = CASE
  WHEN due_at >= coalesce(:let_go_at, 0) AND due_at >= :paused_until THEN late_held
  WHEN due_at >= :down_until AND due_at >= :paused_until THEN max(late_held, :let_go_at - due_at)
  ELSE max(late_held, iif(due_at < :let_go_at,
         :let_go_at - due_at - iif(due_at < :down_until,
           (SELECT coalesce(sum(min(end_at, :let_go_at) - max(begin_at, due_at)), 0)
              FROM down WHERE end_at > due_at AND begin_at < :let_go_at), 0), 0)
         + iif(due_at < :paused_until,
           (SELECT coalesce(sum(min(pause.end_at, :now) - max(pause.begin_at, span.since)
              - (SELECT coalesce(sum(min(down.end_at, pause.end_at, :now)
                                     - max(down.begin_at, pause.begin_at, span.since)), 0)
                   FROM down
                  WHERE down.end_at > max(pause.begin_at, span.since)
                    AND down.begin_at < min(pause.end_at, :now))), 0)
              FROM (SELECT max(due_at, coalesce(:let_go_at, 0)) AS since) AS span
              JOIN pause ON pause.end_at > span.since AND pause.begin_at < :now), 0)) END

-- claim --
-- :seqs is a JSON array. Without RETURNING, for which every column of a row is read once more.
UPDATE task SET state = 1, held_by = NULL, attempts = attempts + 1, fence = :fence, node = :node,
       started_at = :now, revision = revision + 1,
       {part_late}
 WHERE seq IN (SELECT value FROM json_each(:seqs)) AND state = 0

-- claimed --
-- What this claim has taken.
SELECT {attempt}, payload, task.seq
  FROM json_each(:seqs) AS taken
 CROSS JOIN task ON task.seq = taken.value AND task.fence = :fence
 CROSS JOIN payload ON payload.seq = task.seq

-- queue --
-- The gate of a queue, how many of its tasks workers have if that is limited, since when it has had room,
-- and when the first is due that it holds. What has expired is passed over.
SELECT {gate},
       CASE WHEN max_running IS NOT NULL
            THEN (SELECT count(*) FROM task WHERE counts_in IS NOT NULL AND counts_in = gate.id)
            ELSE 0 END,
       (SELECT wake_at FROM gate_queue WHERE gate_queue.gate = gate.id AND pool = 3),
       (SELECT due_at FROM task
         WHERE pool = 3 AND held_by = gate.id AND state = 0 AND held_by IS NOT NULL
           AND (expires_at IS NULL OR expires_at > :now)
         ORDER BY due_at, seq LIMIT 1)
  FROM gate WHERE kind = 3 AND name = :name

-- pull --
-- Claim the first of what a queue holds for a caller, until a deadline. RETURNING as in claim.
UPDATE task SET state = 5, attempts = attempts + 1, fence = :fence, node = :node,
       started_at = :now, deadline = :now + :lease, lease = :lease, counts_in = gate,
       revision = revision + 1,
       {part_late}
 WHERE seq IN (SELECT seq FROM task
                WHERE pool = 3 AND held_by = :gate AND state = 0 AND held_by IS NOT NULL
                  AND due_at <= :now AND (expires_at IS NULL OR expires_at > :now)
                ORDER BY due_at, seq LIMIT :limit) AND state = 0
RETURNING {attempt}, (SELECT payload FROM payload WHERE payload.seq = task.seq), seq

-- next_lease --
SELECT deadline FROM task WHERE pool = 3 AND deadline IS NOT NULL ORDER BY deadline LIMIT 1

-- end_leases --
-- As take_back: a batch of what was pulled by workers that were not heard of in time.
UPDATE task SET crashes = crashes + 1, attempts = max(attempts - 1, 0), fence = NULL, node = NULL,
       deadline = NULL, counts_in = NULL,
       state = CASE WHEN crashes + 1 >= :max_crashes THEN 3 ELSE 0 END,
       ended_at = CASE WHEN crashes + 1 >= :max_crashes THEN :now END,
       last_fault = CASE WHEN crashes + 1 >= :max_crashes THEN :last_fault ELSE last_fault END,
       revision = revision + 1
 WHERE seq IN (SELECT seq FROM task
                WHERE pool = 3 AND deadline IS NOT NULL AND deadline <= :now
                ORDER BY deadline LIMIT :limit) AND state = 5
RETURNING {ending}, (SELECT payload FROM payload WHERE payload.seq = task.seq), state, gate

-- hold --
UPDATE task SET held_by = gate WHERE seq IN (SELECT value FROM json_each(:seqs))

-- hold_at_host --
-- What has a group, and goes to a host that lets nothing start.
UPDATE task SET held_by = host_gate WHERE seq IN (SELECT value FROM json_each(:seqs))

-- let_go --
-- How long gates have held them until now, but for the spans in which nobody looked.
UPDATE task SET late_held = max(late_held, :at - due_at -
         (SELECT coalesce(sum(min(end_at, :at) - max(begin_at, due_at)), 0)
            FROM down WHERE end_at > due_at AND begin_at < :at))
 WHERE seq IN (SELECT value FROM json_each(:seqs)) AND due_at < :at

-- put_back --
-- In the queue again.
UPDATE task SET held_by = NULL WHERE seq IN (SELECT value FROM json_each(:seqs))

-- gate_at --
-- A gate, how many of its tasks are running, and with a limit how many in other hands count there, with
-- a group those that go to it if it has failed, and whether it holds any of a pool.
SELECT {gate},
       (SELECT count(*) FROM task WHERE state = 1 AND gate = gate.id),
       CASE WHEN max_running IS NOT NULL
            THEN (SELECT count(*) FROM task WHERE counts_in IS NOT NULL AND counts_in = gate.id)
            ELSE 0 END,
       CASE WHEN failures > 0 OR closed_at > :recovering_after
            THEN (SELECT count(*) FROM task
                   WHERE state = 1 AND host_gate IS NOT NULL AND host_gate = gate.id)
            ELSE 0 END,
       EXISTS (SELECT 1 FROM gate_queue WHERE gate = gate.id AND pool = :pool)
  FROM gate WHERE id = :gate

-- woken --
-- Gates that hold tasks of a pool and are to be looked at now.
SELECT gate, wake_at FROM gate_queue
 WHERE pool = :pool AND wake_at <= :now ORDER BY wake_at LIMIT :limit

-- open_gate_queue --
-- Where there is one already, it is known when to look.
INSERT OR IGNORE INTO gate_queue (gate, pool, wake_at) VALUES (:gate, :pool, :wake_at)

-- close_gate_queue --
-- Unless it holds some that have expired: if the clock is set back, they may start after all.
DELETE FROM gate_queue
 WHERE gate = :gate AND pool = :pool
   AND NOT EXISTS (SELECT 1 FROM task WHERE task.pool = :pool AND held_by = :gate AND state = 0
                                        AND held_by IS NOT NULL AND expires_at <= :now)
RETURNING 1

-- wake_at --
UPDATE gate_queue SET wake_at = :wake_at WHERE gate = :gate AND pool = :pool

-- wake --
-- What a gate holds is looked at now: it may have room.
UPDATE gate_queue SET wake_at = :now WHERE gate = :gate AND wake_at > :now RETURNING 1

-- wake_all --
UPDATE gate_queue SET wake_at = :now WHERE pool <> 3

-- last_pause --
-- No end: it lasts.
SELECT begin_at, end_at FROM pause ORDER BY begin_at DESC LIMIT 1

-- paused_at --
-- No row: nothing is paused.
SELECT begin_at FROM pause WHERE end_at IS NULL

-- cut_pauses_ahead --
-- The clock was set back: what lies ahead of it has yet to come.
UPDATE pause SET end_at = :now WHERE end_at > :now AND begin_at < :now

-- forget_pauses_ahead --
DELETE FROM pause WHERE begin_at >= :now AND end_at IS NOT NULL

-- begin_pause --
-- One that lasts goes on.
INSERT OR IGNORE INTO pause (begin_at) VALUES (:now) RETURNING 1

-- forget_pause --
-- One that has not lasted at all, or began ahead of a clock that was set back.
DELETE FROM pause WHERE end_at IS NULL AND begin_at >= :now RETURNING 1

-- end_pause --
UPDATE pause SET end_at = :now WHERE end_at IS NULL RETURNING 1

-- mark --
SELECT state, at, other FROM mark

-- drop_mark --
DELETE FROM mark

-- put_mark --
INSERT INTO mark (one, state, at, other) VALUES (1, :state, :at, :other)

-- prune_pauses --
DELETE FROM pause WHERE end_at < :before RETURNING 1

-- is_limited_group --
SELECT 1 FROM gate WHERE id = :gate AND max_running IS NOT NULL AND paused = 0

-- circuit --
SELECT failures, open_until, broken_since, closed_at, paused,
       EXISTS (SELECT 1 FROM gate_queue WHERE gate = gate.id)
  FROM gate WHERE id = :gate

-- set_circuit --
UPDATE gate SET failures = :failures, open_until = :open_until, broken_since = :broken_since,
       let_in = iif(closed_at IS :closed_at, let_in, 0), closed_at = :closed_at
 WHERE id = :gate

-- is_paused --
SELECT paused FROM gate WHERE id = :gate

-- pause --
UPDATE gate SET paused = :paused WHERE id = :gate

-- room_at --
-- Since when a queue has had room: how late what it holds is without that.
UPDATE gate_queue SET wake_at = :at WHERE gate = :gate AND pool = 3

-- limit --
UPDATE gate SET max_running = :max_running, max_per_second = :max_per_second, burst = :burst,
       next_at = :next_at
 WHERE id = :gate

-- set_started --
UPDATE gate SET next_at = :next_at, let_in = :let_in WHERE id = :gate

-- gate --
SELECT {gate} FROM gate WHERE id = :gate

-- running --
-- The tasks of attempts. Those that are missing have lost their claim.
WITH ended (id, fence) AS (VALUES {rows})
SELECT task.id, task.fence, seq, gate, host_gate, is_cancelled
  FROM ended CROSS JOIN task ON task.id = ended.id AND task.fence = ended.fence AND state = 1

-- settle --
-- Without RETURNING, as claim. An end without due_at is the last; one without a fault leaves that of before.
WITH ended (seq, started_at, state, due_at, waited, ended_at, last_fault) AS (VALUES {rows})
UPDATE task SET state = ended.state,
       due_at = coalesce(ended.due_at, task.due_at),
       waited = coalesce(ended.waited, task.waited),
       started_at = ended.started_at,
       ended_at = ended.ended_at,
       last_fault = coalesce(ended.last_fault, task.last_fault),
       crashes = 0, fence = NULL, node = NULL,
       late_held = iif(ended.due_at IS NULL, late_held, 0),
       is_cancelled = 0, revision = revision + 1
  FROM ended
 WHERE task.seq = ended.seq AND task.state = 1

-- complete --
-- The same of attempts that have succeeded: nearly all.
WITH ended (seq, started_at, ended_at) AS (VALUES {rows})
UPDATE task SET state = 2, started_at = ended.started_at, ended_at = ended.ended_at,
       crashes = 0, fence = NULL, node = NULL, is_cancelled = 0, revision = revision + 1
  FROM ended
 WHERE task.seq = ended.seq AND task.state = 1

-- settle_waiting --
-- The same of an attempt that is in other hands.
UPDATE task SET state = :state, due_at = coalesce(:due_at, due_at), waited = coalesce(:waited, waited),
       started_at = :started_at, ended_at = :ended_at, last_fault = coalesce(:last_fault, last_fault),
       crashes = 0, fence = NULL, node = NULL, late_held = iif(:due_at IS NULL, late_held, 0),
       deadline = NULL, counts_in = NULL, revision = revision + 1
 WHERE id = :id AND state = 5 AND fence = :fence
RETURNING seq, gate, host_gate, state

-- accept --
-- The attempt is in other hands now. No row: as for settle. What was cancelled meanwhile ends.
UPDATE task SET state = CASE WHEN is_cancelled = 1 THEN 4 ELSE 5 END,
       ended_at = CASE WHEN is_cancelled = 1 THEN :now END,
       fence = CASE WHEN is_cancelled = 0 THEN fence END, node = NULL, started_at = :started_at,
       deadline = CASE WHEN is_cancelled = 0 THEN :deadline END,
       counts_in = CASE WHEN is_cancelled = 0 AND :counts THEN gate END,
       crashes = 0, is_cancelled = 0, revision = revision + 1
 WHERE id = :id AND state = 1 AND fence = :fence
RETURNING seq, gate, host_gate, state

-- completion_key --
SELECT key FROM completion_key

-- awaited --
-- An attempt whose end is told from outside. No row: it has ended.
SELECT {attempt}, payload.payload, started_at, deadline, is_cancelled, progress,
       (SELECT record FROM attempt WHERE attempt.task = task.seq AND number = attempts)
  FROM task JOIN payload USING (seq)
 WHERE task.id = :id AND state IN (1, 5) AND fence = :fence

-- beat --
-- No row: as for awaited.
UPDATE task SET progress = json_object('attempt', attempts, 'at', :now, 'progress', :progress, 'msg', :msg),
       deadline = CASE state WHEN 5 THEN coalesce(:deadline, :now + lease, deadline) END
 WHERE id = :id AND state IN (1, 5) AND fence = :fence
RETURNING deadline, is_cancelled

-- next_deadline --
SELECT deadline FROM task WHERE pool <> 3 AND deadline IS NOT NULL ORDER BY deadline LIMIT 1

-- past_deadline --
-- A batch of the attempts in other hands whose deadline has passed, but for what was pulled.
SELECT {attempt}, payload.payload, started_at, deadline, is_cancelled, progress,
       (SELECT record FROM attempt WHERE attempt.task = task.seq AND number = attempts)
  FROM task JOIN payload USING (seq)
 WHERE pool <> 3 AND deadline IS NOT NULL AND deadline <= :now ORDER BY deadline LIMIT :limit

-- insert_attempts --
-- A number that a crash or a drain took back is given out again.
INSERT INTO attempt (task, number, record) VALUES {rows}
    ON CONFLICT (task, number) DO UPDATE SET record = excluded.record

-- attempt_record --
SELECT task, record FROM attempt
 WHERE task = (SELECT seq FROM task WHERE id = :id) AND number = :number

-- set_attempt_record --
UPDATE attempt SET record = :record WHERE task = :seq AND number = :number

-- delete_old_attempts --
DELETE FROM attempt WHERE task = :seq AND number <= :up_to

-- set_result --
UPDATE payload SET result = :result WHERE seq = :seq

-- give_back --
-- No row: as for settle.
UPDATE task SET state = CASE WHEN is_cancelled = 1 THEN 4 ELSE 0 END,
       ended_at = CASE WHEN is_cancelled = 1 THEN :now END, is_cancelled = 0,
       attempts = max(attempts - 1, 0), fence = NULL, node = NULL, revision = revision + 1,
       admission = iif(admission = 1 AND attempts <= 1, 4, admission)
 WHERE id = :id AND state = 1 AND fence = :fence
RETURNING {ending}, CASE state WHEN 4 THEN (SELECT payload FROM payload WHERE payload.seq = task.seq) END,
          state, gate, host_gate

-- give_back_pulled --
-- The same of what was pulled.
UPDATE task SET state = 0, attempts = max(attempts - 1, 0), fence = NULL, node = NULL,
       deadline = NULL, counts_in = NULL, revision = revision + 1
 WHERE id = :id AND state = 5 AND pool = 3 AND fence = :fence
RETURNING {ending}, CASE state WHEN 4 THEN (SELECT payload FROM payload WHERE payload.seq = task.seq) END,
          state, gate, host_gate

-- take_back --
-- On SQLite one process holds the database: whatever another boot left running has no holder.
UPDATE task SET crashes = crashes + 1, attempts = max(attempts - 1, 0), fence = NULL, node = NULL,
       state = CASE WHEN is_cancelled = 1 THEN 4 WHEN crashes + 1 >= :max_crashes THEN 3 ELSE 0 END,
       ended_at = CASE WHEN is_cancelled = 1 OR crashes + 1 >= :max_crashes THEN :now END,
       last_fault = CASE WHEN is_cancelled = 0 AND crashes + 1 >= :max_crashes THEN :last_fault
                         ELSE last_fault END,
       is_cancelled = 0, revision = revision + 1
 WHERE type IN (SELECT type FROM type_pool) AND state = 1 AND state <> 0 AND node IS NOT :node
RETURNING {ending}, (SELECT payload FROM payload WHERE payload.seq = task.seq), state

-- next_expiry --
SELECT expires_at FROM task WHERE state = 0 AND expires_at IS NOT NULL ORDER BY expires_at LIMIT 1

-- expired --
-- A batch of what could not start in time.
SELECT {ending}, payload.payload, task.last_fault, task.seq, {run_gone}
  FROM task JOIN payload USING (seq)
 WHERE state = 0 AND expires_at IS NOT NULL AND expires_at <= :now
 ORDER BY expires_at LIMIT :limit

-- expire --
UPDATE task SET state = 3, ended_at = :now, last_fault = :last_fault,
       held_by = iif(pool = 3, held_by, NULL), revision = revision + 1
 WHERE seq = :seq AND state = 0

-- zones --
SELECT version FROM zone_version

-- note_zones --
UPDATE zone_version SET version = :version WHERE version < :version

-- outdated --
-- A batch of what an older version than :version found the moment of.
SELECT seq, id, due_at, execution_at, attempts, local_time, time_zone FROM task
 WHERE zones < :version AND zones IS NOT NULL AND state = 0
 ORDER BY zones, due_at LIMIT :limit

-- move_by_zones --
UPDATE task SET due_at = :at, execution_at = :at, execution_time = :text,
       held_by = iif(pool = 3, held_by, NULL), late_held = 0, zones = :version, revision = revision + 1
 WHERE seq = :seq AND state = 0

-- keep_by_zones --
UPDATE task SET zones = :version WHERE seq = :seq AND state = 0

-- given_up --
-- A batch of what circuits have kept for too long. The tasks that a gate holds have few different
-- patiences left: each is found in the index, and then the tasks that have it. The time of a pause
-- does not count: `later` is how long those lasted that came after it, and `ripe` is what has been
-- due for its patience, or longer, without them.
WITH RECURSIVE stop (end_at, length, later) AS MATERIALIZED (
  SELECT coalesce(end_at, :now), coalesce(end_at, :now) - begin_at,
         coalesce(sum(coalesce(end_at, :now) - begin_at) OVER (
           ORDER BY begin_at DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)
    FROM pause
), span (gate_id, since, patience) AS (
  SELECT id, broken_since,
         (SELECT task.patience - waited FROM task
           WHERE held_by = gate.id AND state = 0 AND held_by IS NOT NULL AND pool <> 3
           ORDER BY task.patience - waited LIMIT 1)
    FROM gate
   WHERE broken_since IS NOT NULL AND broken_since <= :now - :least AND failures >= :threshold
   UNION ALL
  SELECT gate_id, since,
         (SELECT task.patience - waited FROM task
           WHERE held_by = gate_id AND state = 0 AND held_by IS NOT NULL AND pool <> 3
             AND task.patience - waited > span.patience
           ORDER BY task.patience - waited LIMIT 1)
    FROM span WHERE patience <= :now - since
), ripe (gate_id, since, patience, due_by) AS MATERIALIZED (
  SELECT gate_id, since, patience, :now - max(patience, :least)
         - (SELECT coalesce(sum(length), 0) FROM stop
             WHERE :now - max(span.patience, :least) - later < stop.end_at)
    FROM span
)
SELECT {ending}, payload.payload, task.last_fault, task.seq, {run_gone}
  FROM ripe
 CROSS JOIN task ON held_by = gate_id AND task.patience - waited = ripe.patience AND state = 0
                AND held_by IS NOT NULL AND pool <> 3 AND due_at <= due_by
 CROSS JOIN payload ON payload.seq = task.seq
 WHERE since <= due_by
 LIMIT :limit

-- retry --
-- :at: now, or a little later. No row: look why.
UPDATE task SET state = 0, due_at = :at, ended_at = NULL, crashes = 0, retried_after = attempts,
       waited = 0, late_held = 0, revision = revision + 1, holds_key = key IS NOT NULL
 WHERE id = :id AND state IN (3, 4) AND (expires_at IS NULL OR expires_at > :at)
RETURNING seq

-- other_holder --
-- Who holds the key of a task that could be retried but for that. No row: nobody.
SELECT holder.id, holder.key FROM task AS holder
 WHERE holder.key = (SELECT key FROM task WHERE id = :id AND state IN (3, 4)
                        AND (expires_at IS NULL OR expires_at > :now))
   AND holder.key IS NOT NULL AND holder.holds_key = 1 AND holder.state IN (0, 1, 5)

-- newest_of_key --
SELECT id FROM task WHERE key = :key AND key IS NOT NULL ORDER BY seq DESC LIMIT 1

-- cancel --
-- No row: it does not wait.
UPDATE task SET state = 4, ended_at = :now, held_by = iif(pool = 3, held_by, NULL),
       revision = revision + 1
 WHERE id = :id AND state = 0
RETURNING {ending}, (SELECT payload FROM payload WHERE payload.seq = task.seq), {run_gone}

-- cancel_waiting --
-- The same of one whose attempt is in other hands: these have nothing to tell any more.
UPDATE task SET state = 4, ended_at = :now, fence = NULL, node = NULL, deadline = NULL,
       counts_in = NULL, revision = revision + 1
 WHERE id = :id AND state = 5
RETURNING {ending}, (SELECT payload FROM payload WHERE payload.seq = task.seq), gate, host_gate

-- cancel_running --
-- No row: look why. It may be noted already.
UPDATE task SET is_cancelled = 1 WHERE id = :id AND state = 1 AND is_cancelled = 0 RETURNING seq

-- run_now --
-- :at: now, or a little later. What is due before stays where it is in the queue. Returns whether it
-- was moved. No row: look why.
UPDATE task SET due_at = min(due_at, :at), revision = revision + (due_at > :at),
       execution_at = CASE WHEN attempts = 0 THEN min(execution_at, :at) ELSE execution_at END,
       execution_time = CASE WHEN attempts = 0 AND execution_at > :at THEN :text
                             ELSE execution_time END,
       local_time = iif(attempts = 0 AND execution_at > :at, NULL, local_time),
       time_zone = iif(attempts = 0 AND execution_at > :at, NULL, time_zone),
       zones = iif(attempts = 0 AND execution_at > :at, NULL, zones)
 WHERE id = :id AND state = 0 AND (expires_at IS NULL OR expires_at > :at)
RETURNING due_at = :at

-- postpone --
-- As postponed() in model/operation.py says. What a gate holds comes in its turn anew. No row: look
-- why.
UPDATE task SET due_at = :due_at, held_by = iif(pool = 3, held_by, NULL), late_held = 0,
       revision = revision + 1,
       execution_at = CASE WHEN attempts = 0 THEN :due_at ELSE execution_at END,
       execution_time = CASE WHEN attempts = 0 THEN :text ELSE execution_time END,
       local_time = iif(attempts = 0, NULL, local_time),
       time_zone = iif(attempts = 0, NULL, time_zone), zones = iif(attempts = 0, NULL, zones)
 WHERE id = :id AND state = 0 AND (expires_at IS NULL OR expires_at > :due_at)
RETURNING seq

-- due_at --
SELECT due_at FROM task WHERE id = :id

-- change --
-- Only of the revision that the change was made from. No row: look why. With another time or another
-- gate it is no longer held: its turn comes anew. What is pulled waits at the gate of its queue.
UPDATE task SET held_by = CASE WHEN pool = 3 THEN :gate
                               WHEN due_at = :due_at AND gate IS :gate AND host_gate IS :host_gate
                               THEN held_by END,
       late_held = iif(due_at = :due_at, late_held, 0), due_at = :due_at,
       execution_at = :execution_at, execution_time = :execution_time,
       local_time = :local_time, time_zone = :time_zone, zones = :zones,
       gate = :gate, host_gate = :host_gate, expires_at = :expires_at, keep = :keep,
       patience = :patience, waited = :waited, revision = revision + 1,
       payload_revision = iif(:has_new_payload, revision + 1, payload_revision)
 WHERE id = :id AND revision = :revision AND state IN (0, 3, 4)
RETURNING seq, payload_revision

-- change_payload --
UPDATE payload SET payload = :payload, revision = :revision WHERE seq = :seq

-- delete --
-- No row: look why.
DELETE FROM task WHERE id = :id AND state IN (0, 2, 3, 4)
RETURNING seq, type, execution_time, key, {run_gone}

-- delete_payload --
DELETE FROM payload WHERE seq = :seq

-- delete_attempts --
DELETE FROM attempt WHERE task = :seq

-- delete_tags --
DELETE FROM tag WHERE task = :seq

-- state --
-- Why a move was not made. No row: there is no such task.
SELECT state FROM task WHERE id = :id

-- old --
-- A batch of what ended before a moment, oldest first, and is kept as the settings say.
SELECT seq FROM task
 WHERE state = :state AND ended_at IS NOT NULL AND keep IS NULL AND ended_at < :before
 ORDER BY ended_at LIMIT :limit

-- old_kept --
-- A batch of what was kept for a time of its own, which is over.
SELECT seq FROM task
 WHERE ended_at IS NOT NULL AND keep >= 0 AND ended_at + keep < :now
 ORDER BY ended_at + keep LIMIT :limit

-- prune --
DELETE FROM task WHERE seq = :seq AND state IN (2, 3, 4)

-- probe --
UPDATE probe SET written = written + 1 WHERE one = 1

-- last_look --
-- When a server last looked for due tasks, to about two seconds. 0: none ever did.
SELECT at FROM look

-- note_look --
UPDATE look SET at = :now

-- insert_down --
INSERT INTO down (end_at, begin_at) VALUES (:end_at, :begin_at)

-- down_until --
SELECT max(end_at) FROM down

-- forget_down_ahead --
DELETE FROM down WHERE end_at > :now

-- prune_down --
DELETE FROM down WHERE end_at < :before RETURNING 1

-- claims --
-- What is written as running on this boot.
SELECT id, fence FROM task
 WHERE type IN (SELECT type FROM type_pool) AND state = 1 AND state <> 0 AND node = :node

-- type_pools --
SELECT type, pool FROM type_pool

-- get --
SELECT {task}, task.gate, task.host_gate, task.held_by FROM task JOIN payload USING (seq)
 WHERE task.id = :id

-- ended --
-- Those that have ended, or that there are not. :ids is a JSON array of hexadecimal digits.
SELECT unhex(value) FROM json_each(:ids)
 WHERE NOT EXISTS (SELECT 1 FROM task WHERE task.id = unhex(value) AND state IN (0, 1, 5))

-- attempts --
-- One row without a record: it has none.
SELECT record FROM task LEFT JOIN attempt ON attempt.task = task.seq
 WHERE task.id = :id ORDER BY number

-- gates --
SELECT {gate}, (SELECT count(*) FROM task WHERE state = 1 AND gate = gate.id)
       + CASE WHEN max_running IS NOT NULL OR kind = 3
              THEN (SELECT count(*) FROM task WHERE counts_in IS NOT NULL AND counts_in = gate.id)
              ELSE 0 END
  FROM gate WHERE id > :after ORDER BY id LIMIT :limit

-- troubled_gates --
-- Every gate is looked at.
SELECT id FROM gate WHERE paused = 1 OR failures >= :threshold ORDER BY id LIMIT :limit

-- gate_pools --
SELECT pool FROM gate_queue WHERE gate = :gate

-- count_held --
SELECT count(*) FROM (
  SELECT 1 FROM task
   WHERE pool = :pool AND held_by = :gate AND state = 0 AND held_by IS NOT NULL
     AND due_at <= :now LIMIT :up_to)

-- count_ahead --
-- How many tasks the gate that holds a task holds before it.
SELECT count(*) FROM (
  SELECT 1 FROM task AS this CROSS JOIN task AS other
   WHERE this.id = :id AND other.pool = this.pool AND other.held_by = this.held_by
     AND other.state = 0 AND other.held_by IS NOT NULL AND other.due_at <= this.due_at
     AND (other.due_at < this.due_at OR other.seq < this.seq)
   LIMIT :up_to)

-- list_todo --
-- The index ranges of a type's tasks in a pool that are todo: the rest of the moment the list has
-- reached and what comes later, of those that are due at their execution time, then of those that
-- wait for another attempt or are held.
SELECT seq, due_at AS execution_at FROM task
 WHERE pool = {pool} AND state = 0 AND held_by IS NULL AND due_at = :after_at AND seq > :after_seq
   AND due_at = execution_at AND type = {type}
 UNION ALL
SELECT seq, due_at AS execution_at FROM task
 WHERE pool = {pool} AND state = 0 AND held_by IS NULL AND due_at > :after_at
   AND due_at = execution_at AND type = {type}
 UNION ALL
SELECT seq, execution_at FROM task
 WHERE pool = {pool} AND state = 0 AND (due_at <> execution_at OR held_by IS NOT NULL)
   AND execution_at = :after_at AND seq > :after_seq AND type = {type}
 UNION ALL
SELECT seq, execution_at FROM task
 WHERE pool = {pool} AND state = 0 AND (due_at <> execution_at OR held_by IS NOT NULL)
   AND execution_at > :after_at AND type = {type}

-- list_other --
-- The same for a type's tasks in another state.
SELECT seq, execution_at FROM task
 WHERE type = {type} AND state = {state} AND state <> 0
   AND execution_at = :after_at AND seq > :after_seq
 UNION ALL
SELECT seq, execution_at FROM task
 WHERE type = {type} AND state = {state} AND state <> 0 AND execution_at > :after_at

-- list_page --
-- {branches}: list_todo for each type and pool, list_other for each type and state, joined by
-- UNION ALL. They are merged in order, not sorted.
SELECT {task}, task.seq
  FROM ({branches} ORDER BY execution_at, seq LIMIT :limit) AS page
 CROSS JOIN task ON task.seq = page.seq
 CROSS JOIN payload ON payload.seq = page.seq

-- find_page --
-- {walks}: one walk or several, joined by UNION ALL and merged in order. What of the first :look
-- rows passes the filters, :limit of it at most. The last row is the one that was looked at last,
-- with the number of rows looked at; the others have 0 there.
WITH looked AS MATERIALIZED (
  SELECT seq, at, fits FROM ({walks} ORDER BY {order} LIMIT :look)
)
SELECT * FROM (SELECT seq, at, 0 FROM looked WHERE fits
                ORDER BY at {direction}, seq {direction} LIMIT :limit)
 UNION ALL
SELECT * FROM (SELECT seq, at, (SELECT count(*) FROM looked) FROM looked
                ORDER BY at {opposite}, seq {opposite} LIMIT 1)

-- count_found --
-- How many rows were looked at, how many of them pass, and the last one.
WITH looked AS MATERIALIZED (
  SELECT seq, at, fits FROM ({walks} ORDER BY {order} LIMIT :look)
)
SELECT (SELECT count(*) FROM looked), (SELECT count(*) FROM looked WHERE fits), seq, at
  FROM looked ORDER BY at {opposite}, seq {opposite} LIMIT 1

-- found_tasks --
-- :seqs is a JSON array: the tasks come in its order.
SELECT {task} FROM json_each(:seqs) AS found
 CROSS JOIN task ON task.seq = found.value
 CROSS JOIN payload ON payload.seq = found.value

-- order_by_time --
at {direction}, seq {direction}

-- order_by_arrival --
seq {direction}

-- walk_arrival --
SELECT seq, 0 AS at, {fits} AS fits FROM task WHERE seq {beyond} :after_seq

-- walk_key --
SELECT seq, 0 AS at, {fits} AS fits FROM task
 WHERE key IS NOT NULL AND key = {value} AND seq {beyond} :after_seq

-- walk_parent --
SELECT seq, 0 AS at, {fits} AS fits FROM task
 WHERE parent_id IS NOT NULL AND parent_id = {value} AND seq {beyond} :after_seq

-- walk_schedule --
SELECT seq, 0 AS at, {fits} AS fits FROM task
 WHERE schedule IS NOT NULL AND schedule = {value} AND seq {beyond} :after_seq

-- walk_tag --
SELECT tag.task AS seq, 0 AS at, {fits} AS fits FROM tag CROSS JOIN task ON task.seq = tag.task
 WHERE tag.tag = {value} AND tag.task {beyond} :after_seq

-- walk_keys --
-- Of a range of keys, which are sorted by arrival first: there are no more than a page looks at.
SELECT named.seq AS seq, 0 AS at, {fits} AS fits
  FROM (SELECT seq FROM task WHERE {keys} AND seq {beyond} :after_seq
         ORDER BY seq {direction} LIMIT :look) AS named
 CROSS JOIN task ON task.seq = named.seq

-- count_keys --
SELECT count(*) FROM (SELECT 1 FROM task WHERE {keys} LIMIT {up_to})

-- walk_queue --
-- What is todo in a pool: see list_todo. Two ranges of each index: the rest of the moment that the
-- walk has come to, and what lies beyond.
SELECT seq, due_at AS at, {fits} AS fits FROM task
 WHERE pool = {pool} AND state = 0 AND held_by IS NULL AND due_at = :after_at
   AND seq {beyond} :after_seq AND due_at = execution_at
 UNION ALL
SELECT seq, due_at AS at, {fits} AS fits FROM task
 WHERE pool = {pool} AND state = 0 AND held_by IS NULL AND due_at {beyond} :after_at
   AND due_at {within} :until AND due_at = execution_at
 UNION ALL
SELECT seq, execution_at AS at, {fits} AS fits FROM task
 WHERE pool = {pool} AND state = 0 AND (due_at <> execution_at OR held_by IS NOT NULL)
   AND execution_at = :after_at AND seq {beyond} :after_seq
 UNION ALL
SELECT seq, execution_at AS at, {fits} AS fits FROM task
 WHERE pool = {pool} AND state = 0 AND (due_at <> execution_at OR held_by IS NOT NULL)
   AND execution_at {beyond} :after_at AND execution_at {within} :until

-- walk_list --
SELECT seq, execution_at AS at, {fits} AS fits FROM task
 WHERE type = {type} AND state = {state} AND state <> 0 AND execution_at = :after_at
   AND seq {beyond} :after_seq
 UNION ALL
SELECT seq, execution_at AS at, {fits} AS fits FROM task
 WHERE type = {type} AND state = {state} AND state <> 0 AND execution_at {beyond} :after_at
   AND execution_at {within} :until

-- walk_ended --
SELECT seq, ended_at AS at, {fits} AS fits FROM task
 WHERE state = {state} AND ended_at IS NOT NULL AND keep IS NULL AND ended_at = :after_at
   AND seq {beyond} :after_seq
 UNION ALL
SELECT seq, ended_at AS at, {fits} AS fits FROM task
 WHERE state = {state} AND ended_at IS NOT NULL AND keep IS NULL AND ended_at {beyond} :after_at
   AND ended_at {within} :until

-- walk_kept --
-- The same of what has a time of its own for which it is kept.
SELECT seq, ended_at AS at, {fits} AS fits FROM task
 WHERE state = {state} AND ended_at IS NOT NULL AND keep IS NOT NULL AND ended_at = :after_at
   AND seq {beyond} :after_seq
 UNION ALL
SELECT seq, ended_at AS at, {fits} AS fits FROM task
 WHERE state = {state} AND ended_at IS NOT NULL AND keep IS NOT NULL
   AND ended_at {beyond} :after_at AND ended_at {within} :until

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
task.key IS NOT NULL AND task.key >= {value}

-- filter_keys_before --
task.key < {value}

-- filter_tag --
EXISTS (SELECT 1 FROM tag WHERE tag.tag = {value} AND tag.task = task.seq)

-- filter_destination --
task.gate = {value} OR task.host_gate = {value}

-- filter_destination_named --
coalesce(task.host_gate, task.gate) IN (SELECT id FROM gate WHERE kind IN (0, 1) AND name = {value})

-- filter_group --
task.gate IN (SELECT id FROM gate WHERE kind = 2 AND name = {value})

-- filter_queue --
task.gate IN (SELECT id FROM gate WHERE kind = 3 AND name = {value})

-- filter_error --
task.last_fault ->> 'code' = {value}

-- filter_fingerprint --
task.last_fault ->> 'fingerprint' = {value}

-- reason_waiting --
-- These say in SQL what explaining.py says of one task.
task.state = 0 AND task.due_at > :now AND task.attempts = task.retried_after

-- reason_retrying --
task.state = 0 AND task.due_at > :now AND task.attempts <> task.retried_after

-- reason_paused_all --
task.state = 0 AND task.due_at <= :now AND {all_paused}

-- all_paused --
-- While everything is, nothing else counts of what is due.
EXISTS (SELECT 1 FROM pause WHERE end_at IS NULL)

-- reason_paused --
task.state = 0 AND task.due_at <= :now
AND (coalesce(task.gate, 0) IN (SELECT id FROM gate WHERE paused = 1)
     OR coalesce(task.host_gate, 0) IN (SELECT id FROM gate WHERE paused = 1))

-- reason_circuit_open --
task.state = 0 AND task.due_at <= :now
AND coalesce(task.gate, 0) NOT IN (SELECT id FROM gate WHERE paused = 1)
AND coalesce(task.host_gate, 0) NOT IN (SELECT id FROM gate WHERE paused = 1)
AND coalesce(task.host_gate, task.gate) IN (SELECT id FROM gate WHERE failures >= {threshold})

-- gates_with_rate --
-- Those whose rate holds what they hold, and not that as many are running as may at once. A queue
-- also holds what it lets go.
SELECT id FROM gate
 WHERE max_per_second IS NOT NULL
   AND (kind <> 3 OR next_at - (burst - 1) * ceil(1000000 / max_per_second) > :now)
   AND (max_running IS NULL
        OR max_running > (SELECT count(*) FROM task AS other
                           WHERE other.state = 1 AND other.gate = gate.id)
                       + (SELECT count(*) FROM task AS other
                           WHERE other.counts_in IS NOT NULL AND other.counts_in = gate.id))

-- reason_rate --
task.state = 0 AND task.due_at <= :now AND task.held_by IN ({with_rate})
AND coalesce(task.gate, 0) NOT IN (SELECT id FROM gate WHERE paused = 1 OR failures >= {threshold})
AND coalesce(task.host_gate, 0) NOT IN (SELECT id FROM gate WHERE paused = 1 OR failures >= {threshold})

-- reason_full --
task.state = 0 AND task.due_at <= :now AND task.held_by IS NOT NULL
AND task.held_by NOT IN ({with_rate}) AND (task.pool <> 3 OR task.held_by IN ({full_queues}))
AND task.held_by <> 0 -- which is no gate: see release_runs
AND coalesce(task.gate, 0) NOT IN (SELECT id FROM gate WHERE paused = 1 OR failures >= {threshold})
AND coalesce(task.host_gate, 0) NOT IN (SELECT id FROM gate WHERE paused = 1 OR failures >= {threshold})

-- reason_overlap --
-- It waits for another run of its schedule.
task.state = 0 AND task.due_at <= :now AND task.held_by = 0
AND coalesce(task.gate, 0) NOT IN (SELECT id FROM gate WHERE paused = 1 OR failures >= {threshold})
AND coalesce(task.host_gate, 0) NOT IN (SELECT id FROM gate WHERE paused = 1 OR failures >= {threshold})

-- full_queues --
SELECT id FROM gate
 WHERE kind = 3 AND max_running <= (SELECT count(*) FROM task AS other
                                     WHERE other.counts_in IS NOT NULL AND other.counts_in = gate.id)

-- reason_unclaimed --
task.state = 0 AND task.due_at <= :now AND task.pool = 3
AND task.held_by NOT IN ({with_rate}) AND task.held_by NOT IN ({full_queues})
AND task.held_by NOT IN (SELECT id FROM gate WHERE paused = 1)

-- reason_due --
task.state = 0 AND task.due_at <= :now AND task.held_by IS NULL
AND task.pool IN ({pools})
AND coalesce(task.gate, 0) NOT IN (SELECT id FROM gate WHERE paused = 1 OR failures >= {threshold})
AND coalesce(task.host_gate, 0) NOT IN (SELECT id FROM gate WHERE paused = 1 OR failures >= {threshold})

-- reason_no_slot --
task.state = 0 AND task.due_at <= :now AND task.held_by IS NULL AND task.pool NOT IN ({pools})
AND coalesce(task.gate, 0) NOT IN (SELECT id FROM gate WHERE paused = 1 OR failures >= {threshold})
AND coalesce(task.host_gate, 0) NOT IN (SELECT id FROM gate WHERE paused = 1 OR failures >= {threshold})

-- count_gates --
-- Every gate is looked at. :recovering_after: circuits that closed later are recovering. The columns
-- are in the order of GATE_STATES.
SELECT count(*) FILTER (WHERE paused = 1),
       count(*) FILTER (WHERE state = 'closed'),
       count(*) FILTER (WHERE state = 'open'),
       count(*) FILTER (WHERE state = 'half_open'),
       count(*) FILTER (WHERE state = 'recovering')
  FROM (SELECT paused,
               CASE WHEN paused = 1 THEN NULL
                    WHEN failures >= :threshold AND open_until > :now THEN 'open'
                    WHEN failures >= :threshold THEN 'half_open'
                    WHEN closed_at <= :now AND closed_at > :recovering_after THEN 'recovering'
                    ELSE 'closed' END AS state
          FROM gate)

-- overdue --
-- {walks}: what is due, joined by UNION ALL. {reasons}: for each reason_..., when it is why.
WITH late AS MATERIALIZED ({walks})
SELECT reason, sum(counted), min(due_at)
  FROM (SELECT CASE {reasons} END AS reason, counted, due_at FROM late AS task)
 GROUP BY reason

-- overdue_queue --
-- The head of a pool's queue.
SELECT * FROM (
  SELECT task.state, task.pool, task.gate, task.host_gate, task.held_by, task.due_at, 1 AS counted
    FROM task WHERE pool = {pool} AND state = 0 AND held_by IS NULL AND due_at <= :now
   ORDER BY due_at LIMIT {up_to})

-- overdue_held --
-- What some gates hold.
SELECT * FROM (
  SELECT task.state, task.pool, task.gate, task.host_gate, task.held_by, task.due_at, 1 AS counted
    FROM gate_queue AS queue
   CROSS JOIN gate ON gate.id = queue.gate
   CROSS JOIN task ON task.pool = queue.pool AND task.held_by = queue.gate AND task.state = 0
                  AND task.held_by IS NOT NULL AND task.due_at <= :now
   WHERE {gates} LIMIT {up_to})

-- overdue_behind --
-- Runs in a pool that wait for others of their schedules.
SELECT * FROM (
  SELECT task.state, task.pool, task.gate, task.host_gate, task.held_by, task.due_at, 1 AS counted
    FROM task WHERE pool = {pool} AND held_by = 0 AND state = 0 AND held_by IS NOT NULL
                AND due_at <= :now
   ORDER BY due_at LIMIT {up_to})

-- overdue_first --
-- The first of what each gate holds, whether it is counted or not.
SELECT task.state, task.pool, task.gate, task.host_gate, task.held_by, task.due_at, 0 AS counted
  FROM gate_queue AS queue
 CROSS JOIN task ON task.seq = (SELECT seq FROM task AS first
                                 WHERE first.pool = queue.pool AND first.held_by = queue.gate
                                   AND first.state = 0 AND first.held_by IS NOT NULL
                                 ORDER BY first.due_at LIMIT 1)
                AND task.due_at <= :now

-- overdue_at_paused --
gate.paused = 1

-- overdue_at_failing --
gate.paused = 0 AND gate.failures >= {threshold}

-- overdue_at_rated --
gate.paused = 0 AND gate.failures < {threshold} AND gate.max_per_second IS NOT NULL

-- overdue_at_others --
gate.paused = 0 AND gate.failures < {threshold} AND gate.max_per_second IS NULL

-- walk_due --
-- What is todo in a pool, by when it is due: two ranges, as in walk_queue.
SELECT due_at AS at, seq FROM task
 WHERE pool = {pool} AND state = 0 AND held_by IS NULL AND due_at = :after_at AND seq > :after_seq
 UNION ALL
SELECT due_at AS at, seq FROM task
 WHERE pool = {pool} AND state = 0 AND held_by IS NULL AND due_at > :after_at AND due_at < :until

-- due_counts --
-- How many of the first :look tasks that {walks} come to are due in each step: a row for each, and
-- one with the last task, and how many there were.
WITH looked AS MATERIALIZED (
  SELECT at, seq FROM ({walks} ORDER BY at, seq LIMIT :look)
)
SELECT (at - :start) / :step, count(*), NULL FROM looked GROUP BY 1
 UNION ALL
SELECT * FROM (SELECT at, (SELECT count(*) FROM looked), seq FROM looked ORDER BY at DESC, seq DESC LIMIT 1)

-- held_due_counts --
-- The same of what gates hold, in no order.
WITH looked AS MATERIALIZED (
  SELECT due_at AS at FROM gate_queue AS queue
   CROSS JOIN task ON task.pool = queue.pool AND held_by = queue.gate AND state = 0
                  AND held_by IS NOT NULL AND due_at >= :start AND due_at < :until
   LIMIT :look
)
SELECT (at - :start) / :step, count(*) FROM looked GROUP BY 1

-- last_due_in_pool --
SELECT * FROM (SELECT due_at AS at FROM task
                WHERE pool = {pool} AND state = 0 AND held_by IS NULL AND due_at < :until
                ORDER BY due_at DESC LIMIT 1)

-- last_due --
-- The last moment before :until at which anything is due.
SELECT max(at) FROM ({walks})

-- last_held_due --
-- The same of what gates hold.
SELECT max((SELECT due_at FROM task
             WHERE task.pool = queue.pool AND held_by = queue.gate AND state = 0
               AND held_by IS NOT NULL AND due_at < :until
             ORDER BY due_at DESC LIMIT 1))
  FROM gate_queue AS queue

-- count_todo --
SELECT count(*) FROM (SELECT 1 FROM (
  SELECT 1 FROM task WHERE pool = :pool AND state = 0 AND held_by IS NULL
   UNION ALL
  SELECT 1 FROM task WHERE pool = :pool AND state = 0 AND held_by IS NOT NULL
) LIMIT :up_to)

-- count_other --
SELECT count(*) FROM (
  SELECT 1 FROM task WHERE type = :type AND state = :state AND state <> 0 LIMIT :up_to)

-- kept_answer --
SELECT fingerprint, answer FROM kept_answer WHERE id = :id AND kept_until > :now

-- keep_answer --
-- One whose time has passed may still be there.
INSERT OR REPLACE INTO kept_answer (id, fingerprint, answer, kept_until)
VALUES (:id, :fingerprint, :answer, :kept_until)

-- prune_kept_answers --
-- A batch of those whose time has passed.
DELETE FROM kept_answer
 WHERE id IN (SELECT id FROM kept_answer WHERE kept_until <= :now ORDER BY kept_until LIMIT :limit)
RETURNING 1

-- found_ids --
-- :seqs is a JSON array: the ids come in its order.
SELECT task.id FROM json_each(:seqs) AS found CROSS JOIN task ON task.seq = found.value

-- still_passes --
SELECT 1 FROM task WHERE id = :id AND {fits}

-- create_operation --
INSERT INTO operation (id, action, state, is_dry_run, asked, created_at, ended_at, cursor, matched,
                       changed, refused, reasons, refusals)
VALUES (:id, :action, :state, :is_dry_run, :asked, :created_at, :ended_at, :cursor, :matched,
        :changed, :refused, :reasons, :refusals)

-- operation --
SELECT {operation} FROM operation WHERE id = :id

-- operations --
SELECT {operation} FROM operation WHERE id < :before ORDER BY id DESC LIMIT :limit

-- next_operation --
SELECT {operation} FROM operation WHERE state = 0 ORDER BY id LIMIT 1

-- operation_at --
-- No row: it was cancelled, or has gone on.
SELECT 1 FROM operation WHERE id = :id AND state = 0 AND cursor IS :seen

-- advance_operation --
UPDATE operation SET state = :state, ended_at = :ended_at, cursor = :cursor, matched = :matched,
       changed = :changed, refused = :refused, reasons = :reasons, refusals = :refusals
 WHERE id = :id

-- cancel_operation --
UPDATE operation SET state = 2, ended_at = :now WHERE id = :id AND state = 0 RETURNING 1

-- prune_operations --
DELETE FROM operation
 WHERE id IN (SELECT id FROM operation WHERE ended_at IS NOT NULL AND ended_at < :before
               ORDER BY ended_at LIMIT :limit)
RETURNING 1

-- create_schedule --
-- No row: there is one with this name.
INSERT INTO schedule (name, revision, type, plan, is_paused, created_at, changed_at, put_by,
                      next_at, look_at)
VALUES (:name, :revision, :type, :plan, :is_paused, :now, :now, :put_by, :next_at, :look_at)
    ON CONFLICT (name) DO NOTHING
RETURNING 1

-- create_run_count --
INSERT INTO run_count (schedule) VALUES (:schedule)

-- change_schedule --
-- No row: it is not as it was seen.
UPDATE schedule SET revision = :revision, type = :type, plan = :plan, is_paused = :is_paused,
       changed_at = iif(revision = :revision, changed_at, :now), put_by = :put_by,
       next_at = :next_at, look_at = :look_at
 WHERE name = :name AND revision = :seen AND next_at IS :seen_next_at
RETURNING 1

-- keep_template --
INSERT INTO template (schedule, template) VALUES (:schedule, :template)
    ON CONFLICT (schedule) DO UPDATE SET template = excluded.template

-- delete_schedule --
-- No row: as for change_schedule.
DELETE FROM schedule WHERE name = :name AND revision = :seen AND next_at IS :seen_next_at RETURNING 1

-- delete_template --
DELETE FROM template WHERE schedule = :schedule

-- delete_run_count --
DELETE FROM run_count WHERE schedule = :schedule

-- schedule --
SELECT {schedule}, template
  FROM schedule JOIN run_count ON run_count.schedule = schedule.name
  JOIN template ON template.schedule = schedule.name
 WHERE name = :name

-- schedule_revision --
SELECT revision FROM schedule WHERE name = :name

-- schedules --
SELECT {schedule} FROM schedule CROSS JOIN run_count ON run_count.schedule = schedule.name
 WHERE name > :after ORDER BY name LIMIT :limit

-- due_schedules --
-- :without: time zones, a JSON array: what is in them is passed over.
SELECT {schedule}, template
  FROM (SELECT * FROM schedule WHERE look_at IS NOT NULL AND look_at <= :now
           AND NOT EXISTS (SELECT 1 FROM json_each(:without) WHERE value = plan ->> 'time_zone')
         ORDER BY look_at LIMIT :limit) AS schedule
 CROSS JOIN run_count ON run_count.schedule = schedule.name
 CROSS JOIN template ON template.schedule = schedule.name

-- next_schedule --
SELECT look_at FROM schedule
 WHERE look_at IS NOT NULL
   AND NOT EXISTS (SELECT 1 FROM json_each(:without) WHERE value = plan ->> 'time_zone')
 ORDER BY look_at LIMIT 1

-- advance_schedules --
-- The names of those that were as they were seen, and are to be looked at.
WITH given (name, revision, seen_next_at, next_at, look_at, now) AS (VALUES {rows})
UPDATE schedule SET next_at = given.next_at, look_at = given.look_at
  FROM given
 WHERE schedule.name = given.name AND schedule.revision = given.revision
   AND schedule.next_at IS given.seen_next_at AND schedule.look_at <= given.now
RETURNING name

-- look_at_schedule --
-- The run that was made last has left the queue without starting: the next is made at once, even if
-- the clock is set back.
UPDATE schedule SET look_at = 0
 WHERE name = :name AND next_at = :scheduled_for AND look_at > 0

-- stand_in --
-- The regular run that stands for what was missed in a span, or will: the first that has not started.
SELECT seq FROM task INDEXED BY task_run
 WHERE schedule = :schedule AND schedule IS NOT NULL AND run_kind = 0
   AND scheduled_for >= :since AND scheduled_for < :until AND due_at > :begin_at AND due_at < :end_at
   AND (missed IS NOT NULL AND admission IN (1, 3, 4)
        OR admission IS NULL AND state IN (0, 1, 5) AND (expires_at IS NULL OR expires_at > :now))
 ORDER BY scheduled_for LIMIT 1

-- other_stand_in --
-- The same of one that has been decided of, and is another.
SELECT seq FROM task INDEXED BY task_run
 WHERE schedule = :schedule AND schedule IS NOT NULL AND run_kind = 0
   AND scheduled_for >= :since AND scheduled_for < :until AND due_at > :begin_at AND due_at < :end_at
   AND missed IS NOT NULL AND admission IN (1, 3, 4) AND seq <> :seq
 ORDER BY scheduled_for LIMIT 1

-- stand_for --
-- As many times more that were missed. It may start as long as the last of them could.
UPDATE task SET missed = coalesce(missed, 1) + :count, revision = revision + 1,
       expires_at = iif(state = 0, coalesce(max(expires_at, :expires_at), expires_at), expires_at)
 WHERE seq = :seq

-- set_missed --
UPDATE task SET missed = :missed
 WHERE schedule = :schedule AND schedule IS NOT NULL AND run_kind = 0 AND scheduled_for = :scheduled_for

-- span_of --
-- The span in which a moment lies.
SELECT begin_at, end_at FROM down WHERE end_at > :moment AND begin_at < :moment ORDER BY end_at LIMIT 1

-- spans --
SELECT begin_at, end_at FROM down WHERE end_at > :since ORDER BY end_at

-- run_for --
-- The regular run for a time.
SELECT id, state, attempts FROM task
 WHERE schedule = :schedule AND schedule IS NOT NULL AND run_kind = 0
   AND scheduled_for = :scheduled_for

-- runs_for --
-- Which of some times of some schedules have their regular runs.
WITH given (schedule, scheduled_for) AS (VALUES {rows})
SELECT given.schedule, given.scheduled_for
  FROM given
 CROSS JOIN task ON task.schedule = given.schedule AND task.schedule IS NOT NULL AND run_kind = 0
                AND task.scheduled_for = given.scheduled_for

-- asking --
-- A run that would start. No row: the claim is lost.
SELECT seq, run_kind, scheduled_for, admission, due_at, missed FROM task
 WHERE id = :id AND state = 1 AND fence = :fence

-- schedule_to_admit --
SELECT {schedule} FROM schedule JOIN run_count ON run_count.schedule = schedule.name WHERE name = :name

-- goes_on --
-- INDEXED BY, here and below: else SQLite goes over all runs of the schedule that are kept.
SELECT 1 FROM task INDEXED BY task_going_on
 WHERE schedule = :schedule AND admission = 1 AND state IN (0, 1, 5) AND seq <> :seq LIMIT 1

-- waits_behind --
SELECT 1 FROM task INDEXED BY task_behind
 WHERE schedule = :schedule AND admission = 3 AND state = 0 AND run_kind = 0 LIMIT 1

-- asking_at_once --
-- Runs that were claimed now and would start, with their schedules, and whether others of these go on.
SELECT {schedule}, task.seq, run_kind, scheduled_for, admission, due_at, missed, late_down > 0,
       EXISTS (SELECT 1 FROM task AS other INDEXED BY task_going_on
                WHERE other.schedule = schedule.name AND other.admission = 1 AND other.state IN (0, 1, 5))
  FROM json_each(:seqs) AS asked
 CROSS JOIN task NOT INDEXED ON task.seq = asked.value -- it is found by its seq
 CROSS JOIN schedule ON schedule.name = task.schedule
 CROSS JOIN run_count ON run_count.schedule = schedule.name

-- start_runs --
-- :missed: 1 if they were missed.
UPDATE task SET admission = 1, missed = coalesce(missed, :missed)
 WHERE seq IN (SELECT value FROM json_each(:seqs))

-- count_started --
-- :started is a JSON object: how many by schedule.
UPDATE run_count SET started = started + given.value
  FROM json_each(:started) AS given WHERE schedule = given.key

-- keep_run_back --
-- It waits, or is left out; no attempt was used.
UPDATE task SET admission = :admission, state = CASE :admission WHEN 3 THEN 0 ELSE 4 END,
       ended_at = CASE WHEN :admission <> 3 THEN :now END, held_by = CASE WHEN :admission = 3 THEN 0 END,
       missed = CASE WHEN :admission <> 6 THEN coalesce(missed, :missed) END, is_cancelled = 0,
       attempts = max(attempts - 1, 0), fence = NULL,
       node = NULL, revision = revision + 1
 WHERE seq = :seq AND state = 1
RETURNING {ending}, (SELECT payload FROM payload WHERE payload.seq = task.seq), gate, host_gate

-- count_runs --
UPDATE run_count SET started = started + :started, skipped = skipped + :skipped,
       missed_times = missed_times + :missed_times
 WHERE schedule = :name

-- look_after_runs --
-- Of a run that stood for next_at and does not start, the next one is made.
UPDATE schedule SET look_at = CASE WHEN :is_spent THEN NULL ELSE 0 END
 WHERE name = :name AND (:is_spent OR (look_at > 0 AND next_at = :gone))

-- has_waiting_runs --
SELECT EXISTS (SELECT 1 FROM task AS behind INDEXED BY task_behind WHERE admission = 3 AND state = 0 AND held_by = 0)

-- release_runs --
-- Of each schedule the first.
UPDATE task SET held_by = NULL, revision = revision + 1, late_held = max(late_held, :now - due_at)
 WHERE seq IN (
   SELECT seq FROM task AS behind INDEXED BY task_behind
    WHERE admission = 3 AND state = 0 AND held_by = 0
      AND NOT EXISTS (SELECT 1 FROM task AS earlier INDEXED BY task_behind
                       WHERE earlier.schedule = behind.schedule AND earlier.admission = 3
                         AND earlier.state = 0 AND earlier.held_by = 0 AND earlier.seq < behind.seq)
      AND NOT EXISTS (SELECT 1 FROM task AS other INDEXED BY task_going_on
                       WHERE other.schedule = behind.schedule AND other.admission = 1
                         AND other.state IN (0, 1, 5))
    LIMIT :limit)
RETURNING 1

-- remove_queued_runs --
-- The regular runs for times after a moment that stand in the queue and are not due.
DELETE FROM task
 WHERE schedule = :schedule AND schedule IS NOT NULL AND run_kind = 0 AND scheduled_for > :since
   AND state = 0 AND attempts = 0 AND due_at > :now
RETURNING seq, id

-- runs --
-- The latest runs of a schedule that have started, or whose time has come.
SELECT id, run_kind, scheduled_for, state, due_at, started_at, ended_at, missed FROM task
 WHERE schedule = :schedule AND schedule IS NOT NULL
   AND (state <> 0 OR attempts > 0 OR scheduled_for <= :now)
 ORDER BY seq DESC LIMIT :limit

-- insert_audit --
INSERT INTO audit (at, by_id, by_name, action, kind, subject, name, changes)
VALUES (:at, :by_id, :by_name, :action, :kind, :subject,
        coalesce(:name, CASE :kind WHEN 'destination'
                        THEN (SELECT name FROM gate WHERE id = CAST(:subject AS INTEGER)) END),
        :changes)

-- insert_operation_task --
INSERT OR IGNORE INTO operation_task (task, operation, at) VALUES (:task, :operation, :at)

-- audit --
SELECT at, {audit} FROM audit
 WHERE at >= :since AND (at, id) < (:until, :id) ORDER BY at DESC, id DESC LIMIT :look

-- audit_of_subject --
-- And of the operations that have changed a task, at that moment.
SELECT * FROM (
  SELECT at, {audit} FROM audit
   WHERE subject = :subject AND at >= :since AND (at, id) < (:until, :id)
   ORDER BY at DESC, id DESC LIMIT :look)
 UNION ALL
SELECT * FROM (
  SELECT operation_task.at, {audit}
    FROM operation_task
   CROSS JOIN audit ON audit.subject = operation_task.operation AND audit.action = 'begin'
   WHERE operation_task.task = :task AND operation_task.at >= :since
     AND (operation_task.at, audit.id) < (:until, :id)
   ORDER BY operation_task.at DESC, audit.id DESC LIMIT :look)
 ORDER BY 1 DESC, 2 DESC LIMIT :look

-- prune_audit --
DELETE FROM audit WHERE id IN (
  SELECT id FROM audit WHERE at < :before ORDER BY at LIMIT :limit)
RETURNING 1

-- prune_operation_tasks --
DELETE FROM operation_task WHERE (task, operation) IN (
  SELECT task, operation FROM operation_task WHERE at < :before ORDER BY at LIMIT :limit)
RETURNING 1

-- alert_book --
SELECT revision, told FROM alert_book

-- keep_alerts --
INSERT INTO alert_book (id, revision, told) VALUES (1, :revision, :told)
    ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, told = excluded.told

-- failing_circuits --
SELECT id, name, broken_since FROM gate
 WHERE broken_since IS NOT NULL AND broken_since <= :before
 ORDER BY broken_since LIMIT :limit

-- access --
SELECT version, asks, salt FROM access

-- access_version --
SELECT version FROM access

-- api_keys --
SELECT {api_key} FROM api_key

-- create_api_key --
INSERT INTO api_key (id, name, role, scopes, digest, created_at, expires_at)
VALUES (:id, :name, :role, :scopes, :digest, :created_at, :expires_at)

-- revoke_api_key --
DELETE FROM api_key WHERE id = :id RETURNING name

-- change_access --
-- asks: NULL leaves it as it is.
UPDATE access SET version = version + 1, asks = coalesce(:asks, asks) RETURNING version

-- mark_api_key_used --
UPDATE api_key SET used_at = :used_at WHERE id = :id AND coalesce(used_at, 0) < :used_at

-- end_sign_ins --
-- Those that were made with a key.
DELETE FROM sign_in WHERE key_id = :key_id

-- sign_in --
INSERT INTO sign_in (digest, key_id, ends_at) VALUES (:digest, :key_id, :ends_at)

-- signed_in --
SELECT key_id FROM sign_in WHERE digest = :digest AND ends_at > :now

-- sign_out --
DELETE FROM sign_in WHERE digest = :digest RETURNING 1

-- prune_sign_ins --
DELETE FROM sign_in
 WHERE digest IN (SELECT digest FROM sign_in WHERE ends_at <= :now ORDER BY ends_at LIMIT :limit)
RETURNING 1

-- write_history --
INSERT INTO history (length, at, run, counts, failures) VALUES (:length, :at, :run, :counts, :failures)
    ON CONFLICT (length, at, run) DO UPDATE SET counts = excluded.counts, failures = excluded.failures

-- history_counts --
SELECT at, run, counts FROM history
 WHERE length = :length AND (at, run) > (:at, :run) AND at < :until
 ORDER BY at, run LIMIT :limit

-- history_failures --
SELECT at, run, failures FROM history
 WHERE length = :length AND (at, run) > (:at, :run) AND at < :until AND failures IS NOT NULL
 ORDER BY at, run LIMIT :limit

-- prune_history --
DELETE FROM history
 WHERE (length, at, run) IN (SELECT length, at, run FROM history
                              WHERE length = :length AND at < :before ORDER BY at, run LIMIT :limit)
RETURNING 1
