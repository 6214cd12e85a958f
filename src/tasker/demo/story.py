"""What has happened in the month before the demo: a small shop and its tasks."""

import random
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, TypeAlias

from tasker.demo.past import Past
from tasker.demo.receivers import Troubles
from tasker.model import instants
from tasker.model.instants import Instant, microseconds

MONTH: Final = timedelta(days=30)

_DAY: Final = microseconds(timedelta(days=1))
_HOUR: Final = microseconds(timedelta(hours=1))
_MINUTE: Final = microseconds(timedelta(minutes=1))

_PEOPLE: Final = {"Ada": "admin", "Ben": "write", "checkout": "write", "worker-1": "write"}
_ORDERS_A_DAY: Final = 14
_CUSTOMERS: Final = 24
_ZONE: Final = "Europe/Berlin"
_PARTNER: Final = "partner.example"
_CRM: Final = "crm.example"
_LEGACY: Final = "legacy.example"

_DEAD_FOR: Final = timedelta(hours=3, minutes=20)
"""For how long the partner's endpoint has refused connections at the end."""

_Act: TypeAlias = Callable[[Past], Awaitable[Any]]
_Plan: TypeAlias = Iterator[tuple[Instant, _Act]]


async def write(path: Path, now: Instant, *, seed: int = 17) -> None:
    """Write the history of a month up to *now* into a new SQLite file.

    Args:
        seed: two histories with the same one are alike, but for ids and secrets.

    Raises:
        FileExistsError: there is something at *path*.
    """
    path.touch(mode=0o600, exist_ok=False)  # noqa: ASYNC240 - nothing else runs yet
    rand = random.Random(seed)  # noqa: S311 - nothing here is secret
    begin = now - microseconds(MONTH)
    plan = sorted(_month(rand, begin, now), key=lambda each: each[0])
    async with Past(begin, rand, _PEOPLE, troubles(now)) as past:
        for moment, act in plan:
            await past.until(moment)
            await act(past)
        await past.until(now)
        await past.until_calls_have_ended()
        past.copy(path)


def troubles(now: Instant) -> Troubles:
    """Return what is wrong with receivers: the partner's is dead at *now*, and stays so."""
    outage, release = now - 9 * _DAY, now - 20 * _HOUR
    earlier = now - 17 * _DAY
    return Troubles(
        dead={
            _PARTNER: [(now - microseconds(_DEAD_FOR), now + 365 * _DAY)],
            _CRM: [(outage, outage + 40 * _MINUTE)],
        },
        strict={_LEGACY: [(earlier, earlier + 3 * _HOUR), (release, now)]},
    )


def _month(rand: random.Random, begin: Instant, now: Instant) -> _Plan:
    yield from _rules(begin, now)
    yield from _orders(rand, begin, now)
    yield from _newsletters(rand, now)
    yield from _invoices(rand, begin, now)
    yield from _reports(rand, begin, now)
    yield from _videos(rand, now)
    yield from _a_pause(now)
    yield from _an_outage(now)
    yield from _bad_releases(rand, now)
    yield from _a_paused_provider(rand, now)
    yield from _a_dead_partner(rand, now)
    yield from _today(rand, now)
    yield from _what_is_to_come(rand, now)


def _call(who: str, method: str, path: str, body: object = None) -> _Act:
    return lambda past: past.call(who, method, path, body)


def _create(who: str, **fields: object) -> _Act:
    return _call(who, "POST", "/tasks/new", {"webhook": fields})


def _batch(who: str, tasks: list[dict[str, object]], type_: str = "webhook") -> _Act:
    return _call(who, "POST", "/tasks/batch", [{type_: each} for each in tasks])


