-- insert_tasks --
-- {rows} is repeated for as many tasks as there are.
INSERT INTO task (seq, id, type, state, pool, due_at, execution_at, execution_time) VALUES {rows}

-- insert_payloads --
INSERT INTO payload (seq, data) VALUES {rows}

-- insert_type_pool --
INSERT OR IGNORE INTO type_pool (type, pool) VALUES (:type, :pool)

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
 WHERE type IN (SELECT type FROM type_pool) AND state = 1 AND state <> 0 AND node IS NOT :node
RETURNING state

-- held --
-- What is written as running on this boot.
SELECT id, claim FROM task WHERE type IN (SELECT type FROM type_pool) AND state = 1 AND state <> 0 AND node = :node

-- old --
-- A batch of what ended before a moment, oldest first.
SELECT seq FROM task WHERE state = :state AND ended_at IS NOT NULL AND ended_at < :before ORDER BY ended_at LIMIT :limit

-- prune --
DELETE FROM task WHERE seq = :seq

-- probe --
UPDATE probe SET written = written + 1 WHERE one = 1

-- type_pools --
SELECT type, pool FROM type_pool

-- get --
SELECT id, type, pool, state, due_at, execution_at, execution_time, attempts, crashes, started_at, ended_at, last_error,
       data, result, task.seq
  FROM task JOIN payload USING (seq) WHERE id = :id

-- list_todo --
-- The index ranges of a type's tasks in a pool that are todo: the rest of the moment the list has reached and what comes
-- later, of those that never failed (due at their execution time), then of those that wait for another attempt.
SELECT seq, due_at AS execution_at FROM task
 WHERE pool = {pool} AND state = 0 AND due_at = :after_at AND seq > :after_seq AND due_at = execution_at AND type = {type}
 UNION ALL
SELECT seq, due_at AS execution_at FROM task
 WHERE pool = {pool} AND state = 0 AND due_at > :after_at AND due_at = execution_at AND type = {type}
 UNION ALL
SELECT seq, execution_at FROM task
 WHERE pool = {pool} AND state = 0 AND execution_at = :after_at AND seq > :after_seq AND due_at <> execution_at AND type = {type}
 UNION ALL
SELECT seq, execution_at FROM task
 WHERE pool = {pool} AND state = 0 AND execution_at > :after_at AND due_at <> execution_at AND type = {type}

-- list_other --
-- The same for a type's tasks in another state.
SELECT seq, execution_at FROM task
 WHERE type = {type} AND state = {state} AND state <> 0 AND execution_at = :after_at AND seq > :after_seq
 UNION ALL
SELECT seq, execution_at FROM task
 WHERE type = {type} AND state = {state} AND state <> 0 AND execution_at > :after_at

-- list_page --
-- {branches}: list_todo for each type and pool, list_other for each type and state, joined by UNION ALL.
-- They are merged in order, not sorted.
SELECT id, type, pool, state, due_at, task.execution_at, execution_time, attempts, crashes, started_at, ended_at, last_error,
       data, result, task.seq
  FROM ({branches} ORDER BY execution_at, seq LIMIT :limit) AS page
 CROSS JOIN task ON task.seq = page.seq
 CROSS JOIN payload ON payload.seq = page.seq

-- count_todo --
SELECT count(*) FROM (SELECT 1 FROM task WHERE pool = :pool AND state = 0 LIMIT :up_to)

-- count_other --
SELECT count(*) FROM (SELECT 1 FROM task WHERE type = :type AND state = :state AND state <> 0 LIMIT :up_to)
