"""Alerts where several nodes share a store: one of them sends, and sees when another is gone."""

import asyncio
import json
from datetime import timedelta

import pytest
from msgspec.structs import replace
from steps import HASH, SECOND, WEBHOOK, success

from tasker.egress.alert_sender import Reception
from tasker.engine.alerts import Alerts
from tasker.interfaces.alerts import LEAD
from tasker.model.alerts import Cause, Told
from tasker.stores.postgres.lease import LEASE
from tasker.stores.postgres.store import PostgresStore
from tasker.testing.task_factory import a_task

pytestmark = pytest.mark.anyio

TOLD = {Cause.LATE: Told(sent_at=7)}


class Sending:
    """Sends for three nodes, and knows which of them did."""

    def __init__(self):
        self.by = []
        self.refuse = ()

    def of(self, number):
        sending = self

        class Sender:
            async def send(self, message_id, body):
                sending.by.append((number, message_id, json.loads(body)["alert"]))
                if number in sending.refuse:
                    return Reception(status=None, problem="no answer", seconds=0)
                return Reception(status=200, problem="", seconds=0)

        return Sender()


async def three_jobs(nodes, sending):
    """Three nodes, each with its job that sends alerts."""
    stores = [await nodes.open(), await nodes.another(), await nodes.another()]
    for store in stores:
        await store.claim_due({HASH: 1})
    return stores, [
        Alerts(
            store,
            lambda store=store: store.overdue(free_pools=()),
            sending.of(number),
            after=timedelta(minutes=1),
            address=f"http://{number}",
        )
        for number, store in enumerate(stores)
    ]


async def a_late_task(nodes):
    await nodes.store.create([a_task(due_at=nodes.clock.now() - 61 * SECOND)])


async def look(jobs):
    await asyncio.gather(*(job.tell_shared() for job in jobs))


async def renew(*stores):
    for store in stores:
        await store.renew()


async def test_of_three_nodes_that_look_at_once_one_sends(nodes):
    stores = [await nodes.open(), await nodes.another(), await nodes.another()]
    for _ in range(3):
        books = await asyncio.gather(*(store.lead_alerts() for store in stores))
        assert [book is not None for book in books].count(True) == 1


async def test_three_nodes_tell_a_begin_and_an_end_once_whoever_of_them_dies(nodes):
    sending = Sending()
    stores, jobs = await three_jobs(nodes, sending)
    await a_late_task(nodes)
    for _ in range(3):
        await look(jobs)
    ((first, _, alert),) = sending.by
    assert (alert["cause"], len(alert["began"])) == ("late", 1)

    (survivors,) = [[job for number, job in enumerate(jobs) if number != first]]
    await nodes.clock.move(LEAD.total_seconds())
    await renew(*stores)
    await look(survivors)
    assert len(sending.by) == 1, "what was told is not told again"

    (attempt,) = (await stores[1].claim_due({WEBHOOK: 1})).attempts
    await stores[1].settle(attempt, success(nodes.clock))
    await nodes.clock.move(60)
    await renew(*stores)
    await look(survivors)
    await look(jobs)
    assert [(alert["cause"], len(alert["ended"])) for _, _, alert in sending.by[1:]] == [("late", 1)]
    assert sending.by[1][0] != first


async def test_a_node_that_gets_nothing_through_lets_the_others_try_before_it_tries_again(nodes):
    sending = Sending()
    sending.refuse = (0, 1)
    stores, jobs = await three_jobs(nodes, sending)
    await a_late_task(nodes)
    for _ in range(10):
        await look(jobs)
        await nodes.clock.move(5)
        await renew(*stores)
    tries = [number for number, _, _ in sending.by]
    assert tries[-1] == 2, "it came through in the end"
    assert len(tries) == len(set(tries)), "none has tried twice"
    assert len({json.dumps([message_id, alert]) for _, message_id, alert in sending.by}) == 1, "it was the same"


async def test_a_node_alone_tries_again_after_its_rest(nodes):
    sending = Sending()
    sending.refuse = (0,)
    stores, jobs = await three_jobs(nodes, sending)
    await a_late_task(nodes)
    for _ in range(12):
        await look(jobs[:1])
        await nodes.clock.move(5)
        await renew(*stores)
    assert [number for number, _, _ in sending.by] == [0, 0, 0]


async def test_another_takes_over_when_it_has_not_looked_for_long_and_the_first_writes_nothing_then(nodes):
    first, second = await nodes.open(), await nodes.another()
    book = await first.keep_alerts(replace(await first.lead_alerts(), told=TOLD))
    await nodes.clock.move(LEAD.total_seconds() - 0.000001)
    assert await second.lead_alerts() is None

    await nodes.clock.move(0.000001)
    assert await second.lead_alerts() == book
    assert await first.lead_alerts() is None
    assert await first.keep_alerts(replace(book, told={})) is None
    assert (await second.keep_alerts(book)).told == TOLD


