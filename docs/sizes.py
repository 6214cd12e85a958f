"""The tables of ``sizing.md``, made of the figures in ``benchmarks.json``."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_FIGURES: Final = Path(__file__).with_name("benchmarks.json")
_INDEXES: Final = "a waiting webhook on PostgreSQL, with a small body: indexes"
_STORES: Final = ("SQLite", "PostgreSQL")
_PER_DAY: Final = 86_400
_GB: Final = 1e9
_RATES: Final = (1, 10, 100, 1_000)
"""Tasks a second, day and night."""

_DAYS_WAITING: Final = 1
_DAYS_KEPT: Final = 7
"""As ``--keep-done`` has it, if it is not given."""


def disk() -> str:
    """Return the table of what a million tasks take."""
    told = _medians()
    rows = ["| A million | with SQLite | with PostgreSQL |", "|---|---|---|"]
    for what, name in (
        ("waiting webhooks with a small body", "a waiting webhook on {}, with a small body"),
        ("waiting webhooks with a body of 1 KiB", "a waiting webhook on {}, with a body of 1 KiB"),
        ("webhooks that are done, with one attempt each", "a webhook that is done, with its attempt, on {}"),
    ):
        rows.append(f"| {what} | {' | '.join(_size(told[name.format(store)] * 1e6) for store in _STORES)} |")
    return "\n".join(rows) + "\n"


def days() -> str:
    """Return the table of what tasks take that come day and night, at some rates."""
    told = _medians()
    rows = ["| Tasks a second | a day | with SQLite | with PostgreSQL |", "|---|---|---|---|"]
    for rate in _RATES:
        a_day = rate * _PER_DAY
        sizes = [
            a_day
            * (
                _DAYS_WAITING * told[f"a waiting webhook on {store}, with a small body"]
                + _DAYS_KEPT * told[f"a webhook that is done, with its attempt, on {store}"]
            )
            for store in _STORES
        ]
        rows.append(f"| {rate:,} | {a_day:,} | {' | '.join(map(_size, sizes))} |")
    return "\n".join(rows) + "\n"


def memory() -> str:
    """Return the table of what a server takes."""
    told = _medians()
    rows = ["| | with SQLite | with PostgreSQL |", "|---|---|---|"]
    for what, name, unit in (
        ("A server that has nothing to do: memory", "an idle server on {}: memory", "MiB"),
        ("The same: open files", "an idle server on {}: open files", ""),
        ("1,000 callers who wait, more: memory", "1,000 callers who wait for a task on {}: memory", "MiB"),
    ):
        shown = [f"{told[name.format(store)]:,.0f} {unit}".strip() for store in _STORES]
        rows.append(f"| {what} | {' | '.join(shown)} |")
    rows.append(f"| 5,000,000 tasks that wait: memory in all | {told['5,000,000 waiting: memory']:,.0f} MiB | |")
    return "\n".join(rows) + "\n"


def speed() -> str:
    """Return the table of what a machine with two cores does, with the database on it."""
    told = _medians()
    rows = ["| | with SQLite | with PostgreSQL, 1 node | 2 nodes | 3 nodes |", "|---|---|---|---|---|"]
    for what, sqlite, postgres in (
        ("creates", "durable creates, 64 connections", "creates on PostgreSQL, {} node"),
        ("claims and settles", None, "claims and settles on PostgreSQL, {} node"),
        ("deliveries", "deliveries, 100,000 due, 100 at once", None),
    ):
        shown = [told[sqlite]] if sqlite else [None]
        shown += [told[f"{postgres.format(n)}{'s' if n > 1 else ''}"] if postgres else None for n in (1, 2, 3)]
        rows.append(f"| {what} | {' | '.join('' if rate is None else f'{rate:,.0f} /s' for rate in shown)} |")
    return "\n".join(rows) + "\n"


def postgresql() -> str:
    """Return the table of what tasks ask of a PostgreSQL server."""
    told = _medians()
    wal, indexes = told["a webhook from its create to its end on PostgreSQL: log"], told[_INDEXES]
    at_1_000 = f"{wal * 1_000 / 1e6:.1f} MB/s"
    return "\n".join(
        (
            "| What | Measured | So much on paper |",
            "|---|---|---|",
            f"| Write-ahead log of a task, from its create to its end | {wal:,.0f} bytes | {at_1_000} at 1,000 /s |",
            f"| Indexes of a waiting task | {indexes:,.0f} bytes | {_size(indexes * 100e6)} for 100,000,000 |",
            "",
        )
    )


def _medians() -> Mapping[str, float]:
    """Return the figures by their names; of several with one name, the first."""
    rows = json.loads(_FIGURES.read_text(encoding="utf-8"))["rows"]
    found: dict[str, float] = {}
    for row in rows.values():
        for figure in row["figures"]:
            found.setdefault(figure["name"], figure["median"])
    return found


def _size(count: float) -> str:
    """Return a number of bytes as people say it, to two digits.

    >>> _size(238.8e6), _size(16.4e9), _size(1.2e12)
    ('0.24 GB', '16 GB', '1.2 TB')
    """
    value, unit = (count / _GB, "GB") if count < 1_000 * _GB else (count / _GB / 1_000, "TB")
    return f"{value:.0f} {unit}" if value >= 10 else f"{value:.1f} {unit}" if value >= 1 else f"{value:.2f} {unit}"
