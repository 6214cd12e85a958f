"""Pages that are made anew because there was news: one at a time, and what several ask for once."""

import asyncio
import gc
import threading
from types import SimpleNamespace

import pytest
from jinja2 import Environment, Template
from pages_in_process import pages_on
from starlette.responses import Response

from polling import holds
from tasker import dashboard, timing
from tasker.callers import OWNER
from tasker.dashboard.refreshes import Refreshes, rest_after
from tasker.dashboard.screens.all import PLACES
from tasker.dashboard.visits import Shown
from tasker.testing.task_factory import a_task
from tasker.timing.leisure import is_at_leisure, rest

pytestmark = pytest.mark.anyio

REFRESH = [("hx-request", "true")]


class Maker:
    """Makes pages that end when they are told to."""

    def __init__(self):
        self.begun = []
        self.most_at_once = 0
        self._under_way = 0
        self._ends = {}

    def of(self, name):
        async def make():
            self.begun.append(name)
            self._under_way += 1
            self.most_at_once = max(self.most_at_once, self._under_way)
            try:
                return await self.end(name)
            finally:
                self._under_way -= 1

        return make

    def end(self, name):
        return self._ends.setdefault(name, asyncio.get_running_loop().create_future())

    async def has_begun(self, count):
        await holds(lambda: len(self.begun) >= count)


async def test_pages_are_made_one_at_a_time_in_the_order_in_which_they_were_asked_for():
    refreshes, maker = Refreshes(), Maker()

    asked = [asyncio.create_task(refreshes.have(name, maker.of(name))) for name in "abc"]
    for count, name in enumerate("abc", 1):
        await maker.has_begun(count)
        maker.end(name).set_result(name)

    assert await asyncio.gather(*asked) == ["a", "b", "c"]
    assert (maker.begun, maker.most_at_once) == (["a", "b", "c"], 1)


async def test_those_who_wait_for_the_same_get_one_that_is_made_for_all():
    refreshes, maker = Refreshes(), Maker()
    first = asyncio.create_task(refreshes.have("a", maker.of("a")))
    await maker.has_begun(1)

    others = [asyncio.create_task(refreshes.have("b", maker.of("b"))) for _ in range(3)]
    maker.end("a").set_result(Response("a"))
    maker.end("b").set_result(made := Response("b"))

    await first
    assert await asyncio.gather(*others) == [made] * 3
    assert maker.begun == ["a", "b"]


async def test_what_has_begun_already_does_not_serve_who_comes_now():
    refreshes, maker = Refreshes(), Maker()
    first = asyncio.create_task(refreshes.have("a", maker.of("a")))
    await maker.has_begun(1)

    second = asyncio.create_task(refreshes.have("a", maker.of("a")))
    await asyncio.sleep(0)
    maker.end("a").set_result("made")

    assert await asyncio.gather(first, second) == ["made", "made"]
    assert maker.begun == ["a", "a"]


async def test_an_error_is_told_to_those_who_asked_and_the_others_go_on():
    refreshes, maker = Refreshes(), Maker()
    asked = [asyncio.create_task(refreshes.have(name, maker.of(name))) for name in "aab"]
    maker.end("a").set_exception(ValueError("broken"))
    maker.end("b").set_result("b")

    assert list(map(repr, await asyncio.gather(*asked, return_exceptions=True))) == [
        *["ValueError('broken')"] * 2,
        "'b'",
    ]


async def test_one_who_goes_away_does_not_take_the_page_from_the_others():
    refreshes, maker = Refreshes(), Maker()
    leaver, stayer = (asyncio.create_task(refreshes.have("a", maker.of("a"))) for _ in range(2))
    await maker.has_begun(1)

    leaver.cancel()
    maker.end("a").set_result("made")

    assert await stayer == "made"


@pytest.mark.parametrize(
    ("worked", "took", "load", "rest"),
    [
        pytest.param(0.01, 0.11, 0.0, 0.39, id="a server that does nothing else"),
        pytest.param(0.01, 0.11, 0.2, 1.14, id="one that does something"),
        pytest.param(0.01, 0.11, 0.4, 1.89, id="a busy one"),
        pytest.param(0.01, 0.11, 4.0, 1.89, id="a busy one with threads"),
        pytest.param(0.01, 2.1, 0.4, 0.0, id="it has rested enough in its steps"),
        pytest.param(0.5, 0.7, 0.4, 5.0, id="a page that is slow"),
        pytest.param(0.0, 0.0, 0.4, 0.0, id="one that did nothing"),
    ],
)
def test_a_rest_makes_up_for_the_work_of_a_page(worked, took, load, rest):
    assert rest_after(worked, took, load) == pytest.approx(rest)


