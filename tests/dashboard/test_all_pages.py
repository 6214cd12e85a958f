"""What holds for each page there is: a new one is looked at here without another word."""

import re
import subprocess
import sys
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import urlopen

import pytest
from axe_playwright_python.sync_playwright import Axe
from looking import Looked
from playwright.sync_api import expect

from polling import until
from tasker.dashboard.screens import all_components
from tasker.dashboard.screens.all import PAGES, PLACES
from tasker.testing.server import TaskerServer

LOOKED_AT = [page.path for page in (*PAGES, *all_components.pages) if page.method == "GET"]

STANDARD = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]

UNDECIDED = {}
"""What axe cannot decide by itself, by its rule, and why it is well. Anything else fails."""


def api(server, *, every):
    """What fills the names in the paths of pages: the path up to the name, and how its values are found."""
    tasks = lambda **which: [  # noqa: E731
        next(iter(task.values()))["id"] for task in server.call("GET", f"/tasks?limit=50&{urlencode(which)}")["tasks"]
    ]
    return {
        "/tasks/{id}": lambda: (
            tasks()
            if every
            else [
                *tasks(state="failed")[:1],
                *tasks(state="todo")[:1],
                *tasks(state="in_progress")[:1],
            ]
        ),
        "/tasks/export.{form}": lambda: ["csv", "ndjson"],
        "/operations/{id}": lambda: [server.call("GET", "/operations")["operations"][0]["id"]],
        "/destinations/{id}": lambda: [each["id"] for each in server.call("GET", "/destinations")][:3],
        "/schedules/{name}": lambda: [each["name"] for each in server.call("GET", "/schedules")["schedules"]][:2],
        "/failures/{fingerprint}": lambda: [
            each["fingerprint"] for each in server.call("GET", "/failures")["failures"] if each["fingerprint"]
        ][:1],
    }


def addresses(server, path, *, every=False):
    """The addresses to look at for a page that is declared with *path*: of some tasks, or of *every* one."""
    if "{" not in path:
        return [f"/ui{path}"]
    end = path.index("}") + 1
    filling = api(server, every=every).get(path[:end])
    assert filling is not None, f"say in this file what fills {path[:end]}"
    values = filling()
    assert values, f"there is nothing to look at for {path}"
    if "/edit" in path and not every:
        values = values[-2:]
    return [f"/ui{path[: path.index('{')]}{quote(str(value))}{path[end:]}" for value in values]


class DemoServer(TaskerServer):
    """``tasker demo`` on a file."""

    def start(self):
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tasker", "demo", "--listen-port", "0", "--database", str(self.database)],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        printed = ""
        while (found := re.search(r"Look at (http://\S+)/ui/", printed)) is None:
            line = self.process.stdout.readline()
            assert line, self.log.read_text()
            printed += line
        self.url = found[1]
        return self


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    with DemoServer(tmp_path_factory.mktemp("demo")) as started:
        yield started


@pytest.fixture(scope="module")
def seen(browser, demo):
    """A page that goes from one address to the next, as people's do."""
    looked = Looked(browser)
    page = looked.page(base_url=demo.url)
    page.complaints = looked.complaints
    yield page
    looked.close()


@pytest.fixture(scope="module")
def plain(browser, demo):
    """The same without JavaScript."""
    looked = Looked(browser)
    yield looked.page(base_url=demo.url, java_script_enabled=False)
    looked.close()


def opened(page, server, address):
    """Go there; False: it is a file or a stream, not a page."""
    page.complaints.clear()
    try:
        with urlopen(server.url + address) as answer:
            media_type = answer.headers.get_content_type()
    except HTTPError as error:  # a page, too; the browser complains of it
        media_type = error.headers.get_content_type()
    if media_type != "text/html":
        return False
    page.goto(address)
    return True


@pytest.fixture(params=LOOKED_AT)
def path(request):
    return request.param


def test_it_is_well_made_for_everybody(path, seen, plain, demo):
    """Each page is loaded once, and looked at in several ways: that is what takes the time."""
    for address in addresses(demo, path):
        if not opened(seen, demo, address):
            continue
        expect(seen.get_by_role("heading", level=1)).to_have_count(1)
        for theme in ("light", "dark"):
            seen.emulate_media(color_scheme=theme)
            assert judged(seen) == [], f"{address}, {theme}"
        seen.emulate_media(color_scheme="light")
        assert walked(seen) == [], f"{address}: reached by Tab, seen when it is"
        is_narrow(seen, address)
        assert seen.complaints == [], address
        plain.goto(address)
        heading = seen.get_by_role("heading", level=1).inner_text()
        expect(plain.get_by_role("heading", level=1)).to_have_text(heading)
        assert len(plain.locator("main").inner_text()) > len(heading)


