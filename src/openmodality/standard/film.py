"""Sizes of films and the formats by which image boxes lie on them, PS3.3 C.13.3."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, NamedTuple, TypeAlias, get_args

_INCH_MM: Final = 25.4

PrintPriority: TypeAlias = Literal["LOW", "MED", "HIGH"]
PRINT_PRIORITIES: Final[tuple[PrintPriority, ...]] = get_args(PrintPriority)
"""(2000,0020) Print Priority."""
MOST_COPIES: Final = 99
"""The most copies of a sheet that are asked for."""
MOST_DENSITY: Final = 9999
"""The greatest density that is asked for, in hundredths of optical density (RF-4.2.7.3.1.6.1-01)."""
FILM_SIZES_MM: Final[Mapping[str, tuple[float, float]]] = MappingProxyType(
    {
        "8INX10IN": (8 * _INCH_MM, 10 * _INCH_MM),
        "8_5INX11IN": (8.5 * _INCH_MM, 11 * _INCH_MM),
        "10INX12IN": (10 * _INCH_MM, 12 * _INCH_MM),
        "10INX14IN": (10 * _INCH_MM, 14 * _INCH_MM),
        "11INX14IN": (11 * _INCH_MM, 14 * _INCH_MM),
        "11INX17IN": (11 * _INCH_MM, 17 * _INCH_MM),
        "14INX14IN": (14 * _INCH_MM, 14 * _INCH_MM),
        "14INX17IN": (14 * _INCH_MM, 17 * _INCH_MM),
        "24CMX24CM": (240.0, 240.0),
        "24CMX30CM": (240.0, 300.0),
        "A4": (210.0, 297.0),
        "A3": (297.0, 420.0),
    }
)
"""Width and height in portrait of each defined term of (2010,0050) Film Size ID."""

FormatKind = Literal["STANDARD", "ROW", "COL", "SLIDE", "SUPERSLIDE", "CUSTOM"]

_NUMBERS: Final = re.compile(r"[1-9][0-9]{0,2}(,[1-9][0-9]{0,2})*")
_PRINTER_DECIDES: Final = frozenset(("SLIDE", "SUPERSLIDE"))


class DisplayFormat(NamedTuple):
    r"""A value of (2010,0010) Image Display Format.

    ``numbers`` are columns and rows of STANDARD\C,R, the image boxes of each row from the top of ROW\R1,R2, of each
    column from the left of COL\C1,C2, and the number of a CUSTOM format.
    """

    kind: FormatKind
    numbers: tuple[int, ...] = ()

    def __str__(self) -> str:
        return "\\".join((self.kind, ",".join(map(str, self.numbers)))) if self.numbers else self.kind

    @property
    def box_count(self) -> int | None:
        """How many image boxes it has; None where only the printer knows (SLIDE, SUPERSLIDE, CUSTOM)."""
        if self.kind == "STANDARD":
            return self.numbers[0] * self.numbers[1]
        return sum(self.numbers) if self.kind in ("ROW", "COL") else None


def parse_display_format(text: str) -> DisplayFormat:
    """Read a value of Image Display Format. Raises :class:`ValueError` where it is none."""
    kind, _, rest = text.strip().partition("\\")
    if kind in _PRINTER_DECIDES and not rest:
        return DisplayFormat(kind)  # type: ignore[arg-type]
    numbers = tuple(map(int, rest.split(","))) if _NUMBERS.fullmatch(rest) else ()
    counts = {"STANDARD": len(numbers) == 2, "ROW": bool(numbers), "COL": bool(numbers), "CUSTOM": len(numbers) == 1}
    if not counts.get(kind, False):
        raise ValueError(
            r"an image display format is STANDARD\C,R, ROW\R1,R2, COL\C1,C2, SLIDE, SUPERSLIDE or CUSTOM\i"
        )
    return DisplayFormat(kind, numbers)  # type: ignore[arg-type]
