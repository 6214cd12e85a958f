"""Measures, prints the table and writes ``docs/benchmarks.md`` and ``docs/benchmarks.json``.

``python -m benchmarks`` measures everything. ``python -m benchmarks creating waiting`` measures
these rows only; the page keeps the others as they were, and says when each was taken. It is written
after each of the rows, so that nothing measured is lost.
"""

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks import (
    backing_up,
    batching,
    client,
    clustered,
    creating,
    dashboard,
    delivering,
    finding,
    functions,
    hashing,
    moving,
    naming,
    open_pages,
    operating,
    page,
    pulling,
    rates,
    scheduling,
    sharing,
    sizing,
    waiting,
    watching,
)
from benchmarks.figures import Figure, markdown_table

_ROWS: Final = {
    "creating": creating,
    "naming": naming,
    "batching": batching,
    "client": client,
    "delivering": delivering,
    "sharing": sharing,
    "hashing": hashing,
    "waiting": waiting,
    "sizing": sizing,
    "backing_up": backing_up,
    "finding": finding,
    "operating": operating,
    "moving": moving,
    "clustered": clustered,
    "rates": rates,
    "scheduling": scheduling,
    "pulling": pulling,
    "functions": functions,
    "watching": watching,
    "dashboard": dashboard,
    "open_pages": open_pages,
}
_PAGE: Final = Path(__file__).parent.parent / "docs" / "benchmarks.md"


def main() -> None:
    """Run the benchmark as the command line says."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "rows", nargs="*", metavar="ROWS", help=f"which rows to measure: {', '.join(_ROWS)}; without any, all"
    )
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured (default: 3)")
    given = parser.parse_args()
    unknown = set(given.rows) - set(_ROWS)
    if unknown:
        parser.error(f"no such rows: {', '.join(sorted(unknown))}; there are: {', '.join(_ROWS)}")
    figures: list[Figure] = []
    for name, rows in _ROWS.items():
        if name in given.rows or not given.rows:
            print(f"{name} ...", flush=True)
            measured = rows.measure(given.rounds)
            figures += measured
            page.add(_PAGE, name, measured, taken=datetime.now(UTC), order=list(_ROWS))
    print(f"\n{markdown_table(figures)}\n\nWritten to {_PAGE}.")


if __name__ == "__main__":
    main()
