"""Names as people order them: ``img2`` before ``img10``."""

from __future__ import annotations

import re
from typing import Final

_NUMBER: Final = re.compile(r"(\d+)", re.ASCII)

NaturalKey = tuple[tuple[str | int, ...], str]


def make_natural_key(name: str) -> NaturalKey:
    """What to sort names by: their numbers as numbers, the rest as text, and the whole name where both agree."""
    parts = _NUMBER.split(name)  # text and numbers by turns, so that like is compared with like
    return tuple(int(part) if place % 2 else part.casefold() for place, part in enumerate(parts)), name
