"""The deadlines of a connection and what it may hold, on a clock of its own and without a network."""

import asyncio
import json
import resource
from datetime import timedelta
from types import SimpleNamespace

import pytest
from structlog.testing import capture_logs

from tasker.api.receiving import LEFT, PUSH, connection, receiving_protocol, waiters_that_fit
from tasker.timing.clock import ManualClock

pytestmark = pytest.mark.anyio

GET = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"
UPLOAD = b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10000000\r\n\r\n"
PIECE = b"x" * 70_000
"""More than is kept for the application: reading is paused until it has taken it."""


class Wire:
    """The system's side of a connection. It takes what is written, unless it is told to keep it."""

    def __init__(self, descriptor=3):
        self.descriptor = descriptor
        self.written, self.unsent = b"", 0
        self.is_paused = self.has_eof = self.is_closed = self.was_aborted = False

    def get_extra_info(self, _):
        return SimpleNamespace(fileno=lambda: self.descriptor)

    def write(self, data):
        self.written += data

    def get_write_buffer_size(self):
        return self.unsent

    def pause_reading(self):
        self.is_paused = True

    def resume_reading(self):
        self.is_paused = False

    def write_eof(self):
        self.has_eof = True

    def is_closing(self):
        return self.is_closed

    def close(self):
        self.is_closed = True

    def abort(self):
        self.is_closed = self.was_aborted = True

    @property
    def status(self):
        return int(self.written.split()[1]) if self.written else None


class Listening:
    """What hands out connections."""

    def __init__(self, app, **options):
        self.clock = ManualClock()
        self.state = SimpleNamespace(connections=set(), tasks=set(), default_headers=[])
        self._config = SimpleNamespace(loaded_app=app)
        timeouts = [timedelta(seconds=seconds) for seconds in (10, 5, 60)]
        self._protocol = receiving_protocol(*timeouts, clock=self.clock, **options)

    def connect(self, descriptor=3):
        wire = Wire(descriptor)
        made = self._protocol(self._config, self.state, {}, asyncio.get_running_loop())
        made.connection_made(wire)
        return made, wire

    async def feed(self, made, data):
        made.data_received(data)
        await self.clock.advance(0)


async def reads_all(_, receive, send):
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        if not message["more_body"]:
            break
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body"})


@pytest.fixture
def listening():
    return Listening(reads_all)


async def test_a_limit_for_bodies_is_not_stretched_by_sending_much_of_them_now_and_then(listening):
    made, wire = listening.connect()
    await listening.feed(made, UPLOAD + PIECE)
    await listening.clock.advance(4)
    await listening.feed(made, PIECE)
    await listening.clock.advance(0.999999)
    assert (wire.status, wire.is_paused) == (None, False)

    await listening.clock.advance(0.000001)
    assert wire.status == 408


async def test_time_in_which_the_server_does_not_read_does_not_count():
    takes = asyncio.Event()

    async def app(scope, receive, send):
        await takes.wait()
        await reads_all(scope, receive, send)

    listening = Listening(app)
    made, wire = listening.connect()
    await listening.feed(made, UPLOAD + PIECE)
    assert wire.is_paused
    await listening.clock.advance(100)
    assert wire.status is None
    takes.set()
    await listening.clock.advance(4.999999)
    assert (wire.status, wire.is_paused) == (None, False)

    await listening.clock.advance(0.000001)
    assert wire.status == 408


@pytest.mark.parametrize(
    ("begun", "limit"), [(b"GET / HT", 10), (GET + b"GET / HT", 10), (UPLOAD, 5), (UPLOAD + PIECE, 5), (b"nonsense", 0)]
)
async def test_a_client_that_was_refused_is_gone_a_few_seconds_later_whatever_it_does(listening, begun, limit):
    made, wire = listening.connect()
    await listening.feed(made, begun)
    await listening.clock.advance(limit)
    assert (wire.has_eof, wire.was_aborted) == (True, False)
    for _ in range(4):
        await listening.clock.advance(1)
        await listening.feed(made, b"x")
    assert not wire.was_aborted

    await listening.clock.advance(1)
    assert wire.was_aborted


