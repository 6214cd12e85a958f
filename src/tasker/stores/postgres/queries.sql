-- insert_tasks --
-- One statement, so one transaction without further round trips, for any number of tasks. Safe to repeat when it is not known
-- whether it was done: what is stored already is left alone.
-- Differs from SQLite: ON CONFLICT, where there the writer undoes the one that conflicts.
WITH given AS (
  SELECT * FROM unnest($1::uuid[], $2::text[], $3::smallint[], $4::integer[], $5::timestamptz[], $6::timestamptz[], $7::text[], $8::bytea[])
             AS given (id, type, state, pool, due_at, execution_at, execution_time, data)
), stored AS (
  INSERT INTO task (id, type, state, pool, due_at, execution_at, execution_time)
  SELECT id, type, state, pool, due_at, execution_at, execution_time FROM given
      ON CONFLICT (id) DO NOTHING
  RETURNING id
), bodies AS (
  INSERT INTO payload (id, data) SELECT id, data FROM given
      ON CONFLICT (id) DO NOTHING -- a task has a body
)
SELECT id FROM stored

-- insert_type_pool --
INSERT INTO type_pool (type, pool) VALUES ($1, $2) ON CONFLICT DO NOTHING

-- existing --
SELECT id FROM task WHERE id = ANY ($1::uuid[])

-- existing_for_sure --
-- The same for what it is not known whether it was written: a backend that was ended while it waited for a replica leaves that in the
-- primary alone. The message makes this a write, and like any other it is reported only once the replicas have it and all before it.
SELECT id FROM task, pg_logical_emit_message(true, 'tasker', '') WHERE id = ANY ($1::uuid[])

-- next_due --
-- The heads of the queues of pools, what time it is, and whether this node may claim.
SELECT pools.pool, (SELECT due_at FROM task WHERE task.pool = pools.pool AND state = 0 ORDER BY due_at, id LIMIT 1), tasker_now(),
       EXISTS (SELECT FROM node WHERE id = $2 AND lease_until > tasker_now())
  FROM unnest($1::integer[]) AS pools (pool)

-- claim_due --
-- Claim up to $2 due tasks of a pool, earliest first. RETURNING has no order: the caller sorts by due_at, id.
-- Differs from SQLite: SKIP LOCKED, because other nodes claim at the same time, and a node whose lease has ended claims nothing.
WITH due AS MATERIALIZED (
  SELECT id FROM task WHERE pool = $1 AND state = 0 AND due_at <= tasker_now() ORDER BY due_at, id LIMIT $2
     FOR UPDATE SKIP LOCKED
)
UPDATE task SET state = 1, attempts = attempts + 1, claim = $3, node = $4, started_at = tasker_now()
  FROM due
 WHERE task.id = due.id AND EXISTS (SELECT FROM node WHERE id = $4 AND lease_until > tasker_now())
RETURNING due_at, task.id, type, attempts, (SELECT data FROM payload WHERE payload.id = task.id)

-- settle --
-- Those that are missing from what comes back have lost their claim: nothing was written for them.
-- Differs from SQLite: a whole group in one statement.
WITH ended AS (
  SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::smallint[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[], $7::text[], $8::bytea[])
             AS ended (id, claim, state, due_at, started_at, ended_at, last_error, result)
), settled AS (
  UPDATE task SET state = ended.state, due_at = coalesce(ended.due_at, task.due_at), started_at = ended.started_at,
         ended_at = ended.ended_at, last_error = coalesce(ended.last_error, task.last_error), crashes = 0, claim = NULL, node = NULL
    FROM ended
   WHERE task.id = ended.id AND task.state = 1 AND task.claim = ended.claim
  RETURNING task.id
), results AS (
  UPDATE payload SET result = ended.result
    FROM ended JOIN settled USING (id)
   WHERE payload.id = ended.id AND ended.result IS NOT NULL
)
SELECT id FROM settled

-- settled_before --
-- Which of these ends were written although the connection broke before the answer: no two attempts begin in one microsecond.
-- For sure, as above: an end that no replica has would free its slot, and the delivery be made again after a failover.
SELECT task.id FROM pg_logical_emit_message(true, 'tasker', ''), unnest($1::uuid[], $2::smallint[], $3::timestamptz[]) AS ended (id, state, started_at)
  JOIN task ON task.id = ended.id AND task.state = ended.state AND task.started_at = ended.started_at AND task.claim IS NULL

-- give_back --
UPDATE task SET state = 0, attempts = greatest(attempts - 1, 0), claim = NULL, node = NULL
  FROM unnest($1::uuid[], $2::bigint[]) AS given (id, claim)
 WHERE task.id = given.id AND task.state = 1 AND task.claim = given.claim
RETURNING task.id

-- give_back_unknown --
-- Undo claims of which it is not known whether they were done.
UPDATE task SET state = 0, attempts = greatest(attempts - 1, 0), claim = NULL, node = NULL
 WHERE state = 1 AND node = $1 AND claim = ANY ($2::bigint[])

-- held --
-- What is written as running here.
SELECT id, claim FROM task WHERE state = 1 AND node = $1

