"""What a task is about, in a line of a list."""

from typing import Any

import msgspec
from msgspec import Struct

from tasker.model.task import Task
from tasker.wire.masking import masked_url


class _Members(Struct):
    """The members of a payload that tell most. A task type of a package may mean something else by them."""

    url: Any = None
    method: Any = None
    queue: Any = None
    group: Any = None
    tags: Any = None


_decode = msgspec.json.Decoder(_Members).decode


class Gist(Struct, frozen=True):
    """What a task is about."""

    text: str
    """Where it goes, without passwords and what follows the path; of other types, the queue, or nothing."""
    method: str
    """Of a webhook: that of its request; empty: no webhook."""
    group: str
    """Empty: it has none."""
    tags: list[str]


def gist_of(task: Task) -> Gist:
    """Return what *task* is about. Nothing of its body, its headers or its secrets is in it."""
    members = _decode(task.payload)
    url = members.url if isinstance(members.url, str) else ""
    queue = members.queue if isinstance(members.queue, str) else ""
    return Gist(
        text=_short(url) if url else queue,
        method=str(members.method or "POST") if url else "",
        group=members.group if isinstance(members.group, str) else "",
        tags=[str(tag) for tag in members.tags] if isinstance(members.tags, list) else [],
    )


def _short(url: str) -> str:
    return masked_url(url).partition("://")[2].partition("?")[0].partition("#")[0] or url
