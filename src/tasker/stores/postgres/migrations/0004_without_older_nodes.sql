-- contract
-- No node runs any more that knows only what was before 0003, and none may join.
ALTER TABLE node ADD CONSTRAINT this_tasker_is_too_old CHECK (schema >= 4) NOT VALID;

-- They looked here for what is to be pruned.
DROP INDEX task_ended;
-- They list by these.
DROP INDEX task_list, task_delayed;

-- They did not write down when a circuit left closed.
UPDATE gate SET broken_since = CASE WHEN failures >= 10 THEN tasker_now() END
 WHERE failures >= 10 OR broken_since IS NOT NULL;
