"""MR 3.3.4.3, 9.1 and 13: what the device keeps of received objects, sends on, and says of body parts."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import UID, generate_uid

from openmodality.acquisition.keywords import attributes_of
from openmodality.errors import UsageError
from tests.acceptance.requirements.pynetdicom_hospital import TITLE, listening, recorded_device
from tests.acceptance.requirements.test_mr_enhanced import save
from tests.devices import device_in_hospital
from tests.mr_image_values import GROUPS, MR_IMAGE, SPEC, WITH_EXAM, WITH_IMAGE, list_rows
from tests.peers import dcmtk

TYPE_1_AND_2 = {
    "SOPClassUID": MR_IMAGE, "StudyInstanceUID": "1.2.3.1", "SeriesInstanceUID": "1.2.3.2", "Modality": "MR",
    "PatientName": "Doe^Jane", "PatientID": "1", "PatientBirthDate": "", "PatientSex": "", "StudyDate": "",
    "StudyTime": "", "AccessionNumber": "", "ReferringPhysicianName": "", "StudyID": "", "SeriesNumber": "",
    "FrameOfReferenceUID": "1.2.3.3", "PositionReferenceIndicator": "", "Manufacturer": "", "InstanceNumber": "1",
    "ImageType": ["ORIGINAL", "PRIMARY", "OTHER"], "ImagePositionPatient": [0, 0, 0], "PixelSpacing": [1, 1],
    "ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "SliceThickness": "", "SamplesPerPixel": 1, "Rows": 4,
    "Columns": 4, "PhotometricInterpretation": "MONOCHROME2", "BitsAllocated": 16, "BitsStored": 12, "HighBit": 11,
    "PixelRepresentation": 0, "ScanningSequence": "SE", "SequenceVariant": "SK", "ScanOptions": "",
    "MRAcquisitionType": "", "EchoTime": "", "EchoTrainLength": "",
}  # fmt: skip


def make_image(**said: object) -> Dataset:
    image = attributes_of({**TYPE_1_AND_2, **said}, "foreign scanner")
    image.SOPInstanceUID = generate_uid()
    image.add_new(0x7FE00010, "OW", np.zeros((4, 4), np.uint16).tobytes())
    return image


@pytest.mark.needs("storescu")
@pytest.mark.requirement("MR-13-02")
@pytest.mark.parametrize("way", ["network", "medium"])
def test_what_was_not_in_an_object_is_not_sent_on(tmp_path: Path, way: str) -> None:
    image = make_image()
    path = save(image, tmp_path / "foreign.dcm")
    with recorded_device(tmp_path / "device", "mr") as recorded, recorded.modality() as modality:
        if way == "network":
            modality.serve()
            done = dcmtk.scu("storescu", listening(recorded, "device", "OM_MR"), path, calling=TITLE)
            assert done.status == 0
        else:
            modality.import_files([path])
        modality.send(instance=image.SOPInstanceUID)
        assert modality.wait_until_idle(20)
        [sent] = recorded.recorder.requests("C-STORE-RQ")
    assert {each.tag: each.value for each in sent.data} == {each.tag: each.value for each in dcmread(path)}


@pytest.mark.needs("storescu")
@pytest.mark.requirement("MR-3.3.4.3-03", "MR-3.3.4.3-02")
def test_every_attribute_of_annex_a_is_kept(tmp_path: Path) -> None:
    said = {name: value for name, value in {**WITH_EXAM, **WITH_IMAGE}.items() if name != "FrameIncrementPointer"}
    image = make_image(**{**said, "SharedFunctionalGroupsSequence": [GROUPS]})
    path = save(image, tmp_path / "foreign.dcm")
    with recorded_device(tmp_path / "device", "mr") as recorded, recorded.modality() as modality:
        modality.serve()
        done = dcmtk.scu("storescu", listening(recorded, "device", "OM_MR"), path, calling=TITLE)
        assert done.status == 0
        kept = dcmread(modality.instance_path(image.SOPInstanceUID))
    given = {f"{each.tag.group:04X},{each.tag.element:04X}" for each in image}
    rows = [row["path"].partition(">")[0] for row in list_rows()]
    assert len(given & set(rows)) > 170
    assert {each.tag: each.value for each in kept} == {each.tag: each.value for each in dcmread(path)}
    assert UID(kept.SOPClassUID) == MR_IMAGE


@pytest.mark.requirement("MR-9.1-01")
def test_the_body_parts_of_the_statement_are_applied(tmp_path: Path) -> None:
    with (SPEC / "body_parts.csv").open(newline="", encoding="utf-8") as file:
        terms = [next(iter(row.values())) for row in csv.DictReader(file)]
    assert len(terms) == 44
    with recorded_device(tmp_path, "mr") as recorded, recorded.modality() as modality:
        exam = modality.register({"PatientID": "1", "PatientName": "Doe^Jane"})
        for term in terms:
            exam.series(term, sop_class_uid=MR_IMAGE, BodyPartExamined=term).add(
                np.zeros((2, 2), np.uint16), ImagePositionPatient=[0, 0, 0], PixelSpacing=[1, 1],
                ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
            )  # fmt: skip
        exam.complete()
        assert modality.wait_until_idle(60)
        sent = [each.data.BodyPartExamined for each in recorded.recorder.requests("C-STORE-RQ")]
    assert sorted(sent) == sorted(terms)


def test_another_body_part_is_refused_with_the_nearest_terms(tmp_path: Path) -> None:
    with device_in_hospital(tmp_path, "mr") as device, device.modality(works=False) as modality:
        exam = modality.register({"PatientID": "1", "PatientName": "Doe^Jane"})
        with pytest.raises(UsageError, match="'TOENAIL' is no Body Part Examined") as caught:
            exam.series("x", BodyPartExamined="TOENAIL")
        assert "use one of" in caught.value.advice
        assert exam.record.series == ()
