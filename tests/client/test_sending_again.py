"""What is sent again, and what is not: twice is as good as once, or nothing was done."""

import httpx2
import pytest
from every_call import ID, METHODS, docstring, sent
from wires import CREATED, TASK, answer, calling, problem

import tasker
from tasker.client import core

HOOK = "https://example.org/hook"


class Stream(httpx2.SyncByteStream):
    """A body that is read when it is asked for."""

    def __init__(self, content):
        self._content = content

    def __iter__(self):
        yield self._content


def garbled(_):
    return httpx2.Response(200, headers={"content-encoding": "gzip"}, stream=Stream(b"no gzip"))


LOST = httpx2.ReadError("the connection broke")
UNSENT = httpx2.ConnectError("refused")


def test_a_create_is_sent_again_with_the_same_id_and_the_same_bytes():
    with calling(LOST, problem(503, "store_unavailable"), answer(CREATED, 201)) as (client, wire):
        assert client.schedule(HOOK, delay=60).outcome == "created"
    assert len(wire.requests) == 3
    assert len({request.content for request in wire.requests}) == 1
    assert tasker.ids.parse_id(wire.bodies[0]["webhook"]["id"])


def test_what_an_earlier_try_has_created_is_created_and_not_kept():
    def kept(request):
        return answer({"id": core.msgspec.json.decode(request.content)["webhook"]["id"], "outcome": "kept"})

    with calling(LOST, kept) as (client, _):
        assert client.schedule(HOOK, delay=60).outcome == "created"
    with calling(kept) as (client, _):
        assert client.schedule(HOOK, delay=60, id=ID).outcome == "kept", "its caller named the id: it may be older"
    with calling(LOST, answer({"id": ID, "outcome": "kept"})) as (client, _):
        assert client.schedule(HOOK, delay=60, key="a", on_conflict="keep").outcome == "kept", "that is the holder's id"


def test_an_idempotency_key_is_sent_only_when_it_is_given():
    with calling(answer(CREATED, 201)) as (client, wire):
        client.schedule(HOOK, delay=60)
        client.schedule(HOOK, delay=60, idempotency_key="order-17")
    assert [request.headers.get("idempotency-key") for request in wire.requests] == [None, "order-17"]
    assert all("idempotency_key" not in body["webhook"] for body in wire.bodies)
    assert ["id" in body["webhook"] for body in wire.bodies] == [True, False], "such a request is always the same"


@pytest.mark.parametrize("name", METHODS)
def test_the_docstring_says_which_are_not_sent_again_after_a_lost_answer(name):
    with calling(LOST, retries=2) as (client, wire):
        with pytest.raises(tasker.NoAnswer) as error:
            sent(METHODS[name](client))
        text = " ".join(docstring(client, name).split())
    unsafe = any(said in text for said in ("Not sent again", "Sent again after a lost answer only", "Sent again as"))
    as_named = name.startswith("by_key.") and f"As ``client.{name.removeprefix('by_key.')}``" in text
    if name == "request":
        assert "is_repeatable: whether it is sent again" in text
    elif as_named:
        unsafe = unsafe or name in ("by_key.run", "by_key.retry", "by_key.duplicate")
    assert len(wire.requests) == (1 if unsafe or name == "request" else 3), text
    assert "may or may not have had its effect" in str(error.value)


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize(
    "refusal", [UNSENT, problem(429, "too_many_calls"), problem(503, "store_busy"), httpx2.Response(429)]
)
def test_what_has_done_nothing_is_sent_again_whatever_it_is(name, refusal):
    if name == "ready" and not isinstance(refusal, Exception):
        return
    with calling(refusal, retries=2) as (client, wire), pytest.raises(tasker.TaskerError):
        sent(METHODS[name](client))
    assert len(wire.requests) == 3


def test_where_there_is_no_connection_the_server_is_named():
    with calling(UNSENT, retries=1) as (client, _), pytest.raises(tasker.ServerUnreachable) as error:
        client.get(ID)
    assert str(error.value).startswith(f"GET /tasks/{ID}: there is no connection to http://server after 2 tries: ")


@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        (problem(503, "store_unavailable"), tasker.StoreUnavailable),
        (problem(507, "store_full"), tasker.StoreFull),
        (httpx2.Response(502, text="<html>"), tasker.UnexpectedAnswer),
        (httpx2.Response(503, text="<html>"), tasker.UnexpectedAnswer),
        (httpx2.Response(504, text="<html>"), tasker.UnexpectedAnswer),
        (httpx2.ReadTimeout("slow"), tasker.NoAnswer),
        (httpx2.RemoteProtocolError("no HTTP"), tasker.NoAnswer),
        (httpx2.WriteError("broken"), tasker.NoAnswer),
        (garbled, tasker.NoAnswer),
    ],
)
def test_what_may_have_happened_is_sent_again_only_if_that_is_safe(refusal, error):
    with calling(refusal, retries=3) as (client, wire):
        with pytest.raises(error):
            client.get(ID)
        assert len(wire.requests) == 4
        with pytest.raises(error):
            client.run(ID)
        assert len(wire.requests) == 5


@pytest.mark.parametrize(
    "refusal", [problem(404, "task_not_found"), problem(409, "task_ended"), problem(500, "internal_error")]
)
def test_a_refusal_is_not_asked_for_twice(refusal):
    with calling(refusal) as (client, wire), pytest.raises(tasker.ApiError):
        client.cancel(ID)
    assert len(wire.requests) == 1
    assert wire.pauses == []


