"""The clock of a server that is there for tests."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final, NamedTuple

from msgspec import UNSET

from tasker.callers import Caller
from tasker.engine.clock_mover import ClockMover
from tasker.errors import InvalidRequestError, NoDevClockError
from tasker.interfaces.store import Store
from tasker.model import instants, lengths
from tasker.model.audit import Action, Changes, Kind, changed
from tasker.model.instants import Instant, microseconds
from tasker.wire.dev_clock import ClockMove

_MEMBERS: Final = "freeze, set and advance"


class ClockStatus(NamedTuple):
    """How the clock stands."""

    now: Instant
    is_frozen: bool


class ClockService:
    """Moves the clock. For what all methods raise, see ``Service``; and ``NoDevClockError``: it cannot be moved."""

    def __init__(self, store: Store, mover: ClockMover | None) -> None:
        self._store = store
        self._mover = mover

    @property
    def is_on(self) -> bool:
        """Whether the clock can be moved."""
        return self._mover is not None

    @property
    def is_frozen(self) -> bool:
        """Whether it can be moved, and stands still."""
        return self._mover is not None and self._mover.clock.is_frozen

    def status(self) -> ClockStatus:
        """Return how it stands."""
        clock = self._the_mover().clock
        return ClockStatus(clock.now(), clock.is_frozen)

    async def move(self, caller: Caller, asked: ClockMove, *, is_given_up: Callable[[], bool]) -> ClockStatus:
        """Do what is *asked*, and return how the clock stands then: see ``ClockMover``.

        Args:
            is_given_up: as in ``ClockMover.advance``.

        Raises:
            InvalidRequestError: not exactly one thing is asked for, or it cannot be done.
        """
        mover = self._the_mover()
        members = {"freeze": asked.freeze, "set": asked.moment, "advance": asked.advance}
        given = {name: value for name, value in members.items() if value is not UNSET}
        if len(given) != 1:
            named = ", ".join(given) or "none"
            raise InvalidRequestError("" if not given else [*given][1], f"expected one of {_MEMBERS}, got: {named}")
        if asked.moment is not UNSET:
            moment = _moment(asked.moment)
            await self._note(caller, given)
            await mover.set(moment)
        elif asked.advance is not UNSET:
            length = self._length(asked.advance)
            await self._note(caller, given)
            await mover.advance(length, is_given_up=is_given_up)
        else:
            await self._note(caller, given)
            await mover.freeze(frozen=asked.freeze is True)
        return self.status()

    async def _note(self, caller: Caller, given: dict[str, Any]) -> None:
        """Write down what is about to be done, at the time before it."""
        changes: Changes = {name: changed(after=value) for name, value in given.items()}
        await self._store.note_change(caller.entry(Action.SET_CLOCK, Kind.SERVER, changes=changes))

    def _the_mover(self) -> ClockMover:
        if self._mover is None:
            raise NoDevClockError
        return self._mover

    def _length(self, text: str | float) -> timedelta:
        try:
            length = lengths.parse(text)
        except ValueError as error:
            raise InvalidRequestError("advance", str(error)) from None
        if microseconds(length) > instants.LAST - self._store.clock.now():
            raise InvalidRequestError("advance", f"expected to end in the year 9999 or before, got: {text}")
        return length


def _moment(text: str) -> Instant:
    try:
        moment = instants.parse(text)
    except ValueError as error:
        raise InvalidRequestError("set", str(error)) from None
    if moment < 0:
        raise InvalidRequestError("set", f"expected a moment in 1970 or later, got: {text}")
    return moment
