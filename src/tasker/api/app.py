"""The HTTP door: finds the call, asks who makes it, hands it to its handler, and turns every error into its answer."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qsl

import structlog
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from tasker.access import Access
from tasker.api import etags, idempotency, problems
from tasker.api.bodies import BodyReader, ClientGoneError
from tasker.api.calls import Call, Calls, Context, Request, path_of
from tasker.api.new_task import NewTaskDecoder
from tasker.api.openapi.document import document_json
from tasker.api.patches import PatchDecoder
from tasker.api.receiving import LEFT
from tasker.api.routes.all import CALLS
from tasker.api.sending import hang_up, send_answer
from tasker.api.tokens import token_in
from tasker.callers import Caller
from tasker.config import Settings
from tasker.errors import TaskerError, cut
from tasker.interfaces.queue import Claim
from tasker.service.service import Service
from tasker.task_types.registry import Registry

_QUICKLY_HASHED: Final = 1 << 20
"""Bytes that are hashed in passing; more would hold others up."""

_NO_QUERY: Final[Mapping[str, str]] = {}

_log = structlog.get_logger()


def make_context(service: Service, registry: Registry, settings: Settings) -> Context:
    """Return what the handlers of a server work with."""
    return Context(
        service=service,
        registry=registry,
        new_tasks=NewTaskDecoder(registry),
        patches=PatchDecoder(registry),
        max_body_bytes=settings.max_body_bytes,
        description=document_json(CALLS, registry),
        calls=[f"{call.method} {call.path}" for call in CALLS],
        root_path=settings.root_path,
        has_dashboard=not settings.no_dashboard,
    )


def build_app(context: Context, access: Access) -> ASGIApp:
    """Return the ASGI application of the API. It needs no lifespan events.

    Every request is answered, unless its client hangs up: with what it asked for, or with a problem
    (``problems.PROBLEMS``).
    """
    return _Door(access, context)


class _Door:
    """Match, then access, then the service."""

    def __init__(self, access: Access, context: Context) -> None:
        calls = Calls(CALLS)
        self._fixed = calls.fixed
        self._find = calls.find
        self._check = access.check
        self._context = context
        self._refused = context.service.metrics.refused
        self._bodies = BodyReader(CALLS, max_body_bytes=context.max_body_bytes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            method, path = scope["method"], path_of(scope)
            call, needs, values, allowed = self._fixed.get((method, path)) or self._find(method, path)
            claim = await self._claim(scope) if call is not None and call.takes_token else None
            taken = None if call is None or call.body is None else call.body.taken
            caller = self._check(scope, needs, taken)
            if call is None:
                self._refused["method_not_allowed" if allowed else "not_found"] += 1
                refusal = problems.method_not_allowed(allowed) if allowed else problems.not_found()
                await refusal(scope, receive, send)
                return
            key, is_traced = idempotency.key_in(scope["headers"], is_repeatable=call.is_repeatable)
            pairs = _pairs(scope["query_string"]) if scope["query_string"] else ()
            query = dict(pairs) if pairs else _NO_QUERY
            if query:
                call.check_query(query)
            if call.bare is not None and key is None and not is_traced:
                await call.bare(self._context, caller, receive, send)
            else:
                response = await self._answer(call, caller, scope, receive, values, query, pairs, key, claim)
                await send_answer(response, scope, receive, send)
        except TaskerError as error:
            self._refused[problems.code_of(error)] += 1
            await problems.response(error)(scope, receive, send)
        except ClientGoneError:
            return
        except (
            asyncio.CancelledError
        ):  # the server stops and waits no longer; outside of this frame nothing is left to end
            hang_up(scope)
        except Exception:  # noqa: BLE001 - a defect: the log tells, the caller learns nothing of it
            self._refused["internal_error"] += 1
            _log.exception("a request found a defect", method=scope["method"], path=cut(scope["path"]))
            await problems.internal_error()(scope, receive, send)

    async def _answer(
        self,
        call: Call,
        caller: Caller,
        scope: Scope,
        receive: Receive,
        values: Mapping[str, str],
        query: Mapping[str, str],
        pairs: Sequence[tuple[str, str]],
        key: bytes | None,
        claim: Claim | None,
    ) -> Response:
        body: Any = None
        repeated = None
        if call.body is not None:
            sent = await self._bodies.read(call, receive)
            body = self._bodies.decode(call, sent)
            if key is not None:
                if len(sent) <= _QUICKLY_HASHED:
                    repeated = idempotency.repeated(key, caller.identity, scope, sent)
                else:
                    repeated = await asyncio.to_thread(idempotency.repeated, key, caller.identity, scope, sent)
        assert call.handler is not None  # noqa: S101 - it is not a bare call
        revisions = etags.revisions_in(scope["headers"]) if call.is_conditional else None
        left = scope["extensions"][LEFT]["call"]
        path = scope["path"]
        return await call.handler(
            Request(self._context, caller, path, values, query, pairs, body, left, repeated, revisions, scope, claim)
        )

    async def _claim(self, scope: Scope) -> Claim:
        """Return the claim whose token a request shows: whoever shows none is told nothing else.

        Raises:
            InvalidTokenError: it is no token of this server.
        """
        return await self._context.service.completions.claim(token_in(scope["headers"]))


def _pairs(text: bytes) -> Sequence[tuple[str, str]]:
    return parse_qsl(text.decode("latin-1"), keep_blank_values=True)
