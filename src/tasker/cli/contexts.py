"""Contexts: servers with names, and the keys for them, in a file of whoever types."""

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from tasker.cli.output import FAILED, MISUSED, NOT_FOUND, CommandError
from tasker.errors import cut

FILE: Final = "contexts.json"
VARIABLE: Final = "TASKER_CONTEXT"
_PATIENCE_SECONDS: Final = 60


class Context(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A server with a name, and how its key is had."""

    url: str
    key: str | None = None
    """The key itself. It is never shown."""
    key_command: str | None = None
    """A command of the shell that prints it."""

    @property
    def key_from(self) -> str:
        """Say where the key comes from: ``file``, ``command`` or ``none``."""
        return "file" if self.key else "command" if self.key_command else "none"


class Contexts(Struct, frozen=True, kw_only=True):
    """All contexts, and which one counts where nobody names one."""

    current: str | None = None
    contexts: dict[str, Context] = {}

    def named(self, name: str) -> Context:
        """Return the context with a *name*.

        Raises:
            CommandError: there is none.
        """
        if name not in self.contexts:
            known = f"there are {', '.join(self.contexts)}" if self.contexts else "there are none yet"
            raise CommandError(
                NOT_FOUND, "no_context", f"there is no context {cut(name)!r}; {known}; tasker context add makes one"
            )
        return self.contexts[name]


def folder(environ: Mapping[str, str]) -> Path:
    """Return the folder of the file: ``$XDG_CONFIG_HOME/tasker``, or ``~/.config/tasker``."""
    home = environ.get("XDG_CONFIG_HOME", "")
    base = Path(home) if home.startswith("/") else Path("~/.config").expanduser()  # a relative one does not count
    return base / "tasker"


def load(environ: Mapping[str, str]) -> Contexts:
    """Return the contexts that are kept; none, if there is no file.

    Raises:
        CommandError: the file cannot be read, is no such file, or others may read the keys in it.
    """
    path = folder(environ) / FILE
    try:
        mode = path.stat().st_mode
        text = path.read_bytes()
    except FileNotFoundError:
        return Contexts()
    try:
        read = msgspec.json.decode(text, type=Contexts)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise CommandError(
            MISUSED, "contexts", f"{path}: expected what tasker context add writes; repair it, or remove it"
        ) from None
    if mode & 0o077 and any(each.key for each in read.contexts.values()):
        raise CommandError(MISUSED, "contexts", f"{path} has API keys, and others may read it; run: chmod 600 '{path}'")
    return read


def save(contexts: Contexts, environ: Mapping[str, str]) -> None:
    """Keep *contexts*, in a file that nobody else may read; what is there stays whole until then.

    Raises:
        OSError: it cannot be written.
    """
    place = folder(environ)
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    text = json.dumps(msgspec.to_builtins(contexts), indent=2, ensure_ascii=False) + "\n"
    descriptor, name = tempfile.mkstemp(prefix=FILE, dir=place)  # of the mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(place / FILE)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def key_of(name: str, context: Context) -> str | None:
    """Return the key of a context; None: it has none.

    Raises:
        CommandError: its ``key_command`` fails, or prints nothing.
    """
    if context.key_command is None:
        return context.key
    problem = f"the key_command of the context {name}"
    try:
        done = subprocess.run(  # noqa: S602 - the user's own, in a file of theirs; pipes are common there
            context.key_command, shell=True, stdout=subprocess.PIPE, timeout=_PATIENCE_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise CommandError(FAILED, "key_command", f"{problem} printed no key within {_PATIENCE_SECONDS} s") from None
    if done.returncode:
        raise CommandError(FAILED, "key_command", f"{problem} ended with the exit code {done.returncode}")
    key = done.stdout.decode("utf-8", "replace").partition("\n")[0].strip()
    if not key:
        raise CommandError(FAILED, "key_command", f"{problem} printed no key in its first line")
    return key


def shown(name: str, contexts: Contexts) -> dict[str, Any]:
    """Return what is shown of a context: all but its key."""
    context = contexts.named(name)
    facts: dict[str, Any] = {"name": name, "url": context.url, "key_from": context.key_from}
    if context.key_command:
        facts["key_command"] = context.key_command
    return {**facts, "current": name == contexts.current}
