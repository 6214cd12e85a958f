"""Finds an app by its place: ``shop.tasks:app``."""

import importlib
import re
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tasker.errors import AppNotLoadedError, DeclarationError

if TYPE_CHECKING:
    from tasker.worker.functions import App

_PLACE: Final = re.compile(r"(?P<module>[^\W\d]\w*(\.[^\W\d]\w*)*):(?P<name>[^\W\d]\w*)")

EXPECTED: Final = "MODULE:NAME, such as shop.tasks:app"


def is_place(text: str) -> bool:
    """Return whether *text* can name an app.

    >>> is_place("shop.tasks:app"), is_place("shop/tasks.py")
    (True, False)
    """
    return _PLACE.fullmatch(text) is not None


def load_app(place: str) -> "App":
    """Import a module, and return the app in it. The working folder is on the path, before all others.

    Args:
        place: ``MODULE:NAME``.

    Raises:
        AppNotLoadedError: there is none, its module cannot be imported, or one of its functions
            cannot be a task.
    """
    from tasker.worker.functions import App  # noqa: PLC0415 - who only looks at the place needs none of it

    match = _PLACE.fullmatch(place)
    if match is None:
        raise AppNotLoadedError(place, f"expected {EXPECTED}")
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        module = importlib.import_module(match["module"])
    except ModuleNotFoundError as error:
        is_its_own = error.name is not None and f"{match['module']}.".startswith(f"{error.name}.")
        way = (
            f"modules are looked for in {folder}, and where Python finds others"
            if is_its_own
            else f"{_line(error) or match['module']} imports it: install it where tasker is, in {sys.prefix}"
        )
        raise AppNotLoadedError(place, f"there is no module {error.name}; {way}") from error
    except Exception as error:
        line = _line(error)
        at = f" at {line}" if line else ""
        raise AppNotLoadedError(
            place, f"importing {match['module']} raised {type(error).__name__}{at}: {error}"
        ) from error
    app = getattr(module, match["name"], None)
    if not isinstance(app, App):
        got = "nothing of that name" if app is None else type(app).__name__
        raise AppNotLoadedError(place, f"expected a tasker.App in {match['module']}, got: {got}")
    if not app.functions:
        raise AppNotLoadedError(place, "it has no functions; declare one with @app.task(NAME)")
    try:
        app.check()
    except DeclarationError as error:
        raise AppNotLoadedError(place, str(error)) from error
    return app


def _line(error: Exception) -> str | None:
    """Return where the code of the app was when *error* came up; None: none of it ran, as with a syntax error."""
    ours = str(Path(__file__).parent.parent)
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not frame.filename.startswith((ours, "<frozen", importlib.__file__))]
    return f"{own[-1].filename}, line {own[-1].lineno}" if own else None
