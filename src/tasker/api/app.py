"""The REST door as one ASGI application: the hot path, and an ordinary Starlette application for the rest."""

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tasker.access import Access
from tasker.api import openapi, problems
from tasker.api.create import ClientGoneError, creator, new_task_type
from tasker.api.routes import server, tasks
from tasker.config import Settings
from tasker.errors import TaskerError
from tasker.service import Service
from tasker.task_types.registry import Registry

CREATE_PATH = "/tasks/new"

_log = structlog.get_logger()


def build_app(service: Service, registry: Registry, access: Access, settings: Settings) -> ASGIApp:
    """Return the application."""
    description = openapi.document(registry, new_task_type(registry))
    site = Starlette(
        routes=[
            Route(CREATE_PATH, _only_post, methods=["POST"]),  # a POST never comes here: other methods are told so
            *server.routes(service, description),
            *tasks.routes(service, registry),
        ],
        exception_handlers={HTTPException: _problem, TaskerError: _problem},
    )
    site.router.redirect_slashes = False
    return Door(access, creator(service, registry, max_body_bytes=settings.max_body_bytes), site)


class Door:
    """Asks ``Access``, then hands the call on. Whatever goes wrong becomes a problem; a client that hung up, nothing."""

    def __init__(self, access: Access, create: ASGIApp, site: ASGIApp) -> None:
        self._access = access
        self._create = create
        self._site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        started = False

        async def noting_send(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            self._access.check(scope)
            handler = self._create if scope["path"] == CREATE_PATH and scope["method"] == "POST" else self._site
            await handler(scope, receive, noting_send)
        except ClientGoneError:
            return
        except (TaskerError, HTTPException) as error:
            if started:
                # Half of a list is out. Without its last chunk the client knows that it is not whole.
                _log.warning("broke off an answer", path=scope["path"][:200], reason=str(error))
            else:
                await problems.response(error)(scope, receive, send)
        except Exception:  # noqa: BLE001 - a defect in one request must not show itself to its caller
            _log.exception("a request failed", method=scope["method"], path=scope["path"][:200])
            if not started:
                await problems.internal_error()(scope, receive, send)


async def _only_post(_: Request) -> Response:
    raise AssertionError


async def _problem(_: Request, error: Exception) -> Response:
    """Answer what a route raised, or Starlette itself: unknown paths and wrong methods."""
    assert isinstance(error, TaskerError | HTTPException)  # noqa: S101 - registered for these
    return problems.response(error)