def _rules(begin: Instant, now: Instant) -> _Plan:
    """Schedules, limits and queues."""
    schedules: tuple[tuple[Instant, str, dict[str, object], str], ...] = (
        (begin, "nightly-report", {"cron": "0 3 * * *", "time_zone": _ZONE}, "https://shop.example/reports/nightly"),
        (begin, "sync-stock", {"every": "3h", "overlap": "skip"}, "https://crm.example/stock/sync"),
        (begin, "weekly-digest", {"cron": "0 9 * * MON", "time_zone": _ZONE}, "https://mail.example/digest"),
        (begin, "close-books", {"cron": "0 6 1 * *", "time_zone": _ZONE}, "https://billing.example/books/close"),
        (begin + _DAY, "old-export", {"every": "12h"}, "https://archive.example/export"),
        (now - _HOUR, "check-payments", {"every": "5m", "jitter": "20s"}, "https://billing.example/payments/check"),
    )
    for at, name, when, url in schedules:
        task = {"webhook": {"url": url, "json": {"job": name}, "retry": {"max_attempts": 3, "initial_delay": 60}}}
        yield at, _call("Ada", "PUT", f"/schedules/{name}", {**when, "task": task, "tags": ["team:back-office"]})
    yield begin + 3 * _DAY, _call("Ben", "POST", "/schedules/old-export/pause")
    yield begin, _call("Ada", "POST", "/destinations", {"group": "newsletter", "max_per_second": 4, "burst": 4})
    yield begin, _call("Ada", "POST", "/destinations", {"group": "customer-7", "max_running": 1})
    yield begin, _call("Ada", "POST", "/destinations", {"queue": "reports", "max_running": 5})
    yield begin, _call("Ada", "POST", "/destinations", {"url": "https://billing.example/", "max_running": 8})


def _orders(rand: random.Random, begin: Instant, now: Instant) -> _Plan:
    """Reminders of orders: some are put off, some called off."""
    number = 1000
    for day in range(30):
        tasks: list[dict[str, object]] = []
        at = begin + day * _DAY + 5 * _HOUR
        for _ in range(_ORDERS_A_DAY):
            number += 1
            customer = rand.randrange(1, _CUSTOMERS)
            host = rand.choice(("shop.example", "mail.example", "crm.example"))
            tasks.append(
                {
                    "delay": rand.randrange(600, 40 * 3600),
                    "url": f"https://{host}/orders/{number}/remind",
                    "json": {"order": number, "customer": customer, "items": [{"sku": "A-17", "count": 2}]},
                    "headers": {"Authorization": f"Bearer {rand.randbytes(12).hex()}"},
                    "key": f"order-{number}",
                    "tags": ["order", f"customer:{customer}"],
                    **({"group": "customer-7"} if customer == 7 else {}),
                    **({"on_success": "https://shop.example/reminded"} if number % 9 == 0 else {}),
                }
            )
        yield at, _batch("checkout", tasks)
        if day % 2 and now - at > 2 * _DAY:
            late = max(tasks, key=lambda task: str(task["delay"]))
            key = late["key"]
            yield at + 4 * _MINUTE, _call("Ben", "PATCH", f"/tasks/key/{key}", {"webhook": {"delay": "30h"}})
        if day % 3 == 0:
            quick = max(tasks, key=lambda task: int(str(task["delay"])))["key"]
            yield at + 6 * _MINUTE, _call("checkout", "POST", f"/tasks/key/{quick}/cancel")


def _newsletters(rand: random.Random, now: Instant) -> _Plan:
    """Many at once, at a rate."""
    for days in (20, 13, 6):
        issue = f"issue:{30 - days}"
        tasks: list[dict[str, object]] = [
            {
                "delay": "10m",
                "url": f"https://mail.example/send/{rand.randrange(10**6)}",
                "json": {"template": "news", "to": f"reader-{each}@example.org"},
                "group": "newsletter",
                "tags": ["newsletter", issue],
            }
            for each in range(60)
        ]
        yield now - days * _DAY - 20 * _MINUTE, _batch("Ben", tasks)


def _invoices(rand: random.Random, begin: Instant, now: Instant) -> _Plan:
    """Some of them the receiver never takes."""
    for day in range(0, 30, 2):
        at = begin + day * _DAY + 9 * _HOUR
        for each in range(3):
            kind = "unpaid" if each == 2 else "paid"
            number = 500 + 3 * day + each
            yield (
                at + each * _MINUTE,
                _create(
                    "checkout",
                    delay=rand.randrange(60, 7200),
                    url=f"https://billing.example/invoices/{kind}/{number}",
                    json={"invoice": number, "total": "119.00", "currency": "EUR"},
                    retry={"max_attempts": 3, "initial_delay": 30},
                    tags=["invoice"],
                ),
            )
    failed = {"action": "retry", "filter": {"state": "failed", "tag": "invoice"}}
    yield now - 5 * _DAY, _call("Ada", "POST", "/operations", {**failed, "dry_run": True})
    yield now - 5 * _DAY + _MINUTE, _call("Ada", "POST", "/operations", failed)