def judged(page):
    """What axe finds wrong, and what it cannot decide and nobody has explained."""
    options = {
        "runOnly": {"type": "tag", "values": STANDARD},
        "rules": {"target-size": {"enabled": True}},
        "resultTypes": ["violations", "incomplete"],
    }
    found = Axe().run(page, options=options).response
    wrong = [
        (each["id"], node["target"], node["failureSummary"]) for each in found["violations"] for node in each["nodes"]
    ]
    open_ = [
        (each["id"], node["target"], node["html"][:200], [one["message"] for one in node["any"]])
        for each in found["incomplete"]
        if each["id"] not in UNDECIDED
        for node in [node for node in each["nodes"] if not is_in_picture(each["id"], node["html"])][:2]
    ]
    return wrong + open_


def is_in_picture(rule, html):
    """Whether it is the contrast of words in a picture: axe sees no ground there. ``test_the_look`` computes it."""
    return rule == "color-contrast" and html.startswith("<text ")


LEFT = """() => {
  const shown = (e) => e.checkVisibility({visibilityProperty: true}) && !e.closest('[inert]');
  const usable = 'a[href], button:not([disabled]), input:not([type=hidden]):not([disabled]), select, textarea, ' +
    'summary, [tabindex="0"]';
  const all = [...document.querySelectorAll(usable)].filter(shown).filter((e) => e.tabIndex >= 0);
  window.left = new Set(all);
  for (const e of all) if (e.type === 'radio' && !e.checked) {  // the arrow keys reach the others of a group
    const first = all.find((other) => other.type === 'radio' && other.name === e.name);
    if (first !== e || all.some((other) => other.name === e.name && other.checked)) window.left.delete(e);
  }
  return window.left.size;
}"""

STEPPED = """() => {
  const e = document.activeElement;
  if (!e || e === document.body) return null;
  window.left.delete(e);
  if (/date|time|month|week/.test(e.type)) return '';  // the browser marks the part of it that is typed into
  const style = getComputedStyle(e), box = e.getBoundingClientRect();
  const outlined = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
  const seen = e.matches(':focus-visible') && (outlined || style.boxShadow !== 'none');
  const inside = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  return seen && inside ? '' : e.outerHTML.slice(0, 160) + (seen ? ' is not in sight' : ' does not show its focus');
}"""


def walked(page):
    """Go through a page by the Tab key, once around. Return what is not seen then, or not reached."""
    count = page.evaluate(LEFT)
    unseen = []
    for _ in range(2 * count + 20):
        page.keyboard.press("Tab")
        said = page.evaluate(STEPPED)
        if said is None:
            break
        if said:
            unseen.append(said)
    return unseen + page.evaluate("() => [...window.left].map((e) => 'not reached: ' + e.outerHTML.slice(0, 160))")


def is_narrow(page, address):
    page.set_viewport_size({"width": 320, "height": 640})
    # A picture is drawn anew a moment later.
    until(lambda: page.evaluate("document.documentElement.scrollWidth") <= 320, f"{address} fits", seconds=10)
    page.set_viewport_size({"width": 1280, "height": 800})


def test_who_uses_keys_skips_the_navigation(seen, demo):
    seen.goto("/ui/tasks")
    seen.keyboard.press("Tab")
    expect(seen.get_by_role("link", name="Skip to the content")).to_be_focused()
    expect(seen.get_by_role("link", name="Skip to the content")).to_be_in_viewport()
    seen.keyboard.press("Enter")
    expect(seen.locator("main")).to_be_focused()
    seen.keyboard.press("Tab")
    assert seen.evaluate("document.querySelector('main').contains(document.activeElement)")


def test_the_first_visit_is_light(browser, demo):
    """All files of all places together, and the largest page, as they are sent."""
    looked = Looked(browser)
    page = looked.page(base_url=demo.url)
    requests = []
    page.on("response", lambda answer: requests.append(answer.request))
    for place, _ in PLACES:
        page.goto(f"/ui{place.path}")
    # The first time counts: later, the browser has the file.
    sizes = {request.url: request.sizes()["responseBodySize"] for request in reversed(requests)}
    looked.close()
    files = {url: size for url, size in sizes.items() if "/static/" in url}
    pages = {url: size for url, size in sizes.items() if url not in files}
    assert "tasker.css" in str(files)
    assert sum(files.values()) + max(pages.values()) <= 150_000, sizes
