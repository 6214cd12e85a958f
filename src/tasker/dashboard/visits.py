"""What a page is: each is declared once, beside its handler."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias
from urllib.parse import quote, unquote, urlencode

from starlette.responses import Response
from starlette.types import Receive, Send
from starlette.types import Scope as Asgi

from tasker.api.calls import Context
from tasker.callers import Caller, Scope
from tasker.config import Settings
from tasker.dashboard.cookies import cookie_in
from tasker.dashboard.rendering import THEME_COOKIE, THEMES, Pieces, Renderer
from tasker.model import zones
from tasker.model.audit import LOCAL
from tasker.model.instants import Instant
from tasker.service.service import Service
from tasker.timing.clock import stopwatch
from tasker.timing.leisure import rest

if TYPE_CHECKING:
    from tasker.dashboard.routes import Routes
    from tasker.dashboard.visitors import Visitors
    from tasker.dashboard.ways import Way

Pairs: TypeAlias = Sequence[tuple[str, str]]

SAID_OF_ACTS: Final = frozenset({"done", "id"})
"""The parameters by which an address says what was done before the page was shown."""

PRIVATE: Final = {"cache-control": "no-store"}
"""Headers of every page: it may show a task."""


_STEP: Final = 0.000_25
"""Seconds that a page is made at a time."""


class Shown(Response):
    """A page. It is made by ``draw``, or when it is sent."""

    def __init__(self, pieces: Pieces, status: int, headers: Mapping[str, str]) -> None:
        super().__init__(None, status, headers, media_type="text/html")
        self._pieces: Pieces | None = pieces

    async def draw(self) -> None:
        """Make it, in short steps: the event loop has other work between two."""
        if self._pieces is None:
            return
        pieces, self._pieces = self._pieces, None
        drawn = []
        await asyncio.sleep(0)  # what it shows was just put together
        began = stopwatch()
        for piece in await pieces():
            drawn.append(piece)
            if stopwatch() - began >= _STEP:
                await rest(began)
                await asyncio.sleep(0)
                began = stopwatch()
        self.body = self.render("".join(drawn))
        self.headers["content-length"] = str(len(self.body))

    async def __call__(self, scope: Asgi, receive: Receive, send: Send) -> None:
        """Send it."""
        await self.draw()
        await super().__call__(scope, receive, send)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request for a page, once its visitor is known and may see it."""

    context: Context
    settings: Settings
    renderer: Renderer
    visitors: "Visitors"
    routes: "Routes"
    caller: Caller
    path: str
    """As it is asked for, without what is in front of ``/ui/``."""
    values: Mapping[str, str]
    """What stands in the path where the page's has a name in braces."""
    query: Pairs
    """The parameters as they were sent: all values."""
    form: Pairs
    """What a form says; empty: the page is only looked at."""
    asgi: Mapping[str, Any]

    @property
    def service(self) -> Service:
        """What callers can do."""
        return self.context.service

    @property
    def now(self) -> Instant:
        """The time by the clock that decides what is due."""
        return self.service.statistics.now()

    @property
    def origin(self) -> str:
        """How the visitor reaches this server: a scheme, a host and a port."""
        host = dict(self.asgi["headers"]).get(b"host", b"localhost").decode("latin-1")
        return f"{'https' if self.way.is_encrypted else 'http'}://{host}"

    @property
    def zone(self) -> str:
        """The zone of the visitor's clocks, as the browser says; UTC without JavaScript."""
        named = self.cookie("tasker_zone").replace("%2F", "/")
        return named if named in zones.names() else "UTC"

    @property
    def theme(self) -> str:
        """How the visitor wants pages to look: one of ``THEMES``."""
        named = self.cookie(THEME_COOKIE)
        return named if named in THEMES else THEMES[0]

    def cookie(self, name: str) -> str:
        """Return what a cookie says; empty: the browser has none of this name."""
        return cookie_in(self.asgi, name)

    @property
    def way(self) -> "Way":
        """How the request has come here."""
        return self.visitors.way(self.asgi)

    @property
    def is_part(self) -> bool:
        """Whether a script asks, for a part of a page that is shown already."""
        return any(name == b"hx-request" for name, _ in self.asgi["headers"])

    @property
    def is_refresh(self) -> bool:
        """Whether a script asks for the page that is shown already, because there was news."""
        return self.is_part and self.asgi["method"] == "GET"

    @property
    def is_signed_in(self) -> bool:
        """Whether the visitor has shown a key."""
        return self.caller.id != LOCAL

    @property
    def paused_at(self) -> Instant | None:
        """Since when everything is paused; None: it is not."""
        return self.service.server.paused_at()

    @property
    def here(self) -> str:
        """What was asked for: the path behind ``/ui`` and the query, without what is said of an act before it."""
        kept = [(name, value) for name, value in self.query if name not in SAID_OF_ACTS]
        path = quote(self.path, safe="/:@!$&'()*+,;=~")
        return f"{path}?{urlencode(kept)}" if kept else path

    @property
    def place(self) -> str:
        """The page to come back to: this one, or that which this act is of."""
        return self.here if self.routes.has("GET", self.path) else self.routes.nearest(self.path)

    def page_at(self, text: str) -> str:
        """Return *text* if it is the path, and perhaps the query, of a page behind ``/ui``; else that of the first."""
        return text if self._is_ours("GET", text) else "/"

    def act_at(self, text: str) -> str:
        """Return *text* if forms are sent there; else nothing."""
        return text if self._is_ours("POST", text) else ""

    def _is_ours(self, method: str, text: str) -> bool:
        is_plain = text.isascii() and text.isprintable() and " " not in text
        return is_plain and self.routes.has(method, unquote(text.partition("?")[0]))

    def of(self, caller: Caller) -> "Visit":
        """Return the same visit of somebody else: who has just signed in."""
        return replace(self, caller=caller)

    def asked(self, name: str) -> str | None:
        """Return the last value of a parameter that is not empty; None: there is none."""
        return next((value for key, value in reversed(self.query) if key == name and value), None)

    def said(self, name: str) -> str:
        """Return what a field of the form says, without blanks at its ends; empty: nothing."""
        return next((value.strip() for key, value in reversed(self.form) if key == name), "")

    def url(self, path: str, pairs: Pairs = ()) -> str:
        """Return the address of a page. *path* begins behind ``/ui``."""
        return self.renderer.url(path, pairs)

    def show(
        self,
        template: str,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **said: Any,  # noqa: ANN401 - what the template shows
    ) -> Response:
        """Return the page that *template* makes of what is *said*."""
        content = self.renderer.page(template, self, is_refused=status >= 400, **said)
        return Shown(content, status, {**PRIVATE, **(headers or {})})

    def go(self, path: str, *, done: str = "", **values: str) -> Response:
        """Send the visitor to another page, which tells what was *done*: a key of ``notices.NOTICES``."""
        path, _, query = path.partition("?")
        pairs = [("done", done), *values.items()] if done else []
        target = self.url(path) + ("?" + "&".join(filter(None, (query, urlencode(pairs)))) if query or pairs else "")
        return Response(status_code=303, headers={**PRIVATE, "location": target})