async def test_a_client_that_reads_nothing_of_its_answer_is_gone_after_a_while():
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200})
        for _ in range(3):
            await send({"type": "http.response.body", "body": b"x", "more_body": True})

    listening = Listening(app)
    made, wire = listening.connect()
    wire.unsent = 100_000
    made.pause_writing()
    await listening.feed(made, GET)
    await listening.clock.advance(299)
    wire.unsent -= 1
    await listening.clock.advance(299)
    assert not wire.is_closed

    await listening.clock.advance(300)
    assert wire.was_aborted


async def test_an_idle_connection_is_kept_until_its_time_is_up_and_not_a_microsecond_less(listening):
    made, wire = listening.connect()
    for _ in range(3):
        await listening.feed(made, GET)
        await listening.clock.advance(59.999999)
    assert (wire.written.count(b"HTTP/1.1 200"), wire.is_closed) == (3, False)

    await listening.clock.advance(0.000001)
    assert (wire.is_closed, wire.was_aborted) == (True, False)


async def test_an_idle_connection_that_does_not_take_its_last_answer_is_gone_after_a_while(listening):
    made, wire = listening.connect()
    wire.unsent = 10_000
    await listening.feed(made, GET)
    await listening.clock.advance(60)
    assert (wire.is_closed, wire.was_aborted) == (True, False)

    await listening.clock.advance(400)
    assert wire.was_aborted


async def test_a_request_in_one_piece_sets_no_timer(listening, monkeypatch):
    timers = []
    original = listening.clock.call_later
    monkeypatch.setattr(listening.clock, "call_later", lambda *given: (timers.append(given), original(*given))[1])
    made, wire = listening.connect()
    for _ in range(10):
        await listening.feed(made, GET)

    assert wire.written.count(b"HTTP/1.1 200") == 10
    assert len(timers) == 1, "that of the connection"


# What unfinished requests hold together


