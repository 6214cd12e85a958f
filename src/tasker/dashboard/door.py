"""The door of the dashboard: finds the page, asks who comes, and turns every error into a page."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl

import structlog
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from tasker.access import Access, Taken, check_scope
from tasker.api import problems
from tasker.api.bodies import ClientGoneError, read_body
from tasker.api.calls import Context
from tasker.api.sending import hang_up, send_answer
from tasker.callers import ANYBODY
from tasker.config import Settings
from tasker.dashboard.assets import Assets
from tasker.dashboard.refreshes import Refreshes
from tasker.dashboard.rendering import Renderer
from tasker.dashboard.routes import NoPageError, Routes
from tasker.dashboard.screens import all_components, sign_in
from tasker.dashboard.screens.all import PAGES, PLACES
from tasker.dashboard.visitors import Visitors
from tasker.dashboard.visits import Page, Pairs, Shown, Visit
from tasker.errors import InvalidRequestError, ScopeMissingError, TaskerError, UnauthorizedError, cut

FORM: Final = Taken(limit=2 * 1024 * 1024, media_type="application/x-www-form-urlencoded")
"""What a form of a page may be."""

_STRANGERS_FORM: Final = 512 * 1024
"""Bytes that a form has at most while it is not known who sends it: it is shown again behind the sign-in."""

_MOST_FIELDS: Final = 2_000
"""Fields that a form has at most."""

_SAFE: Final = ("GET", "HEAD")

SECURITY: Final[Mapping[str, str]] = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "referrer-policy": "same-origin",  # with no-referrer, browsers send "Origin: null" with forms
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
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


class _Door:
    """Match, then access, then the screen."""

    def __init__(self, context: Context, access: Access, settings: Settings, *, is_demo: bool) -> None:
        self._context = context
        self._access = access
        self._settings = settings
        self._assets = Assets()
        self._renderer = Renderer(
            self._assets, settings.root_path, PLACES, is_demo=is_demo, is_for_tests=context.service.clock.is_on
        )
        self._refreshes = Refreshes()
        self._visitors = Visitors(access, context.service, settings)
        self._routes = Routes((*PAGES, *(all_components.pages if is_demo else ())))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = await self._answer(scope, receive)
            try:
                await send_answer(_secured(response), scope, receive, send)
            except Exception as error:  # noqa: BLE001 - nothing of the answer was sent
                refusal = self._error(error, self._visit(_path(scope), scope))
                await send_answer(_secured(refusal), scope, receive, send)
        except ClientGoneError:
            return
        except asyncio.CancelledError:  # the server stops and waits no longer
            hang_up(scope)

    async def _answer(self, scope: Scope, receive: Receive) -> Response:
        path = _path(scope)
        if not path:
            return Response(status_code=308, headers={"location": self._renderer.url("/")})
        visit = self._visit(path, scope)
        try:
            if path.startswith("/static/"):
                return self._asset(path, scope)
            visit, refusal = await self._meet(visit, receive)
            if refusal is not None:
                return self._error(refusal, visit)
            page, values = self._routes.find(scope["method"], path)
            check_scope(visit.caller, page.scope)
            return await self._page(page, replace(visit, values=values))
        except ClientGoneError:
            raise
        except Exception as error:  # noqa: BLE001 - each has a page
            return self._error(error, visit)

    async def _page(self, page: Page, visit: Visit) -> Response:
        """Return a page, or what an act is answered with. What is only refreshed waits for its turn."""
        if not visit.is_refresh:
            return await _made(page, visit)
        # All that a page depends on, but for what is so on the server.
        what = visit.caller, visit.path, (*visit.query,), visit.origin, visit.way.is_local, visit.zone, visit.theme
        return await self._refreshes.have(what, partial(_made, page, visit))

    async def _meet(self, visit: Visit, receive: Receive) -> tuple[Visit, TaskerError | None]:
        """Return a visit with who it is and what the form says, and why it may not go on; None: it may.

        A form is read in any case: pages that refuse it keep what was typed.
        """
        method = visit.asgi["method"]
        refusal: TaskerError | None = None
        if method not in _SAFE:
            self._access.check_form(visit.asgi, FORM)
        try:
            visit = visit.of(await self._visitors.who(visit.asgi))
        except TaskerError as error:
            refusal = error
        if method == "POST":
            visit = replace(visit, form=await _form(receive, _STRANGERS_FORM if refusal else FORM.limit))
        if isinstance(refusal, UnauthorizedError) and self._routes.is_open(method, visit.path):
            refusal = None
        return visit, refusal

    def _visit(self, path: str, scope: Scope) -> Visit:
        """Return the visit of somebody who is not known yet."""
        return Visit(
            context=self._context,
            settings=self._settings,
            renderer=self._renderer,
            visitors=self._visitors,
            routes=self._routes,
            caller=ANYBODY,
            path=path,
            values={},
            query=parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True),
            form=(),
            asgi=scope,
        )

    def _asset(self, path: str, scope: Scope) -> Response:
        version, _, name = path.removeprefix("/static/").partition("/")
        asset = self._assets.get(version, name, scope)
        if asset is None:
            raise NoPageError(HTTPStatus.NOT_FOUND)
        return asset

    def _error(self, error: Exception, visit: Visit) -> Response:
        method, headers = visit.asgi["method"], {}
        match error:
            case UnauthorizedError():
                return sign_in.ask_first(visit)
            case NoPageError():
                status, said = int(error.status), str(error)
                headers = {"allow": ", ".join(error.allowed)} if error.allowed else {}
            case TaskerError():
                status, said = problems.status_and_code(type(error))[0], str(error)
            case _:  # a defect: the log tells, the visitor learns nothing of it
                _log.error("a page found a defect", method=method, path=cut(visit.path), exc_info=error)
                status, said = 500, "something went wrong here; the log of the server says what"
        if (after := getattr(error, "retry_after", None)) is not None:
            headers = {"retry-after": str(after)}
        return visit.show(
            "part_error.html" if visit.is_part else "error.html",
            status=status,
            headers=headers,
            code=status,
            said=_sentence(said),
            lacks_scope=isinstance(error, ScopeMissingError),
            is_act=method not in _SAFE,
            # What everybody may send may hold a key.
            can_be_sent_again=method == "POST" and not self._routes.is_open(method, visit.path),
            nearest=self._routes.nearest(visit.path),
        )


async def _made(page: Page, visit: Visit) -> Response:
    response = await page.handler(visit)
    if isinstance(response, Shown):
        await response.draw()
    return response


def _path(scope: Scope) -> str:
    """Return what is asked for, behind ``/ui``."""
    path: str = scope["path"]
    return path.removeprefix(_BEFORE)


def _secured(response: Response) -> Response:
    for name, value in SECURITY.items():
        response.headers.setdefault(name, value)
    return response


async def _form(receive: Receive, limit: int) -> Pairs:
    body = await read_body(receive, limit, setting="")
    try:
        return parse_qsl(
            body.decode("utf-8", "replace"), keep_blank_values=True, errors="replace", max_num_fields=_MOST_FIELDS
        )
    except ValueError:
        raise InvalidRequestError("", f"expected a form of at most {_MOST_FIELDS} fields, got more") from None


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?")) else ".")
