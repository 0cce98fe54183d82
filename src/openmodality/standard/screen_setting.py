"""The setting for the screens of a site: ``srgb``, ``gsdf:LEAST,GREATEST`` in cd/m2, or a file of luminances."""

from __future__ import annotations

from typing import Final

SRGB: Final = "srgb"
GSDF_PREFIX: Final = "gsdf:"
LEAST_LUMINANCE, GREATEST_LUMINANCE = 0.05, 3993.404
"""Luminance in cd/m2 of the first and the last index of PS3.14 Table B-1."""


def parse_gsdf(said: str) -> tuple[float, float]:
    """The luminances of black and white. Raises ``ValueError``, which says what is right, for anything else."""
    try:
        least, greatest = (float(each) for each in said.removeprefix(GSDF_PREFIX).split(","))
    except ValueError:
        raise ValueError("a screen is gsdf:LEAST,GREATEST, its luminances in cd/m2: gsdf:0.8,250") from None
    if not LEAST_LUMINANCE <= least < greatest <= GREATEST_LUMINANCE:
        raise ValueError(f"luminances lie between {LEAST_LUMINANCE} and {GREATEST_LUMINANCE} cd/m2, black below white")
    return least, greatest


def check_display(said: str) -> str:
    """Check the form of the setting. Raises ``ValueError``, which says what is right."""
    if said.startswith(GSDF_PREFIX):
        parse_gsdf(said)
    elif not said.strip():
        raise ValueError("a screen is srgb, gsdf:LEAST,GREATEST or the name of a file")
    return said