Handler: TypeAlias = Callable[[Visit], Awaitable[Response]]


class Page(NamedTuple):
    """A page, or what a form of one does."""

    method: str
    path: str
    """Behind ``/ui``, with names in braces where any text stands that has no slash."""
    scope: Scope
    """What a visitor needs for it."""
    handler: Handler


class Pages:
    """The pages of a screen, as they are declared."""

    def __init__(self, *, place: str = "") -> None:
        """Make a screen without pages.

        Args:
            place: what the navigation calls its first page; empty: it does not name it.
        """
        self.place = place
        self._pages: list[Page] = []

    def __iter__(self) -> Iterator[Page]:
        return iter(self._pages)

    def get(self, path: str, scope: Scope = Scope.TASKS_READ) -> Callable[[Handler], Handler]:
        """Declare a page: a decorator of its handler."""
        return self._declare("GET", path, scope)

    def post(self, path: str, scope: Scope) -> Callable[[Handler], Handler]:
        """Declare what a form does: a decorator of its handler."""
        return self._declare("POST", path, scope)

    def _declare(self, method: str, path: str, scope: Scope) -> Callable[[Handler], Handler]:
        def declare(handler: Handler) -> Handler:
            self._pages.append(Page(method, path, scope, handler))
            return handler

        return declare
