"""PostgreSQL behind PgBouncer, which gives each transaction, or each session, a connection of its own."""

import asyncio
import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import time

import pytest
from msgspec.structs import replace
from steps import REFUSED, WEBHOOK, ending_of, failure, listed, success
from test_copying import Watch

from databases import FOLLOW, execute, new_database
from tasker.model.gate import Limits
from tasker.model.task import State
from tasker.stores import copying
from tasker.stores.kind import StoreContext, kind_of
from tasker.stores.postgres.connection import Connector
from tasker.stores.postgres.store import PostgresStore
from tasker.testing.task_factory import a_task
from tasker.timing.clock import SystemClock

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(shutil.which("pgbouncer") is None, reason="pgbouncer is not installed"),
]


@pytest.fixture
def pooled_url(tmp_path_factory):
    """The URL of an empty database, through PgBouncer in transaction mode with three connections to the server."""
    with pooled(tmp_path_factory, mode="transaction", connections=3) as url:
        yield url


@pytest.fixture
def session_url(tmp_path_factory):
    """The same in session mode, with as many connections as a node needs."""
    with pooled(tmp_path_factory, mode="session", connections=20) as url:
        yield url


@contextlib.contextmanager
def pooled(tmp_path_factory, *, mode, connections):
    url = new_database()
    server_port, _, name = url.rpartition(":")[2].partition("/")
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    folder = tmp_path_factory.mktemp("pgbouncer")
    (folder / "users").write_text('"postgres" ""\n')
    (folder / "pgbouncer.ini").write_text(
        f"[databases]\n* = host=127.0.0.1 port={server_port}\n[pgbouncer]\nlisten_addr=127.0.0.1\nlisten_port={port}\n"
        f"unix_socket_dir=\nauth_type=trust\nauth_file={folder}/users\n"
        f"pool_mode={mode}\ndefault_pool_size={connections}\n"
    )
    user = {"user": pwd.getpwnam("nobody").pw_uid} if os.geteuid() == 0 else {}
    for path in (folder, *folder.iterdir(), *folder.parents[:3]):
        path.chmod(0o755)
    process = subprocess.Popen(["pgbouncer", "-q", folder / "pgbouncer.ini"], stderr=subprocess.DEVNULL, **user)
    limit = time.monotonic() + 20
    while time.monotonic() < limit:
        with socket.socket() as caller:
            if caller.connect_ex(("127.0.0.1", port)) == 0:
                break
        assert process.poll() is None
    try:
        yield f"postgresql://postgres@127.0.0.1:{port}/{name}"
    finally:
        process.kill()
        process.wait()


@pytest.fixture(params=["transaction", "session"])
async def store(request):
    """An open store behind PgBouncer, in both modes."""
    is_session = request.param == "session"
    url = request.getfixturevalue("session_url" if is_session else "pooled_url")
    store = PostgresStore(
        url, follow=FOLLOW, base_clock=SystemClock(), address="http://127.0.0.1:8080", version="0", listens=is_session
    )
    await store.open()
    yield store
    await store.close()


async def test_a_store_works_behind_it(store):
    store.listen(lambda: None)
    store.wake_others()
    tasks = [a_task(due_at=store.clock.now() - 1) for _ in range(50)]
    await asyncio.gather(*(store.create([task]) for task in tasks))
    attempts = []
    while claimed := (await store.claim_due({WEBHOOK: 7})).attempts:
        attempts += claimed
        await asyncio.gather(*(store.settle(attempt, success(store.clock)) for attempt in claimed))
    assert sorted(attempt.task_id for attempt in attempts) == sorted(task.id for task in tasks)
    assert {task.state for task in await listed(store)} == {State.DONE}
    assert [node.running for node in await store.nodes()] == [0]


async def test_gates_callbacks_and_expiry_work_behind_it(store):
    now = store.clock.now()
    tasks = [a_task(due_at=now - 1, host="http://a.example:80") for _ in range(3)]
    called_back = b'{"url":"http://a/","body":"x","on_failure":"http://b/"}'
    await store.create([*tasks, a_task(due_at=now - 2, expires_at=now - 1, payload=called_back)])
    (record,) = await store.gates(after=0, limit=9)
    await store.limit(record.gate.id, Limits(max_running=1))
    assert (await store.expire()).count == 1
    first = await store.claim_due({WEBHOOK: 9})
    attempt, told = first.attempts
    assert (attempt.task_id, b'"expired"' in told.payload) == (tasks[0].id, True)
    ending = ending_of(replace(attempt, payload=called_back), fault=REFUSED)
    settled = await store.settle(attempt, failure(store.clock, is_alive=True, ending=ending))
    assert settled.has_room
    (callback,) = settled.followed_by
    await store.pause(record.gate.id)
    await store.limit(record.gate.id, Limits(max_running=None))
    await store.claim_due({WEBHOOK: 9})
    assert (await store.gate(record.gate.id)).held == 2
    await store.resume(record.gate.id)
    claimed = (await store.claim_due({WEBHOOK: 9})).attempts
    assert [attempt.task_id for attempt in claimed] == [tasks[1].id, tasks[2].id]
    assert (await store.standing(callback.id)).task.parent_id == attempt.task_id