async def test_a_look_and_a_write_are_signs_of_life(nodes):
    first, second = await nodes.open(), await nodes.another()
    book = await first.lead_alerts()
    for _ in range(3):
        await nodes.clock.move(LEAD.total_seconds() - 1)
        book = await first.keep_alerts(book)
        await nodes.clock.move(LEAD.total_seconds() - 1)
        assert await second.lead_alerts() is None, "it has written"
        assert await first.lead_alerts() == book
        await nodes.clock.move(LEAD.total_seconds() - 1)
        assert await second.lead_alerts() is None, "it has looked"


async def test_who_yields_lets_another_send_at_once(nodes):
    first, second = await nodes.open(), await nodes.another()
    await first.lead_alerts()
    await second.yield_alerts(timedelta(0))
    assert await second.lead_alerts() is None, "it is not the second's to give"
    await first.yield_alerts(timedelta(0))
    assert await second.lead_alerts() is not None


async def test_a_clock_that_was_set_back_leaves_nobody_in_the_lead_for_ever(nodes):
    first, second = await nodes.open(), await nodes.another()
    await first.lead_alerts()
    await nodes.clock.step(-3600)
    assert await second.lead_alerts() is not None


async def test_a_node_whose_lease_has_ended_is_gone_until_it_renews(nodes):
    first, second = await nodes.open(), await nodes.another()
    await nodes.clock.move(LEASE.total_seconds() - 1)
    await renew(second)
    assert (await second.troubles()).gone == []

    await nodes.clock.move(1)
    (gone,) = (await second.troubles()).gone
    assert (gone.id, gone.name, gone.since) == (first._node, "http://127.0.0.1:8080", nodes.clock.now())
    assert gone.facts == {"node": first._node, "address": gone.name}

    await renew(first)
    seen = await second.troubles()
    assert (seen.gone, seen.back) == ([], {first._node: "it is back"})


async def test_a_node_that_was_stopped_in_order_is_not_gone(nodes):
    first, second = await nodes.open(), await nodes.another()
    await first._lease.end()
    await nodes.clock.move(1)
    seen = await second.troubles()
    assert (seen.gone, seen.back) == ([], {first._node: "it was stopped"})


async def test_one_that_was_stopped_after_its_lease_had_ended_is_gone_no_longer(nodes):
    first, second = await nodes.open(), await nodes.another()
    await nodes.clock.move(LEASE.total_seconds())
    await renew(second)
    assert len((await second.troubles()).gone) == 1
    await first._lease.end()
    assert (await second.troubles()).gone == []


@pytest.mark.parametrize(("address", "is_gone"), [("http://127.0.0.1:8080", False), ("http://127.0.0.1:8081", True)])
async def test_a_node_is_replaced_by_one_that_has_started_at_its_address_since(nodes, address, is_gone):
    first, second = await nodes.open(), await nodes.another()
    await first._lease.renew()
    await nodes.clock.move(5)
    third = PostgresStore(nodes._url, follow=None, base_clock=nodes.machine, address=address, version="0")
    await third.open()
    try:
        await nodes.clock.move(LEASE.total_seconds() - 5)
        await renew(second, third)
        seen = await second.troubles()
        assert [gone.id for gone in seen.gone] == ([first._node] if is_gone else [])
        if not is_gone:
            assert seen.back[first._node] == "another server has started at its address"
    finally:
        await third.close()


async def test_one_that_had_started_before_does_not_stand_for_it(nodes):
    """Where all nodes listen at 0.0.0.0, their addresses are alike."""
    first, second = await nodes.open(), await nodes.another()
    await nodes.clock.move(10)
    await renew(first, second)
    await nodes.clock.move(LEASE.total_seconds())
    await renew(second)
    assert [gone.id for gone in (await second.troubles()).gone] == [first._node]


async def test_a_node_of_the_version_before_is_never_gone_since_it_does_not_say_that_it_ends(nodes):
    await nodes.open()
    await nodes.connection.execute("ALTER TABLE node DROP CONSTRAINT this_tasker_is_too_old")
    await nodes.connection.execute(
        "INSERT INTO node (id, address, version, started_at, lease_until) "
        "VALUES (gen_random_uuid(), 'http://old:1', '0', $1, $1)",
        nodes.clock.now() - SECOND,
    )
    assert (await nodes.store.troubles()).gone == []


async def test_a_pause_that_another_node_has_ended_is_known(nodes):
    first, second = await nodes.open(), await nodes.another()
    await second.claim_due({HASH: 1})
    await first.pause_all()
    await nodes.clock.move(3)
    await first.resume_all()
    assert (await second.troubles()).counts_from == nodes.clock.now()
