"""Failures that are alike, counted together."""

from collections.abc import Iterable, Sequence
from copy import copy
from typing import Final, TypeAlias

from msgspec import UNSET, Struct

from tasker.model.fingerprint import gist
from tasker.model.instants import Instant
from tasker.model.task import Fault, TaskId

MOST_GROUPS: Final = 200
"""As many as are told apart at a time. What fails otherwise then is counted by type and code alone."""


class Example(Struct, frozen=True, array_like=True):
    """One failure of a group."""

    task_id: TaskId
    msg: str


class FailureGroup(Struct, kw_only=True, omit_defaults=True):
    """Failures with the same fingerprint."""

    code: str
    count: int
    first_at: Instant
    last_at: Instant
    fingerprint: str | None = None
    """None: they are alike in type and code alone."""
    type: str | None = None
    """None: of tasks of any type, which ended without an attempt."""
    status: int | None = None
    """Of the answers; None: there were none."""
    msg: str = ""
    """What their messages have in common; empty: nothing is known of that."""
    example: Example | None = None
    """The latest of them."""

    def add(self, other: "FailureGroup") -> None:
        """Count those of *other* here, too."""
        self.count += other.count
        self.first_at = min(self.first_at, other.first_at)
        if other.last_at >= self.last_at:
            self.last_at = other.last_at
            self.example = other.example or self.example


Key: TypeAlias = tuple[str | None, str | None, str]
"""Fingerprint, type and code."""


class FailureGroups:
    """Failures, group by group."""

    def __init__(self, *, most: int | None = MOST_GROUPS) -> None:
        """Make it, empty.

        Args:
            most: how many groups are told apart by fingerprint; None: all.
        """
        self._most = most
        self._groups: dict[Key, FailureGroup] = {}
        self._told_apart = 0

    def __bool__(self) -> bool:
        return bool(self._groups)

    def attempt_failed(self, task_id: TaskId, type_: str, fault: Fault, *, status: int | None, at: Instant) -> None:
        """Count an attempt that failed."""
        fingerprint = None if fault.fingerprint is UNSET else fault.fingerprint
        group = self._groups.get((fingerprint, type_, fault.code))
        if group is None:
            self.add(
                [
                    FailureGroup(
                        fingerprint=fingerprint,
                        type=type_,
                        code=fault.code,
                        status=status,
                        msg=gist(fault.msg),
                        count=1,
                        first_at=at,
                        last_at=at,
                        example=Example(task_id, fault.msg),
                    )
                ]
            )
            return
        group.count += 1
        group.last_at = at
        group.example = Example(task_id, fault.msg)

    def ended(self, code: str, msg: str, count: int, *, at: Instant) -> None:
        """Count tasks that failed without an attempt of their own."""
        self.add([FailureGroup(code=code, msg=msg, count=count, first_at=at, last_at=at)])

    def add(self, groups: Iterable[FailureGroup]) -> None:
        """Count those of *groups* here, too."""
        for group in groups:
            known = self._groups.get(_key(group))
            if known is None and group.fingerprint is not None:
                if self._most is None or self._told_apart < self._most:
                    self._told_apart += 1
                else:
                    group = _less_precise(group)  # noqa: PLW2901 - from here on
                    known = self._groups.get(_key(group))
            if known is None:
                self._groups[_key(group)] = copy(group)
            else:
                known.add(group)

    def drain(self) -> Sequence[FailureGroup]:
        """Return all groups, and begin anew."""
        groups, self._groups, self._told_apart = self._groups, {}, 0
        return list(groups.values())

    @property
    def groups(self) -> Sequence[FailureGroup]:
        """All groups, those with the most failures first."""
        return sorted(self._groups.values(), key=lambda group: (-group.count, -group.last_at, group.fingerprint or ""))


def _key(group: FailureGroup) -> Key:
    return group.fingerprint, group.type, group.code


def _less_precise(group: FailureGroup) -> FailureGroup:
    """Return *group* as one of those that are alike in type and code alone."""
    return FailureGroup(
        type=group.type,
        code=group.code,
        count=group.count,
        first_at=group.first_at,
        last_at=group.last_at,
        example=group.example,
    )
