"""R/F 8.1.2 and 8.1.4: what the R/F device asks of instances that it receives, and what it does to them: nothing."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy

import pytest
from pydicom import Dataset, dcmread

from openmodality import Modality
from tests.acceptance.requirements.pynetdicom_hospital import Recorded, recorded_device
from tests.acceptance.requirements.test_rf_query_retrieve import MORE, QR, address, found, run, study_of
from tests.made_objects import instances

IDENTITY = (
    "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "Modality", "PatientID", "PatientName",
)  # fmt: skip


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    with recorded_device(tmp_path_factory.mktemp("rf"), "rf", more=MORE) as made:
        made.recorder.destinations[QR] = address(made)
        yield made


def retrieve(recorded: Recorded, monkeypatch: pytest.MonkeyPatch, image: Dataset) -> Dataset:
    """What the device keeps of an instance that an archive sends."""
    recorded.recorder.forget()
    recorded.recorder.images, recorded.recorder.matches = [image], [found(image)]
    assert run(recorded, monkeypatch, "retrieve", "--study", study_of(recorded)) == 0
    recorded.recorder.closed()
    with Modality(recorded.site, works=False) as modality:
        kept = deepcopy(dcmread(modality.instance_path(image.SOPInstanceUID)))
        modality.delete("STUDY", study_of(recorded), force=True)
    return kept


@pytest.mark.requirement("RF-8.1.2-01")
def test_no_fields_of_a_sop_class_are_required(recorded: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    image = next(instances("rf", "RF Image", None))[1]
    bare = Dataset()
    bare.file_meta = image.file_meta
    for keyword in IDENTITY:
        setattr(bare, keyword, image[keyword].value)
    assert retrieve(recorded, monkeypatch, bare) == bare


@pytest.mark.requirement("RF-8.1.4-01")
def test_nothing_is_corrected(recorded: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    """Values that break their value representation, other names than those at hand, other order of names."""
    image = deepcopy(next(instances("rf", "RF Image", None))[1])
    image.PatientName, image.PatientSex = "doe^jane^^^", "F"
    image.AccessionNumber, image.StudyDescription = "A" * 16, "as  IT came"
    image.InstitutionName = "Elsewhere"
    kept = retrieve(recorded, monkeypatch, image)
    before, after = image.to_json_dict(), kept.to_json_dict()
    assert [tag for tag in before if after.get(tag) != before[tag]] == []
    assert after.keys() == before.keys()
