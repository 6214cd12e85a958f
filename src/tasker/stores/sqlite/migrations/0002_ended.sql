-- What has ended, oldest first, for retention. Its entries come in order: each goes to the end of
-- the index.
CREATE INDEX task_ended ON task (state, ended_at) WHERE ended_at IS NOT NULL;
