"""Takes pictures of every place of the dashboard, in both themes, from ``tasker demo``, into ``docs/screenshots/``.

Needs Chromium. Look at them after a change of a page.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

from playwright.sync_api import Page, sync_playwright

from tasker.dashboard.screens import new_task
from tasker.dashboard.screens.all import PLACES

FOLDER = Path(__file__).parent / "screenshots"
CHROMIUM = os.environ.get("TASKER_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
SIZE = {"width": 1280, "height": 800}
THEMES = ("light", "dark")


def main() -> None:
    """Take them all anew."""
    if CHROMIUM is None:
        sys.exit("make screenshots: Chromium is missing: apt-get install chromium")
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    with _demo() as url, sync_playwright() as playwright:
        _wait_until_some_are_running(url)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for theme in THEMES:
            context = browser.new_context(
                base_url=url, viewport=SIZE, color_scheme=theme, locale="en-GB", timezone_id="Europe/Berlin"
            )
            page = context.new_page()
            for name, address in _addresses(page).items():
                page.goto(address)
                page.screenshot(path=FOLDER / f"{name}-{theme}.png", animations="disabled")
            context.close()
        browser.close()
    _make_small()


def _wait_until_some_are_running(url: str) -> None:
    for _ in range(60):
        with urlopen(f"{url}/stats") as answer:  # noqa: S310 - our own server
            if json.load(answer)["pools"]["webhook"]["running"]:
                return
        time.sleep(1)


def _addresses(page: Page) -> dict[str, str]:
    """Return what is looked at: every place of the navigation, and what is reached from there."""
    found = {name.lower().replace(" ", "-"): f"/ui{place.path}" for place, name in PLACES}
    found["new-task"] = f"/ui{next(iter(new_task.pages)).path}"
    for name, address, link in (
        ("task", "/ui/tasks?state=failed&tag=export", r"/ui/tasks/[0-9a-f-]{36}"),
        ("destination", "/ui/destinations", r"/ui/destinations/\d+"),
        ("schedule", "/ui/schedules", r"/ui/schedules/[\w-]+"),
        ("operation", "/ui/operations", r"/ui/operations/[0-9a-f-]{36}"),
    ):
        page.goto(address)
        links = page.locator("main a").evaluate_all("(all) => all.map((each) => each.getAttribute('href'))")
        found[name] = next(each for each in links if re.fullmatch(link, each))
    return found


@contextmanager
def _demo() -> Iterator[str]:
    """Run ``tasker demo``; gives its address."""
    command = [sys.executable, "-m", "tasker", "demo", "--listen-port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own command
        assert process.stdout is not None  # noqa: S101 - a pipe
        try:
            for line in process.stdout:
                if (found := re.search(r"Look at (http://\S+)/ui/", line)) is not None:
                    yield found[1]
                    break
        finally:
            process.terminate()


def _make_small() -> None:
    """Reduce the pictures to a palette, where the program for that is there."""
    if shutil.which("pngquant") is None:
        print("pngquant is missing: the pictures stay as large as they are")
        return
    subprocess.run(  # noqa: S603 - no shell
        ["pngquant", "--ext", ".png", "--force", "--strip", *map(str, FOLDER.glob("*.png"))], check=True
    )


if __name__ == "__main__":
    main()
