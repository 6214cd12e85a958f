"""Answers, as they are sent: whole, or visibly not."""

import structlog
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from tasker.api.receiving import HANG_UP
from tasker.errors import TaskerError, cut

_log = structlog.get_logger()


async def send_answer(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Send an answer. Once it has begun, an error can only cut it short: then the connection is closed.

    Raises:
        Exception: what *response* raised before it sent anything.
    """
    begun = False

    async def noting_send(message: Message) -> None:
        nonlocal begun
        begun = True
        await send(message)

    try:
        await response(scope, receive, noting_send)
    except Exception as error:
        if not begun:
            raise
        # Without its end the client sees that a part is missing.
        _log.warning(
            "an answer was cut short",
            path=cut(scope["path"]),
            reason=str(error) if isinstance(error, TaskerError) else type(error).__name__,
        )
        hang_up(scope)


def hang_up(scope: Scope) -> None:
    """Close the connection that a request came by, whatever has been sent."""
    scope["extensions"][HANG_UP]["call"]()
