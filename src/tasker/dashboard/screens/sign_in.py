"""Signing in with a key, and out."""

import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode

from starlette.responses import Response

from tasker.callers import ANYBODY, Scope
from tasker.dashboard.visits import Pages, Pairs, Visit
from tasker.errors import UnauthorizedError

pages = Pages()

PATH: Final = "/sign-in"

_SENT: Final = "sent"
"""The field that says that ``to`` is not a page to go to, but what the form that follows is to be sent to."""

_FIELD: Final = "f."
"""Begins the names of that form's fields."""

_CHALLENGE: Final = {"www-authenticate": "Bearer"}
"""The header that a 401 has to have; of this scheme browsers leave it to the page to ask."""

_SECRET: Final = ("secret", "password", "authorization", "token")
"""What is in the names of fields that are kept, but not shown."""


@pages.get(PATH, Scope.OPEN)
async def ask(visit: Visit) -> Response:
    """Ask for a key."""
    to = _target(visit, visit.asked("to") or "/")
    if not visit.visitors.are_asked or (visit.asked("on") and visit.caller is not ANYBODY):
        return visit.go(to)
    ended = visit.caller is ANYBODY and visit.visitors.token(visit.asgi) != ""
    return _show(visit, to, ended=ended)


@pages.post(PATH, Scope.OPEN)
async def sign_in(visit: Visit) -> Response:
    """Sign in, and go to where the visitor was, or show what was being sent."""
    fields = [(name.removeprefix(_FIELD), value) for name, value in visit.form if name.startswith(_FIELD)]
    carried = fields if visit.said(_SENT) else None
    to = visit.act_at(visit.said("to")) if carried is not None else _target(visit, visit.said("to"))
    if carried is not None and not to:
        carried, to = None, "/"
    if not visit.visitors.are_asked:
        return visit.go(to) if carried is None else _send_again(visit, to, carried)
    wait = math.ceil(visit.visitors.wait(visit.asgi))
    if wait:
        wrong = f"Too many wrong keys came from here. Try again in {wait} s."
        headers = {"retry-after": str(wait)}
        return _show(visit, to, carried, status=HTTPStatus.TOO_MANY_REQUESTS, headers=headers, wrong=wrong)
    try:
        caller, cookie = await visit.visitors.sign_in(visit.asgi, visit.said("key"))
    except UnauthorizedError as error:
        wrong = f"The key {error.problem}." if error.problem else "Enter a key."
        return _show(visit, to, carried, status=HTTPStatus.UNAUTHORIZED, wrong=wrong)
    response = visit.go(to) if carried is None else _send_again(visit.of(caller), to, carried)
    response.headers["set-cookie"] = cookie
    return response


@pages.post("/sign-out", Scope.OPEN)
async def sign_out(visit: Visit) -> Response:
    """Sign out."""
    cookie = await visit.visitors.sign_out(visit.asgi, visit.caller)
    response = visit.go(PATH, done="sign_out")
    response.headers["set-cookie"] = cookie
    return response


def ask_first(visit: Visit) -> Response:
    """Return the answer to a request that needs a sign-in, and has none that is good.

    A page is asked for again afterwards. A form is carried along, and shown afterwards. What a script
    asks for is refused: it knows what it was about to do.
    """
    if visit.is_part:
        return visit.show("part_ended.html", status=HTTPStatus.UNAUTHORIZED, headers=_CHALLENGE)
    ended = visit.visitors.token(visit.asgi) != ""
    headers = dict(visit.asgi["headers"])
    if visit.asgi["method"] not in ("GET", "HEAD"):
        return _show(visit, visit.here, visit.form, status=HTTPStatus.UNAUTHORIZED, ended=ended)
    if headers.get(b"sec-fetch-dest", b"document") != b"document":
        return _show(visit, visit.here, status=HTTPStatus.UNAUTHORIZED, ended=ended)
    if not ended and headers.get(b"sec-fetch-site") in (b"cross-site", b"same-site"):
        # A browser keeps the cookie to itself when a page of another site has led here. Once it goes
        # on from a page of ours, it does not.
        return visit.show("go_on.html", path=visit.url(PATH, [("to", visit.here), ("on", "1")]))
    return visit.go(PATH if visit.here == "/" else f"{PATH}?{urlencode({'to': visit.here})}")


def _target(visit: Visit, text: str) -> str:
    to = visit.page_at(text)
    return "/" if to.partition("?")[0] == PATH else to


def _show(
    visit: Visit,
    to: str,
    carried: Pairs | None = None,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    ended: bool = False,
    wrong: str = "",
) -> Response:
    hidden = [("to", to)]
    if carried is not None:
        hidden += [(_SENT, "1"), *((_FIELD + name, value) for name, value in carried)]
    if status == HTTPStatus.UNAUTHORIZED:
        headers = _CHALLENGE
    return visit.show(
        "sign_in.html",
        status=status,
        headers=headers,
        title="Sign in",
        hidden=hidden,
        is_carrying=carried is not None,
        ended=ended,
        wrong=wrong,
    )


def _send_again(visit: Visit, to: str, carried: Pairs) -> Response:
    shown = [(name, None if any(word in name.lower() for word in _SECRET) else value) for name, value in carried]
    return visit.show("send_again.html", title="Go on", to=to, fields=carried, shown=shown)
