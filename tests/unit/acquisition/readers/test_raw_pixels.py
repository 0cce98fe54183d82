"""Raw pixels and the text that says what they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from openmodality.acquisition.readers.raw_pixels import parse_raw_format, read_raw, split_raw_path
from openmodality.errors import ObjectInvalid, UsageError

FRAMES = np.arange(24, dtype=np.uint16).reshape(2, 3, 4) * 1000


@pytest.mark.parametrize(
    ("text", "dtype", "offset"),
    [
        ("raw:3x4", "<u2", 0),
        ("raw:3x4:uint16", "<u2", 0),
        ("raw:3x4:uint16:be", ">u2", 0),
        ("raw:3x4:float32:le:16", "<f4", 16),
        ("raw:3x4:uint16:le:0", "<u2", 0),
    ],
)
def test_frames_as_they_were_written(tmp_path: Path, text: str, dtype: str, offset: int) -> None:
    (tmp_path / "a.bin").write_bytes(bytes(offset) + FRAMES.astype(dtype).tobytes())
    (found,) = read_raw(tmp_path / "a.bin", parse_raw_format(text))
    assert np.array_equal(np.asarray(found.volume.array), FRAMES)


@pytest.mark.parametrize(
    "text", ["raw:3", "raw:3x4:int7", "raw:0x4", "raw:3x4:uint16:me", "3x4", "raw:3x4:uint16:le:-1"]
)
def test_a_text_that_says_no_format_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no format of raw pixels"):
        parse_raw_format(text)


@pytest.mark.parametrize("length", [0, 23, 25])
def test_a_length_of_no_whole_frames_is_refused(tmp_path: Path, length: int) -> None:
    (tmp_path / "a.bin").write_bytes(bytes(length))
    with pytest.raises(ObjectInvalid, match="no whole number of frames of 24 bytes"):
        read_raw(tmp_path / "a.bin", parse_raw_format("raw:3x4"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("raw:3x4:uint16:le:0:a.bin", ("raw:3x4:uint16:le:0", "a.bin")),
        ("raw:3x4:scan:1.bin", ("raw:3x4", "scan:1.bin")),
        ("raw:3x4", ("", "raw:3x4")),
        ("a.bin", ("", "a.bin")),
    ],
)
def test_a_format_stands_before_a_path(text: str, expected: tuple[str, str]) -> None:
    assert split_raw_path(text) == expected
