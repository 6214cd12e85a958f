"""The task type ``webhook``: a request to a URL.

2xx is success unless the task says otherwise, all else a failed attempt. For a task with a
``completion``, 202 means that the target has accepted the work.
"""

import binascii
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from http import HTTPStatus
from typing import Final

import msgspec
from msgspec import UNSET
from typing_extensions import override

from tasker import __version__, urls
from tasker.egress.answers import retry_after, status_text
from tasker.egress.http_client import DeliveryError, HttpClient, OutOfResourcesError, Request
from tasker.egress.signing import Signer
from tasker.errors import AttemptMustNotBeginError, InvalidTaskError, MaskedValueError, cut
from tasker.interfaces.task_type import TaskType
from tasker.model import lengths
from tasker.model.attempt import Accepted, Attempt, Exchange, Failed, Outcome, Succeeded
from tasker.model.completion_token import TokenClaim, completion_token
from tasker.model.gate import Destination, GateKind
from tasker.model.instants import SECOND
from tasker.model.task import Fault, Pool
from tasker.timing.clock import Clock
from tasker.wire.fields import BODIES, CompletionFields, TaskFields, WebhookFields
from tasker.wire.masking import MASK, has_masked_password
from tasker.wire.tracing import child_of

TIMEOUT: Final = timedelta(seconds=30)
"""How long one attempt may take, from the DNS lookup to the status of the answer, unless the task
says otherwise."""

HEADERS_LIMIT: Final = 16 * 1024
"""Characters of all names and values of a task's headers together."""

_LONGEST_TIMEOUT: Final = timedelta(hours=1)
_LONGEST_DEADLINE: Final = timedelta(days=30)

_USER_AGENT: Final = f"tasker/{__version__}"
_SIGN: Final = re.compile(r"[^0-9a-z]", re.ASCII)
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]*", re.ASCII)
"""Source: RFC 9110, section 5.6.2."""
_VALUE: Final = re.compile(r"([!-~\xa1-\xff]([ -~\xa0-\xff]*[!-~\xa1-\xff])?)?")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]*={0,2}")
_JSON_BEGINS: Final = frozenset(b'{["-0123456789tfn \t\r\n')
"""Bytes that JSON can begin with. Source: RFC 8259, sections 2 and 3."""
_CLASS: Final = re.compile(r"[2-5]xx", re.ASCII)
_OF_THE_CONNECTION: Final = frozenset(
    {
        *("connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization", "te", "trailer"),
        *("transfer-encoding", "upgrade", "host", "content-length", "expect"),
    }
)
"""Headers that are about the connection and the length of the message, not about what it says."""
_OF_TASKER: Final = frozenset(
    {
        *("webhook-id", "webhook-timestamp", "webhook-signature"),
        *("tasker-completion-url", "tasker-completion-token"),
    }
)


