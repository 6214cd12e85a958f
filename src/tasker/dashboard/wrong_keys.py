"""Counts the wrong keys that a client tries."""

from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final

ALLOWED: Final = 10
"""So many wrong keys a client may try in ``SPAN``."""

SPAN: Final = 60.0
"""Seconds."""

_CLIENTS: Final = 10_000
"""Clients that are remembered: those that tried last."""


class WrongKeys:
    """Remembers on this node, in memory, who has tried wrong keys in the latest minute."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """Make it.

        Args:
            monotonic: seconds of a clock that never steps back.
        """
        self._monotonic = monotonic
        self._tried: OrderedDict[str, deque[float]] = OrderedDict()

    def note(self, client: str) -> None:
        """Say that a client has tried a wrong key."""
        self._tried.setdefault(client, deque(maxlen=ALLOWED)).append(self._monotonic())
        self._tried.move_to_end(client)
        if len(self._tried) > _CLIENTS:
            self._tried.popitem(last=False)

    def wait(self, client: str) -> float:
        """Return for how many seconds a client may not try another; 0: it may."""
        tried = self._tried.get(client)
        if tried is None or len(tried) < ALLOWED:
            return 0.0
        return max(0.0, tried[0] + SPAN - self._monotonic())
