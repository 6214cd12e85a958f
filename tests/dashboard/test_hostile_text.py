"""Whatever a task, a receiver or a caller says is shown as text, on every page."""

import asyncio
import random
import re
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest
from looking import Looked
from test_all_pages import LOOKED_AT, addresses, opened

from tasker.demo.past import Past
from tasker.demo.receivers import Receivers, Troubles
from tasker.egress.http_client import DeliveryError
from tasker.model.attempt import Exchange, Phases
from tasker.model.instants import SECOND
from tasker.testing.server import TaskerServer
from tasker.timing.clock import SystemClock

NASTY = """"><img/src=x/onerror=alert(1)><script>alert(1)</script>'{{7*7}}"""

FIELDS = (
    *("url", "key", "tag", "group", "header", "value", "body", "success", "failing", "tagged", "reported"),
    *("answered", "sent_by", "broken", "caller", "job", "code_msg", "planned", "progress"),
)


def nasty(field):
    assert field in FIELDS
    return f"~{field}~{NASTY}"


HIDDEN = {
    "value": "the values of headers are secrets",
    "header": "the names of headers are tokens: the server takes no other signs",
}
"""Fields that no page has to show."""


class NastyReceivers(Receivers):
    """Answers with what would run, if it were taken for a page."""

    async def send(self, request, before_first_byte):
        before_first_byte()
        if "broken" in request.url:
            raise DeliveryError("connect_failed", nasty("broken"))
        token = request.headers.get("tasker-completion-token")
        if token is not None:
            self.tokens.append(token)
        return Exchange(
            phases=Phases(first_byte=0.1, total=0.1),
            status=202 if token is not None else 500 if "failing" in request.url else 200,
            headers={"content-type": "text/html", "server": nasty("sent_by")},
            body=nasty("answered"),
        )


async def live_through(path):
    """Let nasty things happen, and write what has become of them."""
    now = SystemClock().now()
    past = Past(now - 3_600 * SECOND, random.Random(1), {nasty("caller"): "admin"}, Troubles({}, {}))
    past.receivers = NastyReceivers(past.clock, random.Random(1), Troubles({}, {}))
    who = nasty("caller")
    one_try = {"max_attempts": 1}

    async def create(**fields):
        return await past.call(who, "POST", "/tasks/new", {"webhook": {"delay": 1, **fields}})

    async with past:
        await create(
            url=f"https://shop.example/?x={nasty('url')}",
            key=nasty("key"),
            tags=[nasty("tag")],
            group=nasty("group"),
            headers={"x-note": nasty("value").replace("\n", "")},
            body=nasty("body"),
            on_success=f"https://shop.example/?x={nasty('success')}",
        )
        await create(url=f"https://shop.example/failing?x={nasty('failing')}", retry=one_try, tags=["failed"])
        await create(url="https://shop.example/broken", retry=one_try, tags=["failed"])
        await create(url="https://render.example/", completion={"deadline": "2h"}, tags=["long"])
        job = {"queue": "reports", "delay": 1, "json": {nasty("job"): nasty("job")}, "retry": one_try}
        await past.call(who, "POST", "/tasks/new", {"job": job})
        when = {"cron": "0 3 * * *", "time_zone": "Europe/Berlin", "tags": [nasty("planned")]}
        task = {"webhook": {"url": f"https://shop.example/?x={nasty('planned')}", "body": nasty("planned")}}
        await past.call(who, "PUT", "/schedules/nightly", {**when, "task": task})
        await past.until(past.clock.now() + 60 * SECOND)
        claimed = await past.call(who, "POST", "/queues/reports/claim", {})
        await past.tell(claimed["jobs"][0]["token"], "fail", {"code": "no_data", "msg": nasty("code_msg")})
        await past.tell(past.receivers.tokens[0], "heartbeat", {"progress": 0.5, "msg": nasty("progress")})
        await past.call(
            who, "POST", "/operations", {"action": "retry", "filter": {"state": "failed", "tag": nasty("tagged")}}
        )
        await create(url="https://shop.example/later", delay="30d", key="later", tags=[nasty("reported")])
        await past.call(who, "PATCH", "/tasks/key/later", {"webhook": {"tags": [nasty("reported"), "changed"]}})
        await past.until(now)
        await past.until_calls_have_ended()
        past.copy(path)


LOOK = """() => {
  const all = [...document.querySelectorAll('*')];
  const typed = [...document.querySelectorAll('input, textarea')].map((e) => e.value);
  return {
    images: document.querySelectorAll('img, iframe, object, embed').length,
    scripts: [...document.scripts].filter((e) => !e.src).length,
    handlers: all.filter((e) => [...e.attributes].some((a) => a.name.startsWith('on'))).length,
    text: document.documentElement.textContent + typed.join(' '),
  };
}"""


@pytest.fixture(scope="module")
def nasty_server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nasty")
    with ThreadPoolExecutor(1) as threads:  # here, the loop of Playwright runs
        threads.submit(lambda: asyncio.run(live_through(folder / "tasks.db"))).result()
    with TaskerServer(folder) as started:
        yield started


def test_nothing_is_taken_for_markup_or_a_template_and_all_can_be_read(browser, nasty_server):
    looked = Looked(browser)
    page = looked.page(base_url=nasty_server.url)
    page.complaints = looked.complaints
    page.on("dialog", lambda dialog: (looked.complaints.append("a script ran"), dialog.dismiss()))
    shown = set()
    asked = [f"/ui/tasks?{name}={quote(NASTY)}" for name in ("tag", "key", "state", "q", "sort", "done", "error")]
    declared = [path for path in LOOKED_AT if path not in ("/components", "/failures/{fingerprint}")]
    for address in [*asked, *(each for path in declared for each in addresses(nasty_server, path, every=True))]:
        if not opened(page, nasty_server, address):
            continue
        found = page.evaluate(LOOK)
        assert (found["images"], found["scripts"], found["handlers"]) == (0, 0, 0), address
        assert "'49" not in found["text"], f"{address}: a template was run"
        shown |= set(re.findall(r"~(\w+)~\\?\"><img", found["text"]))
        looked.complaints[:] = [each for each in looked.complaints if "status of 4" not in each]
        assert looked.complaints == [], address
    looked.close()
    assert set(FIELDS) - set(HIDDEN) - shown == set(), "said, and shown nowhere"
