"""Numbered migrations: ``migrations/0001_name.sql`` and so on, one step each, never changed once released."""

import re
from collections.abc import Sequence
from importlib.resources import files
from typing import NamedTuple


class Migration(NamedTuple):
    """One step of a schema."""

    number: int
    """From 1, without gaps. The schema's version once the step is done."""
    name: str
    sql: str

    @property
    def contracts(self) -> bool:
        """Whether it removes what nodes need that do not know it: it begins with the line ``-- contract``."""
        return self.sql.startswith("-- contract\n")


def load(package: str) -> Sequence[Migration]:
    """Return the migrations of *package*, in order."""
    found = []
    for entry in files(package).joinpath("migrations").iterdir():
        match = re.fullmatch(r"(\d{4})_(\w+)\.sql", entry.name)
        if match is not None:
            found.append(Migration(int(match[1]), match[2], entry.read_text(encoding="utf-8")))
    found.sort()
    numbers = [migration.number for migration in found]
    assert numbers == list(range(1, len(found) + 1)), "migrations are numbered without gaps"  # noqa: S101 - an invariant
    return found
