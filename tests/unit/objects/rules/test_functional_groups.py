"""Shared and per-frame functional groups of an invented multi-frame image."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from pydicom.dataset import Dataset

from openmodality.errors import ObjectInvalid
from openmodality.objects.rules.builder import build
from openmodality.objects.rules.definition import FUNCTIONAL_GROUPS, RuleTable
from openmodality.objects.rules.sources import SourceValues
from tests.rule_tables import data, keywords, rule, table_of

GROUPS = (
    ("PixelMeasuresSequence", "1"),
    ("PixelMeasuresSequence>PixelSpacing", "1"),
    ("PixelMeasuresSequence>SliceThickness", "1"),
    ("PlanePositionSequence", "1"),
    ("PlanePositionSequence>ImagePositionPatient", "1"),
    ("FrameContentSequence", "1"),
    ("FrameContentSequence>FrameAcquisitionNumber", "3"),
    ("MREchoSequence", "3"),
    ("MREchoSequence>EffectiveEchoTime", "1"),
    ("MRDiffusionSequence", "3"),
    ("MRDiffusionSequence>DiffusionBValue", "1"),
    ("MRDiffusionSequence>DiffusionDirectionality", "1C"),
)
IMAGE: Mapping[str, object] = {"PixelSpacing": [0.5, 0.5], "SliceThickness": 5, "EffectiveEchoTime": 20.0}


def table() -> RuleTable:
    return table_of(
        rule("NumberOfFrames", "1", "ACQ"),
        *(rule(path, requirement, "ACQ", module=FUNCTIONAL_GROUPS) for path, requirement in GROUPS),  # type: ignore[arg-type]
    )


def frame(position: int, **attributes: object) -> SourceValues:
    values = data(**{**IMAGE, "ImagePositionPatient": [0, 0, position], **attributes})
    return SourceValues(acquisition=values)


def place(*frames: SourceValues) -> tuple[Dataset, list[Dataset]]:
    built = build(table(), SourceValues(acquisition=data(NumberOfFrames=len(frames))), frames=frames)
    (shared,) = built.SharedFunctionalGroupsSequence
    return shared, list(built.PerFrameFunctionalGroupsSequence)


def test_what_is_the_same_is_shared_and_the_rest_is_per_frame() -> None:
    shared, frames = place(*(frame(number) for number in range(3)))
    assert keywords(shared) == ["MREchoSequence", "PixelMeasuresSequence"]
    assert list(shared.PixelMeasuresSequence[0].PixelSpacing) == [0.5, 0.5]
    assert [each.PlanePositionSequence[0].ImagePositionPatient[2] for each in frames] == [0, 1, 2]
    assert all("PixelMeasuresSequence" not in each for each in frames)


def test_one_value_that_differs_takes_its_group_to_the_frames() -> None:
    shared, frames = place(frame(0), frame(0), frame(0, SliceThickness=6))
    assert keywords(shared) == ["MREchoSequence", "PlanePositionSequence"]
    assert [float(each.PixelMeasuresSequence[0].SliceThickness) for each in frames] == [5, 5, 6]
    assert all(list(each.PixelMeasuresSequence[0].PixelSpacing) == [0.5, 0.5] for each in frames)


def test_a_group_that_only_some_frames_have_is_per_frame() -> None:
    shared, frames = place(frame(0, DiffusionBValue=1000.0), frame(1))
    assert "MRDiffusionSequence" not in shared
    assert ["MRDiffusionSequence" in each for each in frames] == [True, False]


def test_a_group_that_no_frame_has_is_nowhere() -> None:
    shared, frames = place(frame(0), frame(1))
    assert all("MRDiffusionSequence" not in each for each in (shared, *frames))


def test_frame_content_is_never_shared() -> None:
    """PS3.3 C.7.6.16.2.2; of an image of one frame all else is."""
    shared, (only,) = place(frame(0, FrameAcquisitionNumber=1))
    assert keywords(only) == ["FrameContentSequence"]
    assert "FrameContentSequence" not in shared
    assert "PlanePositionSequence" in shared


def test_a_group_may_be_given_as_a_whole() -> None:
    given = data(DiffusionBValue=500.0, DiffusionDirectionality="NONE", DiffusionAnisotropyType="FRACTIONAL")
    shared, _ = place(frame(0, MRDiffusionSequence=[given]), frame(1, MRDiffusionSequence=[given]))
    (item,) = shared.MRDiffusionSequence
    assert keywords(item) == ["DiffusionDirectionality", "DiffusionBValue"]
    assert given.DiffusionAnisotropyType == "FRACTIONAL"


@pytest.mark.parametrize(
    ("attributes", "missing"),
    [
        ({"ImagePositionPatient": None}, "ImagePositionPatient"),
        ({"DiffusionDirectionality": "NONE"}, "DiffusionBValue"),
    ],
)
def test_a_group_without_a_mandatory_value_is_refused(attributes: Mapping[str, object], missing: str) -> None:
    with pytest.raises(ObjectInvalid, match=f"{missing} of the {FUNCTIONAL_GROUPS} module has no value"):
        place(frame(0, **attributes))


def test_the_groups_do_not_stand_in_the_data_set_itself() -> None:
    built = build(table(), SourceValues(acquisition=data(NumberOfFrames=1, PixelSpacing=[1, 1])))
    assert keywords(built) == ["NumberOfFrames"]
