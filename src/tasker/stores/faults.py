"""Why an attempt failed, as stores keep it: JSON text."""

import msgspec

from tasker.model.task import Fault

_decode = msgspec.json.Decoder(Fault).decode


def fault_text(fault: Fault | None) -> str | None:
    """A fault as it is stored."""
    return None if fault is None else msgspec.json.encode(fault).decode()


def fault_of(text: str | None) -> Fault | None:
    """The fault that is stored as *text*."""
    return None if text is None else _decode(text)