async def test_beyond_what_unfinished_requests_may_hold_together_one_is_refused_and_told_when_to_try_again(monkeypatch):
    monkeypatch.setattr(connection, "MAX_UNFINISHED_BYTES", 500_000)
    listening = Listening(reads_all)
    for _ in range(7):
        made, wire = listening.connect()
        await listening.feed(made, UPLOAD + PIECE)
        assert (wire.status, made in listening.state.connections) == (None, True)
    refused, wire = listening.connect()
    await listening.feed(refused, UPLOAD + PIECE)

    assert (wire.status, wire.has_eof) == (503, True)
    assert b"\r\nretry-after: 5\r\n" in wire.written
    assert json.loads(wire.written.partition(b"\r\n\r\n")[2])["code"] == "server_busy"
    whole, wire = listening.connect()
    await listening.feed(whole, b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 70000\r\n\r\n" + PIECE)
    assert wire.status == 200, "a request in one piece needs no room"


def answer_the_rest(listening, made):
    made.data_received(b"x" * (10_000_000 - len(PIECE)))


def hang_up(listening, made):
    made.connection_lost(None)


def send_nonsense(listening, made):
    made.data_received(b"x" * (10_000_000 - len(PIECE)) + b"nonsense")


@pytest.mark.parametrize(
    "happens", [answer_the_rest, hang_up, send_nonsense, None], ids=lambda how: how and how.__name__
)
async def test_room_is_given_back_however_a_request_ends(monkeypatch, happens):
    monkeypatch.setattr(connection, "MAX_UNFINISHED_BYTES", 20_000_000)
    listening = Listening(reads_all)
    room = listening._protocol.room
    for _ in range(5):
        made, _ = listening.connect()
        await listening.feed(made, UPLOAD)
        await listening.feed(made, PIECE)
        assert room.bytes_left == 20_000_000 - len(UPLOAD) - len(PIECE)
        if happens is None:
            await listening.clock.advance(5)
        else:
            happens(listening, made)
            await listening.clock.advance(0)
            await listening.clock.advance(0)
        assert room.bytes_left == 20_000_000


@pytest.mark.parametrize(
    ("beginning", "holds"),
    [(b"GET / HTTP/1.1\r\nx: " + b"x" * 60_000, 60_019), (GET * 101, 101 * len(GET) + 100 * 2_048)],
    ids=["heads", "pipelined"],
)
async def test_heads_and_requests_that_wait_for_their_turn_take_room_too(monkeypatch, beginning, holds):
    monkeypatch.setattr(connection, "MAX_UNFINISHED_BYTES", 500_000)

    async def app(scope, receive, send):
        await asyncio.Event().wait()

    listening = Listening(app)
    refused = []
    for _ in range(20):
        made, _ = listening.connect()
        await listening.feed(made, beginning)
        refused.append(made._refusal is not None)

    assert refused == [n * holds > 500_000 for n in range(1, 21)]


async def test_of_requests_that_find_no_room_to_wait_in_the_next_is_refused_and_the_others_are_forgotten(monkeypatch):
    monkeypatch.setattr(connection, "MAX_UNFINISHED_BYTES", 100_000)
    listening = Listening(reads_all)
    made, wire = listening.connect()
    await listening.feed(made, GET * 101)

    assert [line[9:12] for line in wire.written.splitlines() if line.startswith(b"HTTP/1.1")] == [b"200", b"503"]
    assert wire.is_closed or wire.has_eof


# Answers that wait


@pytest.fixture
def left():
    """What an answer that waits is told: it takes ``answer``, and notes when its client has left."""
    return SimpleNamespace(times=[], answer=asyncio.Event())


@pytest.fixture
def waiting(left):
    async def app(scope, receive, send):
        scope["extensions"][LEFT]["call"](lambda: left.times.append(listening.clock.monotonic()))
        await left.answer.wait()
        await reads_all(scope, receive, send)

    listening = Listening(app)
    return listening


async def test_no_deadline_cuts_off_a_caller_whose_answer_waits(waiting, left):
    made, wire = waiting.connect()
    await waiting.feed(made, GET)
    await waiting.clock.advance(100_000)
    left.answer.set()
    await waiting.clock.advance(0)
    assert (wire.status, wire.is_closed, left.times) == (200, False, [])


async def test_a_part_is_pushed_once_the_answer_has_begun_while_the_client_takes_it():
    pushed, goes_on = [], asyncio.Event()

    async def app(scope, receive, send):
        push = scope["extensions"][PUSH]["call"]
        pushed.append(push(b"too early"))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"a", "more_body": True})
        pushed.append(push(b"bc"))
        made.pause_writing()
        pushed.append(push(b"the client takes nothing"))
        made.resume_writing()
        await goes_on.wait()
        await send({"type": "http.response.body", "body": b"d"})
        pushed.append(push(b"too late"))

    listening = Listening(app)
    made, wire = listening.connect()
    await listening.feed(made, GET)
    assert wire.written.endswith(b"1\r\na\r\n2\r\nbc\r\n")
    goes_on.set()
    await listening.clock.advance(0)
    assert wire.written.endswith(b"1\r\na\r\n2\r\nbc\r\n1\r\nd\r\n0\r\n\r\n")
    assert pushed == [False, True, False, False]


@pytest.mark.parametrize("how", ["eof", "lost"])
async def test_an_answer_that_waits_is_told_once_that_its_client_has_left(waiting, left, how):
    made, wire = waiting.connect()
    await waiting.feed(made, GET)
    await waiting.clock.advance(3)
    if how == "eof":
        assert made.eof_received(), "it may still read"
        assert left.times == [3]
        await waiting.clock.advance(1)
    wire.is_closed = True
    made.connection_lost(None)
    assert left.times == [3]


