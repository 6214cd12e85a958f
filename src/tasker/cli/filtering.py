"""The options that say which tasks: the filters of the API, under their names."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

import click

from tasker.cli import clocks, saying
from tasker.cli.clocks import Zone
from tasker.filters import FILTERS, MOST_TAGS, REASONS, Filter, Kind
from tasker.model import instants, time_words
from tasker.model.task import STATES

C = TypeVar("C", bound=Callable[..., object])

RANGES: Final = ("due", "ended", "created")
"""Each stands for two filters: *last night*, *today*, *next 2 h*."""

_BOUNDS: Final = (Kind.FROM, Kind.BEFORE)
_MANY: Final = (Kind.STATE, Kind.TAG)
_CHOICES: Final = {Kind.STATE: [state.word for state in STATES], Kind.REASON: list(REASONS)}


def filter_options(command: C) -> C:
    """Give a command an option for each filter, and for ranges of time in words; ``filters_in`` takes them out."""
    for name in reversed(RANGES):
        command = click.option(
            f"--{name}",
            f"range_{name}",
            metavar="RANGE",
            help=f"The same as --{name}-after and --{name}-before, as a range such as: today, last night, "
            "last 24 h, this week, 2027-03-01 to 2027-03-28.",
        )(command)
    return options_of_filters(FILTERS)(command)


def options_of_filters(filters: Sequence[Filter]) -> Callable[[C], C]:
    """Give a command an option for each of *filters*, as its parameter ``filter_`` and the name."""

    def give(command: C) -> C:
        for each in reversed(filters):
            command = _option(each)(command)
        return command

    return give


def _option(each: Filter) -> Callable[[C], C]:
    is_bound = each.kind in _BOUNDS
    words = "  Such as 30d ago, in 1h, yesterday, 2027-03-28 09:00." if is_bound else ""
    choices = _CHOICES.get(each.kind)
    return click.option(
        f"--{each.name.replace('_', '-')}",
        f"filter_{each.name}",
        metavar=None if choices else "TIME" if is_bound else each.name.rpartition("_")[2].upper(),
        type=click.Choice(choices) if choices else str,
        multiple=each.kind in _MANY,
        help=f"{each.description}{words}{' May be repeated.' if each.kind in _MANY else ''}",
    )


def filters_in(given: dict[str, Any], zone: Zone) -> dict[str, list[str]]:
    """Take the filters out of the options that were *given*, and return them as the API takes them.

    Raises:
        CommandError: one cannot be used.
    """
    found: dict[str, list[str]] = {}
    for each in FILTERS:
        said = given.pop(f"filter_{each.name}")
        option = f"--{each.name.replace('_', '-')}"
        if said and each.kind in _BOUNDS:
            found[each.name] = [saying.bound_text(option, said, zone)]
        elif said is not None and said != ():
            found[each.name] = [said] if isinstance(said, str) else list(said)
    for name in RANGES:
        said = given.pop(f"range_{name}")
        if said is not None:
            found |= _range(name, said, found, zone)
    if len(found.get("tag", ())) > MOST_TAGS:
        raise saying.misused("--tag", f"expected at most {MOST_TAGS}, got {len(found['tag'])}")
    return found


def _range(name: str, said: str, found: Mapping[str, Any], zone: Zone) -> dict[str, list[str]]:
    begins, ends = saying.read(f"--{name}", time_words.range_of, said, clocks.now(), zone.info)
    made = {f"{name}_{end}": at for end, at in (("after", begins), ("before", ends)) if at is not None}
    for filter_name in made:
        if filter_name in found:
            other = f"--{filter_name.replace('_', '-')}"
            raise saying.misused(f"--{name}", f"expected it alone, or {other}, got both")
    return {filter_name: [instants.text(at)] for filter_name, at in made.items()}


def only_key(filters: Mapping[str, list[str]]) -> str | None:
    """Return the key, if nothing else is given: it names one task, the one that holds it."""
    return filters["key"][0] if set(filters) == {"key"} else None
