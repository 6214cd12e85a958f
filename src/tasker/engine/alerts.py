"""Tells the operator what is wrong, and when it is over."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Final, Protocol

import structlog
from msgspec.structs import replace

from tasker.egress.alert_sender import Reception
from tasker.errors import StoreError
from tasker.ids import new_id
from tasker.interfaces.alerts import AlertBook
from tasker.interfaces.store import Store
from tasker.model.alerts import (
    WRITES_AFTER,
    Cause,
    Message,
    Told,
    Trouble,
    arrived,
    is_due,
    judged,
    late,
    nearly_full,
    refused,
)
from tasker.model.instants import Instant
from tasker.model.overdue import Overdue
from tasker.timing.alarm import sleep
from tasker.wire.alerts import alert_body

LOOK_EVERY: Final = timedelta(seconds=5)
"""How often it is looked what is wrong."""

_OURS: Final = ("due", "no_slot")
"""The reasons of overdue tasks that no gate keeps."""

_CLOSING_SECONDS: Final = 5.0
"""How long a message on its way, and the last ones, may take when the server stops."""

_log = structlog.get_logger()


class Sender(Protocol):
    """Sends messages: see ``AlertSender``."""

    async def send(self, message_id: str, body: bytes) -> Reception:
        """Try once to send a message."""


class Alerts:
    """Looks for troubles and tells of them. Of the nodes that share a store, one does.

    What was told, and what is on its way, stands in the store before it is sent: a restart, and a
    node that takes over, go on from there. A message whose sender dies between sending and noting
    that is sent again, with the same id. A node that gets no message through lets another one try.

    That its writes fail, each node tells for itself, and remembers by itself.
    """

    def __init__(
        self,
        store: Store,
        overdue: Callable[[], Awaitable[Overdue]],
        sender: Sender,
        *,
        after: timedelta,
        address: str,
    ) -> None:
        """Make the job, which does not run yet.

        Args:
            overdue: says what is overdue.
            after: for how long something has to be overdue to be told.
            address: the URL of this node.
        """
        self._store = store
        self._overdue = overdue
        self._sender = sender
        self._after = after
        self._address = address
        self._own = Told()
        self._failing_since: tuple[Instant, float] | None = None
        """Since when writes fail, on both clocks."""
        self._loops: list[asyncio.Task[None]] = []
        self._looks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begin to look, until ``close``."""
        self._loops = [asyncio.create_task(self._repeat(look)) for look in (self.tell_own, self.tell_shared)]

    async def close(self) -> None:
        """Stop looking, and let another node send. A message on its way, and a last one, have a few seconds."""
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSING_SECONDS):
                await asyncio.gather(*self._looks, return_exceptions=True)
                await self._tell_last()
        with suppress(StoreError):  # another takes over when the lead has ended by itself
            await self._store.yield_alerts(timedelta(0))

    async def look(self) -> None:
        """Look once, now, at what the nodes share, and send what there is to send: for a clock that was moved."""
        await self._try(self.tell_shared)

    async def tell_own(self) -> None:
        """Look whether this node can write, and tell what there is to tell of that."""
        now, monotonic = self._store.clock.now(), self._store.clock.monotonic()
        ailment = self._store.ailment
        if ailment is None:
            self._failing_since = None
        elif self._failing_since is None:
            self._failing_since = now, monotonic
        troubles = []
        if self._failing_since is not None:
            since, counted_from = self._failing_since
            if monotonic - counted_from >= WRITES_AFTER.total_seconds() or self._own.lasting:
                facts = {"node": self._address, "reason": ailment or ""}
                troubles = [Trouble(id="", name=self._address, since=since, facts=facts, note=ailment or "")]
        await self._tell_of_own(troubles, "it can write again", now)

    async def tell_shared(self) -> None:
        """Look what is wrong with what the nodes share, and tell what there is to tell, if this node is to do that.

        Raises:
            StoreError: the store cannot be used now.
        """
        book = await self._store.lead_alerts()
        if book is None:
            return
        judgement = await self._judged(book)
        if judgement.told != book.told:
            kept = await self._store.keep_alerts(judgement)
            if kept is None:
                return
            book = kept
        now = self._store.clock.now()
        due = {cause: told.message for cause, told in book.told.items() if told.message and is_due(told, now)}
        if not due:
            return
        receptions = await asyncio.gather(*map(self._send, due.values()))
        told = dict(book.told)
        for cause, reception in zip(due, receptions, strict=True):
            told[cause] = _after(told[cause], reception, self._store.clock.now())
        await self._store.keep_alerts(replace(book, told=told))
        waiting = [then.message for cause, then in told.items() if cause in due and then.message is not None]
        if waiting:  # the others have the next try: perhaps the way out of this machine is broken
            wait = timedelta(microseconds=max(message.try_at for message in waiting) - self._store.clock.now())
            await self._store.yield_alerts(wait + 2 * LOOK_EVERY)

    async def _judged(self, book: AlertBook) -> AlertBook:
        """Look, and return the book with what is to be told."""
        overdue, seen = await self._overdue(), await self._store.troubles()
        now = self._store.clock.now()
        waiting = [tasks for reason, tasks in overdue.by_reason.items() if reason in _OURS and tasks.oldest is not None]
        found: dict[Cause, Sequence[Trouble]] = {
            Cause.LATE: late(
                sum(tasks.count for tasks in waiting),
                min((tasks.oldest for tasks in waiting if tasks.oldest is not None), default=None),
                counts_from=seen.counts_from,
                limit=self._after,
                now=now,
                is_told=bool(_lasting(book.told, Cause.LATE)),
            ),
            Cause.CIRCUIT_OPEN: seen.circuits,
            Cause.DISK_NEARLY_FULL: nearly_full(
                self._store.space(), now, told=[*_lasting(book.told, Cause.DISK_NEARLY_FULL).values()]
            ),
            Cause.NODE_GONE: seen.gone,
        }
        notes: dict[Cause, Mapping[str, str]] = {
            Cause.CIRCUIT_OPEN: dict.fromkeys(_lasting(book.told, Cause.CIRCUIT_OPEN), "it works again"),
            Cause.NODE_GONE: dict.fromkeys(
                _lasting(book.told, Cause.NODE_GONE), "it did not come back, and is forgotten"
            )
            | dict(seen.back),
        }
        told = {}
        for cause, troubles in found.items():
            before = book.told.get(cause, Told())
            then = judged(before, cause, troubles, now, new_id, notes.get(cause), node=self._address)
            if then != Told():
                told[cause] = then
        return replace(book, told=told)

    async def _tell_of_own(self, troubles: Sequence[Trouble], note: str, now: Instant) -> None:
        self._own = judged(self._own, Cause.WRITES_FAIL, troubles, now, new_id, {"": note}, node=self._address)
        if self._own.message is not None and is_due(self._own, now):
            reception = await self._send(self._own.message)
            self._own = _after(self._own, reception, self._store.clock.now())

    async def _tell_last(self) -> None:
        """Say of what was told of this node, and is not over, that the node stops."""
        if self._own.lasting:
            if self._own.message is None:
                self._own = replace(self._own, sent_at=None)  # there is no later moment to say it
            await self._tell_of_own([], "it was stopped while its writes failed", self._store.clock.now())

    async def _send(self, message: Message) -> Reception:
        reception = await self._sender.send(message.id, alert_body(message))
        if reception.problem:
            _log.warning(
                "an alert was not received, trying again",
                cause=message.cause.value,
                reason=reception.problem,
                tries=message.tries + 1,
            )
        else:
            _log.info(
                "an alert was sent", cause=message.cause.value, began=len(message.began), ended=len(message.ended)
            )
        return reception

    async def _repeat(self, look: Callable[[], Awaitable[None]]) -> None:
        """Look again and again, whatever happens. A look that has begun goes on when this is cancelled."""
        while True:
            looking = asyncio.create_task(self._try(look))
            self._looks.add(looking)
            looking.add_done_callback(self._looks.discard)
            await asyncio.shield(looking)
            await sleep(self._store.clock, LOOK_EVERY.total_seconds())

    async def _try(self, look: Callable[[], Awaitable[None]]) -> None:
        try:
            await look()
        except StoreError as error:
            _log.warning("alerts could not reach the store, trying again", reason=str(error))
        except Exception:  # noqa: BLE001 - the next look may fare better
            _log.exception("looking for what alerts are about failed, trying again")


def _after(told: Told, reception: Reception, now: Instant) -> Told:
    return refused(told, now, reception.retry_after) if reception.problem else arrived(told, now)


def _lasting(told: Mapping[Cause, Told], cause: Cause) -> Mapping[str, Trouble]:
    return told.get(cause, Told()).lasting