-- delete --
-- Missing from what comes back: look at its state. in_progress: it cannot be deleted; none: it is not there.
WITH gone AS (
  DELETE FROM task WHERE id = ANY ($1::uuid[]) AND state <> 1 RETURNING id
), bodies AS (
  DELETE FROM payload USING gone WHERE payload.id = gone.id
)
SELECT id FROM gone

-- renew --
INSERT INTO node (id, address, version, started_at, lease_until)
VALUES ($1, $2, $3, tasker_now(), tasker_now() + $4::interval)
    ON CONFLICT (id) DO UPDATE SET lease_until = excluded.lease_until
RETURNING tasker_now()

-- end_lease --
UPDATE node SET lease_until = tasker_now() WHERE id = $1 AND lease_until > tasker_now()

-- take_back --
-- What runs on nodes whose lease has ended, in batches.
WITH lost AS MATERIALIZED (
  SELECT task.id FROM node JOIN task ON task.node = node.id AND task.state = 1
   WHERE node.lease_until <= tasker_now() AND node.id <> $1
   LIMIT $4
     FOR UPDATE OF task SKIP LOCKED
)
UPDATE task SET crashes = crashes + 1, attempts = greatest(attempts - 1, 0), claim = NULL, node = NULL,
       state = CASE WHEN crashes + 1 >= $2 THEN 3 ELSE 0 END,
       ended_at = CASE WHEN crashes + 1 >= $2 THEN tasker_now() END,
       last_error = CASE WHEN crashes + 1 >= $2 THEN $3 ELSE last_error END
  FROM lost
 WHERE task.id = lost.id
RETURNING state

-- forget_nodes --
-- Nodes that ended long ago and left nothing behind.
DELETE FROM node WHERE lease_until < tasker_now() - interval '1 hour' AND NOT EXISTS (SELECT FROM task WHERE task.node = node.id AND state = 1)

-- nodes --
SELECT id, address, version, started_at, lease_until, (SELECT count(*) FROM task WHERE task.node = node.id AND state = 1), tasker_now()
  FROM node ORDER BY started_at, id

-- type_pools --
SELECT type, pool FROM type_pool

-- get --
SELECT id, type, pool, state, due_at, execution_at, execution_time, attempts, crashes, started_at, ended_at, last_error,
       data, result
  FROM task JOIN payload USING (id) WHERE id = $1

-- list_todo --
-- The index ranges of a type's tasks in a pool that are todo: of those that never failed (due at their execution time), then of
-- those that wait for another attempt. $1, $2: where the list has come to; $3: how many.
(SELECT id, due_at AS execution_at FROM task
  WHERE pool = {pool} AND state = 0 AND (due_at, id) > ($1, $2) AND due_at = execution_at AND type = {type}
  ORDER BY due_at, id LIMIT $3)
 UNION ALL
(SELECT id, execution_at FROM task
  WHERE pool = {pool} AND state = 0 AND (execution_at, id) > ($1, $2) AND due_at <> execution_at AND type = {type}
  ORDER BY execution_at, id LIMIT $3)

-- list_other --
-- The same for a type's tasks in another state.
(SELECT id, execution_at FROM task
  WHERE type = {type} AND state = {state} AND state <> 0 AND (execution_at, id) > ($1, $2)
  ORDER BY execution_at, id LIMIT $3)

-- list_page --
-- {branches}: list_todo for each type and pool, list_other for each type and state, joined by UNION ALL.
-- They are merged in order, not sorted. A page ends once the bodies in it are longer than $4 bytes; the last column is how many
-- tasks it would have had without that.
SELECT task.id, task.type, task.pool, task.state, task.due_at, task.execution_at, task.execution_time, task.attempts, task.crashes,
       task.started_at, task.ended_at, task.last_error, payload.data, payload.result, sized.found
  FROM (SELECT page.id, page.execution_at, size, count(*) OVER () AS found,
               sum(size) OVER (ORDER BY page.execution_at, page.id) AS so_far
          FROM (SELECT * FROM ({branches}) AS merged ORDER BY execution_at, id LIMIT $3) AS page
          JOIN (SELECT id, octet_length(data) + coalesce(octet_length(result), 0) AS size FROM payload) AS body ON body.id = page.id
       ) AS sized
  JOIN task ON task.id = sized.id
  JOIN payload ON payload.id = sized.id
 WHERE so_far - size <= $4
 ORDER BY sized.execution_at, sized.id

-- count_todo --
SELECT count(*) FROM (SELECT FROM task WHERE pool = $1 AND state = 0 LIMIT $2) AS counted

-- count_other --
SELECT count(*) FROM (SELECT FROM task WHERE type = $1 AND state = $2 AND state <> 0 LIMIT $3) AS counted

-- prune --
-- A batch of what ended before a moment, oldest first. Nodes may prune at the same time: each takes what the other does not.
WITH old AS MATERIALIZED (
  SELECT id FROM task WHERE state = $1 AND ended_at < tasker_now() - $2::interval ORDER BY ended_at LIMIT $3 FOR UPDATE SKIP LOCKED
), gone AS (
  DELETE FROM task USING old WHERE task.id = old.id RETURNING task.id
), bodies AS (
  DELETE FROM payload USING gone WHERE payload.id = gone.id
)
SELECT count(*) FROM gone