def test_a_request_with_a_key_or_at_a_revision_follows_its_docstring():
    with calling(LOST, retries=1) as (client, wire):
        for make, tries in (
            (lambda: client.duplicate(ID, delay=1, idempotency_key="a"), 2),
            (lambda: client.schedules.run("report", idempotency_key="a"), 2),
            (lambda: client.operations.start("run", all=True, idempotency_key="a"), 2),
            (lambda: client.operations.start("run", all=True, dry_run=True), 2),
            (lambda: client.update(ID, type="webhook", body="x", if_match='"1"'), 1),
            (lambda: client.schedules.put("report", HOOK, every=60, if_match='"1"'), 1),
            (lambda: client.schedules.delete("report", if_match='"1"'), 1),
        ):
            wire.requests.clear()
            with pytest.raises(tasker.NoAnswer):
                make()
            assert len(wire.requests) == tries


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda client: client.delete(ID), "task_not_found"),
        (lambda client: client.schedules.delete("report"), "schedule_not_found"),
        (lambda client: client.keys.revoke("0a1b2c3d"), "api_key_not_found"),
        (lambda client: client.inbox.retry(ID), "inbox_row_not_found"),
        (lambda client: client.inbox.delete(ID), "inbox_row_not_found"),
    ],
)
def test_what_an_earlier_try_has_done_away_with_is_gone(make, code):
    with calling(LOST, problem(404, code)) as (client, _):
        assert make(client) is None
    with calling(UNSENT, problem(404, code)) as (client, _), pytest.raises(tasker.ApiError):
        make(client)


def test_pauses_are_random_up_to_twice_the_one_before():
    with calling(UNSENT, retries=8) as (client, wire), pytest.raises(tasker.ServerUnreachable):
        client.get(ID)
    assert wire.pauses == [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]
    with calling(UNSENT, retries=2, rand=lambda: 0.0) as (client, wire), pytest.raises(tasker.ServerUnreachable):
        client.get(ID)
    assert wire.pauses == [0.0, 0.0]


def test_what_the_server_asks_for_comes_before_the_random_pause():
    busy = problem(503, "store_busy", {"retry-after": "3"})
    with calling(busy, busy, answer(TASK)) as (client, wire):
        assert client.get(ID).state == "todo"
    assert wire.pauses == [3.25, 3.5]


@pytest.mark.parametrize("asked", ["61", "3600"])
def test_a_server_that_asks_for_more_than_a_minute_is_not_waited_for(asked):
    refused = problem(429, "too_many_calls", {"retry-after": asked})
    with calling(refused) as (client, wire), pytest.raises(tasker.TooManyCalls) as error:
        client.get(ID)
    assert error.value.retry_after == float(asked)
    assert len(wire.requests) == 1


DATE = "Wed, 21 Oct 2026 07:28:00 GMT"


@pytest.mark.parametrize("asked", ["", "-1", "\u0661", "9" * 30, "soon", DATE, "Wed, 21 Oct 2026 07:27:59 GMT"])
def test_a_retry_after_that_names_no_seconds_and_no_later_date_asks_for_nothing(asked):
    refused = httpx2.Response(429, headers=[(b"retry-after", asked.encode()), (b"date", DATE.encode())])
    with calling(refused, answer(TASK)) as (client, wire):
        client.get(ID)
    assert wire.pauses == [0.25]


@pytest.mark.parametrize("asked", ["Wed, 21 Oct 2026 07:28:03 GMT", "Wednesday, 21-Oct-26 07:28:03 GMT"])
def test_a_retry_after_that_is_a_date_counts_from_the_date_of_the_answer(asked):
    refused = httpx2.Response(503, headers={"retry-after": asked, "date": DATE})
    with calling(refused, answer(TASK)) as (client, wire):
        client.get(ID)
    assert wire.pauses == [3.25]


@pytest.mark.parametrize("date", [{}, {"date": "today"}])
def test_a_retry_after_that_is_a_date_asks_for_nothing_where_the_answer_has_none(date):
    refused = httpx2.Response(503, headers={"retry-after": "Wed, 21 Oct 2099 07:28:03 GMT", **date})
    with calling(refused, answer(TASK)) as (client, wire):
        client.get(ID)
    assert wire.pauses == [0.25]


def test_a_proxy_whose_date_is_more_than_a_minute_away_is_not_waited_for():
    refused = problem(429, "too_many_calls", {"retry-after": "Wed, 21 Oct 2026 07:29:01 GMT", "date": DATE})
    with calling(refused) as (client, wire), pytest.raises(tasker.TooManyCalls) as error:
        client.get(ID)
    assert (error.value.retry_after, len(wire.requests)) == (61.0, 1)


def test_without_retries_everything_is_sent_once():
    with calling(UNSENT, retries=0) as (client, wire), pytest.raises(tasker.ServerUnreachable) as error:
        client.get(ID)
    assert len(wire.requests) == 1
    assert "there is no connection to http://server: refused" in str(error.value)


def test_a_lost_answer_is_not_forgotten_for_a_server_that_is_away_then():
    with calling(LOST, UNSENT, retries=1) as (client, _), pytest.raises(tasker.NoAnswer):
        client.get(ID)


def test_a_task_by_its_key_may_be_another_one_by_then():
    with calling(LOST, retries=3) as (client, wire):
        for name in ("update", "cancel", "delete"):
            with pytest.raises(tasker.NoAnswer):
                METHODS[f"by_key.{name}"](client)
    assert len(wire.requests) == 3