async def test_after_each_page_is_a_rest_by_what_it_worked_and_the_server_computed_since_the_one_before(monkeypatch):
    refreshes, rests = Refreshes(), []
    computed = iter([0.0, 0.1, 0.1, 0.5, 0.5])  # before the first; at the end of each, to compare and to go on from

    async def sleep(seconds):
        rests.append(round(seconds, 6))

    async def make():
        assert is_at_leisure()
        with monkeypatch.context() as patch:
            patch.setattr(timing.leisure, "elapsed", lambda _: 0.01)
            await rest(0)
        return "made"

    monkeypatch.setattr(dashboard.refreshes, "asyncio", SimpleNamespace(**{**vars(asyncio), "sleep": sleep}))
    monkeypatch.setattr(dashboard.refreshes, "elapsed", lambda _: 1.0)
    monkeypatch.setattr(dashboard.refreshes, "process_time", lambda: next(computed))
    assert await asyncio.gather(*(refreshes.have(name, make) for name in "ab")) == ["made"] * 2

    assert rests == [round(rest_after(0.01, 1.0, load), 6) for load in (0.1, 0.4)]
    assert rests[0] < rests[1]


async def test_a_page_is_made_in_steps_between_which_others_have_their_turn():
    turns = []

    async def other():
        while True:
            turns.append(len(made))
            await asyncio.sleep(0)

    made = []

    async def pieces():
        return drawn()

    def drawn():
        for piece in "abc":
            made.append(piece)
            end = asyncio.get_running_loop().time() + 0.0012
            while asyncio.get_running_loop().time() < end:
                pass
            yield piece

    page = Shown(pieces, 200, {})
    beside = asyncio.create_task(other())
    await page.draw()
    beside.cancel()

    assert (page.body, page.headers["content-length"]) == (b"abc", "3")
    assert {1, 2} <= set(turns)


async def test_templates_are_compiled_on_a_thread_and_once(monkeypatch):
    compiled = []
    compiling = Environment.compile
    monkeypatch.setattr(
        Environment, "compile", lambda *said: compiled.append((threading.get_ident(), said[2])) or compiling(*said)
    )
    async with pages_on() as pages:
        for _ in range(2):
            assert "Overview" in (await pages.get("/")).text
            assert "Nothing was changed" in (await pages.get("/audit")).text

    threads, names = zip(*compiled, strict=True)
    assert {"overview.html", "audit.html", "base.html", "components.html", "banners.html", "plot_bars.html"} <= {*names}
    assert len(names) == len({*names})
    assert threading.get_ident() not in threads


@pytest.mark.parametrize("path", [page.path for page, _ in PLACES])
async def test_a_page_leaves_nothing_to_the_garbage_collector(path):
    """Else all that it has shown is kept, and what many pages have left takes milliseconds at once."""
    async with pages_on() as pages:
        await pages.store.create([a_task(due_at=number) for number in range(3)])
        for headers in ((), REFRESH):
            assert (await pages.get(path, headers=headers)).status == 200
            gc.collect()
            gc.disable()
            try:
                assert (await pages.get(path, headers=headers)).status == 200
                left = gc.collect()
            finally:
                gc.enable()
            assert left == 0


async def test_rows_are_made_one_by_one(monkeypatch):
    """For each piece the event loop has to wait."""
    made = {}
    generate = Template.generate

    def noted(self, *said):
        for piece in generate(self, *said):
            made.setdefault(self.name, []).append(piece)
            yield piece

    monkeypatch.setattr(Template, "generate", noted)
    async with pages_on() as pages:
        for host in "abc":
            made_of = pages.context.new_tasks.decode(
                f'{{"webhook": {{"delay": "1h", "url": "http://{host}.example/"}}}}'.encode()
            )
            await pages.service.tasks.create(OWNER, made_of)
        for each in await pages.service.destinations.page(after=0, limit=3):
            await pages.send(f"/destinations/{each.record.gate.id}/limits", {"max_running": "2"})
        for path in ("/", "/tasks", "/destinations", "/audit"):
            assert (await pages.get(path)).status == 200

    for template, most in (("overview", 60), ("tasks", 3), ("destinations", 3), ("audit", 3)):
        rows = [piece.count("<tr") for piece in made[f"{template}.html"]]
        assert sum(rows) > most
        assert max(rows) == 1


async def test_a_refresh_shows_what_a_reload_shows():
    async with pages_on() as pages:
        loaded = await pages.get("/system")
        refreshed = await pages.get("/system", headers=REFRESH)

    assert (refreshed.status, refreshed.text) == (200, loaded.text)


@pytest.mark.parametrize(
    "cookies",
    [
        pytest.param(("tasker_theme=dark", "tasker_theme=light"), id="themes"),
        pytest.param(("tasker_zone=Europe/Berlin", "tasker_zone=Asia/Tokyo"), id="zones"),
    ],
)
async def test_visitors_who_see_pages_differently_do_not_get_each_others(cookies):
    async with pages_on() as pages:
        alone = [await pages.get("/timeline", {"span": "7d"}, headers=[("cookie", each)]) for each in cookies]
        together = await asyncio.gather(
            # The first keeps the others waiting.
            *(pages.get("/timeline", {"span": "7d"}, headers=[("cookie", each), *REFRESH]) for each in ("", *cookies)),
        )

    assert alone[0].text != alone[1].text
    assert [each.text for each in together[1:]] == [each.text for each in alone]


async def test_a_refresh_of_what_is_not_there_says_so():
    async with pages_on() as pages:
        answer = await pages.get("/tasks/00000000-0000-7000-8000-000000000000", headers=REFRESH)

    assert answer.status == 404
