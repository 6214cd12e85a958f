"""The files that pages are made with: scripts, styles, the icon."""

import gzip
import hashlib
from collections.abc import Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any, Final, NamedTuple

from starlette.responses import Response

_MEDIA_TYPES: Final = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
"""Those of the files that are served; any other is only kept beside them, as licences are."""

_FOR_EVER: Final = {"cache-control": "public, max-age=31536000, immutable"}
_LEAST: Final = 512
"""Bytes below which packing gains nothing."""


class _Asset(NamedTuple):
    plain: bytes
    packed: bytes
    media_type: str


class Assets:
    """The files of ``static/``, read once. Their addresses change with them, so browsers keep them for ever."""

    def __init__(self) -> None:
        self._files: Mapping[str, _Asset] = dict(_read(resources.files("tasker.dashboard") / "static", ""))
        digest = hashlib.sha256()
        for name, asset in sorted(self._files.items()):
            digest.update(name.encode() + b"\0" + asset.plain)
        self.version: str = digest.hexdigest()[:10]
        """Stands in all addresses: scripts find each other by relative ones."""

    def get(self, version: str, name: str, request: Mapping[str, Any]) -> Response | None:
        """Return the answer that is a file; None: there is no such file."""
        asset = self._files.get(name)
        if asset is None:
            return None
        kept = _FOR_EVER if version == self.version else {"cache-control": "no-cache"}
        headers = {**kept, "content-type": asset.media_type, "vary": "accept-encoding"}
        if b"gzip" in dict(request["headers"]).get(b"accept-encoding", b"") and len(asset.packed) < len(asset.plain):
            return Response(asset.packed, headers={**headers, "content-encoding": "gzip"})
        return Response(asset.plain, headers=headers)


def _read(folder: Traversable, before: str) -> list[tuple[str, _Asset]]:
    found = []
    for entry in folder.iterdir():
        name = before + entry.name
        if entry.is_dir():
            found += _read(entry, name + "/")
        elif (media_type := _MEDIA_TYPES.get(name.rpartition(".")[2])) is not None:
            plain = entry.read_bytes()
            packed = gzip.compress(plain, mtime=0) if len(plain) >= _LEAST else plain
            found.append((name, _Asset(plain, packed, media_type)))
    return found
