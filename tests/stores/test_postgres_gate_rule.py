"""``Gate.room`` in SQL.

Which tasks the claim's statement lets through is what the rule in Python says of each in its turn.
"""

import itertools
import random

import pytest
from kinds import Postgres
from steps import SECOND, WEBHOOK

from tasker.model.circuit import RECOVERY, THRESHOLD, Circuit
from tasker.model.gate import Gate, GateKind
from tasker.model.instants import LAST
from tasker.stores import queries

pytestmark = pytest.mark.anyio

CLAIM = queries.load("tasker.stores.postgres")["claim"]


@pytest.fixture
async def base(tmp_path):
    kind = Postgres(tmp_path)
    await kind.open()
    await kind.connection.execute(
        "INSERT INTO node (id, address, version, started_at, lease_until, schema) "
        "VALUES (gen_random_uuid(), '', '', now(), now(), 99)"
    )
    yield kind
    await kind.close()


async def let_through(base, gates, queue, *, here, elsewhere, free, per_destination):
    """Return the places in *queue* of the tasks that a claim takes, and of those that it has held.

    In *queue* each task is named by its gate's id.
    """
    await base.connection.execute("DELETE FROM task; DELETE FROM payload; DELETE FROM gate_queue; DELETE FROM gate")
    await base.connection.executemany(
        "INSERT INTO gate (id, kind, name, paused, max_running, failures, open_until, closed_at)"
        " OVERRIDING SYSTEM VALUE VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        [
            (g.id, g.kind, g.name, g.paused, g.max_running, c.failures, c.open_until, c.closed_at)
            for g in gates.values()
            for c in [g.circuit]
        ],
    )
    node = base.store._node
    for is_here, counts in ((True, here), (False, elsewhere)):
        await base.connection.execute(
            "INSERT INTO task (id, type, pool, due_at, execution_at, execution_time, state, gate, node)"
            " SELECT gen_random_uuid(), 'webhook', 1, now(), now(), '', 1, gate,"
            " (SELECT id FROM node WHERE (id = $2) = $3 LIMIT 1) FROM unnest($1::bigint[]) AS gate",
            [id_ for id_, count in counts.items() for _ in range(count)],
            node,
            is_here,
        )
    await base.connection.execute(
        "INSERT INTO task (id, type, pool, due_at, execution_at, execution_time, gate)"
        " SELECT lpad(place::text, 32, '0')::uuid, 'webhook', 1, tasker_now(), tasker_now(), '', nullif(gate, 0)"
        " FROM unnest($1::bigint[]) WITH ORDINALITY AS queue (gate, place)",
        queue,
    )
    rows = await base.connection.fetch(CLAIM, WEBHOOK, free, 1, node, 512, per_destination, THRESHOLD, LAST, 0, 0)
    places = [(int(row["id"].hex.lstrip("0")) - 1, row["held_by"] is not None) for row in rows]
    return tuple(sorted(place for place, is_held in places if is_held is held) for held in (False, True))


def asked_in_turn(gates, queue, *, here, elsewhere, free, per_destination, now):
    """The same by the rule in Python; gate 0 is none."""
    passed, held = [], []
    here = dict(here)
    for place, id_ in enumerate(queue):
        left = free - len(passed)
        if left == 0:
            break
        running = here.get(id_, 0) + elsewhere.get(id_, 0)
        if id_ == 0 or (
            not gates[id_].is_strict(now)
            and gates[id_].room(
                running=running, running_here=here.get(id_, 0), free=left, per_destination=per_destination, now=now
            )
            > 0
        ):
            here[id_] = here.get(id_, 0) + 1
            passed.append(place)
        else:
            held.append(place)
    return passed, held


async def test_one_gate(base):
    now = base.clock.now()
    states = [{}, {"paused": True}, {"circuit": Circuit(THRESHOLD - 1, now + SECOND)}]
    states += [{"circuit": Circuit(THRESHOLD, now + 1)}, {"circuit": Circuit(THRESHOLD, now)}]
    recovered = now - RECOVERY * SECOND
    states += [{"circuit": Circuit(closed_at=at)} for at in (now + 1, now, recovered + 1, recovered)]
    for gate_kind, state, limit, per_destination in itertools.product(GateKind, states, (None, 1, 4), (None, 2)):
        gate = Gate(id=1, kind=gate_kind, name="x", max_running=limit, **state)
        for free, here, elsewhere in ((1, 0, 0), (1, 1, 0), (6, 0, 0), (7, 0, 1), (6, 2, 1), (3, 5, 0)):
            what = {"here": {1: here}, "elsewhere": {1: elsewhere}, "free": free, "per_destination": per_destination}
            expected = asked_in_turn({1: gate}, [1] * 8, **what, now=now)
            assert await let_through(base, {1: gate}, [1] * 8, **what) == expected, (gate, what)


async def test_hosts_that_share_the_slots_with_others(base):
    dice = random.Random(7)
    for _ in range(100):
        gates = {
            id_: Gate(id=id_, kind=GateKind.HOST, name=f"{id_}", max_running=dice.choice([None, None, None, 2]))
            for id_ in range(1, dice.randint(2, 10))
        }
        queue = dice.choices([0, *gates, *gates], k=dice.randint(1, 80))
        what = {
            "here": {id_: dice.choice([0, 0, dice.randint(0, 9)]) for id_ in gates},
            "elsewhere": {id_: dice.randint(0, 2) for id_ in gates},
            "free": dice.randint(1, 40),
            "per_destination": None,
        }
        expected = asked_in_turn(gates, queue, **what, now=base.clock.now())
        assert await let_through(base, gates, queue, **what) == expected, (gates, queue, what)
