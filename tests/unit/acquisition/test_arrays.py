"""Arrays that somebody hands over: what fits is taken as it is, what does not is refused."""

from __future__ import annotations

import numpy as np
import pytest

from openmodality.acquisition.arrays import check_pixels, count_bits_needed, frame_of, make_frames
from openmodality.acquisition.keywords import attributes_of
from openmodality.errors import ObjectInvalid

RAMP = np.arange(12, dtype=np.uint16).reshape(3, 4) * 300


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (np.zeros((2, 2), dtype=np.float64), "float64"),
        (np.zeros(4, dtype=np.uint8), "shape"),
        (np.zeros((0, 4), dtype=np.uint8), "shape"),
        (np.zeros((1, 2, 2, 2), dtype=np.uint8), "shape"),
        (np.full((2, 2), -1, dtype=np.int16), "outside"),
        (np.full((2, 2), 70000, dtype=np.int64), "outside"),
        (np.zeros((1, 65536), dtype=np.uint8), "65535"),
        (np.zeros((2, 2), dtype=np.complex64), "complex64"),
    ],
)
def test_arrays_that_are_no_image(array: np.ndarray[tuple[int, ...], np.dtype[np.generic]], reason: str) -> None:
    with pytest.raises(ObjectInvalid, match=reason) as caught:
        check_pixels(array, "array")
    assert caught.value.advice


@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.uint16, np.int16, np.int64])
def test_arrays_that_are(dtype: type[np.generic]) -> None:
    (frame,) = check_pixels(np.ones((2, 3), dtype=dtype), "array")
    assert frame.dtype == np.uint16
    assert (frame.shape, int(frame.sum())) == ((2, 3), 6)


@pytest.mark.parametrize(("largest", "bits"), [(0, 8), (255, 8), (256, 12), (4095, 12), (4096, 14), (65535, 16)])
def test_bits_stored_is_the_smallest_that_fits(largest: int, bits: int) -> None:
    assert count_bits_needed(np.array([[largest]], dtype=np.uint16)) == bits


def test_bits_stored_that_do_not_hold_the_pixels_are_refused() -> None:
    with pytest.raises(ObjectInvalid, match=r"\(0028,0101\)"):
        frame_of(RAMP, attributes_of({"BitsStored": 8}, "api"))


def test_an_array_with_keywords_makes_frames() -> None:
    (frame,) = make_frames(
        RAMP, {"SliceLocation": np.float64(1) / 3, "EchoTime": 30, "ImageType": ["ORIGINAL", "PRIMARY"]}
    )
    assert float(frame.attributes.SliceLocation) == pytest.approx(1 / 3)
    assert len(str(frame.attributes["SliceLocation"].value)) <= 16
    assert list(frame.attributes.ImageType) == ["ORIGINAL", "PRIMARY"]
