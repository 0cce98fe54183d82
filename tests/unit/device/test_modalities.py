"""An item that is scheduled for a device of another kind is named when its exam starts."""

from __future__ import annotations

import pytest
from pydicom.dataset import Dataset

from openmodality.device.modalities import (
    check_asked_for,
    describe_other_modalities,
    list_modalities,
    warn_of_other_modality,
)
from openmodality.device.profile.loader import load_profile
from openmodality.errors import UsageError

MR_IMAGE, CT_IMAGE = "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.2"


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


@pytest.mark.parametrize(
    ("profile", "modality", "sop_class", "said"),
    [
        ("mr", "", "", ""),
        ("mr", "MR", MR_IMAGE, ""),
        ("rf", "XA", "", ""),
        ("mr", "CT", "", "no images of modality CT; it makes MR"),
        ("mr", "KO", "", "no images of modality KO; it makes MR"),
        ("mr", "MR", CT_IMAGE, "makes no CT Image Storage"),
        ("rf", "CT", "", "no images of modality CT; it makes XA, RF"),
    ],
)
def test_images_that_the_device_does_not_make_are_refused(
    profile: str, modality: str, sop_class: str, said: str
) -> None:
    if not said:
        check_asked_for(load_profile(profile), modality, sop_class)
        return
    with pytest.raises(UsageError) as refused:
        check_asked_for(load_profile(profile), modality, sop_class)
    assert said in str(refused.value)


def test_what_a_source_says_of_its_images_is_not_changed_without_a_word(caplog: pytest.LogCaptureFixture) -> None:
    for asked in ("", "MR", "CT"):
        warn_of_other_modality(asked, "MR")
    (record,) = caplog.records
    assert (record.message, vars(record)["kind"], vars(record)["result"]) == ("series.other_modality", "CT", "MR")
