"""SQL lives in ``.sql`` files: this reads them by the names of their queries."""

import re
from collections.abc import Mapping
from importlib.resources import files
from typing import Final

from tasker.stores.rows import COLUMNS

_HEADING: Final = re.compile(r"^-- (\w+) --$", re.MULTILINE)


def load(package: str, file: str = "queries.sql") -> dict[str, str]:
    """Return the queries of a *file* in *package* by name.

    A query begins with a line ``-- name --``; comments below it stay with it. What is named
    ``part_...`` is no query, but stands in those that have its name in braces. A store's test goes
    through all of them.
    """
    _, *parts = _HEADING.split(files(package).joinpath(file).read_text(encoding="utf-8"))
    texts = dict(zip(parts[::2], map(_bare, parts[1::2]), strict=True))
    shared = {name: text for name, text in texts.items() if name.startswith("part_")}
    return {name: _complete(text, {**shared, **COLUMNS}) for name, text in texts.items() if name not in shared}


def _complete(text: str, shared: Mapping[str, str]) -> str:
    """Put the lists of columns, and what queries share, in their places.

    Other places in braces are filled by whoever runs the query.
    """
    for name, part in shared.items():
        text = text.replace(f"{{{name}}}", part)
    return text


def _bare(text: str) -> str:
    """Drop comment lines: the shorter text is what the database's statement cache compares."""
    return "\n".join(line for line in text.strip().splitlines() if not line.lstrip().startswith("--"))
