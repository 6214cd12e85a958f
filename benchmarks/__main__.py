"""Measures, prints the table and writes ``docs/benchmarks.md`` and ``docs/benchmarks.json``.

``python -m benchmarks`` measures everything. ``python -m benchmarks creating waiting`` measures these rows only, prints them
and writes nothing.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Final

from benchmarks import clustered, creating, delivering, hashing, machine, sharing, waiting
from benchmarks.figures import Figure, markdown_table, page

_ROWS: Final = {
    "creating": creating,
    "delivering": delivering,
    "sharing": sharing,
    "hashing": hashing,
    "waiting": waiting,
    "clustered": clustered,
}
_PAGE: Final = Path(__file__).parent.parent / "docs" / "benchmarks.md"


def main() -> None:
    """Run the benchmark as the command line says."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("rows", nargs="*", metavar="ROWS", help=f"which rows to measure: {', '.join(_ROWS)}; without any, all")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured (default: 3)")
    given = parser.parse_args()
    unknown = set(given.rows) - set(_ROWS)
    if unknown:
        parser.error(f"no such rows: {', '.join(sorted(unknown))}; there are: {', '.join(_ROWS)}")
    began = time.monotonic()
    figures: list[Figure] = []
    for name, rows in _ROWS.items():
        if name in given.rows or not given.rows:
            print(f"{name} ...", flush=True)
            figures += rows.measure(given.rounds)
    print(f"\n{markdown_table(figures)}")
    if not given.rows:
        description = machine.description()
        seconds = time.monotonic() - began
        _PAGE.write_text(page(figures, description, seconds), encoding="utf-8")
        told = {"machine": description, "figures": [figure.as_json() for figure in figures]}
        _PAGE.with_suffix(".json").write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        print(f"\nWritten to {_PAGE} after {seconds:.0f} s.")


if __name__ == "__main__":
    main()
