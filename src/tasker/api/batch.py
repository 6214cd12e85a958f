"""Many new tasks in one request: a JSON array, or a line each (NDJSON)."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
from msgspec import UNSET, Raw

from tasker.api.idempotency import MadeAnswer
from tasker.api.new_task import NewTaskDecoder
from tasker.building import Asked
from tasker.errors import InvalidTaskError
from tasker.model.new_task import Made
from tasker.wire.fields import RequestFields
from tasker.wire.task_views import created_in_batch_view

BYTES: Final = 16 * 1024 * 1024
"""How long a batch may be."""

TASKS: Final = 10_000
"""How many tasks it may have."""

_SPACE: Final = b" \t\r\n"
_BEGIN: Final = re.compile(rb"[ \t\r\n]*+\[")
_NEXT: Final = re.compile(rb"[ \t\r\n]*+([,\]]?)[ \t\r\n]*+")
_TRAILING: Final = re.compile(r"JSON is malformed: trailing characters \(byte (\d+)\)")
_TRUNCATED: Final = "Input data was truncated"
_decode_raw: Final = msgspec.json.Decoder(Raw).decode
_decode_raws: Final = msgspec.json.Decoder(list[Raw]).decode

_AT_ONCE: Final = 64 * 1024
"""Bytes of an array that are taken apart at a time."""
_BEFORE: Final = 2
_BEHIND: Final = 8
"""Bytes before and behind a comma by which others are found."""


class Batch:
    """The tasks of one request. They are decoded one by one, so that whoever takes them can pause."""

    def __init__(
        self, decoder: NewTaskDecoder, body: bytes, *, task_limit: int, traceparent: str | None = None
    ) -> None:
        """Make it.

        Args:
            task_limit: bytes that one task may have.
            traceparent: of the tasks that name none themselves; None: they are in no trace.
        """
        self._traceparent = traceparent
        self._decoder = decoder
        self._body = body
        self._task_limit = task_limit
        self._told: list[tuple[RequestFields, bool] | None] = []
        """Of each task of which more than its id is said: what its request says, and whether it is named by that."""
        self._joint: bytes | None = None
        """What stands around the commas of an array; empty: that is not known; None: not yet."""

    def asked(self) -> Iterator[Asked | InvalidTaskError]:
        """Return each task that is asked for, or why it is none. May be called again.

        Raises:
            InvalidTaskError: while it is read: the body as a whole cannot be used.
        """
        told = self._told
        told.clear()
        for item in self._items():
            if len(told) == TASKS:
                raise InvalidTaskError("", f"expected at most {TASKS} tasks, got more")
            try:
                asked = self._decoded(item)
            except InvalidTaskError as error:
                told.append(None)
                yield error
            else:
                request = asked.request
                is_said = asked.is_named or request.local_time is not UNSET
                told.append((request, asked.is_named) if is_said else None)
                yield asked
        if not told:
            raise InvalidTaskError("", "expected an array of tasks, or a task in each line, got none")

    def answer(self, made: Sequence[Made]) -> MadeAnswer:
        """Return the answer that says what became of the tasks."""
        views = [f'{{"id":"{each.id}"}}' for each in made]
        for place, told in enumerate(self._told):
            if told is not None:
                request, is_named = told
                view = created_in_batch_view(made[place], request, is_named=is_named)
                views[place] = msgspec.json.encode(view).decode()
        return MadeAnswer(201, f'{{"tasks":[{",".join(views)}]}}\n'.encode())

    def _decoded(self, item: bytes | InvalidTaskError) -> Asked:
        if isinstance(item, InvalidTaskError):
            raise item
        if len(item) > self._task_limit:
            raise self._too_long()
        return self._decoder.decode(item).traced(self._traceparent)

    def _too_long(self) -> InvalidTaskError:
        return InvalidTaskError("", f"expected a task of at most {self._task_limit} bytes (--max-body-bytes), got more")

    def _items(self) -> Iterator[bytes | InvalidTaskError]:
        begin = _BEGIN.match(self._body)
        return self._lines() if begin is None else self._elements(begin.end())

    def _lines(self) -> Iterator[bytes]:
        start = 0
        while start < len(self._body):
            stop = self._body.find(b"\n", start)
            stop = len(self._body) if stop < 0 else stop
            if line := self._body[start:stop].strip(_SPACE):
                yield line
            start = stop + 1

    def _elements(self, start: int) -> Iterator[bytes | InvalidTaskError]:
        """Return the elements of an array whose first begins at *start*.

        A decoder says where a value ends if something follows it.
        """
        view = memoryview(self._body)
        mark = _next(self._body, start)
        if mark[1] == b"]":
            self._check_end(mark.end())
            return
        self._joint = None
        while True:
            # A little more than a task may have: where one ends that is too long is not looked for.
            part = view[start : start + self._task_limit + 1024]
            try:
                stop = start + _length(part)
            except msgspec.DecodeError as error:
                if str(error) == _TRUNCATED and start + len(part) < len(self._body):
                    yield self._too_long()
                else:
                    problem = str(error).removeprefix("JSON is malformed: ")
                    yield InvalidTaskError("", f"expected a task in JSON, and an array that ends: {problem}")
                return
            yield self._body[start:stop].strip(_SPACE)
            mark = _next(self._body, stop)
            start = mark.end()
            if mark[1] == b"]":
                self._check_end(start)
                return
            if not mark[1]:
                raise InvalidTaskError("", f"expected JSON: a comma or the end of the array (byte {start})")
            if self._joint is None:
                self._joint = self._body[stop - _BEFORE : start + _BEHIND]
            while several := self._several(start):
                items, start = several
                yield from map(bytes, items)

    def _several(self, start: int) -> tuple[Sequence[Raw], int] | None:
        """Return elements of an array from *start* on, and where the next one begins; None: they are not easily found.

        Elsewhere the decoder is asked where each ends, which takes most of the time. Here that is
        guessed of a later one: it ends where what stands around the first comma comes again. The
        guess is right if what is before it decodes as elements: JSON reads the same whatever follows.
        """
        if not self._joint or (place := self._body.rfind(self._joint, start, start + _AT_ONCE)) < 0:
            return None
        stop = place + _BEFORE
        try:
            return _decode_raws(b"[%b]" % self._body[start:stop]), _next(self._body, stop).end()
        except (msgspec.DecodeError, RecursionError):
            self._joint = b""  # it would be wrong again and again
            return None

    def _check_end(self, place: int) -> None:
        if place < len(self._body):
            raise InvalidTaskError("", f"expected JSON: nothing behind the array (byte {place})")


def _length(part: memoryview) -> int:
    """Return how long the JSON value is with which *part* begins, if something follows it.

    Raises:
        msgspec.DecodeError: it does not begin with one, or does not go on after it.
    """
    try:
        _decode_raw(part)
    except msgspec.DecodeError as error:
        trailing = _TRAILING.fullmatch(str(error))
        if trailing is None:
            raise
        return int(trailing[1]) - 1  # counted from 1
    raise msgspec.DecodeError(_TRUNCATED)


def _next(body: bytes, start: int) -> re.Match[bytes]:
    match = _NEXT.match(body, start)
    assert match is not None  # noqa: S101 - it fits everywhere
    return match
