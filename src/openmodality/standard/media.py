"""Names of media and of their directory, PS3.10 8."""

from __future__ import annotations

from typing import Final

from openmodality.errors import UsageError

DIRECTORY_NAME: Final = "DICOMDIR"
"""The file that says what a file-set holds (PS3.10 8.6)."""


def clean_volume_label(text: str) -> str:
    """A File-set ID as a medium may have it: at most 16 capital letters, digits and underscores.

    Raises :class:`UsageError` for a text that cannot become one.
    """
    cleaned = text.upper().replace(" ", "_").replace("-", "_")
    if not 1 <= len(cleaned) <= 16 or not all(each.isascii() and (each.isalnum() or each == "_") for each in cleaned):
        raise UsageError(f"{text!r} is no name of a disc", advice="write 1 to 16 letters, digits and underscores")
    return cleaned