@pytest.mark.parametrize("when", ["before the request is looked at", "while the answer waits"])
async def test_whose_client_has_left_may_leave_too_and_that_is_no_defect(left, when):
    async def app(scope, _receive, _send):
        scope["extensions"][LEFT]["call"](lambda: left.times.append(listening.clock.monotonic()))
        await left.answer.wait()

    listening = Listening(app)
    made, wire = listening.connect()
    made.data_received(GET)
    if when == "while the answer waits":
        await listening.clock.advance(3)
    with capture_logs() as logs:
        assert made.eof_received(), "it may still read"
        left.answer.set()
        await listening.clock.advance(0)
    assert len(left.times) == 1
    assert (wire.written, logs) == (b"", [])
    assert wire.is_closed or wire.has_eof


async def test_an_answer_that_is_left_without_an_end_is_a_defect(left):
    async def app(scope, _receive, _send):
        scope["extensions"][LEFT]["call"](lambda: left.times.append(0))

    listening = Listening(app)
    made, wire = listening.connect()
    with capture_logs() as logs:
        await listening.feed(made, GET)
    assert (wire.status, left.times) == (500, [])
    assert [each["event"] for each in logs] == ["an answer was left without an end"]


async def test_an_answer_that_begins_when_its_client_has_left_is_told_at_once(waiting, left):
    made, wire = waiting.connect()
    made.data_received(GET)
    assert made.eof_received()
    await waiting.clock.advance(0)
    assert left.times == [0]
    left.answer.set()
    await waiting.clock.advance(0)
    assert wire.status == 200


# More callers than descriptors


@pytest.fixture
def limit(monkeypatch):
    monkeypatch.setattr("resource.getrlimit", lambda _: (1_000, 1_000))
    return 1_000


@pytest.mark.parametrize(("kept", "of_callers"), [(64, 936), (264, 736), (10_064, 500)])
async def test_callers_do_not_get_the_descriptors_that_are_kept_for_the_database_and_the_webhooks(
    limit, kept, of_callers
):
    listening = Listening(reads_all, kept_descriptors=kept)
    made, wire = listening.connect(of_callers - 1)
    await listening.feed(made, GET)
    assert wire.status == 200

    made, wire = listening.connect(of_callers)

    assert (wire.status, wire.is_closed, made in listening.state.connections) == (503, True, False)
    assert b"\r\nretry-after: 5\r\n" in wire.written
    made.connection_lost(None)


async def test_that_callers_were_turned_away_is_logged_now_and_then_with_their_number(limit, logged):
    listening = Listening(reads_all)
    for _ in range(50):
        listening.connect(limit - 1)
    assert [line["count"] for line in logged] == [1]
    await listening.clock.advance(9.999999)
    listening.connect(limit - 1)
    assert len(logged) == 1

    await listening.clock.advance(0.000001)
    assert [line["count"] for line in logged] == [1, 50]
    await listening.clock.advance(100)
    listening.connect(limit - 1)
    assert [line["count"] for line in logged] == [1, 50, 1]


async def test_without_a_limit_of_descriptors_nobody_is_turned_away(monkeypatch):
    monkeypatch.setattr("resource.getrlimit", lambda _: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    _, wire = Listening(reads_all).connect(10**6)
    assert not wire.is_closed


@pytest.mark.parametrize(
    ("limit", "kept", "waiters"),
    [(20_000, 264, 10_000), (1_024, 264, 512), (300, 264, 112), (resource.RLIM_INFINITY, 264, None)],
)
def test_half_of_the_descriptors_may_be_those_of_callers_who_wait_and_a_quarter_is_left_to_others(
    monkeypatch, limit, kept, waiters
):
    monkeypatch.setattr("resource.getrlimit", lambda _: (limit, limit))
    assert waiters_that_fit(kept) == waiters or (waiters is None and waiters_that_fit(kept) > 10**9)
