"""A call, without sending it: what is sent, when it is sent again, and what its answer means.

The rule for sending again: what is known to have done nothing is sent again in any case. What may
have had its effect is sent again only if that is safe: if twice is as good as once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from typing import Any, Final, Generic, NamedTuple, TypeVar
from urllib.parse import parse_qs, quote, urlencode

import msgspec

from tasker.client.decoding import decoder
from tasker.client.errors import BY_CODE, ApiError, CallFailed, NoAnswer, ServerUnreachable, UnexpectedAnswer
from tasker.wire.http_dates import moment_of
from tasker.wire.server import Problem

T = TypeVar("T")
S = TypeVar("S")

JSON: Final = "application/json"
PROBLEM: Final = "application/problem+json"

FIRST_PAUSE: Final = 0.25
"""Seconds: before the second try, at most."""

LONGEST_PAUSE: Final = 10.0
"""Seconds: before any try, at most, unless the server asks for more."""

LONGEST_ASKED: Final = 60.0
"""Seconds that the server may ask for. If it asks for more, the call fails at once."""

_NOTHING_DONE: Final = frozenset(
    {
        *("too_many_calls", "idempotency_in_flight", "too_many_batches", "too_many_readers"),
        *("store_busy", "upgrade_unfinished", "time_zone_unknown", "server_busy"),
    }
)
"""Problems that say: this did nothing, try again later."""

_UNKNOWN: Final = frozenset({"store_unavailable", "store_full"})
"""Problems that say: this may or may not have happened, try again later."""

_BUSY: Final = (HTTPStatus.TOO_MANY_REQUESTS,)
"""By which anybody between says the former."""

_BROKEN: Final = (HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT)
"""By which anybody between says the latter."""

_SHOWN: Final = 200
"""Characters that a message shows of the reason why there is no answer."""

_encode: Final = msgspec.json.Encoder().encode
_decode_any: Final = msgspec.json.Decoder(Any).decode
_read_problem: Final = msgspec.json.Decoder(Problem).decode


class Page(NamedTuple, Generic[T]):
    """Some of what there is."""

    items: Sequence[T]
    cursor: str | None
    """Where the next page begins; None: there is none."""


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: Mapping[str, str]
    """By names, whose case does not count."""
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(Generic[T]):
    """A call that is to be made."""

    method: str
    path: str
    """Below the URL of the server, percent-encoded, with its query."""
    read: Callable[[Answer], T]
    """Makes of an answer what the caller gets."""
    content: bytes | None = None
    """JSON, the same at each try."""
    headers: Mapping[str, str] | None = None
    is_repeatable: bool
    """Whether it may be sent again if it may have had its effect."""
    repeated: Mapping[str, Callable[[], T]] | None = None
    """By code: what a refusal means if an earlier try may have had its effect, such as that it is deleted."""
    accepted: frozenset[int] = frozenset()
    """Statuses of answers that are none of a success, and are read all the same."""
    waits: float = 0.0
    """Seconds for which the server may keep the answer back, beside what it needs."""
    token: str | None = None
    """In place of the key: the token of an attempt."""


class Failure(Enum):
    """How a try has failed that has no answer."""

    UNSENT = "unsent"
    """There was no connection."""
    UNANSWERED = "unanswered"
    """It was sent, at least in part."""


class Tries(Generic[T]):
    """One call, from its first try to its answer.

    Args:
        request: the call.
        server: its URL, which errors show.
        retries: how often it may be sent again.
        rand: returns a random number from 0 to 1.
    """

    def __init__(self, request: Request[T], *, server: str, retries: int, rand: Callable[[], float]) -> None:
        self._request = request
        self._server = server
        self._retries = retries
        self._rand = rand
        self._made = 0
        self._may_have_happened = False

    def failed(self, how: Failure, reason: str) -> float:
        """Return after how many seconds to try again, after a try without an answer.

        Raises:
            CallFailed: there is no other try.
        """
        if how is Failure.UNANSWERED:
            self._may_have_happened = True
        if self._may_try_again(is_safe=how is Failure.UNSENT):
            return self._pause(None)
        raise self._failure(how, reason)

    def answered(self, answer: Answer) -> float | None:
        """Return after how many seconds to try again; None: this answer counts."""
        if answer.status < HTTPStatus.BAD_REQUEST or self._is_accepted(answer):
            return None
        problem = _problem_in(answer)
        code = "" if problem is None else problem.code
        is_unknown = code in _UNKNOWN or (problem is None and answer.status in _BROKEN)
        if not is_unknown and code not in _NOTHING_DONE and not (problem is None and answer.status in _BUSY):
            return None
        asked = retry_after(answer)
        if is_unknown:
            self._may_have_happened = True
        if (asked is not None and asked > LONGEST_ASKED) or not self._may_try_again(is_safe=not is_unknown):
            return None
        return self._pause(asked)

    def result(self, answer: Answer) -> T:
        """Return what the call has come to.

        Raises:
            ApiError: it was refused.
            UnexpectedAnswer: the answer is none of a tasker server.
        """
        if self._may_have_happened and answer.status >= HTTPStatus.BAD_REQUEST:
            problem, repeated = _problem_in(answer), self._request.repeated
            if problem is not None and repeated and problem.code in repeated:
                return repeated[problem.code]()
        if not self._is_accepted(answer):
            check(answer)
        return self._request.read(answer)

    def _is_accepted(self, answer: Answer) -> bool:
        return answer.status in self._request.accepted and _problem_in(answer) is None

    def _may_try_again(self, *, is_safe: bool) -> bool:
        return self._made < self._retries and (is_safe or self._request.is_repeatable)

    def _pause(self, asked: float | None) -> float:
        """Full jitter: any time up to one that doubles. What the server asks for comes on top of that."""
        longest = min(FIRST_PAUSE * 2.0**self._made, LONGEST_PAUSE)
        self._made += 1
        return (asked or 0.0) + self._rand() * longest

    def _failure(self, how: Failure, reason: str) -> CallFailed:
        tries = f" after {self._made + 1} tries" if self._made else ""
        call = f"{self._request.method} {self._request.path.partition('?')[0]}"
        if how is Failure.UNSENT and not self._may_have_happened:
            return ServerUnreachable(f"{call}: there is no connection to {self._server}{tries}: {reason[:_SHOWN]}")
        unsafe = "" if self._request.is_repeatable else ", and is not sent again for that reason"
        return NoAnswer(
            f"{call}: there is no answer{tries}: {reason[:_SHOWN]}; it may or may not have had its effect{unsafe}"
        )


def check(answer: Answer) -> None:
    """Return if *answer* is no refusal.

    Raises:
        ApiError: it is one.
        UnexpectedAnswer: it is none of a tasker server.
    """
    if answer.status < HTTPStatus.MULTIPLE_CHOICES:
        return
    problem = _problem_in(answer)
    if problem is not None:
        raise error_of(problem, retry_after(answer))
    if answer.status < HTTPStatus.BAD_REQUEST:
        where = answer.headers.get("location", "").partition("?")[0]
        raise UnexpectedAnswer(answer.status, f"the server is elsewhere, at {where[:_SHOWN] or 'no place it names'}")
    raise UnexpectedAnswer(answer.status, "it has no problem in JSON, as every refusal of tasker has")


def error_of(problem: Problem, after: float | None = None) -> ApiError:
    """Return the exception for *problem*."""
    return BY_CODE.get(problem.code, ApiError)(problem, retry_after=after)


def retry_after(answer: Answer) -> float | None:
    """Return how many seconds the server asks to wait for; None: it does not.

    tasker names seconds. Proxies may name a date: it counts from the ``Date`` of the same answer, whatever the clock
    of this machine says. Without that, and once it has passed, it asks for nothing.
    """
    text = answer.headers.get("retry-after", "")
    if text.isascii() and text.isdigit():
        return float(text) if len(text) < 8 else None
    until, since = moment_of(text), moment_of(answer.headers.get("date", ""))
    wait = 0.0 if until is None or since is None else (until - since).total_seconds()
    return wait if wait > 0 else None


def as_is(answer: Answer) -> Any:
    """Return the JSON of an answer; None if it has no body.

    Raises:
        UnexpectedAnswer: it is no JSON.
    """
    return reading(answer, _decode_any) if answer.content else None


def nothing(_: Answer) -> None:
    """Return nothing: that there is an answer says it all."""


def shape(kind: type[T]) -> Callable[[Answer], T]:
    """Return what reads an answer as *kind*. Members that this version does not know are passed over."""
    decode = decoder(kind)

    def read(answer: Answer) -> T:
        return reading(answer, decode)

    return read


def reading(answer: Answer, decode: Callable[[bytes], T]) -> T:
    """Return what *decode* makes of an answer.

    Raises:
        UnexpectedAnswer: it is none that this version can read.
    """
    try:
        return decode(answer.content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UnexpectedAnswer(answer.status, f"its body cannot be read here: {error}") from None


def encode(body: Any) -> bytes:
    """Return *body* in JSON.

    Raises:
        TypeError: a value in it has no JSON.
    """
    return _encode(body)


def path(*parts: str, query: Sequence[tuple[str, str]] = ()) -> str:
    """Return the path of *parts*, which may have any characters, and its query.

    >>> path("tasks", "key", "shop/17", query=[("wait", "3")])
    '/tasks/key/shop%2F17?wait=3'
    """
    text = "".join(f"/{quote(part, safe='')}" for part in parts)
    return f"{text}?{urlencode(query)}" if query else text


def cursor_in(next_path: str | None) -> str | None:
    """Return the cursor of the page at *next_path*; None: there is none.

    The path as a whole is not used: a proxy may have put something in front of it.

    >>> cursor_in("/tasks?tag=a&cursor=abc")
    'abc'
    """
    if next_path is None:
        return None
    return parse_qs(next_path.partition("?")[2]).get("cursor", [None])[-1]


def without_none(members: Mapping[str, Any]) -> dict[str, Any]:
    """Return *members* without those that are None: not given."""
    return {name: value for name, value in members.items() if value is not None}


def _problem_in(answer: Answer) -> Problem | None:
    """Return the problem that an answer tells of; None: it tells of none, as of a proxy in between."""
    if answer.headers.get("content-type", "").partition(";")[0].strip() != PROBLEM:
        return None
    try:
        return _read_problem(answer.content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
