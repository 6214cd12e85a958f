"""POST /tasks/batch: many tasks, all or none."""

import asyncio
import json

import pytest
from fates import NEAR, claim, webhook
from rest_server import HASH, WEBHOOK, on_one_store, problem_in, running

from tasker.api import batch
from tasker.ids import new_id

pytestmark = pytest.mark.anyio

LINES = {"content-type": "application/x-ndjson"}
DELAYED = {"hash": {"delay": "1h", "secret": "x"}}


def in_lines(tasks):
    return b"".join(json.dumps(task).encode() + b"\n" for task in tasks)


def keyed(key, **members):
    return {"hash": {"delay": "1h", "secret": "x", "key": key} | members}


async def create(server, tasks, headers=None):
    reply = await server.call("POST", "/tasks/batch", tasks, headers)
    assert reply.status == 201, reply
    return reply.json["tasks"]


async def refusals(server, tasks, headers=None, *, status=400):
    reply = await server.call("POST", "/tasks/batch", tasks, headers)
    assert reply.status == status, reply
    assert "nothing was stored" in problem_in(reply)
    assert await listed(server) == []
    return {each["index"]: each.get("field", each["code"]) for each in reply.json["refusals"]}


async def listed(server):
    return [next(iter(task.values())) for task in (await server.call("GET", "/tasks/state/todo")).json]


@pytest.mark.parametrize("count", [1, 2, 150, 1_100])
@pytest.mark.parametrize("in_form", [json.dumps, in_lines], ids=["array", "lines"])
async def test_tasks_are_created_in_order_and_are_as_they_were_sent(server, count, in_form):
    sent = [webhook(body=f"body {place}", tags=[f"t{place}"]) for place in range(count)]
    body = in_form(sent)

    made = await create(
        server, body if isinstance(body, bytes) else body.encode(), LINES if in_form is in_lines else None
    )

    shown = {task["id"]: task for task in await listed(server)}
    assert [set(each) for each in made] == [{"id"}] * count
    assert [shown[each["id"]]["body"] for each in made] == [f"body {place}" for place in range(count)]
    await server.clock.step(NEAR)
    claimed = await claim(server, free=count)
    assert claimed
    for attempt in claimed:
        assert json.loads(attempt.payload)["body"] == shown[attempt.task_id]["body"]


async def test_spaces_and_empty_lines_do_not_count(server):
    task = json.dumps(HASH)
    assert len(await create(server, f" \n[ {task}\t,\r\n{task} ] \n".encode())) == 2
    assert len(await create(server, f"\r\n{task}\r\n\n  {task}".encode(), LINES)) == 2


async def test_a_batch_may_come_in_chunks(server):
    body = in_lines([HASH] * 5)
    connection = await server.connect()
    await connection.send(
        "POST /tasks/batch HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-ndjson\r\n"
        "transfer-encoding: chunked\r\n\r\n"
    )
    for part in (body[:50], body[50:]):
        await connection.send(b"%x\r\n%b\r\n" % (len(part), part))
    await connection.send(b"0\r\n\r\n")

    assert len((await connection.reply()).json["tasks"]) == 5
    await connection.close()


async def test_every_task_that_cannot_be_created_is_named_and_none_is_created(server):
    past = {"hash": {"execution_time": "2001-01-01T00:00:00Z", "secret": "x"}}
    wrong = [HASH, past, {"hash": {"secret": "x"}}, WEBHOOK, {"webhook": {"delay": 1}}, {}, 5]

    expected = {
        1: "hash.execution_time",
        2: "hash.execution_time",
        4: "webhook.url",
        5: "invalid_task",
        6: "invalid_task",
    }
    assert await refusals(server, wrong) == expected
    assert await refusals(server, in_lines(wrong) + b"{\n", LINES) == expected | {7: "invalid_task"}


async def test_a_hundred_refusals_are_told(server):
    assert list(await refusals(server, [{}] * 150)) == list(range(100))


@on_one_store
@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b" [ ] ",
        b"",
        b"\n\n",
        b"[1",
        b"[",
        b"[]]",
        b"[] []",
        b'[{"hash":{}} {}]',
        b"[,]",
        b'[{"a":1},]',
        b"[\xff]",
    ],
    ids=repr,
)
async def test_what_is_no_array_of_tasks_is_refused(server, body):
    reply = await server.call("POST", "/tasks/batch", body)

    assert reply.status == 400
    assert reply.json["code"] in ("invalid_task", "invalid_tasks")
    assert "expected" in problem_in(reply)


