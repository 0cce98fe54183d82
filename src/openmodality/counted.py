"""Numbers with the noun that they count, for people: ``1 image``, ``2 images``."""

from __future__ import annotations


def format_count(number: int, noun: str, thousands: str = "") -> str:
    """A number with its noun: ``1 image``, ``2 studies``, ``3 series``; ``thousands`` parts the digits by three."""
    text = f"{number:{thousands}}"
    if number == 1 or noun.endswith("series"):
        return f"{text} {noun}"
    if noun.endswith("y"):
        return f"{text} {noun[:-1]}ies"
    return f"{text} {noun}{'es' if noun.endswith('ch') else 's'}"
