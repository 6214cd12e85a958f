"""All screens."""

from typing import Final

from tasker.dashboard.screens import everything, live, new_task, operations, overview, sign_in, task, tasks
from tasker.dashboard.visits import Page, Pages

SCREENS: Final[tuple[Pages, ...]] = (
    overview.pages,
    tasks.pages,
    task.pages,
    new_task.pages,
    operations.pages,
    live.pages,
    sign_in.pages,
    everything.pages,
)
"""In the order of the navigation."""

PAGES: Final[tuple[Page, ...]] = tuple(page for screen in SCREENS for page in screen)

PLACES: Final[tuple[tuple[str, str], ...]] = tuple(
    (next(iter(screen)).path, screen.place) for screen in SCREENS if screen.place
)
"""Where the navigation leads: paths behind ``/ui``, and what they are called."""
