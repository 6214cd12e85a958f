-- What is asked of a database that nobody serves, or of a copy: it may walk over all tasks.

-- tasks --
SELECT count(*) FROM task

-- part_is_due --
-- What has not ended and was due by now. What has expired does not start.
(state IN (1, 5) OR (state = 0 AND due_at <= tasker_now() AND (expires_at IS NULL OR expires_at > tasker_now())))

-- due --
-- By type and destination: since the copy was made, and before.
SELECT task.type, CASE WHEN gate.kind <> 1 THEN gate.name END,
       count(*) FILTER (WHERE task.state = 0 AND task.due_at > $1),
       count(*) FILTER (WHERE NOT (task.state = 0 AND task.due_at > $1))
  FROM task LEFT JOIN gate ON gate.id = coalesce(task.host_gate, task.gate)
 WHERE {part_is_due}
 GROUP BY 1, 2
 ORDER BY count(*) DESC, 1, 2

-- due_ids --
SELECT id FROM task WHERE {part_is_due} ORDER BY id

-- due_schedules --
SELECT count(*) FROM schedule WHERE NOT is_paused AND look_at <= tasker_now()

-- Invariants. Each returns how many rows break it, and one of them: see stores/invariants.py.

-- no_payload --
SELECT count(*), min(id::text) FROM task
 WHERE NOT EXISTS (SELECT 1 FROM payload WHERE payload.id = task.id)

-- stray_payload --
SELECT count(*), min(id::text) FROM payload
 WHERE NOT EXISTS (SELECT 1 FROM task WHERE task.id = payload.id)

-- bad_state --
-- What waits and what has ended belongs to nobody; what has ended, and nothing else, says when.
SELECT count(*), min(id::text) FROM task
 WHERE state NOT IN (0, 1, 2, 3, 4, 5)
    OR (state IN (2, 3, 4)) <> (ended_at IS NOT NULL)
    OR (state = 1 AND (fence IS NULL OR node IS NULL))
    OR (state = 5 AND (fence IS NULL OR deadline IS NULL))
    OR (state IN (0, 2, 3, 4) AND (fence IS NOT NULL OR node IS NOT NULL OR deadline IS NOT NULL))
    OR (counts_in IS NOT NULL AND state <> 5)

-- bad_admission --
SELECT count(*), min(id::text) FROM task
 WHERE state = 0 AND (coalesce(admission, 0) = 3) <> (coalesce(held_by, -1) = 0)

-- no_pool --
SELECT count(*), min(id::text) FROM task
 WHERE NOT EXISTS (SELECT 1 FROM type_pool WHERE type_pool.type = task.type AND type_pool.pool = task.pool)

-- no_gate --
SELECT count(*), min(id::text) FROM task
 WHERE (gate IS NOT NULL AND gate NOT IN (SELECT id FROM gate))
    OR (host_gate IS NOT NULL AND host_gate NOT IN (SELECT id FROM gate))
    OR (counts_in IS NOT NULL AND counts_in NOT IN (SELECT id FROM gate))
    OR (held_by IS NOT NULL AND held_by <> 0 AND held_by NOT IN (SELECT id FROM gate))

-- held_for_ever --
SELECT count(*), min(id::text) FROM task
 WHERE state = 0 AND held_by IS NOT NULL AND held_by <> 0 AND pool <> 3
   AND (expires_at IS NULL OR expires_at > tasker_now())
   AND NOT EXISTS (SELECT 1 FROM gate_queue WHERE gate_queue.gate = held_by AND gate_queue.pool = task.pool)

-- queue_of_no_gate --
SELECT count(*), min(gate::text) FROM gate_queue WHERE gate NOT IN (SELECT id FROM gate)

-- bad_key --
SELECT count(*), min(id::text) FROM task WHERE holds_key AND key IS NULL

-- held_twice --
SELECT count(*), min(key) FROM (
  SELECT key FROM task WHERE key IS NOT NULL AND holds_key AND state IN (0, 1, 5) GROUP BY key HAVING count(*) > 1) AS twice

-- half_schedule --
SELECT count(*), min(name) FROM schedule
 WHERE NOT EXISTS (SELECT 1 FROM template WHERE template.schedule = schedule.name)
    OR NOT EXISTS (SELECT 1 FROM run_count WHERE run_count.schedule = schedule.name)

-- run_twice --
SELECT count(*), min(schedule) FROM (
  SELECT schedule FROM task WHERE schedule IS NOT NULL AND run_kind = 0
   GROUP BY schedule, scheduled_for HAVING count(*) > 1) AS twice

-- stray_attempt --
SELECT count(*), min(task::text) FROM attempt
 WHERE NOT EXISTS (SELECT 1 FROM task WHERE task.id = attempt.task)

-- stray_tag --
SELECT count(*), min(tag) FROM tag
 WHERE NOT EXISTS (SELECT 1 FROM task WHERE task.id = tag.task)
