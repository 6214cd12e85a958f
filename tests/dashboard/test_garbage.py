"""Whatever is asked for or sent, each page answers with a page that says what is wrong: never with a defect."""

import inspect
import re
import sys
from random import Random
from urllib.parse import quote

import pytest
from pages_in_process import STORES, pages_on

from tasker.callers import OWNER
from tasker.dashboard.screens.all import PAGES
from tasker.filters import FILTERS

pytestmark = pytest.mark.anyio

NOBODY = "01a228bc-a3a5-7953-9e78-e1f559011428"

VALUES = [
    "",
    "\0",
    "a\0b",
    "\ud800".encode("utf-8", "surrogatepass"),
    b"\xff\xfe",
    "'\"><script>alert(1)</script>",
    "../../etc",
    "0",
    "-1",
    "1e400",
    "nan",
    "9" * 25,
    "9" * 5_000,
    "²",
    "١",  # noqa: RUF001 - a digit of another script
    "{}",
    "[" * 3_000,
    '{"webhook":' * 900 + "1" + "}" * 900,
    '{"webhook": {"delay": "10m", "url": "http://a/\\u0000", "json": 1e999}}',
    "0001-01-01",
    "9999-12-31",
    "before 0001-01-01 00:00",
    "0001-01-01T00:00:00Z",
    "last 9999999999 d",
    NOBODY,
    NOBODY.upper(),
    "\u202e\n\r x",
    "a,b;c=d&e#f?g%00",
    "todo",
    "-due",
]
"""What nobody means, and what somebody might."""

MOST = 2
"""So many of the values are tried for each name of each page in one run; which ones, its number decides."""

FILTERED = {"tasks", "operations"}
"""The screens whose parameters are the filters of lists, too."""

_SAID = re.compile(r'(?:said|asked)\(\s*"([a-z_]+)"|^    *\*?\(?((?:"[a-z_]+",? ?)+)', re.MULTILINE)


def tried(page, chosen):
    """What a page is sent: each name that its screen asks for, with some of the values."""
    source = inspect.getsource(sys.modules[page.handler.__module__])
    names = {name for found in _SAID.findall(source) for name in re.findall(r"[a-z_]+", " ".join(found))}
    if page.handler.__module__.rpartition(".")[2] in FILTERED:
        names |= {each.name for each in FILTERS}
    for name in sorted(names):
        for value in chosen.sample(VALUES, min(MOST, len(VALUES))):
            yield name, value


def as_form(pairs):
    return b"&".join(f"{quote(name)}={quote(value)}".encode() for name, value in pairs)


@pytest.fixture(params=STORES)
async def pages(request):
    """The dashboard, with a task and a schedule in it."""
    async with pages_on(request.param) as pages:
        yield pages


async def filled(pages):
    """Values for the names in paths: what is there, and what is not."""
    made = pages.context.new_tasks.decode(b'{"webhook": {"delay": "1h", "url": "http://a.example/"}}')
    task = await pages.service.tasks.create(OWNER, made)
    plan = {"cron": "0 9 * * *", "time_zone": "UTC", "task": '{"webhook": {"url": "http://a.example/"}}', "name": "a"}
    assert (await pages.send("/new-schedule", plan)).status == 303
    gate = (await pages.service.destinations.page(after=0, limit=1))[0].record.gate.id
    look = await pages.send("/operations/look", {"which": "all", "action": "cancel"})
    operation = look.headers["location"].rpartition("/")[2]
    return {"tasks": task.id, "schedules": "a", "destinations": str(gate), "operations": operation}


def paths(page, there, chosen):
    """The path of a page, with good values in place of its names, and with bad ones."""
    if "{" not in page.path:
        return [page.path]
    good = there.get(page.path.split("/")[1], "csv") if "export" not in page.path else "csv"
    bad = [value if isinstance(value, str) else value.decode("utf-8", "replace") for value in VALUES]
    values = [good, *chosen.sample([value for value in bad if value and "/" not in value], min(2 * MOST, 20))]
    return [re.sub(r"\{\w+\}", lambda _, value=value: value, page.path) for value in values]


LONG = "9" * 5_000
DEEP = '{"a":' * 900 + "1" + "}" * 900


@pytest.mark.parametrize("name", ["tasks", "schedules", "destinations", "operations"])
async def test_what_cannot_be_the_name_of_anything_is_not_found(pages, name):
    for path in (f"/{name}/a\0b", f"/{name}/{LONG}"):
        assert (await pages.get(path)).status == 404


@pytest.mark.parametrize(
    ("path", "given"),
    [
        ("/destinations", {"after": "9" * 25}),
        ("/destinations", {"after": LONG}),
        ("/timeline", {"moved": LONG}),
        ("/timeline", {"moved": "--1"}),
        ("/tasks", {"due": "0001-01-01"}),
        ("/tasks", {"ended": "before 0001-01-01T00:00:00+01:00"}),
        ("/tasks", {"key_prefix": "k" * 5_000}),
    ],
)
async def test_what_cannot_be_looked_for_is_said(pages, path, given):
    answer = await pages.get(path, given, headers=[("cookie", "tasker_zone=Europe/Berlin")])

    assert answer.status == 400
    assert "xpected" in answer.text


@pytest.mark.parametrize(
    ("path", "given"),
    [
        ("/new", {"url": "http://a/", "max_attempts": LONG}),
        ("/new", {"url": "http://a/", "body": "[" * 3_000}),
        ("/new-schedule", {}),
        ("/new-schedule", {"name": "a", "task": "[" * 3_000}),
        ("/new-schedule", {"name": "a", "task": "{}", "max_runs": LONG}),
        ("/tasks/{id}/edit", {"revision": "²", "before": "{}", "text": "[" * 3_000}),
        ("/tasks/{id}/edit", {"revision": LONG, "before": DEEP, "text": DEEP.replace("1", "2")}),
        ("/tasks/{id}/edit", {"before": "[]", "text": "{}"}),
        ("/destinations/1/limits", {"max_running": "1_0", "burst": LONG, "max_per_second": "nan"}),
    ],
)
async def test_what_cannot_be_taken_is_said_beside_what_was_typed(pages, path, given):
    there = await filled(pages)

    answer = await pages.send(path.replace("{id}", there["tasks"]), given)

    assert answer.status == 400
    assert "xpected" in answer.text
    assert "<form" in answer.text


async def test_garbage_is_answered_with_a_page(pages):
    there = await filled(pages)
    defects, chosen = [], Random(20261129)

    async def look(what, asking):
        try:
            answer = await asking
        except Exception as error:  # noqa: BLE001 - each is a defect
            defects.append((what, repr(error)))
            return
        if answer.status >= 500 or not answer.is_whole or "<script>alert" in answer.text:
            defects.append((what, answer.status))

    asked = [page for page in PAGES if page.path != "/live"]  # that is a stream
    for page in sorted(asked, key=lambda page: page.path.endswith("/delete")):
        for place, path in enumerate(paths(page, there, chosen)):
            if page.method == "GET":
                await look(f"GET {path!r:.60}", pages.get(path))
                await look(f"HEAD {path!r:.60}", pages.get(path, method="HEAD"))
            else:
                await look(f"POST {path!r:.60}", pages.send(path, {}))
            if place:
                continue
            for name, value in tried(page, chosen):
                pair = as_form([(name, value)])
                asking = pages.get(path, pair) if page.method == "GET" else pages.send(path, pair)
                await look(f"{page.method} {path} {name}={value!r:.60}", asking)

    assert defects == []
