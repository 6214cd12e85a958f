"""Against a real server behind a proxy that breaks connections: all is created once."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

import tasker
from tasker.testing.server import TaskerServer
from tasker.testing.tcp_proxy import TcpProxy

HOOK = "http://localhost:9/hook"


def port_of(server):
    return urlsplit(server.url).port


@pytest.fixture
def server(tmp_path):
    with TaskerServer(tmp_path) as server:
        yield server


@pytest.fixture
def proxy(server):
    with TcpProxy(lambda: port_of(server)) as proxy:
        yield proxy


@pytest.fixture
def client(proxy):
    with tasker.Client(f"http://127.0.0.1:{proxy.port}", timeout=10) as client:
        yield client


def test_a_create_whose_answer_is_lost_creates_one_task(client, proxy):
    for number in range(3):
        proxy.cut_instead_of_answer(1)
        made = client.schedule(HOOK, delay="1h", key=f"order-{number}" if number else None, tags=["lost"])
        assert made.outcome == "created"
        assert client.get(made.id).fields["tags"] == ["lost"]
    assert client.count(tag="lost") == 3


def test_chunks_whose_answers_are_lost_are_created_once(client, proxy):
    def lose_the_next(_):
        proxy.cut_instead_of_answer(1)

    lose_the_next(0)
    items = ({"url": HOOK, "delay": "1h", "tags": ["many"]} for _ in range(50))
    made = [each.id for each in client.schedule_many(items, chunk=10, on_progress=lose_the_next)]
    proxy.cut()
    found = [task.id for task in client.find(tag="many")]
    assert found == made
    assert len(set(made)) == 50


def test_what_was_deleted_before_the_answer_was_lost_is_deleted(client, proxy):
    made = client.schedule(HOOK, delay="1h")
    proxy.cut_instead_of_answer(1)
    assert client.delete(made.id) is None
    with pytest.raises(tasker.TaskNotFound):
        client.delete(made.id)


def test_a_move_that_is_not_safe_is_made_once_and_told_of(client, proxy):
    made = client.create("hash", {"secret": "x"}, delay="1h")
    proxy.cut_instead_of_answer(1)
    with pytest.raises(tasker.NoAnswer, match="not sent again for that reason"):
        client.run(made.id)
    assert client.wait(made.id, timeout=60).state == "done"
    assert client.get(made.id).attempts == 1


def test_a_server_that_is_away_for_a_moment_is_waited_for(client, proxy):
    proxy.refuse()
    back = threading.Timer(0.3, proxy.allow)
    back.start()
    assert client.schedule(HOOK, delay="1h").outcome == "created"
    back.join()


def test_who_waits_and_who_watches_outlive_a_restart_of_the_server(client, server):
    made = client.create("hash", {"secret": "x"}, delay=4)
    seen, began = [], threading.Event()

    def watch():
        for event in client.events(type="hash"):
            seen.append(event)
            began.set()
            if event.id == made.id and event.event == "ended":
                return

    watching = threading.Thread(target=watch, daemon=True)
    waiting = ThreadPoolExecutor(1).submit(client.wait, made.id, 60)
    watching.start()
    while not began.is_set():  # an event that is told shows that the reader is there
        client.create("hash", {"secret": "x"}, delay="1h")
        began.wait(0.2)
    server.kill()
    server.start()

    assert waiting.result(60).state == "done"
    watching.join(60)
    assert not watching.is_alive()
    assert [event.event for event in seen if event.event == "reset"] == ["reset"], "it was told that it missed some"


def test_threads_share_a_client(client):
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda number: client.schedule(HOOK, delay="1h", key=f"t-{number}").id, range(80)))
    assert len(set(made)) == 80
    assert client.count(key_prefix="t-") == 80


@pytest.mark.anyio
async def test_many_calls_at_once_wait_for_their_turn(server):
    async with tasker.AsyncClient(server.url, retries=0) as client:
        made = await asyncio.gather(*(client.schedule(HOOK, delay="1h", key=f"a-{number}") for number in range(300)))
        assert len({each.id for each in made}) == 300
        assert await client.count(key_prefix="a-") == 300


@pytest.mark.parametrize("key", ["shop/17", "a b", "é", "%2F", "a?b=c#d", "..a", "日本", "+", "a;b"])
def test_a_key_may_have_any_characters(client, key):
    made = client.schedule(HOOK, delay="1h", key=key)
    assert client.by_key(key).get().id == made.id
    assert client.by_key(key).update(delay="2h").key == key
    assert [task.id for task in client.find(key=key)] == [made.id]
    client.by_key(key).delete()


@pytest.mark.anyio
async def test_a_call_that_is_cancelled_leaves_a_client_that_works(server):
    async with tasker.AsyncClient(server.url) as client:
        made = await client.schedule(HOOK, delay="1h")
        waiting = asyncio.create_task(client.wait(made.id))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        events = client.events()
        reading = asyncio.create_task(anext(events))
        await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert (await client.get(made.id)).state == "todo"
