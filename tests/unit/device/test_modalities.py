"""An item that is scheduled for a device of another kind is named when its exam starts."""

from __future__ import annotations

import pytest
from pydicom.dataset import Dataset

from openmodality.device.modalities import describe_other_modalities, list_modalities
from openmodality.device.profile.loader import load_profile


def scheduled(*modalities: str) -> Dataset:
    item = Dataset()
    item.ScheduledProcedureStepSequence = [Dataset() for _ in modalities]
    for step, modality in zip(item.ScheduledProcedureStepSequence, modalities, strict=True):
        step.Modality = modality
    return item


@pytest.mark.parametrize(
    ("profile", "modalities", "told"),
    [
        ("mr", ["MR"], []),
        ("mr", [""], []),
        ("mr", [], []),
        ("mr", ["CT"], ["CT, and this device makes MR"]),
        ("mr", ["MR", "CT", "US"], ["CT, and this", "US, and this"]),
        ("mr", ["KO"], ["KO, and this"]),
        ("rf", ["XA"], []),
        ("rf", ["RF"], []),
        ("rf", ["MR"], ["MR, and this device makes XA, RF"]),
    ],
)
def test_a_step_for_another_device_is_named(profile: str, modalities: list[str], told: list[str]) -> None:
    found = list(describe_other_modalities(load_profile(profile), [(7, scheduled(*modalities))]))
    assert len(found) == len(told)
    for said, part in zip(found, told, strict=True):
        assert said.startswith("worklist item 7 is scheduled for modality ")
        assert part in said


def test_the_modalities_are_those_of_images() -> None:
    assert list_modalities(load_profile("mr")) == ("MR",)
