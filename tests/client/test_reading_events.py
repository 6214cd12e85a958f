"""Events come as a stream that goes on where it was, whatever becomes of connections."""

import httpx2
import pytest
from wires import calling, problem

import tasker

NODE = "5c0f2c8e"


def frames(*texts):
    body = "".join(f"{text}\n\n" for text in texts)
    return lambda _: httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=body)


def ended(number, state="done"):
    return f'id: {NODE}/1/{number}\nevent: ended\ndata: {{"at":"t","node":"{NODE}","state":"{state}","colour":1}}'


OPENING = f"retry: 2000\nid: {NODE}/1/0"


def test_a_stream_that_ends_goes_on_behind_the_last_event():
    with calling(frames(OPENING, ended(1), ended(2)), frames(OPENING, ended(3))) as (client, wire):
        events = client.events(type="webhook", tag=["a", "b"])
        read = [next(events) for _ in range(3)]
    assert [event.event_id for event in read] == [f"{NODE}/1/{number}" for number in (1, 2, 3)]
    assert [request.headers.get("last-event-id") for request in wire.requests] == [None, f"{NODE}/1/2"]
    assert {str(request.url.query, "ascii") for request in wire.requests} == {"type=webhook&tag=a&tag=b"}
    assert wire.pauses == [2.0], "within two seconds, at any of them"


def test_a_keep_alive_says_how_far_nothing_happened():
    keep_alive = f": keep-alive\nid: {NODE}/1/9"
    with calling(frames(OPENING, ended(1), keep_alive), frames(ended(10))) as (client, wire):
        events = client.events()
        assert [next(events).event for _ in range(2)] == ["ended", "ended"]
    assert wire.requests[1].headers["last-event-id"] == f"{NODE}/1/9"


def test_a_reader_may_come_back_with_an_id_of_before():
    with calling(frames(ended(8))) as (client, wire):
        next(client.events(last_event_id=f"{NODE}/1/7", signals=True))
    assert wire.requests[0].headers["last-event-id"] == f"{NODE}/1/7"
    assert wire.requests[0].url.params["signals"] == "1"
    assert wire.requests[0].headers["accept"] == "text/event-stream"


def test_what_is_told_of_the_stream_is_told():
    gap = f'id: {NODE}/1/2\nevent: gap\ndata: {{"counts":{{"created":2100}}}}'
    signal = f'id: {NODE}/1/3\nevent: signal\ndata: {{"changed":["created","ended"]}}'
    reset = 'event: reset\ndata: {"reason":"there were more events"}'
    closing = 'event: closing\ndata: {"reason":"the server stops"}'
    with calling(frames(OPENING, gap, signal, reset, closing), frames(ended(4))) as (client, _):
        events = client.events()
        read = [next(events) for _ in range(4)]
    assert [event.event for event in read] == ["gap", "signal", "reset", "ended"], "closing is this client's business"
    assert read[0].counts == {"created": 2100}
    assert read[1].kinds == ["created", "ended"]
    assert read[2].reason == "there were more events"


def test_kinds_and_words_of_tomorrow_are_passed_on():
    with calling(frames(ended(1, state="resting"), 'event: moon\ndata: {"at":"t","node":"n"}')) as (client, _):
        events = client.events()
        assert next(events).state == "resting"
        assert next(events).event == "moon"


def test_a_server_that_is_away_is_tried_again_and_told_of_in_the_end():
    refused = httpx2.ConnectError("refused")
    with calling(frames(ended(1)), refused, refused, frames(ended(2)), refused, retries=2) as (client, wire):
        events = client.events()
        assert [next(events).event_id[-1] for _ in range(2)] == ["1", "2"]
        with pytest.raises(tasker.ServerUnreachable):
            next(events)
    assert len(wire.requests) == 7, "each stream that says something has all its tries anew"


def test_a_connection_that_breaks_is_made_again():
    def broken(_):
        def body():
            yield ended(1).encode() + b"\n\n"
            raise httpx2.ReadError("broken")

        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=body())

    with calling(broken, frames(ended(2)), retries=0) as (client, _):
        events = client.events()
        assert [next(events).event_id[-1] for _ in range(2)] == ["1", "2"]


def test_a_server_without_room_is_asked_again_and_a_refusal_is_raised():
    with calling(problem(503, "too_many_readers", {"retry-after": "5"}), frames(ended(1))) as (client, wire):
        assert next(client.events()).event == "ended"
        assert wire.pauses == [5.25]
    with calling(problem(400, "invalid_query")) as (client, wire), pytest.raises(tasker.InvalidQuery):
        next(client.events(state="asleep"))
    assert len(wire.requests) == 1


def test_what_is_no_stream_is_no_endless_loop():
    with calling(httpx2.Response(200, text="hello"), retries=2) as (client, wire), pytest.raises(tasker.CallFailed):
        next(client.events())
    assert len(wire.requests) == 3
    with calling(httpx2.Response(204)) as (client, _), pytest.raises(tasker.UnexpectedAnswer):
        next(client.events())


def test_a_long_silence_is_longer_than_the_pause_between_two_signs_of_life():
    with calling(frames(ended(1)), timeout=20) as (client, wire):
        next(client.events())
    assert wire.requests[0].extensions["timeout"]["read"] == 35


def test_a_stream_that_begins_without_an_id_forgets_nothing():
    partial = 'event: partial\ndata: {"reason":"only this node"}'
    with calling(frames(ended(7)), frames(partial), frames(ended(8))) as (client, wire):
        events = client.events()
        assert [next(events).event for _ in range(3)] == ["ended", "partial", "ended"]
    assert [request.headers.get("last-event-id") for request in wire.requests] == [None, f"{NODE}/1/7", f"{NODE}/1/7"]
