"""Many new tasks in one request: a JSON array, or a line each (NDJSON)."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
from msgspec import Raw

from tasker.api.idempotency import MadeAnswer
from tasker.api.new_task import NewTaskDecoder
from tasker.building import Asked
from tasker.errors import InvalidTaskError
from tasker.model.new_task import Made

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


class Batch:
    """The tasks of one request. They are decoded one by one, so that whoever takes them can pause."""

    def __init__(self, decoder: NewTaskDecoder, body: bytes, *, task_limit: int) -> None:
        """Make it.

        Args:
            task_limit: bytes that one task may have.
        """
        self._decoder = decoder
        self._body = body
        self._task_limit = task_limit
        self._named: list[bool] = []

    def asked(self) -> Iterator[Asked | InvalidTaskError]:
        """Return each task that is asked for, or why it is none. May be called again.

        Raises:
            InvalidTaskError: while it is read: the body as a whole cannot be used.
        """
        self._named.clear()
        for item in self._items():
            if len(self._named) == TASKS:
                raise InvalidTaskError("", f"expected at most {TASKS} tasks, got more")
            asked = item if isinstance(item, InvalidTaskError) else self._decoded(item)
            self._named.append(isinstance(asked, Asked) and asked.is_named)
            yield asked
        if not self._named:
            raise InvalidTaskError("", "expected an array of tasks, or a task in each line, got none")

    def answer(self, made: Sequence[Made]) -> MadeAnswer:
        """Return the answer that says what became of the tasks."""
        views = b",".join(
            b'{"id":"%b","outcome":"%b"}' % (each.id.encode(), each.outcome.value.encode())
            if is_named
            else b'{"id":"%b"}' % each.id.encode()
            for each, is_named in zip(made, self._named, strict=True)
        )
        return MadeAnswer(201, b'{"tasks":[%b]}\n' % views)

    def _decoded(self, item: bytes) -> Asked | InvalidTaskError:
        if len(item) > self._task_limit:
            return self._too_long()
        try:
            return self._decoder.decode(item)
        except InvalidTaskError as error:
            return error

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
