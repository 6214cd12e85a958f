"""The task type ``webhook``: a POST of a body to a URL. 2xx is success, everything else is a failed attempt."""

import re
from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus
from typing import Final

import msgspec
from yarl import URL

from tasker import __version__
from tasker.egress.http_client import DeliveryError, HttpClient, Request
from tasker.errors import InvalidTaskError
from tasker.model.attempt import Attempt, Failed, Outcome, Succeeded
from tasker.model.instants import SECOND
from tasker.model.task import Pool, TaskFault
from tasker.timing.clock import Clock
from tasker.wire import TaskFields, WebhookFields

TIMEOUT: Final = timedelta(seconds=30)
"""How long one attempt may take, from the DNS lookup to the end of the answer."""

_USER_AGENT: Final = f"tasker/{__version__}"
_ORDINARY_URL: Final = re.compile(r"https?://[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(/[!-\[\]-~]*)?", re.ASCII)
"""What most URLs look like: nothing in them can be wrong."""
_FORBIDDEN: Final = re.compile(r"[\x00-\x20\x7f\\\u0080-\u00a0\u2028\u2029]")
_decode_fields = msgspec.json.Decoder(WebhookFields).decode


class WebhookType:
    """Sends webhooks."""

    name = "webhook"
    spellings = ("Webhook", "WebHook")
    pool = Pool(1)
    timeout = TIMEOUT + timedelta(seconds=5)
    """The client's own timeout ends an attempt; this is for a client that hangs."""
    fields = WebhookFields

    def __init__(self, client: HttpClient, clock: Clock, *, slots: int) -> None:
        self.slots = slots
        self._client = client
        self._clock = clock

    def prepare(self, request: TaskFields) -> TaskFields:
        """See ``TaskType``. A URL without a scheme gets ``http://``."""
        assert isinstance(request, WebhookFields)  # noqa: S101 - the shape was checked when it was decoded
        return WebhookFields(url=_checked_url(request.url), body=request.body, retry=request.retry)

    async def run(self, attempt: Attempt, started: Callable[[], None]) -> Outcome:
        """See ``TaskType``. The receiver sees the same ``webhook-id`` at every attempt."""
        fields = _decode_fields(attempt.fields)
        body = fields.body.encode()
        headers = {
            "content-type": _content_type(body),
            "user-agent": _USER_AGENT,
            "accept-encoding": "identity",
            "webhook-id": attempt.task_id,
            "webhook-timestamp": str(self._clock.now() // SECOND),
        }
        try:
            response = await self._client.post(Request(fields.url, headers, body, TIMEOUT.total_seconds()), started)
        except DeliveryError as error:
            return Failed(TaskFault(error.code, error.msg), permanent=error.permanent)
        if 200 <= response.status <= 299:
            return Succeeded()
        return Failed(TaskFault(f"status_{response.status}", f"the target answered {_status_text(response.status)}"))

    async def close(self) -> None:
        """See ``TaskType``."""
        await self._client.close()


def _checked_url(url: str) -> str:
    """Return *url* with a scheme, or say what is wrong with it, without its userinfo and query string."""
    if "://" not in url:
        url = f"http://{url}"  # localhost:9000/x has no scheme, whatever a parser makes of "localhost:"
    if _ORDINARY_URL.fullmatch(url):
        return url
    if _FORBIDDEN.search(url):
        raise InvalidTaskError("url", "expected a URL without blanks, control characters and backslashes; percent-encode them")
    try:
        parsed = URL(url)
        host, port = parsed.raw_host, parsed.explicit_port
    except ValueError:
        raise InvalidTaskError(
            "url", "expected a URL such as https://example.org/hook, got one that cannot be parsed"
        ) from None
    if parsed.scheme not in ("http", "https"):
        raise InvalidTaskError("url", f"expected a URL with the scheme http or https, got: {parsed.scheme[:30]}")
    if not host or not host.strip("."):
        raise InvalidTaskError("url", "expected a URL with a host, such as https://example.org/hook")
    if port is not None and not 1 <= port <= 65_535:
        raise InvalidTaskError("url", f"expected a port from 1 to 65535, got: {port}")
    return url


def _content_type(body: bytes) -> str:
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        return "text/plain; charset=utf-8"
    return "application/json"


def _status_text(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
