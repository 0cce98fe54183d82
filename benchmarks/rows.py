"""A line of the table: what was measured, and the bar that it must reach."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class AtLeast:
    """A bar that the value must reach."""

    value: float

    def is_met(self, value: float) -> bool:
        return value >= self.value

    def __str__(self) -> str:
        return f">= {self.value:g}"


@dataclass(frozen=True, slots=True)
class Shown:
    """No bar: a value that tells what the others can be."""

    def is_met(self, _: float) -> bool:
        return True

    def __str__(self) -> str:
        return "-"


@dataclass(frozen=True, slots=True)
class AtMost:
    """A bar that the value must not pass."""

    value: float

    def is_met(self, value: float) -> bool:
        return value <= self.value

    def __str__(self) -> str:
        return f"<= {self.value:g}"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; ``ratios`` holds one value a round, ``figures`` what was measured, in words."""

    what: str
    ratios: tuple[float, ...]
    must: AtLeast | AtMost | Shown
    figures: str

    @property
    def is_met(self) -> bool:
        """Whether the median meets the bar."""
        return self.must.is_met(self.ratio)

    @property
    def ratio(self) -> float:
        """The median over the rounds."""
        return median(self.ratios)
