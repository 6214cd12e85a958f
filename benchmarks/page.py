"""The page of the documentation that shows the figures, and the JSON it is made of."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from benchmarks import machine
from benchmarks.figures import Figure, markdown_table

_CHANGES: Final = Path(__file__).with_name("changes.md")
"""What was measured before and after a change, by hand."""


def add(path: Path, name: str, figures: Sequence[Figure], *, taken: datetime, order: Sequence[str]) -> None:
    """Put the rows *name* in the page at *path* and in the JSON beside it, in place of what they were.

    Args:
        taken: when they were measured.
        order: of the rows.
    """
    stored = path.with_suffix(".json")
    told: dict[str, Any] = json.loads(stored.read_text(encoding="utf-8")) if stored.exists() else {"rows": {}}
    told["machine"] = machine.description()
    told["rows"][name] = {
        "taken": taken.isoformat(timespec="minutes"),
        "figures": [figure.as_json() for figure in figures],
    }
    told["rows"] = {each: told["rows"][each] for each in order if each in told["rows"]}
    stored.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    path.write_text(_page(told), encoding="utf-8")


def _page(told: Mapping[str, Any]) -> str:
    figures = [Figure.from_json(figure) for rows in told["rows"].values() for figure in rows["figures"]]
    about = "\n".join(f"- {name}: {value}" for name, value in told["machine"].items())
    taken = "\n".join(f"- {name}: {rows['taken']}" for name, rows in told["rows"].items())
    return f"""# Benchmarks

`make bench` makes this page and `benchmarks.json` anew.
Every figure is a median of several rounds and stands beside its limit,
which is measured in turn with it in the same run.
The server has one core, the load generator another.
Due times are random over 24 hours unless it says otherwise.
A ratio says more than a rate: it depends less on the machine.
It is the median of what each round is beside its own limit, so it may differ from the medians' ratio.

{markdown_table(figures)}

When the rows were taken, each with all its rounds:

{taken}

On this machine:

{about}

## What the limits are

- *the handler without the store*: the same server and the same request,
  decoded and validated and answered with an id, but nothing is stored.
- *one INSERT per transaction*: a loop that writes as the earlier server did,
  with a rollback journal and a sync for each row, without any HTTP.
- *plain asyncpg, the same statement*: a loop on one connection
  that inserts 64 tasks at a time as tasker does, without HTTP.
- *one fdatasync*: a write of 4 KiB to a file of its size, and its sync.
- *the bare HTTP client*: tasker's own client in a loop, as many requests at once, nothing recorded.
- *aiohttp as the client*: the same loop with aiohttp, the client that most would take.
  The goal was set on it.
- *the alarm alone*: sleeping until the same moments, with nothing to do then.
- *the bare function*: PBKDF2 on as many threads of the same priority.

{_CHANGES.read_text(encoding="utf-8")}"""
