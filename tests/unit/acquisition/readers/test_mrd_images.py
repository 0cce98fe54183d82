"""Where images of MRD lie, what they show, and which belong together."""

from __future__ import annotations

from typing import Any

import ismrmrd
import numpy as np
import pytest
from ismrmrd.hdf5 import image_header_dtype

from openmodality.acquisition.readers.mrd_header import MrdHeader
from openmodality.acquisition.readers.mrd_images import DATA_TYPES, HEADER, MrdImage, make_series
from openmodality.errors import ObjectInvalid


def image(data: Any = None, meta: dict[str, list[str]] | None = None, **fields: Any) -> MrdImage:
    header = np.zeros(1, dtype=HEADER)[0]
    known: dict[str, Any] = {
        "field_of_view": (40, 30, 5), "read_dir": (1, 0, 0), "phase_dir": (0, 1, 0), "slice_dir": (0, 0, 1),
        "image_type": 1, "image_series_index": 1,
    }  # fmt: skip
    for name, value in (known | fields).items():
        header[name] = value
    return MrdImage(header, meta or {}, np.ones((1, 1, 3, 4), np.float32) if data is None else data)


def test_the_header_is_ismrmrds() -> None:
    assert image_header_dtype == HEADER
    assert HEADER.itemsize == 198
    known = {value: name for name, value in vars(ismrmrd).items() if name.startswith("DATATYPE_")}
    assert set(DATA_TYPES) == set(known)


def test_the_position_is_the_middle_of_the_image() -> None:
    (found,) = make_series([image(position=(10, 20, 30))], MrdHeader(), "a")
    said = found.volume.keywords
    assert said["ImagePositionPatient"] == [10 - 15, 20 - 10, 30]  # pixels of 10 mm, four in a row of three
    assert said["ImageOrientationPatient"] == [1, 0, 0, 0, 1, 0]
    assert (said["PixelSpacing"], said["SliceThickness"]) == ([10, 10], 5)


@pytest.mark.parametrize(
    ("meta", "position", "expected"),
    [
        ({}, "", [-15, -10, 0]),
        ({"DicomJson": ["e30="]}, "", [0, 0, 0]),
        ({}, "corner", [0, 0, 0]),
        ({"DicomJson": ["e30="]}, "centre", [-15, -10, 0]),
        ({"ImageRowDir": ["0", "1", "0"], "ImageColumnDir": ["0", "0", "-1"]}, "", [0, -15, 10]),
    ],
)
def test_what_says_where_the_first_voxel_is(meta: dict[str, list[str]], position: str, expected: list[float]) -> None:
    (found,) = make_series([image(meta=meta)], MrdHeader(), "a", position)
    assert found.volume.keywords["ImagePositionPatient"] == pytest.approx(expected)


def test_planes_of_a_volume_lie_behind_each_other() -> None:
    volume = image(np.arange(24, dtype=np.uint16).reshape(1, 2, 3, 4), field_of_view=(40, 30, 10), slice_dir=(0, 0, -1))
    (found,) = make_series([volume], MrdHeader(), "a", "corner")
    assert found.volume.keywords["ImagePositionPatient"] == [[0, 0, -5], [0, 0, 0]]
    assert np.asarray(found.volume.array)[:, 0, 0].tolist() == [12, 0]


def test_series_come_by_index_and_by_kind_of_image() -> None:
    images = [image(image_series_index=2), image(image_series_index=1), image(image_series_index=1, image_type=2)]
    found = make_series(images, MrdHeader({"ProtocolName": "P"}), "a")
    kinds: list[Any] = [each.volume.keywords["ImageType"] for each in found]
    assert [kind[2] for kind in kinds] == ["M", "P", "M"]
    assert all(each.volume.keywords["ProtocolName"] == "P" for each in found)


def test_contrasts_and_repetitions_tell_images_apart() -> None:
    header = MrdHeader({}, {"EchoTime": (10.0, 20.0), "RepetitionTime": (500.0,)})
    images = [image(contrast=c, repetition=r) for c in (1, 0) for r in (0, 1)]
    said = make_series(images, header, "a")[0].volume.keywords
    assert said["EchoTime"] == [10, 20, 10, 20]
    assert said["EchoNumbers"] == [1, 2, 1, 2]
    assert said["TemporalPositionIdentifier"] == [1, 1, 2, 2]
    assert said["RepetitionTime"] == 500


def test_meta_attributes_are_used_or_named() -> None:
    meta = {"WindowCenter": ["100"], "ImageComment": ["seen"], "SequenceDescriptionAdditional": ["_FIL"], "Odd": ["1"]}
    (found,) = make_series([image(meta=meta)], MrdHeader({"SeriesDescription": "T1"}), "a")
    assert (found.volume.keywords["WindowCenter"], found.volume.keywords["ImageComments"]) == ("100", "seen")
    assert found.description == "T1_FIL"
    assert set(found.volume.unused) == {"Odd"}


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"field_of_view": (0, 1, 1)}, "field_of_view"),
        ({"read_dir": (0, 0, 0)}, "read_dir"),
        ({"position": (np.nan, 0, 0)}, "position"),
        ({"data": np.zeros((4, 1, 3, 4))}, "combine the coils"),
    ],
)
def test_images_without_a_place_are_refused(fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(ObjectInvalid, match=reason):
        make_series([image(**fields)], MrdHeader(), "a")
