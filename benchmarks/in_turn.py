"""What this checkout and an older one take of the processor for a task, both at once, second by second in turn.

``python -m benchmarks.in_turn ../older`` prints the processor time of a create and of a delivery on either store, and
how they compare. The other checkout needs its own ``.venv``.

What a shared machine can do changes by more from one minute to the next than most changes of ours are worth, so two
runs after each other say little. Here both servers share a core: each has every other second to itself, and each of
these is compared with the one beside it.
"""

import argparse
import contextlib
import json
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks import database
from benchmarks.load import create_tasks
from benchmarks.machine import SERVER_CORE, running_on
from benchmarks.sink import Sink, running_sink
from tasker.model.instants import SECOND, Instant
from tasker.testing.postgres_server import PostgresServer

_HERE: Final = Path(__file__).parent.parent
_TURNS: Final = 20
_DUE: Final = 2_400
"""Webhooks that are due at once, at the beginning of a turn."""
_CONNECTIONS: Final = 64
_FILLED_PER_SECOND: Final = 6_000
"""Fewer than can be stored before the first is due."""
_STARTING: Final = 10
"""Seconds that two servers and what fills their databases take to start, and some to spare."""
_MARGIN: Final = SECOND // 10

_FILL: Final = """
import json, sys
from benchmarks import database
url, sink, count, due = sys.argv[1], sys.argv[2], int(sys.argv[3]), json.loads(sys.argv[4])
database.store(url, database.webhooks(sink, [moment for moment in due for _ in range(count)]))
"""
"""Stores webhooks by the code of a checkout: an older one makes an older database."""


class _Side(NamedTuple):
    """One of the two."""

    checkout: Path
    url: str
    process_id: int

    def used(self) -> float:
        """Return the processor time that it has used so far, in microseconds."""
        used = 0
        for thread in Path(f"/proc/{self.process_id}/task").iterdir():
            with contextlib.suppress(FileNotFoundError):  # it has just ended
                used += int((thread / "schedstat").read_text(encoding="utf-8").split()[0])
        return used / 1e3


def main() -> None:
    """Measure, and print what came out as it comes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("older", type=Path, help="the other checkout")
    parser.add_argument("--turns", type=int, default=_TURNS, help="turns of each (default: %(default)s)")
    options = parser.parse_args()
    checkouts = [options.older.resolve(), _HERE]
    for store in database.STORES:
        print(f"{store}, processor time per task:", flush=True)
        with _sides(store, checkouts, options.turns) as (sides, first, sink):
            deliveries = _in_turn(sides, options.turns, lambda turn, side: _deliver(sink, first, turn, side))
            sink.wait_for(len(sides) * options.turns * _DUE)
            _print("deliveries", deliveries)
            _print("creates", _in_turn(sides, options.turns, lambda _, side: _create(side)))


@contextlib.contextmanager
def _sides(store: str, checkouts: Sequence[Path], turns: int) -> Iterator[tuple[Sequence[_Side], Instant, Sink]]:
    """Run a server of each checkout, and yield them, with the beginning of the first turn."""
    with contextlib.ExitStack() as stack:
        sink = stack.enter_context(running_sink())
        postgres = stack.enter_context(PostgresServer(shared_buffers="512MB", max_wal_size="4GB"))
        places = [stack.enter_context(database.new_database(store, postgres)) for _ in checkouts]
        begin = database.now() + (_STARTING + len(checkouts) * turns * _DUE // _FILLED_PER_SECOND) * SECOND
        for number, (checkout, (_, url)) in enumerate(zip(checkouts, places, strict=True)):
            due = [begin + (turn * len(checkouts) + number) * SECOND for turn in range(turns)]
            command = [_python(checkout), "-c", _FILL, url, sink.url, str(_DUE), json.dumps(due)]
            subprocess.run(command, cwd=checkout, check=True, capture_output=True)
        sides = [
            stack.enter_context(_running(checkout, folder, url))
            for checkout, (folder, url) in zip(checkouts, places, strict=True)
        ]
        assert database.now() < begin - _MARGIN, "the first were due before both servers were ready"
        yield sides, begin, sink


@contextlib.contextmanager
def _running(checkout: Path, folder: Path, database_url: str) -> Iterator[_Side]:
    command = [_python(checkout), "-m", "tasker", "--listen-port", "0", "--max-deliveries", "200"]
    with (folder / "server.log").open("w") as log, running_on(SERVER_CORE):
        process = subprocess.Popen(
            [*command, "--database-url", database_url], cwd=folder, stdout=subprocess.PIPE, stderr=log, text=True
        )
    try:
        assert process.stdout is not None
        ready = re.search(r"http://\S+", process.stdout.readline())
        assert ready is not None, (folder / "server.log").read_text()
        yield _Side(checkout, ready[0], process.pid)
    finally:
        process.kill()
        process.wait()


def _python(checkout: Path) -> str:
    return sys.executable if checkout == _HERE else str(checkout / ".venv/bin/python")


def _in_turn(
    sides: Sequence[_Side], turns: int, measure: Callable[[int, _Side], float]
) -> Sequence[tuple[_Side, Sequence[float]]]:
    """Return what each took, turn by turn.

    Args:
        measure: is given the number of the turn, of all sides together.
    """
    took: list[list[float]] = [[] for _ in sides]
    for turn in range(turns * len(sides)):
        took[turn % len(sides)].append(measure(turn, sides[turn % len(sides)]))
    return list(zip(sides, took, strict=True))


def _deliver(sink: Sink, first: Instant, turn: int, side: _Side) -> float:
    """Wait until what is due in a turn has been delivered, and return the microseconds that each took."""
    begin = first + turn * SECOND
    _wait_until(begin - _MARGIN)
    before = side.used()
    _wait_until(begin + SECOND - 2 * _MARGIN)
    used = side.used() - before
    assert sink.count() == (turn + 1) * _DUE, "a turn is too short for what is due in it: this machine is too slow"
    return used / _DUE


def _create(side: _Side) -> float:
    before = side.used()
    made = create_tasks(side.url + "/tasks/new", connections=_CONNECTIONS, seconds=1)
    return (side.used() - before) / made.count


def _wait_until(moment: Instant) -> None:
    while (left := moment - database.now()) > 0:
        time.sleep(left / SECOND)


def _print(what: str, took: Sequence[tuple[_Side, Sequence[float]]]) -> None:
    (_, older), *_ = took
    for side, each in took:
        ratios = [mine / others for mine, others in zip(each, older, strict=True)]
        compared = "" if each is older else f", {statistics.median(ratios):.2f} times (median of {len(ratios)} turns)"
        print(f"  {what}, {side.checkout.name}: {statistics.median(each):.1f} us{compared}", flush=True)


if __name__ == "__main__":
    main()
