"""What is well and what is not: what the checks of ``tasker doctor`` say."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from msgspec import Struct


class Level(Enum):
    """How bad a finding is; the worst is last."""

    FINE = "fine"
    UNKNOWN = "unknown"
    """It could not be looked at."""
    WARNING = "warning"
    """It works, and may not for long, or not as its users think."""
    FAULT = "fault"
    """Something does not work, or a server does not start."""


class Finding(Struct, frozen=True, kw_only=True):
    """What a check has found."""

    check: str
    level: Level
    code: str
    """A stable word for programs. Of one that is fine or unknown, it is the level."""
    what: str
    """What is so, as a clause. Shows no secret."""
    follows: str = ""
    """What follows from that, as a clause; empty: it is fine, or plain."""
    mend: str = ""
    """The command that mends it, or what to do, as a clause; empty: there is nothing to do."""


@dataclass(frozen=True)
class Problem:
    """Something that may be wrong: declared once, beside the rule that finds it."""

    check: str
    code: str
    level: Level
    follows: str
    """What follows from it, as a clause, unless the rule knows more."""

    def found(self, what: str, *, mend: str, follows: str = "") -> Finding:
        """Return that it is so."""
        return Finding(
            check=self.check,
            level=self.level,
            code=self.code,
            what=what,
            follows=follows or self.follows,
            mend=mend,
        )


def fine(check: str, what: str) -> Finding:
    """Return that all is well, and what was seen."""
    return Finding(check=check, level=Level.FINE, code=Level.FINE.value, what=what)


def unknown(check: str, why: str, *, mend: str = "") -> Finding:
    """Return that it could not be looked at."""
    return Finding(check=check, level=Level.UNKNOWN, code=Level.UNKNOWN.value, what=why, mend=mend)


_ORDER: Final = tuple(Level)


def worst(findings: Iterable[Finding]) -> Level:
    """Return the worst level of *findings*; that they are fine, if there are none."""
    return max((each.level for each in findings), key=_ORDER.index, default=Level.FINE)
