"""Looks names up with a deadline, each on a thread that may be left behind."""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from tasker.egress.lookups import AddressInfo, look_up
from tasker.timing.clock import elapsed, stopwatch

LONGEST_SECONDS: Final = 5.0
"""How long all of them may take together."""


class Lookup(Struct):
    """What came of one."""

    addresses: Sequence[AddressInfo] = ()
    seconds: float | None = None
    """How long it took; None: it has not ended."""
    has_failed: bool = False


def look_up_all(
    names: Sequence[str],
    *,
    longest: float = LONGEST_SECONDS,
    lookup: Callable[[str, int], Sequence[AddressInfo]] = look_up,
) -> Mapping[str, Lookup]:
    """Return what the system says of each name. One that hangs is given up."""
    until = stopwatch() + longest
    found = {name: Lookup() for name in names}

    def work(name: str) -> None:
        began = stopwatch()
        try:
            found[name].addresses = lookup(name, 80)
        except (OSError, UnicodeError):
            found[name].has_failed = True
        found[name].seconds = elapsed(began)

    threads = [threading.Thread(target=work, args=(name,), daemon=True) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(until - stopwatch(), 0))
    return {name: Lookup(each.addresses, each.seconds, each.has_failed) for name, each in found.items()}