def _reports(rand: random.Random, begin: Instant, now: Instant) -> _Plan:
    """Jobs that a worker pulls."""
    for day in range(1, 30, 3):
        at = begin + day * _DAY + 7 * _HOUR
        jobs: list[dict[str, object]] = [
            {"queue": "reports", "delay": 60, "json": {"report": name, "day": day}, "tags": ["report"]}
            for name in ("sales", "stock")
        ]
        yield at, _batch("Ada", jobs, "job")
        yield at + 2 * _MINUTE, _work(fails=rand.random() < 0.3)
        yield at + 6 * _MINUTE, _work(fails=False)
    late: list[dict[str, object]] = [
        {"queue": "reports", "delay": 60, "json": {"report": f"region-{each}"}, "tags": ["report"]} for each in range(4)
    ]
    yield now - 20 * _MINUTE, _batch("Ada", late, "job")
    claim = {"max": 1, "lease": "2h"}
    yield now - 12 * _MINUTE, _call("worker-1", "POST", "/queues/reports/claim", claim)


def _work(*, fails: bool) -> _Act:
    async def work(past: Past) -> None:
        claimed = await past.call("worker-1", "POST", "/queues/reports/claim", {"max": 2, "lease": "10m"})
        await past.walk(45, step=15)
        for place, job in enumerate(claimed["jobs"]):
            if fails and place == 0:
                await past.tell(job["token"], "fail", {"code": "no_data", "msg": "the warehouse has no data yet"})
            else:
                await past.tell(job["token"], "complete", {"result": {"rows": 1200 + place}})

    return work


def _videos(rand: random.Random, now: Instant) -> _Plan:
    """Long jobs: the receiver reports later."""
    for days in (16, 8, 1):
        at = now - days * _DAY + 2 * _HOUR
        yield (
            at,
            _create(
                "Ada",
                delay=60,
                url="https://render.example/videos",
                json={"video": f"spot-{days}", "format": "4k"},
                completion={"deadline": "6h"},
                tags=["video"],
            ),
        )
        if days > 1:
            yield at + rand.randrange(20, 90) * _MINUTE, _rendered
    yield (
        now - 50 * _MINUTE,
        _create(
            "Ada",
            delay=60,
            url="https://render.example/videos",
            json={"video": "trailer", "format": "8k"},
            completion={"deadline": "12h"},
            tags=["video"],
        ),
    )


async def _rendered(past: Past) -> None:
    await past.tell(past.receivers.tokens[-1], "complete", {"result": {"url": "https://render.example/out/17.mp4"}})


def _a_pause(now: Instant) -> _Plan:
    """Everything was stopped for some minutes, two weeks ago."""
    at = now - 14 * _DAY
    due: list[dict[str, object]] = [
        {"delay": 60 + 20 * each, "url": f"https://shop.example/prices/{each}", "tags": ["prices"]}
        for each in range(12)
    ]
    yield at, _batch("checkout", due)

    async def pause(past: Past) -> None:
        await past.call("Ada", "POST", "/pause")
        await past.walk(240)
        await past.call("Ada", "POST", "/resume")

    yield at + 30_000_000, pause


def _an_outage(now: Instant) -> _Plan:
    """A host was out of order: its circuit opened, and closed again."""
    at = now - 9 * _DAY
    tasks: list[dict[str, object]] = [
        {"delay": 30 + 40 * each, "url": f"https://{_CRM}/contacts/{each}", "tags": ["contacts"]} for each in range(30)
    ]
    yield at, _batch("checkout", tasks)


def _bad_releases(rand: random.Random, now: Instant) -> _Plan:
    """A program sent what its receiver does not take, twice: once it was put right and all tried again."""
    for number, at, count in ((40, now - 17 * _DAY, 22), (41, now - 20 * _HOUR, 36)):
        for each in range(count):
            yield (
                at + each * 2 * _MINUTE,
                _create(
                    "checkout",
                    delay=rand.randrange(5, 60),
                    url=f"https://{_LEGACY}/export/{100 * number + each}",
                    method="PUT",
                    json={"row": each, "mode": "full"},
                    retry={"max_attempts": 2, "initial_delay": 20},
                    tags=["export", f"release:{number}"],
                ),
            )
    again = {"action": "retry", "filter": {"state": "failed", "tag": "release:40"}}
    put_right = now - 17 * _DAY + 5 * _HOUR
    yield put_right, _call("Ben", "POST", "/operations", {**again, "dry_run": True})
    yield put_right + _MINUTE, _call("Ben", "POST", "/operations", {**again, "per_second": 2})


