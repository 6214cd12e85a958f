"""When a worker tries again what the server did not take."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Final

from tasker.client.errors import ApiError, CallFailed

_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 30.0

_MAY_PASS: Final = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)


def may_pass(error: ApiError | CallFailed) -> bool:
    """Return whether the same call may be answered otherwise later.

    So it is where there was no answer, and after a refusal because the server has trouble of its own, or no room.
    """
    if isinstance(error, CallFailed):
        return True
    return error.status in _MAY_PASS or error.status >= HTTPStatus.INTERNAL_SERVER_ERROR


def pauses() -> Iterator[float]:
    """Yield, for ever, the seconds to wait before each further try: twice as long each time, 30 at most.

    They come on top of the pauses of the client, which has tried several times by then.
    """
    pause = _FIRST_PAUSE
    while True:
        yield pause
        pause = min(2 * pause, _LONGEST_PAUSE)
