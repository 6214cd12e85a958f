"""SQL lives in ``.sql`` files: this reads them by the names of their queries."""

import re
from importlib.resources import files
from typing import Final

from tasker.stores.rows import COLUMNS

_HEADING: Final = re.compile(r"^-- (\w+) --$", re.MULTILINE)


def load(package: str) -> dict[str, str]:
    """Return the queries of ``queries.sql`` in *package* by name.

    A query begins with a line ``-- name --``; comments below it stay with it. A store's test goes
    through all of them.
    """
    _, *parts = _HEADING.split(files(package).joinpath("queries.sql").read_text(encoding="utf-8"))
    return dict(zip(parts[::2], (_complete(_bare(text)) for text in parts[1::2]), strict=True))


def _complete(text: str) -> str:
    """Put the lists of columns in their places. Other places in braces are filled by whoever runs the query."""
    for name, columns in COLUMNS.items():
        text = text.replace(f"{{{name}}}", columns)
    return text


def _bare(text: str) -> str:
    """Drop comment lines: the shorter text is what the database's statement cache compares."""
    return "\n".join(line for line in text.strip().splitlines() if not line.lstrip().startswith("--"))
