"""Pixels that would take more memory than an instance may are not decoded."""

from __future__ import annotations

import pytest
from pydicom import Dataset

from openmodality.errors import ObjectInvalid
from openmodality.imaging.decoded_size import check_decoded_size


def image(**values: object) -> Dataset:
    data_set = Dataset()
    data_set.Rows, data_set.Columns, data_set.BitsAllocated, data_set.SamplesPerPixel = 512, 512, 16, 1
    for keyword, value in values.items():
        setattr(data_set, keyword, value)
    return data_set


@pytest.mark.parametrize(
    ("values", "frames"),
    [
        ({"Rows": 65535, "Columns": 65535}, 1),
        ({}, 100_000),
        ({"Rows": 20000, "Columns": 20000, "SamplesPerPixel": 3}, 1),
        ({"Rows": 40000, "Columns": 40000, "BitsAllocated": 1}, 1),
    ],
)
def test_what_a_few_bytes_may_claim_is_refused(values: dict[str, object], frames: int) -> None:
    with pytest.raises(ObjectInvalid, match="would take more than 1024 MiB"):
        check_decoded_size(image(**values), frames=frames)


def test_what_hospitals_have_is_decoded() -> None:
    check_decoded_size(image(Rows=4096, Columns=3328), frames=30)
    check_decoded_size(Dataset(), frames=1)
