"""The door of the dashboard: finds the page, asks who comes, and turns every error into a page."""

import asyncio
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl

import structlog
from starlette.responses import Response
from starlette.routing import compile_path
from starlette.types import ASGIApp, Receive, Scope, Send

from tasker.access import Access, Taken
from tasker.api import problems
from tasker.api.bodies import ClientGoneError, read_body
from tasker.api.calls import Context
from tasker.api.receiving import HANG_UP
from tasker.callers import ANYBODY, Caller
from tasker.config import Settings
from tasker.dashboard.assets import Assets
from tasker.dashboard.rendering import Renderer
from tasker.dashboard.screens import all_components
from tasker.dashboard.screens.all import PAGES, PLACES
from tasker.dashboard.visits import PRIVATE, Page, Pairs, Visit
from tasker.errors import TaskerError, cut

FORM: Final = Taken(limit=2 * 1024 * 1024, media_type="application/x-www-form-urlencoded")
"""What a form of a page may be."""

SECURITY: Final[Mapping[str, str]] = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "referrer-policy": "same-origin",  # with no-referrer, browsers send "Origin: null" with forms
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
}
"""Headers of all that the dashboard answers. Sources: OWASP, HTTP Headers Cheat Sheet; Fetch, "append a request
Origin header"."""

_BEFORE: Final = "/ui"

_log = structlog.get_logger()


def build_dashboard(context: Context, access: Access, settings: Settings, *, is_demo: bool = False) -> ASGIApp:
    """Return the ASGI application that serves ``/ui`` and all below it. It needs no lifespan events.

    Args:
        is_demo: whether pages say that it is ``tasker demo``; then there is the page of all
            components, too.
    """
    return _Door(context, access, settings, is_demo=is_demo)


class _NoPageError(TaskerError):
    """There is no such page, or it does not take the method."""

    def __init__(self, status: HTTPStatus) -> None:
        self.status = status
        super().__init__("there is no such page")


class _Door:
    """Match, then access, then the screen."""

    def __init__(self, context: Context, access: Access, settings: Settings, *, is_demo: bool) -> None:
        self._context = context
        self._access = access
        self._settings = settings
        self._assets = Assets()
        self._renderer = Renderer(self._assets, "", PLACES, is_demo=is_demo)
        by_path: dict[str, dict[str, Page]] = {}
        for page in (*PAGES, *(all_components.pages if is_demo else ())):
            by_path.setdefault(page.path, {})[page.method] = page
        # Where two fit, the one that begins with more fixed text comes first.
        paths = sorted(by_path, key=lambda path: -len(path.partition("{")[0]))
        self._paths: list[tuple[re.Pattern[str], Mapping[str, Page]]] = [
            (compile_path(path)[0], by_path[path]) for path in paths
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = await self._answer(scope, receive)
        except ClientGoneError:
            return
        except asyncio.CancelledError:  # the server stops and waits no longer
            scope["extensions"][HANG_UP]["call"]()
            return
        for name, value in SECURITY.items():
            response.headers.setdefault(name, value)
        await response(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive) -> Response:
        path = scope["path"].removeprefix(_BEFORE)
        if not path:
            return Response(status_code=308, headers={"location": self._renderer.url("/")})
        caller = ANYBODY
        try:
            if path.startswith("/static/"):
                return self._asset(path, scope)
            page, values = self._find(scope["method"], path)
            caller = self._access.check_page(scope, page.scope, FORM)
            form = await self._form(receive) if page.method == "POST" else ()
            return await page.handler(self._visit(caller, path, scope, values=values, form=form))
        except TaskerError as error:
            status = error.status if isinstance(error, _NoPageError) else problems.status_and_code(type(error))[0]
            return self._error(status, str(error), self._visit(caller, path, scope))
        except (ClientGoneError, asyncio.CancelledError):
            raise
        except Exception:  # noqa: BLE001 - a defect: the log tells, the visitor learns nothing of it
            _log.exception("a page found a defect", method=scope["method"], path=cut(scope["path"]))
            said = "something went wrong here; the log of the server says what"
            return self._error(500, said, self._visit(caller, path, scope))

    def _visit(
        self,
        caller: Caller,
        path: str,
        scope: Scope,
        *,
        values: Mapping[str, str] | None = None,
        form: Pairs = (),
    ) -> Visit:
        return Visit(
            context=self._context,
            settings=self._settings,
            renderer=self._renderer,
            caller=caller,
            path=path,
            values=values or {},
            query=parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True),
            form=form,
            asgi=scope,
        )

    def _asset(self, path: str, scope: Scope) -> Response:
        version, _, name = path.removeprefix("/static/").partition("/")
        asset = self._assets.get(version, name, scope)
        if asset is None:
            raise _NoPageError(HTTPStatus.NOT_FOUND)
        return asset

    def _find(self, method: str, path: str) -> tuple[Page, Mapping[str, str]]:
        for pattern, methods in self._paths:
            match = pattern.match(path)
            if match is not None:
                page = methods.get("GET" if method == "HEAD" else method)
                if page is None:
                    raise _NoPageError(HTTPStatus.METHOD_NOT_ALLOWED)
                return page, match.groupdict()
        raise _NoPageError(HTTPStatus.NOT_FOUND)

    async def _form(self, receive: Receive) -> Pairs:
        body = await read_body(receive, FORM.limit, setting="")
        return parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, errors="replace")

    def _error(self, status: int, said: str, visit: Visit) -> Response:
        return visit.show("error.html", status=status, headers=PRIVATE, code=status, said=_sentence(said))


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?")) else ".")
