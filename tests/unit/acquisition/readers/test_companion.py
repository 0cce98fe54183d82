"""Companions: each thing that one says is honoured, or named."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from openmodality.acquisition.files import FileSource
from openmodality.acquisition.readers.companion import (
    ABOUT_THE_FILE,
    OPTIONS,
    Companion,
    apply_companion,
    check_settings,
    list_files_beside,
    read_companion,
)
from openmodality.acquisition.readers.found import FoundSeries
from openmodality.acquisition.source import AcquiredSeries
from openmodality.acquisition.stack import make_stack
from openmodality.acquisition.volume import Volume
from openmodality.errors import ObjectInvalid, OpenModalityError, UsageError
from tests.acquired import list_frames

VOLUME = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
OBJECTS = {"MR Image": "1.2.840.10008.5.1.4.1.1.4", "SC Image": "1.2.840.10008.5.1.4.1.1.7"}


def read(folder: Path, companion: str, suffix: str = ".toml") -> AcquiredSeries:
    np.save(folder / "a.npy", VOLUME)
    (folder / f"a{suffix}").write_text(companion, encoding="utf-8")
    (series,) = FileSource([folder / "a.npy"], "MR", OBJECTS).series()
    return series


def test_object_affine_and_options_are_honoured(tmp_path: Path) -> None:
    series = read(
        tmp_path,
        'object = "MR Image"\nspace = "LPS"\naxes = "kji"\nscale = [0, 100]\nEchoTime = 30\nPatientID = "7"\n'
        "affine = [[2, 0, 0, 1], [0, 3, 0, 2], [0, 0, 4, 3], [0, 0, 0, 1]]\n",
    )
    assert series.sop_class_uid == OBJECTS["MR Image"]
    assert series.volume is not None
    assert (series.volume.space, series.volume.scale) == ("LPS", (0, 100))
    first, second = list_frames(series)
    assert (first.attributes.ImagePositionPatient, second.attributes.ImagePositionPatient[2]) == ([1, 2, 3], 7)
    assert first.attributes.EchoTime == 30
    assert series.identities == ({"PatientID": "7"},)


@pytest.mark.parametrize("name", ["mr image", "MR", "MR Image Storage"])
def test_an_object_has_several_names(tmp_path: Path, name: str) -> None:
    assert read(tmp_path, json.dumps({"object": name}), ".json").sop_class_uid == OBJECTS["MR Image"]


@pytest.mark.parametrize(
    ("companion", "reason"),
    [
        ('object = "CT Image"', "makes no CT Image"),
        ("affine = [1, 2]", "affine has the shape"),
        ('space = "XYZ"', "space is not one of RAS, LPS"),
        ("object = 3", "object is not a text"),
        ("slice = 3", "slice is not a DICOM keyword"),
        ("= 3", "not a TOML file"),
        ('exposure = "much"', "exposure is no table"),
    ],
)
def test_what_cannot_be_honoured_is_refused(tmp_path: Path, companion: str, reason: str) -> None:
    with pytest.raises((ObjectInvalid, UsageError), match=reason):
        read(tmp_path, companion)


def test_values_in_a_list_belong_to_the_slices(tmp_path: Path) -> None:
    frames = list_frames(read(tmp_path, "SliceLocation = [1, 2]"))
    assert [frame.attributes.SliceLocation for frame in frames] == [1, 2]


def test_files_beside_one_of_two_endings(tmp_path: Path) -> None:
    for name in ("a.nii.gz", "a.json", "a.bval", "a.bvec", "b.json", "a.nii.json"):
        (tmp_path / name).write_text("{}")
    assert {each.name for each in list_files_beside(tmp_path / "a.nii.gz")} == {"a.json", "a.bval", "a.bvec"}


def test_a_companion_that_is_too_large_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(" " * ((1 << 20) + 1))
    with pytest.raises(ObjectInvalid, match="too large"):
        read_companion(tmp_path / "a.json")


def test_no_value_of_a_wrong_type_breaks_a_companion() -> None:
    numbers = [True, -1, 5, 0.5, float("inf"), float("nan"), 10**400, 10**17]
    texts = ["", "x", "\0", "ijk", "kji", "tkji", "time", "x" * 1000]
    lists = [[], [None], [{}], [[1]], [1, 2], [[1, 0, 0, 0]] * 4, [[1e308] * 4] * 4]
    others: list[Any] = [None, {}, {"KVP": 10**400}, *lists]
    for name in sorted(OPTIONS | ABOUT_THE_FILE):
        for value in (*numbers, *texts, *others):
            with suppress(OpenModalityError):
                settings = {name: value}
                check_settings(settings, "a.json")
                found = FoundSeries("a.npy", Volume(array=np.zeros((2, 3, 4), np.uint16)))
                found = apply_companion(found, Companion("a.json", {}, settings))
                assert found.images >= 0
                make_stack(found.volume)


def test_axes_that_a_file_has_not_are_told_with_the_file(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((2, 3, 4), np.uint16))
    (tmp_path / "a.json").write_text('{"slice_axis": "x"}')
    with pytest.raises(ObjectInvalid, match=r"a\.npy: slice_axis is 'x'; say i, j or k"):
        list(FileSource([tmp_path / "a.npy"]).series())