def _a_paused_provider(rand: random.Random, now: Instant) -> _Plan:
    """Somebody has paused a destination, and its tasks wait."""
    at = now - 22 * _HOUR

    async def pause(past: Past) -> None:
        made = await past.call("Ben", "POST", "/destinations", {"url": "https://sms.example/"})
        await past.call("Ben", "POST", f"/destinations/{made['id']}/pause")

    yield at, pause
    texts: list[dict[str, object]] = [
        {
            "delay": rand.randrange(600, 20 * 3600),
            "url": f"https://sms.example/send/{each}",
            "json": {"to": "+49 30 1234", "text": "Your parcel comes today."},
            "tags": ["sms"],
            **({"expires_at": instants.text(now - 2 * _HOUR)} if each % 7 == 0 else {}),
        }
        for each in range(34)
    ]
    texts = [text for text in texts if "expires_at" not in text or int(str(text["delay"])) < 18 * 3600]
    yield at + _MINUTE, _batch("checkout", texts)


def _a_dead_partner(rand: random.Random, now: Instant) -> _Plan:
    """A flood: an endpoint refuses connections, and what is for it piles up."""
    began = now - microseconds(_DEAD_FOR)
    calm: list[dict[str, object]] = [
        {"delay": each * 600, "url": f"https://{_PARTNER}/hooks/orders", "json": {"order": each}, "tags": ["partner"]}
        for each in range(1, 25)
    ]
    yield began - 5 * _HOUR, _batch("checkout", calm)
    few: list[dict[str, object]] = [
        {
            "delay": 10 + 5 * each,
            "url": f"https://{_PARTNER}/hooks/prices",
            "json": {"price": each},
            "retry": {"max_attempts": 1},
            "tags": ["partner"],
        }
        for each in range(9)
    ]
    yield began, _batch("checkout", few)
    flood: list[dict[str, object]] = [
        {
            "delay": 60 + rand.randrange(0, 3 * 3600),
            "url": f"https://{_PARTNER}/hooks/orders",
            "json": {"order": 9000 + each, "state": "shipped"},
            "tags": ["partner", f"customer:{rand.randrange(1, _CUSTOMERS)}"],
        }
        for each in range(180)
    ]
    yield began + _MINUTE, _batch("checkout", flood)


def _today(rand: random.Random, now: Instant) -> _Plan:
    """What every day has: the pictures of the last hours are made of it."""
    for hours, count in ((23, 150), (1, 50)):
        tasks: list[dict[str, object]] = [
            {
                "delay": rand.randrange(60, hours * 3600),
                "url": f"https://{rand.choice(('shop', 'mail', 'crm'))}.example/parcels/{each}",
                "json": {"parcel": each},
                "tags": ["parcel", f"customer:{rand.randrange(1, _CUSTOMERS)}"],
            }
            for each in range(count)
        ]
        yield now - hours * _HOUR, _batch("checkout", tasks)


def _what_is_to_come(rand: random.Random, now: Instant) -> _Plan:
    """Tasks that wait, of the next minutes up to the next month, with a spike."""
    at = now - 4 * _MINUTE
    soon: list[dict[str, object]] = [
        {
            "delay": 275 + int(each * rand.uniform(20, 60)),
            "url": f"https://shop.example/carts/{each}/remind",
            "json": {"cart": each},
            "tags": ["cart"],
        }
        for each in range(70)
    ]
    later: list[dict[str, object]] = [
        {
            "delay": rand.randrange(3600, 29 * 86_400),
            "url": f"https://mail.example/birthday/{each}",
            "json": {"reader": each},
            "tags": ["birthday"],
        }
        for each in range(120)
    ]
    spike: list[dict[str, object]] = [
        {
            "delay": "6h",
            "url": f"https://shop.example/sale/{each}",
            "json": {"campaign": "black-friday"},
            "tags": ["sale"],
        }
        for each in range(150)
    ]
    long_: list[dict[str, object]] = [
        {
            "delay": 250,
            "url": f"https://render.example/frames/{each}",
            "timeout": 3600,
            "tags": ["video"],
        }
        for each in range(3)
    ]
    yield at, _batch("checkout", [*soon, *later, *spike, *long_])
    hashes: list[dict[str, object]] = [
        {"delay": delay, "secret": f"correct-horse-{delay}"} for delay in (272, 3600, 90_000)
    ]
    yield at, _batch("Ada", hashes, "hash")
