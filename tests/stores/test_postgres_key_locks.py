"""What locks on the server a request with many keys holds: all sessions share the room for them."""

import pytest
from kinds import Postgres
from msgspec.structs import replace
from steps import SECOND

from tasker.model.new_task import NewTask
from tasker.testing.task_factory import a_task

pytestmark = pytest.mark.anyio

COUNT_LOCKS = """
CREATE TABLE held (locks bigint NOT NULL);
CREATE FUNCTION count_locks() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
  INSERT INTO held SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid();
  RETURN NULL;
END$$;
CREATE TRIGGER count_locks AFTER INSERT ON task FOR EACH STATEMENT EXECUTE FUNCTION count_locks();
"""


@pytest.mark.parametrize(("keys", "locks"), [(3, 4), (600, 1)])
async def test_a_request_with_many_keys_holds_few_locks(tmp_path, keys, locks):
    kind = Postgres(tmp_path)
    store = await kind.open()
    try:
        await kind.connection.execute(COUNT_LOCKS)
        task = a_task(due_at=kind.clock.now() + SECOND)
        tasks = [replace(task, id=a_task(due_at=0).id, key=f"order {number}", holds_key=True) for number in range(keys)]

        await store.make([NewTask(task=each) for each in tasks])

        assert await kind.connection.fetchval("SELECT max(locks) FROM held") == locks
    finally:
        await kind.close()
