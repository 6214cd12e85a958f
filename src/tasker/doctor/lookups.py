"""Looks names up with a deadline, each on a thread that may be left behind."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from tasker.egress.lookups import AddressInfo, look_up

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
    until = time.monotonic() + longest
    found = {name: Lookup() for name in names}

    def work(name: str) -> None:
        began = time.monotonic()
        try:
            found[name].addresses = lookup(name, 80)
        except (OSError, UnicodeError):
            found[name].has_failed = True
        found[name].seconds = time.monotonic() - began

    threads = [threading.Thread(target=work, args=(name,), daemon=True) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(until - time.monotonic(), 0))
    return {name: Lookup(each.addresses, each.seconds, each.has_failed) for name, each in found.items()}