async def test_a_batch_has_10000_tasks_at_most():
    async with running() as server:
        task = json.dumps(DELAYED).encode()
        reply = await server.call("POST", "/tasks/batch", b"[%b]" % b",".join([task] * 10_001))
        assert (reply.status, reply.json["msg"]) == (400, "expected at most 10000 tasks, got more")
        assert len(await create(server, b"[%b]" % b",".join([task] * 10_000))) == 10_000


async def test_a_batch_has_16_mib_at_most_whatever_a_single_task_may_have():
    async with running(max_body_bytes=1_000) as server:
        assert len(await create(server, [DELAYED] * 1_000)) == 1_000
        reply = await server.call("POST", "/tasks/batch", b" " * (batch.BYTES + 1))
        assert (reply.status, reply.json["code"]) == (413, "body_too_large")


@pytest.mark.parametrize("in_form", [json.dumps, in_lines], ids=["array", "lines"])
async def test_a_task_of_a_batch_is_as_long_as_a_single_one_at_most(in_form):
    async with running(max_body_bytes=1_000) as server:
        for long in (950, 1_000, 5_000, 50_000):
            body = in_form([DELAYED, {"hash": {"delay": 1, "secret": "x" * long}}, DELAYED])
            reply = await server.call("POST", "/tasks/batch", body if isinstance(body, bytes) else body.encode())
            assert reply.status == (201 if long == 950 else 400)
            if long > 950:
                assert [each["index"] for each in reply.json["refusals"]] == [1]
                assert "--max-body-bytes" in reply.json["msg"]


async def test_other_media_types_are_refused(server):
    text = await server.refused("POST", "/tasks/batch", b"[]", {"content-type": "text/plain"}, status=415)
    assert "application/x-ndjson" in text
    await server.refused("POST", "/tasks/new", b"{}", LINES, status=415)


@pytest.mark.parametrize("filling", [0, 120], ids=["few", "many"])
async def test_a_later_task_meets_an_earlier_one_by_its_key(server, filling):
    _, *made = await create(
        server,
        [
            *[DELAYED] * (filling + 1),
            keyed("a"),
            keyed("a", on_conflict="keep"),
            keyed("b"),
            keyed("b", delay="2h", on_conflict="replace"),
        ],
    )

    made = made[filling:]
    assert [each["outcome"] for each in made] == ["created", "kept", "created", "replaced"]
    assert made[0]["id"] == made[1]["id"]
    assert len(await listed(server)) == filling + 3


@pytest.mark.parametrize("filling", [0, 120], ids=["few", "many"])
async def test_what_is_in_the_way_is_named_and_nothing_is_created(server, filling):
    tasks = [*[DELAYED] * filling, keyed("a"), keyed("a"), keyed("b")]

    assert await refusals(server, tasks, status=409) == {filling + 1: "key_in_use"}
    assert len(await create(server, tasks[:-2])) == filling + 1


async def test_ids_of_ones_own_make_a_batch_repeatable(server):
    tasks = [{"hash": {"delay": "1h", "secret": "x", "id": new_id(server.clock.now())}} for _ in range(150)]

    first, second = await create(server, tasks), await create(server, tasks)

    assert {each["outcome"] for each in first} == {"created"}
    assert second == [each | {"outcome": "kept"} for each in first]
    assert len(await listed(server)) == 150


async def test_a_batch_with_an_idempotency_key_is_made_once(server):
    key = {"Idempotency-Key": "nightly"}
    replies = await asyncio.gather(*(server.call("POST", "/tasks/batch", [DELAYED] * 150, key) for _ in range(3)))

    assert {reply.status for reply in replies} == {201}
    assert len({reply.body for reply in replies}) == 1
    assert len(await listed(server)) == 150
    assert (await server.call("POST", "/tasks/batch", [DELAYED], key)).status == 422


async def test_four_batches_are_made_at_a_time(server, monkeypatch):
    goes_on, make = asyncio.Event(), server.store.make

    async def slow(*arguments):
        await goes_on.wait()
        return await make(*arguments)

    monkeypatch.setattr(server.store, "make", slow)
    jobs = [asyncio.create_task(server.call("POST", "/tasks/batch", [HASH])) for _ in range(5)]
    refused = await next(asyncio.as_completed(jobs))

    assert (refused.status, refused.json["code"]) == (503, "too_many_batches")
    assert refused.headers["retry-after"] == "1"
    goes_on.set()
    assert sorted([(await job).status for job in jobs]) == [201] * 4 + [503]
    assert (await server.call("POST", "/tasks/batch", [HASH])).status == 201
