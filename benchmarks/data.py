"""The files that are sent: made once, kept below the system's cache folder."""

from __future__ import annotations

import os
from pathlib import Path

from tests.peers.objects import mr_image, mr_series

_GIGABYTE = 1 << 30
_BLOCK = 1 << 24


def cache() -> Path:
    """Where the files are kept; ``OPENMODALITY_BENCH`` names another folder, on the disk that is to be measured."""
    base = os.environ.get("OPENMODALITY_BENCH") or Path.home() / ".cache" / "openmodality-bench"
    folder = Path(base)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def series(name: str, count: int, rows: int, columns: int) -> Path:
    """A folder of ``count`` MR images of rows x columns 16-bit pixels."""
    folder = cache() / name
    if not folder.is_dir() or len(list(folder.iterdir())) != count:
        folder.mkdir(exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        mr_series(folder, count, rows=rows, columns=columns)
    return folder


def large(length_bytes: int = _GIGABYTE) -> Path:
    """A folder with one image of about ``length_bytes``, written block by block: multi-frame, Explicit VR Little
    Endian.
    """
    folder = cache() / f"one-{length_bytes}"
    path = folder / "large.dcm"
    if path.is_file() and path.stat().st_size > length_bytes:
        return folder
    folder.mkdir(exist_ok=True)
    instance = mr_image(rows=2048, columns=2048)
    instance.NumberOfFrames = length_bytes // (2048 * 2048 * 2)
    del instance.PixelData
    instance.save_as(path, enforce_file_format=True)
    with path.open("ab") as file:
        file.write(bytes.fromhex("e07f10004f570000") + length_bytes.to_bytes(4, "little"))
        for _ in range(length_bytes // _BLOCK):
            file.write(os.urandom(_BLOCK // 16) * 16)
    return folder
