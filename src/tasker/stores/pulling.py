"""What a queue lets callers take, as far as all stores decide it alike."""

from typing import NamedTuple

from tasker.model.gate import Gate
from tasker.model.instants import Instant


class Queue(NamedTuple):
    """A queue at the moment of a look."""

    gate: Gate
    running: int
    """Its tasks that callers have, as far as it limits them."""
    room_since: Instant | None
    """Since when it has had room, but for its rate; None: it has none, or had none when it was last
    looked at."""
    due_at: Instant | None
    """When the first is due of what it holds; None: it holds nothing."""


class Turn(NamedTuple):
    """What may be taken of a queue at one moment."""

    gate: Gate
    wanted: int
    """How many; 0: none."""
    next_at: Instant | None
    """If none is taken: when to look again; None: nothing waits."""
    let_go_at: Instant
    """Since when the queue has had room for them."""
    is_used_up: bool
    """Whether its limit leaves no room for more then."""

    def started(self, count: int, now: Instant) -> Gate:
        """Return the gate after *count* of them were taken at *now*."""
        return self.gate.started(count, now)


def turn(queue: Queue, *, most: int, now: Instant) -> Turn:
    """Return what a caller who wants up to *most* may take of *queue* at *now*."""
    gate, since = queue.gate, now if queue.room_since is None else min(queue.room_since, now)
    if queue.due_at is None or queue.due_at > now:
        return Turn(gate, 0, queue.due_at, since, is_used_up=False)
    if gate.rate is not None:
        since = min(max(since, gate.rate.permitted_at(gate.next_at)), now)
        gate = gate.in_turn(max(since, queue.due_at), now)
    room = min(gate.room(running=queue.running, running_here=0, free=most, per_destination=None, now=now), most)
    is_used_up = gate.max_running is not None and queue.running + room >= gate.max_running
    return Turn(gate, room, now if room else gate.look_at(now), since, is_used_up)
