"""Files of secrets, and who may read them."""

import shlex
import stat
from collections.abc import Sequence
from pathlib import Path

from tasker.config import Settings


def open_to_all(settings: Settings) -> Sequence[Path]:
    """Return the files of secrets that every user of the machine may read."""
    return [
        path
        for path in (settings.api_keys_file, settings.webhook_secrets_file)
        if path is not None and path.is_file() and path.stat().st_mode & stat.S_IROTH
    ]


def words(path: Path) -> tuple[str, str]:
    """Return what is wrong with such a file, and the command that mends it."""
    return (
        f"every user of this machine can read {path}, which holds secrets",
        f"chmod o= {shlex.quote(str(path))}",
    )
