"""Reads the head of an answer that is spelled oddly, as far as RFC 9112 lets a client read it.

The parser of the connection takes what is spelled well, and refuses the rest. A refusal would lose
the status, and a webhook that was carried out would be sent again: so what it refuses is read here.
Whoever does so closes the connection after the answer, since two readers of such a head may not
agree where the answer ends.
"""

import re
from collections.abc import Iterator, Sequence
from enum import Enum, auto
from typing import Final, NamedTuple

_STATUS_LINE: Final = re.compile(rb"\s*HTTP/1\.[0-9][ \t]+([1-9][0-9]{2})(?:[ \t][^\n]*)?\r?\n")
"""Empty lines may come before it, blanks may be several, a newline may stand alone. Source: RFC
9112, sections 2.2 and 4."""
_BEGINNING: Final = b"HTTP/1."
_END: Final = re.compile(rb"\n\r?\n")
_NAME: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_LENGTH: Final = re.compile(rb"[0-9]+")
_BREAKS: Final = bytes.maketrans(b"\r\0", b"  ")
"""What may not stand in a value is read as a blank. Source: RFC 9112, section 2.2, and RFC 9110,
section 5.5."""
_DIGITS: Final = 19
_LONGEST: Final = 10**_DIGITS
"""More than anybody sends, and what the parser can count to."""


class NoAnswerError(Exception):
    """This is not how an answer in HTTP/1 begins."""


class Framing(Enum):
    """Where a body ends, if no length says so."""

    CHUNKED = auto()
    UNTIL_CLOSED = auto()
    UNKNOWN = auto()
    """The head says something that cannot be read, or two things at once."""


class OddHead(NamedTuple):
    """The head of an answer."""

    status: int
    fields: Sequence[tuple[bytes, bytes]]
    """Names and values, without blanks around them; a value of several lines is one. What is no
    field is left out."""
    framing: Framing | int
    """Where the body ends, or how many bytes it has."""
    size: int
    """Bytes that the head takes."""

    def plain(self) -> bytes:
        """Return a head without oddities that says the same of the body. Its framing must be known."""
        match self.framing:
            case Framing.CHUNKED:
                framing = b"transfer-encoding: chunked\r\n"
            case int(length):
                framing = b"content-length: %d\r\n" % length
            case _:
                framing = b""
        return b"HTTP/1.1 %d \r\n%b\r\n" % (self.status, framing)


def read(data: bytes, *, is_over: bool = False) -> OddHead | None:
    """Return the head that *data* begins with; None if more has to come first.

    Args:
        is_over: whether nothing more comes. Then a head that breaks off is read as far as it goes:
            its status line is enough.

    Raises:
        NoAnswerError: it begins with no status line of HTTP/1.
    """
    line = _STATUS_LINE.match(data)
    if line is None:
        begun = data.lstrip()
        if is_over or b"\n" in begun or not begun.startswith(_BEGINNING[: len(begun)]):
            raise NoAnswerError
        return None
    end = _END.search(data, line.end() - 1)
    if end is None and not is_over:
        return None
    size = len(data) if end is None else end.end()
    lines = data[line.end() : size].split(b"\n")
    if end is None:
        lines.pop()  # it may not be all of it
    fields = list(_fields(lines))
    return OddHead(int(line[1]), fields, _framing(fields), size)


def may_end(data: bytes, latest: int) -> bool:
    """Whether a head ends within the *latest* bytes of *data*.

    This is quick to say, where reading everything again for each byte is not.
    """
    return _END.search(data, max(len(data) - latest - 2, 0)) is not None


def _fields(lines: Sequence[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Yield the fields that stand on *lines*.

    A line that begins with a blank goes on with the value before (RFC 9112, section 5.2), or with
    nothing (section 2.2).
    """
    name, value = b"", b""
    for line in lines:
        text = line.removesuffix(b"\r").translate(_BREAKS)
        if text[:1] in (b" ", b"\t"):
            value = b"%b %b" % (value.rstrip(b" \t"), text.strip(b" \t"))
            continue
        if name:
            yield name, value.strip(b" \t")
        name, colon, value = text.partition(b":")
        name = name.rstrip(b" \t")
        if not colon or not _NAME.fullmatch(name):
            name = b""
    if name:
        yield name, value.strip(b" \t")


def _framing(fields: Sequence[tuple[bytes, bytes]]) -> Framing | int:
    """Return where the body ends. Source: RFC 9112, section 6.3.

    A coding named ``identity``, which earlier versions had, is none.
    """
    codings = [coding for coding in _members(fields, b"transfer-encoding") if coding != b"identity"]
    if codings:
        return Framing.CHUNKED if codings[-1] == b"chunked" else Framing.UNTIL_CLOSED
    said = [value for name, value in fields if name.lower() == b"content-length"]
    lengths = set(_members(fields, b"content-length"))
    if not said:
        return Framing.UNTIL_CLOSED
    if len(lengths) != 1 or not _LENGTH.fullmatch(length := lengths.pop()):
        return Framing.UNKNOWN
    return int(length) if len(length) < _DIGITS else _LONGEST


def _members(fields: Sequence[tuple[bytes, bytes]], name: bytes) -> Sequence[bytes]:
    """Return the members of the lists that the fields of this *name* hold, in lower case."""
    values = [value for each, value in fields if each.lower() == name]
    return [member for value in values for each in value.split(b",") if (member := each.strip(b" \t").lower())]
