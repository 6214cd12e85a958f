"""All screens."""

from typing import Final

from tasker.dashboard.screens import (
    audit,
    destinations,
    everything,
    failures,
    live,
    new_task,
    operations,
    overview,
    schedules,
    sign_in,
    system,
    task,
    tasks,
    timeline,
)
from tasker.dashboard.visits import Page, Pages

SCREENS: Final[tuple[Pages, ...]] = (
    overview.pages,
    tasks.pages,
    task.pages,
    new_task.pages,
    timeline.pages,
    schedules.pages,
    destinations.pages,
    failures.pages,
    operations.pages,
    audit.pages,
    system.pages,
    live.pages,
    sign_in.pages,
    everything.pages,
)
"""In the order of the navigation."""

PAGES: Final[tuple[Page, ...]] = tuple(page for screen in SCREENS for page in screen)

PLACES: Final[tuple[tuple[Page, str], ...]] = tuple(
    (next(iter(screen)), screen.place) for screen in SCREENS if screen.place
)
"""Where the navigation leads, and what it calls these pages."""
