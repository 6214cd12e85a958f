"""The HTTP door: one layer in front of the bare create path and of an ordinary Starlette router for everything else."""

import asyncio
from http import HTTPStatus

import structlog
from starlette.exceptions import HTTPException
from starlette.routing import Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tasker.access import Access
from tasker.api import problems
from tasker.api.bodies import ClientGoneError
from tasker.api.create import creator
from tasker.api.receiving import HANG_UP
from tasker.api.routes import about, destinations, tasks
from tasker.config import Settings
from tasker.errors import TaskerError, cut
from tasker.service import Service
from tasker.task_types.registry import Registry

_log = structlog.get_logger()


def build_app(service: Service, registry: Registry, access: Access, settings: Settings) -> ASGIApp:
    """Return the ASGI application of a server. It needs no lifespan events.

    Every request is answered, unless its client hangs up: with what it asked for, or with a problem (``problems.PROBLEMS``).
    """
    limit = settings.max_body_bytes
    create = creator(service, registry, max_body_bytes=limit)
    routes = [
        *tasks.routes(service, registry, max_body_bytes=limit),
        *destinations.routes(service, max_body_bytes=limit),
        *about.routes(service, registry),
    ]
    router = Router(routes, redirect_slashes=False)
    return _Door(access, create, router)


class _Door:
    """Asks who may call, picks the way, and turns every error into its answer."""

    def __init__(self, access: Access, create: ASGIApp, router: Router) -> None:
        self._check = access.check
        self._create = create
        self._router = router

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            self._check(scope)
            if scope["path"] == "/tasks/new" and scope["method"] == "POST":
                await self._create(scope, receive, send)
            else:
                await self._route(scope, receive, send)
        except (TaskerError, HTTPException) as error:
            await problems.response(error)(scope, receive, send)
        except ClientGoneError:
            return
        except asyncio.CancelledError:  # the server stops and waits no longer; outside of this frame nothing is left to end
            _hang_up(scope)
        except Exception:  # noqa: BLE001 - a defect: the log tells, the caller learns nothing of it
            _log.exception("a request found a defect", method=scope["method"], path=cut(scope["path"]))
            await problems.internal_error()(scope, receive, send)

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the router answer. Once an answer has begun, an error can only cut it short."""
        begun = False

        async def noting_send(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        if scope["path"] == "/tasks/new":
            raise HTTPException(HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "POST"})
        scope["app"] = self  # makes the router raise what it does not know, instead of answering in plain text
        try:
            await self._router(scope, receive, noting_send)
        except Exception as error:
            if not begun:
                raise
            # Without its end the client sees that a part is missing.
            _log.warning(
                "an answer was cut short",
                path=cut(scope["path"]),
                reason=str(error) if isinstance(error, TaskerError) else type(error).__name__,
            )
            _hang_up(scope)


def _hang_up(scope: Scope) -> None:
    scope["extensions"][HANG_UP]["call"]()
