"""Sends alerts to the operator's own address, past the queue and its gates."""

from datetime import timedelta
from typing import Final

from msgspec import Struct

from tasker import __version__
from tasker.egress.answers import retry_after, status_text
from tasker.egress.http_client import DeliveryError, HttpClient, OutOfResourcesError, Request
from tasker.egress.signing import Signer
from tasker.model.instants import SECOND
from tasker.timing.clock import Clock, elapsed, stopwatch

TIMEOUT: Final = timedelta(seconds=10)
"""How long one try may take."""


class Reception(Struct, frozen=True, kw_only=True):
    """What became of one try. Shows nothing of the address, nor of what the receiver wrote."""

    status: int | None
    """None: no answer came."""
    problem: str
    """Why it does not count as received, as a clause; empty: it does."""
    seconds: float
    retry_after: timedelta | None = None
    """How long the receiver asks to be left alone; None: it does not."""


class AlertSender:
    """Sends alerts to one address. A status of 2xx means that one was received."""

    def __init__(self, client: HttpClient, url: str, clock: Clock, *, signer: Signer | None) -> None:
        """Make a sender.

        Args:
            client: for these messages alone; closed with the sender.
            url: where they go; a secret.
            clock: says when.
            signer: signs them; None: they are not signed.
        """
        self._client = client
        self._url = url
        self._clock = clock
        self._signer = signer

    async def send(self, message_id: str, body: bytes) -> Reception:
        """Try once to send *body*, JSON. Takes up to ``TIMEOUT``, and never raises for what the receiver does.

        Args:
            message_id: goes as ``webhook-id``, the same at every try.
        """
        began = stopwatch()
        try:
            exchange = await self._client.send(self._request(message_id, body), lambda: None)
        except DeliveryError as error:
            return _failed(error.msg.replace("the target", "the receiver"), began)
        except OutOfResourcesError as error:
            return _failed(f"this machine is {error}", began)
        status = exchange.status
        assert status is not None  # noqa: S101 - there is an answer
        return Reception(
            status=status,
            problem="" if 200 <= status <= 299 else f"the receiver answered {status_text(status)}",
            seconds=elapsed(began),
            retry_after=retry_after(exchange, self._clock.now()),
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._client.close()

    def _request(self, message_id: str, body: bytes) -> Request:
        timestamp = str(self._clock.now() // SECOND)
        headers = {
            "content-type": "application/json",
            "user-agent": f"tasker/{__version__}",
            "accept-encoding": "identity",
            "webhook-id": message_id,
            "webhook-timestamp": timestamp,
        }
        if self._signer is not None:
            headers["webhook-signature"] = self._signer.signature(message_id, timestamp, body)
        return Request(
            method="POST", url=self._url, headers=headers, body=body, timeout_seconds=TIMEOUT.total_seconds()
        )


def _failed(problem: str, began: float) -> Reception:
    return Reception(status=None, problem=problem, seconds=elapsed(began))
