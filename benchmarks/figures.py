"""Figures, their limits and goals, and how they are shown."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One measured thing beside its limit."""

    name: str
    unit: str
    rounds: Sequence[float]
    limit: str = ""
    """What the limit is; empty: there is none."""
    limit_rounds: Sequence[float] = ()
    """The limit, measured in turn with the figure: as many rounds, or one that holds for all."""
    least: float | None = None
    """Goal: at least so many times the limit."""
    most: float | None = None
    """Goal: at most so many times the limit."""
    at_most: float | None = None
    """Goal: at most this."""
    at_least: float | None = None
    """Goal: at least this."""

    @property
    def value(self) -> float:
        """The median of the rounds."""
        return median(self.rounds)

    @property
    def limit_value(self) -> float | None:
        """The median of the limit's rounds."""
        return median(self.limit_rounds) if self.limit_rounds else None

    @property
    def ratio(self) -> float | None:
        """How many times the limit the figure is: the median of what each round is beside its own limit.

        Rounds that were measured next to each other have the same noise of the machine.
        """
        if not self.limit_rounds or 0 in self.limit_rounds:
            return None
        limits = self.limit_rounds if len(self.limit_rounds) > 1 else [*self.limit_rounds] * len(self.rounds)
        return median(value / limit for value, limit in zip(self.rounds, limits, strict=True))

    @property
    def goal(self) -> str:
        """The goal in words."""
        parts = []
        if self.least is not None:
            parts.append(f"≥ {self.least:g} times limit")
        if self.most is not None:
            parts.append(f"≤ {self.most:g} times limit")
        if self.at_least is not None:
            parts.append(f"≥ {self.at_least:,g} {self.unit}")
        if self.at_most is not None:
            parts.append(f"≤ {self.at_most:g} {self.unit}")
        return ", ".join(parts)

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is met; None without one."""
        checks = []
        if self.least is not None and self.ratio is not None:
            checks.append(self.ratio >= self.least)
        if self.most is not None and self.ratio is not None:
            checks.append(self.ratio <= self.most)
        if self.at_least is not None:
            checks.append(self.value >= self.at_least)
        if self.at_most is not None:
            checks.append(self.value <= self.at_most)
        return all(checks) if checks else None

    def as_json(self) -> dict[str, Any]:
        """Everything about it."""
        derived = {"median": self.value, "limit_median": self.limit_value, "ratio": self.ratio, "goal": self.goal}
        return asdict(self) | derived | {"is_met": self.is_met}

    @staticmethod
    def from_json(told: Mapping[str, Any]) -> "Figure":
        """The figure that ``as_json`` was of."""
        return Figure(**{name: told[name] for name in Figure.__dataclass_fields__})


def markdown_table(figures: Sequence[Figure]) -> str:
    """Return the figures as a table in Markdown, which reads well on a terminal too."""
    rows = [("figure", "median", "limit beside it", "limit", "ratio", "goal", "met")]
    rows += [
        (
            figure.name,
            _number(figure.value, figure.unit),
            figure.limit,
            "" if figure.limit_value is None else _number(figure.limit_value, figure.unit),
            "" if figure.ratio is None else f"{figure.ratio:.2f}",
            figure.goal,
            {True: "yes", False: "**no**", None: ""}[figure.is_met],
        )
        for figure in figures
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def _number(value: float, unit: str) -> str:
    digits = 0 if value >= 1_000 else 1 if value >= 100 else 2 if value >= 1 else 3
    return f"{value:,.{digits}f} {unit}"
