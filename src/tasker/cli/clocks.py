"""Whose clocks the commands mean, and how they say a moment: in local time and in UTC."""

import os
import time
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from tasker.errors import cut
from tasker.model import instants, time_words
from tasker.model.instants import SECOND, Instant

_LOCALTIME: Final = Path("/etc/localtime")
_ZONES: Final = "zoneinfo/"


class Zone(NamedTuple):
    """A time zone, as the machine of whoever types knows it."""

    info: tzinfo
    name: str | None = None
    """As the server is told; None: nobody has named it."""


def now() -> Instant:
    """Return the present moment by the clock of this machine."""
    return time.time_ns() // 1_000


def zone_of(name: str | None) -> Zone:
    """Return the zone with a *name*; None: that of this machine.

    That is the one in the variable ``TZ``, else that of ``/etc/localtime``, else UTC.

    Raises:
        ValueError: there is no zone with this name here. The message says what would be right.
    """
    if name is not None:
        return Zone(_named(name), name)
    variable = os.environ.get("TZ", "").removeprefix(":")
    if variable:
        try:
            return Zone(_named(variable))
        except ValueError:
            return Zone(UTC)  # as the C library does
    try:
        with _LOCALTIME.open("rb") as file:
            return Zone(ZoneInfo.from_file(file, key=str(_LOCALTIME.resolve()).partition(_ZONES)[2] or "local time"))
    except (OSError, ValueError):
        return Zone(UTC)


def _named(name: str) -> tzinfo:
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, LookupError):  # no such name, a folder, a path that leads elsewhere
        raise ValueError(
            "expected the name of a time zone that this machine knows, such as Europe/Berlin or UTC, "
            f"got: {cut(name)!r}"
        ) from None


def in_full(moment: Instant, zone: Zone) -> str:
    """Return *moment* as people are told of it, to the second: in local time, in UTC, and how far away it is.

    >>> in_full(0, Zone(UTC)).partition(", ")[0]
    'Thu 1970-01-01 00:00:00 UTC (1970-01-01T00:00:00Z)'
    """
    in_utc = f"{instants.text(moment)[:19]}Z"
    return f"{_local(moment, zone, '%a %Y-%m-%d %H:%M:%S %Z')} ({in_utc}), {time_words.apart(moment, now())}"


def in_short(moment: Instant, zone: Zone) -> str:
    """Return *moment* to the second, in local time.

    >>> in_short(0, Zone(UTC))
    '1970-01-01 00:00:00'
    """
    return _local(moment, zone, "%Y-%m-%d %H:%M:%S")


def _local(moment: Instant, zone: Zone, form: str) -> str:
    try:
        return datetime.fromtimestamp(moment // SECOND, zone.info).strftime(form)
    except (ValueError, OverflowError):  # the year 10000, by the clocks there
        return instants.text(moment)