async def test_which_tasks_have_ended_is_found_behind_it(store):
    store.watch_ends(lambda: None)
    tasks = [a_task(due_at=store.clock.now() - 1) for _ in range(2)]
    await store.create(tasks)
    await store.cancel(tasks[0].id)
    assert list(await store.ended([task.id for task in tasks])) == [tasks[0].id]


async def test_a_session_has_its_settings_and_is_woken_by_others(session_url):
    settings = await (await Connector(session_url, is_pooled=False).connect()).fetchrow(
        "SELECT current_setting('statement_timeout'), current_setting('enable_seqscan'), "
        "current_setting('application_name')"
    )
    assert tuple(settings) == ("5s", "off", "tasker")
    woken = asyncio.Event()
    first, second = (
        PostgresStore(
            session_url, follow=FOLLOW, base_clock=SystemClock(), address="http://127.0.0.1:8080", version="0"
        )
        for _ in range(2)
    )
    await first.open()
    await second.open()
    first.listen(woken.set)
    second.listen(lambda: None)
    while not woken.is_set():
        second.wake_others()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(woken.wait(), 0.2)
    await first.close()
    await second.close()


async def test_a_schema_is_that_of_the_role_behind_it(pooled_url):
    name = pooled_url.rpartition("/")[2]
    execute(f"ALTER ROLE postgres IN DATABASE {name} SET search_path = tasker_a")
    store = PostgresStore(
        pooled_url,
        schema="tasker_a",
        follow=FOLLOW,
        base_clock=SystemClock(),
        address="http://127.0.0.1:8080",
        version="0",
        listens=False,
    )
    await store.open()
    try:
        await store.create([a_task(due_at=store.clock.now() - 1)])
        assert len((await store.claim_due({WEBHOOK: 7})).attempts) == 1
    finally:
        await store.close()
    connection = await Connector(pooled_url, is_pooled=True).connect()
    assert await connection.fetchval("SELECT count(*) FROM tasker_a.task") == 1
    await connection.close()


@pytest.mark.parametrize(("mode", "code"), [("transaction", "pooler_needs_no_listen"), ("session", None)])
def test_doctor_knows_what_stands_between_and_leaves_no_setting_there(tmp_path_factory, mode, code):
    with pooled(tmp_path_factory, mode=mode, connections=3) as url:
        context = StoreContext(clock=SystemClock(), follow=FOLLOW, pools={})
        examined = asyncio.run(kind_of(url).examine(url, context))
        found = {each.check: each for each in examined.findings}
        assert (found["pooler"].code, mode in found["pooler"].what) == (code or "fine", True)

        async def scans():
            connection = await Connector(url, is_pooled=True).connect()
            try:
                return await connection.fetchval("SHOW enable_seqscan")
            finally:
                await connection.close()

        assert asyncio.run(scans()) == "on"


async def test_a_database_is_copied_through_it_in_its_own_time(pooled_url, tmp_path):
    execute("ALTER ROLE postgres SET statement_timeout = '1s'")
    execute("ALTER ROLE postgres SET idle_in_transaction_session_timeout = '1s'")
    try:
        context = StoreContext(clock=SystemClock(), follow=FOLLOW, pools={}, no_listen=True)
        source, back = f"sqlite:{tmp_path / 'from.db'}", f"sqlite:{tmp_path / 'back.db'}"
        store = kind_of(source).make(source, context)
        await store.open()
        task = a_task(due_at=SystemClock().now() + 10**12)
        await store.create([task])
        await store.close()
        for there, here in ((source, pooled_url), (pooled_url, back)):
            async with kind_of(there).copying(there, context) as from_, kind_of(here).copying(here, context) as to:
                moved = await copying.copy(from_, Slow(to), Watch())
            assert moved.tables["task"] == moved.tables["payload"] == 1
    finally:
        execute("ALTER ROLE postgres RESET statement_timeout")
        execute("ALTER ROLE postgres RESET idle_in_transaction_session_timeout")


class Slow:
    """The end of a copy that is written to, on a machine that is slow once."""

    def __init__(self, end):
        self._end = end

    def __getattr__(self, name):
        return getattr(self._end, name)

    async def settle(self, *values):
        await asyncio.sleep(1.5)  # longer than the role lets a transaction be idle
        await self._end.settle(*values)