class WebhookType(TaskType):
    """Sends webhooks."""

    name = "webhook"
    spellings = ("Webhook", "WebHook")
    pool = Pool(1)
    timeout = _LONGEST_TIMEOUT + timedelta(seconds=1)
    """The client ends an attempt at the timeout of its task; this is for a client that hangs."""
    fields = WebhookFields

    def __init__(
        self,
        client: HttpClient,
        clock: Clock,
        *,
        slots: int,
        signer: Signer | None = None,
        public_url: str | None = None,
        completion_key: bytes = b"",
    ) -> None:
        """Make the type.

        Args:
            client: sends the requests.
            clock: says when.
            slots: how many of them may be under way at once.
            signer: signs them; None: they are not signed.
            public_url: where receivers reach the server; None: nowhere, and new tasks cannot have a
                completion.
            completion_key: what the tokens are signed with that receivers get.
        """
        self._public_url = public_url
        self._completion_key = completion_key
        self._slots = slots
        self._client = client
        self._clock = clock
        self._signer = signer

    @property
    @override
    def slots(self) -> int:
        return self._slots

    @override
    def prepare(self, request: TaskFields) -> TaskFields:
        """A URL without a scheme gets ``http://``."""
        assert isinstance(request, WebhookFields)  # noqa: S101 - the shape was checked when it was decoded
        try:
            url = urls.checked(request.url)
        except ValueError as error:
            raise InvalidTaskError("url", str(error)) from None
        if MASK in url and has_masked_password(url):
            raise MaskedValueError("url", "expected the password itself, got ***, which stands for it")
        if request.headers is not UNSET:
            _check_headers(request.headers, url)
        if request.success is not UNSET:
            _check_success(request.success)
        _check_body(request)
        if request.completion is not UNSET:
            request = msgspec.structs.replace(request, completion=self._completion(request.completion))
        return request if url is request.url else msgspec.structs.replace(request, url=url)

    def _completion(self, given: CompletionFields) -> CompletionFields:
        """Return *given* with where the completion is reported, which stays if this server has nowhere."""
        try:
            deadline = lengths.parse(given.deadline)
        except ValueError as error:
            raise InvalidTaskError("completion.deadline", str(error)) from None
        if not timedelta(0) < deadline <= _LONGEST_DEADLINE:
            raise InvalidTaskError(
                "completion.deadline",
                f"expected more than 0 seconds and at most {lengths.shown(_LONGEST_DEADLINE)}, got: {given.deadline}",
            )
        if self._public_url is not None:
            return msgspec.structs.replace(given, url=f"{self._public_url}/completions")
        if given.url is UNSET or not _was_made(given.url):
            raise InvalidTaskError(
                "completion",
                "expected a server that knows where receivers reach it: start it with --public-url URL",
            )
        return given

    @override
    def destination(self, fields: TaskFields) -> Destination:
        """The host."""
        assert isinstance(fields, WebhookFields)  # noqa: S101 - as prepare returned it
        return Destination(GateKind.HOST, urls.origin(fields.url))

    @override
    async def run(self, attempt: Attempt, fields: TaskFields, started: Callable[[], None]) -> Outcome:
        """The receiver sees the same ``webhook-id`` at every attempt.

        Raises:
            AttemptMustNotBeginError: this machine lacks what a connection needs. Nothing was sent.
        """
        assert isinstance(fields, WebhookFields)  # noqa: S101 - they were read as such
        try:
            exchange = await self._client.send(self._request(attempt, fields), started)
        except OutOfResourcesError as error:
            raise AttemptMustNotBeginError(f"this machine is {error}") from None
        except DeliveryError as error:
            return Failed(
                Fault(error.code, error.msg),
                permanent=error.permanent,
                is_alive=False if error.is_targets_fault else None,
                exchange=error.exchange,
            )
        status = exchange.status
        assert status is not None  # noqa: S101 - there is an answer
        if fields.completion is not UNSET and status == HTTPStatus.ACCEPTED:
            deadline = lengths.parse(fields.completion.deadline)
            kept = _without(exchange, self._token(attempt))
            return Accepted(deadline, counts=fields.completion.counts, exchange=kept)
        if _is_success(status, fields):
            return Succeeded(exchange=exchange)
        return Failed(
            Fault(f"status_{status}", f"the target answered {status_text(status)}"),
            permanent=status == HTTPStatus.GONE,
            retry_after=retry_after(exchange, self._clock.now()),
            is_alive=status < HTTPStatus.INTERNAL_SERVER_ERROR,
            exchange=exchange,
        )

    @override
    async def close(self) -> None:
        await self._client.close()

    def _token(self, attempt: Attempt) -> str:
        """Return what the receiver shows that has got *attempt*."""
        return completion_token(self._completion_key, TokenClaim(attempt.task_id, attempt.fence))

    def _request(self, attempt: Attempt, fields: WebhookFields) -> Request:
        headers: dict[str, str] = {}
        body = None
        if fields.json is not UNSET:
            body = bytes(fields.json)
            headers["content-type"] = "application/json"
        elif fields.body is not UNSET:
            body = fields.body.encode()
            headers["content-type"] = _content_type(body)
        elif fields.body_base64 is not UNSET:
            body = binascii.a2b_base64(fields.body_base64)
            headers["content-type"] = "application/octet-stream"
        headers["user-agent"] = _USER_AGENT
        headers["accept-encoding"] = "identity"
        headers["webhook-id"] = attempt.task_id
        headers["webhook-timestamp"] = timestamp = str(self._clock.now() // SECOND)
        if self._signer is not None:
            headers["webhook-signature"] = self._signer.signature(attempt.task_id, timestamp, body or b"")
        if attempt.traceparent is not None:
            headers["traceparent"] = attempt.traceparent
        elif fields.traceparent is not UNSET:
            headers["traceparent"] = child_of(fields.traceparent, secrets.randbits(64))
        if fields.completion is not UNSET and fields.completion.url is not UNSET:
            headers["tasker-completion-url"] = fields.completion.url
            headers["tasker-completion-token"] = self._token(attempt)
        if fields.headers is not UNSET:
            for name, value in fields.headers.items():
                headers.pop(name.lower(), None)
                headers[name] = value
        return Request(
            method="POST" if fields.method is UNSET else fields.method,
            url=fields.url,
            headers=headers,
            body=body,
            timeout_seconds=TIMEOUT.total_seconds() if fields.timeout is UNSET else fields.timeout,
        )


def _was_made(url: str) -> bool:
    """Whether *url*, where a completion is reported, can be one that a server has made of its ``--public-url``."""
    try:
        return url.isascii() and url.endswith("/completions") and urls.checked(url) == url
    except ValueError:
        return False


def _without(exchange: Exchange, token: str) -> Exchange:
    """Return *exchange* as it is kept: a target that echoes its request tells no reader the *token*, which is valid."""
    headers = {name: value.replace(token, MASK) for name, value in exchange.headers.items()}
    return msgspec.structs.replace(exchange, headers=headers, body=exchange.body.replace(token, MASK))


def _check_success(success: Sequence[int | str]) -> None:
    for place, status in enumerate(success):
        if not (200 <= status <= 599 if isinstance(status, int) else _CLASS.fullmatch(status)):
            shown = status if isinstance(status, int) else repr(cut(status))
            raise InvalidTaskError(
                f"success[{place}]", f'expected a status from 200 to 599, or a class from "2xx" to "5xx", got: {shown}'
            )


def _check_headers(headers: Mapping[str, str], url: str) -> None:
    """Raise ``InvalidTaskError`` if one cannot be sent.

    The message never shows a value, nor what may be one in a name.
    """
    seen = set()
    for name, value in headers.items():
        if not name or not _TOKEN.fullmatch(name):
            begins = cut(_TOKEN.match(name)[0])  # type: ignore[index]  # it matches nothing, too
            raise InvalidTaskError(
                "headers",
                f"expected names of letters, digits and signs such as - and _, got one that begins with {begins!r}",
            )
        lowered, folded, field = name.lower(), _folded(name), f"headers.{cut(name)}"
        if folded in _OF_THE_CONNECTION:
            raise InvalidTaskError(field, "expected no header that is about the connection: tasker makes those itself")
        if folded in _OF_TASKER:
            raise InvalidTaskError(field, "expected no header of this name: tasker makes it itself")
        if lowered in seen:
            raise InvalidTaskError(field, "expected each header once, got this one twice")
        seen.add(lowered)
        if value == MASK:
            raise MaskedValueError(field)
        if not _VALUE.fullmatch(value):
            raise InvalidTaskError(
                field,
                "expected a value of visible ISO 8859-1 characters, without line ends and without blanks at its ends",
            )
    length = sum(len(name) + len(value) for name, value in headers.items())
    if length > HEADERS_LIMIT:
        raise InvalidTaskError("headers", f"expected at most {HEADERS_LIMIT} characters together, got: {length}")
    if "authorization" in seen and urls.parts(url).credentials is not None:
        given = next(name for name in headers if name.lower() == "authorization")
        raise InvalidTaskError(f"headers.{given}", "expected either this header or a user in the URL, got both")


def _folded(name: str) -> str:
    """Return what a receiver may take *name* for: through CGI and what is modelled on it, all signs are one.

    Source: RFC 3875, section 4.1.18; some servers do so with more signs than the hyphen.
    """
    return _SIGN.sub("-", name.lower())


def _check_body(request: WebhookFields) -> None:
    if request.json is UNSET and request.body_base64 is UNSET:  # nearly always
        return
    given = [name for name in BODIES if getattr(request, name) is not UNSET]
    if len(given) > 1:
        raise InvalidTaskError(
            given[-1], f"expected only one of {', '.join(BODIES)}, or none; got {' and '.join(given)}"
        )
    if request.json is not UNSET:
        try:
            bytes(request.json).decode()
        except UnicodeDecodeError:
            raise InvalidTaskError("json", "expected JSON in UTF-8, got other bytes") from None
    elif request.body_base64 is not UNSET and not _is_base64(request.body_base64):
        raise InvalidTaskError(
            "body_base64",
            "expected base64: A-Z, a-z, 0-9, + and / in groups of four, the last one filled up with =; "
            "got something else",
        )


def _is_base64(text: str) -> bool:
    """Source: RFC 4648, section 4."""
    return len(text) % 4 == 0 and _BASE64.fullmatch(text) is not None


def _content_type(body: bytes) -> str:
    if body[0] not in _JSON_BEGINS:
        return "text/plain; charset=utf-8"  # quicker than to have a decoder fail
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        return "text/plain; charset=utf-8"
    return "application/json"


def _is_success(status: int, fields: WebhookFields) -> bool:
    if fields.success is UNSET:
        return 200 <= status <= 299
    return status in fields.success or f"{status // 100}xx" in fields.success
