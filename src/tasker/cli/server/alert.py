"""``tasker alert``: whether alerts arrive."""

import asyncio
from collections.abc import Sequence

import structlog

from tasker import node
from tasker.cli import output
from tasker.cli.server import logs
from tasker.config import Settings
from tasker.egress.alert_sender import Reception
from tasker.errors import SettingError
from tasker.ids import new_id
from tasker.timing.clock import SystemClock
from tasker.wire.alerts import sample_body

_log = structlog.get_logger()


def send_test(settings: Settings, form: str, *, doubts: Sequence[str]) -> None:
    """Send one alert, and print what became of it.

    Args:
        form: of what is printed: ``table`` or ``json``.
        doubts: what looks like a mistake in the settings, for the log.

    Raises:
        SettingError: there is no address.
        StartError: whom TLS is to trust cannot be read.
        CommandError: it was not received.
    """
    logs.set_up(settings.log_level, settings.log_format)
    for doubt in doubts:
        _log.warning(doubt)
    if settings.alert_url is None:
        raise SettingError(
            "--alert-url", "expected an http:// or https:// URL, got none; TASKER_ALERT_URL takes it too"
        )
    message_id = new_id(SystemClock().now())
    reception = asyncio.run(_send(settings, message_id))
    if reception.status is None:
        raise output.CommandError(output.UNREACHABLE, "receiver_unreachable", f"no answer: {reception.problem}")
    if reception.problem:
        raise output.CommandError(output.FAILED, "alert_refused", f"not received: {reception.problem}")
    facts = {
        "id": message_id,
        "status": reception.status,
        "seconds": reception.seconds,
        "signed": bool(settings.webhook_secrets),
    }
    signed = "signed" if settings.webhook_secrets else "not signed"
    output.show(form, facts, f"received: status {reception.status} after {reception.seconds:.3f} s, {signed}")


async def _send(settings: Settings, message_id: str) -> Reception:
    clock = SystemClock()
    sender = node.make_alert_sender(settings, clock)
    try:
        return await sender.send(message_id, sample_body(message_id, clock.now()))
    finally:
        await sender.close()
