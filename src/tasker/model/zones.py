"""Time zones by their names.

They are those of the ``tzdata`` package, whatever the machine has: nodes with the same packages
agree. What the clocks of a zone show is in ``walls.py``.
"""

import zoneinfo
from functools import cache
from importlib import import_module, resources
from typing import Final
from zoneinfo import ZoneInfo

import tzdata

from tasker.errors import cut
from tasker.model.walls import TimeNote, moment_of

zoneinfo.reset_tzpath(())

VERSION: Final[str] = tzdata.IANA_VERSION
"""That of the zones, such as ``2026f``. Of two versions the newer one sorts after the other."""


def zone_named(name: str) -> ZoneInfo:
    """Return the zone with this *name*, such as ``Europe/Berlin``.

    Raises:
        ValueError: there is none. The message says what would be right.
    """
    if name in names():
        return _zone(name)
    expected = "expected the name of a time zone, such as Europe/Berlin or UTC"
    meant = _meant().get(name.lower().replace(" ", "_"))
    if meant is not None:
        expected = f"expected the name of a time zone as it is spelled, {meant}"
    elif name.lower().startswith(("+", "-", "utc", "gmt")):
        expected += ", and no offset: that of a place changes"
    else:
        expected += f" (those of tzdata {VERSION} are known here)"
    raise ValueError(f"{expected}, got: {cut(name)!r}")


@cache
def names() -> frozenset[str]:
    """Return the names of all zones, older spellings included."""
    return frozenset(resources.files(tzdata).joinpath("zones").read_text("ascii").split())


@cache
def _meant() -> dict[str, str]:
    """Return the names by what people write in place of them, in lower case: the place alone too."""
    places = {name.rpartition("/")[2].lower(): name for name in sorted(names())}
    return places | {name.lower(): name for name in names()}


@cache  # the names are bounded
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo.no_cache(name)  # no_cache: what others read before the path was reset is not this package's


def _load_folders() -> None:
    """Load the modules that zones are found by: one for each folder with zones, and what these need."""
    for name in {name.rpartition("/")[0]: name for name in names()}.values():
        import_module(f"tzdata.zoneinfo.{name.replace('/', '.')}".rpartition(".")[0])
    _zone("UTC")


# As in urls.py: a module that cannot be loaded later, because no file can be opened, is missing for ever.
_load_folders()


def note_of(local_time: str, time_zone: str) -> TimeNote | None:
    """Return what is special about *local_time*; None: this is not known here, such as of a newer zone."""
    try:
        return moment_of(local_time, zone_named(time_zone))[1]
    except ValueError:
        return None
