-- insert_tasks --
-- {rows} is repeated for as many tasks as there are.
INSERT INTO task (seq, id, type, state, pool, due_at, execution_at, execution_time) VALUES {rows}

-- insert_payloads --
INSERT INTO payload (seq, data) VALUES {rows}

-- task_exists --
SELECT 1 FROM task WHERE id = :id

-- last_seq --
SELECT coalesce(max(seq), 0) FROM task

-- next_due --
-- The head of a pool's queue.
SELECT due_at FROM task WHERE pool = :pool AND state = 0 ORDER BY due_at, seq LIMIT 1

-- claim_due --
-- Claim up to :free due tasks of a pool, earliest first. RETURNING has no order: the caller sorts by due_at, seq.
UPDATE task SET state = 1, attempts = attempts + 1, claim = :claim, node = :node, started_at = :now
 WHERE seq IN (SELECT seq FROM task WHERE pool = :pool AND state = 0 AND due_at <= :now ORDER BY due_at, seq LIMIT :free)
RETURNING due_at, seq, id, type, attempts, (SELECT data FROM payload WHERE payload.seq = task.seq)

-- settle --
-- No row: the claim is lost, nothing was written.
UPDATE task SET state = :state, due_at = coalesce(:due_at, due_at), started_at = :started_at, ended_at = :ended_at,
       last_error = coalesce(:last_error, last_error), crashes = 0, claim = NULL, node = NULL
 WHERE id = :id AND state = 1 AND claim = :claim
RETURNING seq

-- set_result --
UPDATE payload SET result = :result WHERE seq = :seq

-- give_back --
UPDATE task SET state = 0, attempts = max(attempts - 1, 0), claim = NULL, node = NULL
 WHERE id = :id AND state = 1 AND claim = :claim
RETURNING seq

-- delete --
-- No row: look at its state. in_progress: it cannot be deleted; none: it is not there.
DELETE FROM task WHERE id = :id AND state <> 1 RETURNING seq

-- delete_payload --
DELETE FROM payload WHERE seq = :seq

-- take_back --
-- On SQLite one process holds the database: whatever another boot left running has no holder.
UPDATE task SET crashes = crashes + 1, attempts = max(attempts - 1, 0), claim = NULL, node = NULL,
       state = CASE WHEN crashes + 1 >= :max_crashes THEN 3 ELSE 0 END,
       ended_at = CASE WHEN crashes + 1 >= :max_crashes THEN :now END,
       last_error = CASE WHEN crashes + 1 >= :max_crashes THEN :last_error ELSE last_error END
 WHERE type IN (SELECT value FROM json_each(:types)) AND state = 1 AND node IS NOT :node
RETURNING state

-- probe --
UPDATE probe SET written = written + 1 WHERE one = 1

-- types --
-- The task types that are stored, by hopping through the index: one seek each.
WITH RECURSIVE known (type) AS (
  SELECT min(type) FROM task
  UNION ALL
  SELECT (SELECT min(task.type) FROM task WHERE task.type > known.type) FROM known WHERE known.type IS NOT NULL)
SELECT type FROM known WHERE type IS NOT NULL

-- get --
SELECT id, type, pool, state, due_at, execution_at, execution_time, attempts, crashes, started_at, ended_at, last_error,
       data, result, task.seq
  FROM task JOIN payload USING (seq) WHERE id = :id

-- list_branch --
-- The two index ranges of a type and state that a list merges: the rest of the moment it has reached, and what comes later.
SELECT seq, execution_at FROM task
 WHERE type = {type} AND state = {state} AND execution_at = :after_at AND seq > :after_seq
 UNION ALL
SELECT seq, execution_at FROM task WHERE type = {type} AND state = {state} AND execution_at > :after_at

-- list_page --
-- {branches}: list_branch for each type and state, joined by UNION ALL; merged in order, not sorted.
SELECT id, type, pool, state, due_at, task.execution_at, execution_time, attempts, crashes, started_at, ended_at, last_error,
       data, result, task.seq
  FROM ({branches} ORDER BY execution_at, seq LIMIT :limit) AS page
 CROSS JOIN task ON task.seq = page.seq
 CROSS JOIN payload ON payload.seq = page.seq

-- count --
SELECT count(*) FROM (SELECT 1 FROM task WHERE type = :type AND state = :state LIMIT :up_to)
