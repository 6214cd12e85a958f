"""Which page there is at a path."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import NamedTuple

from starlette.routing import compile_path

from tasker.callers import Scope
from tasker.dashboard.visits import Page
from tasker.errors import TaskerError


class NoPageError(TaskerError):
    """There is no such page, or it does not take the method."""

    def __init__(self, status: HTTPStatus, allowed: Sequence[str] = ()) -> None:
        self.status = status
        self.allowed = allowed
        """The methods that there are in its place."""
        super().__init__("there is no such page")


class Found(NamedTuple):
    """A page, and what stands at the names in its path."""

    page: Page
    values: Mapping[str, str]


class Routes:
    """Finds pages by method and path."""

    def __init__(self, pages: Iterable[Page]) -> None:
        by_path: dict[str, dict[str, Page]] = {}
        for page in pages:
            by_path.setdefault(page.path, {})[page.method] = page
        # Where two fit, the one that begins with more fixed text comes first.
        paths = sorted(by_path, key=lambda path: -len(path.partition("{")[0]))
        self._paths: list[tuple[re.Pattern[str], Mapping[str, Page]]] = [
            (compile_path(path)[0], by_path[path]) for path in paths
        ]

    def find(self, method: str, path: str) -> Found:
        """Return the page for *method* and *path*, which begins behind ``/ui``.

        Raises:
            NoPageError: there is none.
        """
        for pattern, methods in self._paths:
            match = pattern.match(path)
            if match is not None:
                page = methods.get("GET" if method == "HEAD" else method)
                if page is None:
                    raise NoPageError(HTTPStatus.METHOD_NOT_ALLOWED, _allowed(methods))
                return Found(page, match.groupdict())
        raise NoPageError(HTTPStatus.NOT_FOUND)

    def has(self, method: str, path: str) -> bool:
        """Return whether there is a page."""
        try:
            self.find(method, path)
        except NoPageError:
            return False
        return True

    def is_open(self, method: str, path: str) -> bool:
        """Return whether everybody may see a page."""
        return self.has(method, path) and self.find(method, path).page.scope is Scope.OPEN

    def nearest(self, path: str) -> str:
        """Return the path of the page that *path* is a part of, or of an act on: one that can be looked at."""
        while path.strip("/"):
            path = path.rstrip("/").rpartition("/")[0] or "/"
            if self.has("GET", path):
                return path
        return "/"


def _allowed(methods: Collection[str]) -> Sequence[str]:
    return [*methods, *(["HEAD"] if "GET" in methods else [])]
