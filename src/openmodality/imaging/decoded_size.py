"""Checks how large the decoded pixels of an instance are, before memory is taken for them."""

from __future__ import annotations

from typing import Final

from pydicom import Dataset

from openmodality.errors import ObjectInvalid

MAX_DECODED_BYTES: Final = 1 << 30
"""The most that the pixels of one instance may take in memory. A few bytes can claim 65,535 rows and columns."""


def check_decoded_size(data_set: Dataset, *, frames: int) -> None:
    """Raises :class:`ObjectInvalid` where so many frames of an image take more memory than one instance may."""
    sides = [_read_number(data_set, keyword) for keyword in ("Rows", "Columns", "SamplesPerPixel", "BitsAllocated")]
    rows, columns, samples, bits = sides
    if rows * columns * max(samples, 1) * ((max(bits, 8) + 7) // 8) * frames > MAX_DECODED_BYTES:
        raise ObjectInvalid(f"its pixels would take more than {MAX_DECODED_BYTES >> 20} MiB")


def _read_number(data_set: Dataset, keyword: str) -> int:
    try:
        return int(data_set.get(keyword) or 0)
    except (TypeError, ValueError):
        return 0
