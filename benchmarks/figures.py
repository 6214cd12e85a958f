"""Figures, their limits and goals, and how they are shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

_CHANGES: Final = Path(__file__).with_name("changes.md")
"""What was measured before and after a change, by hand."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One measured thing beside its limit."""

    name: str
    unit: str
    rounds: Sequence[float]
    limit: str = ""
    """What the limit is; empty: there is none."""
    limit_rounds: Sequence[float] = ()
    """The limit, measured in turn with the figure."""
    least: float | None = None
    """Goal: at least so many times the limit."""
    most: float | None = None
    """Goal: at most so many times the limit."""
    at_most: float | None = None
    """Goal: at most this."""
    at_least: float | None = None
    """Goal: at least this."""

    @property
    def value(self) -> float:
        """The median of the rounds."""
        return median(self.rounds)

    @property
    def limit_value(self) -> float | None:
        """The median of the limit's rounds."""
        return median(self.limit_rounds) if self.limit_rounds else None

    @property
    def ratio(self) -> float | None:
        """How many times the limit the figure is."""
        return self.value / self.limit_value if self.limit_value else None

    @property
    def goal(self) -> str:
        """The goal in words."""
        parts = []
        if self.least is not None:
            parts.append(f"≥ {self.least:g} times limit")
        if self.most is not None:
            parts.append(f"≤ {self.most:g} times limit")
        if self.at_least is not None:
            parts.append(f"≥ {self.at_least:,g} {self.unit}")
        if self.at_most is not None:
            parts.append(f"≤ {self.at_most:g} {self.unit}")
        return ", ".join(parts)

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is met; None without one."""
        checks = []
        if self.least is not None and self.ratio is not None:
            checks.append(self.ratio >= self.least)
        if self.most is not None and self.ratio is not None:
            checks.append(self.ratio <= self.most)
        if self.at_least is not None:
            checks.append(self.value >= self.at_least)
        if self.at_most is not None:
            checks.append(self.value <= self.at_most)
        return all(checks) if checks else None

    def as_json(self) -> dict[str, object]:
        """Everything about it."""
        return {
            "name": self.name,
            "unit": self.unit,
            "median": self.value,
            "rounds": list(self.rounds),
            "limit": self.limit or None,
            "limit_median": self.limit_value,
            "limit_rounds": list(self.limit_rounds),
            "ratio": self.ratio,
            "goal": self.goal or None,
            "is_met": self.is_met,
        }


def markdown_table(figures: Sequence[Figure]) -> str:
    """Return the figures as a table in Markdown, which reads well on a terminal too."""
    rows = [("figure", "median", "limit beside it", "limit", "ratio", "goal", "met")]
    rows += [
        (
            figure.name,
            _number(figure.value, figure.unit),
            figure.limit,
            "" if figure.limit_value is None else _number(figure.limit_value, figure.unit),
            "" if figure.ratio is None else f"{figure.ratio:.2f}",
            figure.goal,
            {True: "yes", False: "**no**", None: ""}[figure.is_met],
        )
        for figure in figures
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def page(figures: Sequence[Figure], machine: Mapping[str, str], seconds: float) -> str:
    """Return the page of the documentation that shows the figures."""
    about = "\n".join(f"- {name}: {value}" for name, value in machine.items())
    return f"""# Benchmarks

`make bench` makes this page and `benchmarks.json` anew. Every figure is a median of several rounds and stands beside its limit,
which is measured in turn with it in the same run. The server has one core, the load generator another. Due times are
random over 24 hours unless it says otherwise. A ratio says more than a rate: it depends less on the machine.

{markdown_table(figures)}

Taken in {seconds / 60:.0f} minutes on this machine:

{about}

## What the limits are

- *the handler without the store*: the same server and the same request, decoded and validated and answered with an id, but
  nothing is stored.
- *one INSERT per transaction*: a loop that writes as the earlier server did, with a rollback journal and a sync for each
  row, without any HTTP.
- *plain asyncpg, the same statement*: a loop on one connection that inserts 64 tasks at a time as tasker does, without HTTP.
- *one fdatasync*: a write of 4 KiB to a file of its size, and its sync.
- *the bare HTTP client*: tasker's own client in a loop, as many requests at once, nothing recorded.
- *aiohttp as the client*: the same loop with aiohttp, the client that most would take. The goal was set on it.
- *the alarm alone*: sleeping until the same moments, with nothing to do then.
- *the bare function*: PBKDF2 on as many threads of the same priority.

{_CHANGES.read_text(encoding="utf-8")}"""


def _number(value: float, unit: str) -> str:
    digits = 0 if value >= 1_000 else 1 if value >= 100 else 2 if value >= 1 else 3
    return f"{value:,.{digits}f} {unit}"
