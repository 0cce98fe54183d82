"""Names as people order them: ``img2`` before ``img10``."""

from __future__ import annotations

import re
from typing import Final

_NUMBER: Final = re.compile(r"(\d+)", re.ASCII)

NaturalKey = tuple[list[str | int], str]


def make_natural_key(name: str) -> NaturalKey:
    """What to sort names by: their numbers as numbers, the rest as text, and the whole name where both agree."""
    parts: list[str | int] = [*_NUMBER.split(name.casefold())]  # text and numbers by turns: like is compared with like
    parts[1::2] = map(int, parts[1::2])
    return parts, name
