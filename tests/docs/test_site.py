"""The site that is made of the documentation: every link leads somewhere, and its search needs no server."""

import os
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from pages import PAGES, ROOT

from made_once import made_once

CHROMIUM = os.environ.get("TASKER_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


def build(folder):
    """Build the site as ``make docs-site`` does, but in *folder*."""
    recipe = subprocess.run(["make", "-n", "docs-site"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    (command,) = [line for line in recipe.splitlines() if "sphinx-build" in line]
    *words, target = command.split()
    assert target == "site"
    words += ["-d", str(folder / "doctrees"), str(folder / "html")]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return made_once(tmp_path_factory, "site", build) / "html"


class Page(HTMLParser):
    """What a page has: its links, and what can be linked in it."""

    def __init__(self, text):
        super().__init__()
        self.links, self.anchors = set(), set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.anchors |= {values[name] for name in ("id", "name") if name in values}
        self.links |= {values[name] for name in ("href", "src") if values.get(name)}


@pytest.fixture(scope="module")
def pages(site):
    return {path.resolve(): Page(path.read_text()) for path in site.rglob("*.html")}


def test_every_page_is_there(site):
    missing = [page for page in PAGES if not (site / Path(page).relative_to(ROOT).with_suffix(".html")).is_file()]
    assert missing == []


def test_every_link_leads_to_something_that_is_there(pages):
    dead = set()
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            fragment = unquote(parts.fragment)
            if not target.is_file() or (fragment and target in pages and fragment not in pages[target].anchors):
                dead.add((path.name, link))
    assert dead == set()


def test_nothing_is_loaded_from_elsewhere(site):
    class Loaded(HTMLParser):
        def handle_starttag(self, tag, attrs):
            values = dict(attrs)
            if tag in ("script", "img", "link", "iframe"):
                found.add(values.get("src") or values.get("href") or "")

    found = set()
    for path in site.rglob("*.html"):
        Loaded().feed(path.read_text())
    assert {url for url in found if urlsplit(url).netloc} == set()


def test_the_search_works_from_files(site):
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine (apt-get install chromium)")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only where there is a browser

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])  # root has no sandbox
        page = browser.new_page()
        page.goto(f"{site.as_uri()}/index.html")
        page.wait_for_url("**/docs/index.html")
        page.fill("input[name=q]", "lateness")
        page.keyboard.press("Enter")
        page.locator("#search-results li a", has_text="Glossary").first.click()
        page.wait_for_url("**/docs/glossary.html**")
        browser.close()
