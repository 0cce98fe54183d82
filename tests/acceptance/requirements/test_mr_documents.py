"""MR 13.5, 13.6: key object documents and presentation states as an archive and a RIS see them, judged by others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID

from openmodality.errors import NotFound, UsageError, WrongState
from openmodality.exam.session import Exam
from openmodality.objects.state.marks import Graphic, Words
from openmodality.objects.state.presentation_state import Look
from openmodality.standard.sop_classes import (
    GRAYSCALE_SOFTCOPY_PRESENTATION_STATE_STORAGE,
    KEY_OBJECT_SELECTION_DOCUMENT_STORAGE,
)
from tests.acceptance.requirements.pynetdicom_hospital import EXPLICIT, recorded_device
from tests.devices import add_image, device_in_hospital
from tests.peers import objects
from tests.peers.dicom3tools import dciodvfy_errors
from tests.peers.module_tables import list_faults
from tests.peers.process import run

PATIENT = {"PatientID": "1", "PatientName": "Doe^Jane", "PatientBirthDate": "19700101"}
MARKED = Look(
    (300, 600), rotation=90, flip=True, area=(2, 2, 15, 15), label="TEACHING", description="a cyst", creator="Doe^John",
    marks=(Graphic("CIRCLE", [(4, 4), (6, 4)], filled=True), Words("cyst: größer", (3, 3))),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Made:
    """What an archive got of an exam with documents, the N-SET of its step, and what was asked to be committed."""

    documents: list[Dataset]
    states: list[Dataset]
    n_set: Dataset
    committed: set[str]
    study: str
    prior_study: str
    uids: set[str]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    with recorded_device(tmp_path_factory.mktemp("mr"), "mr", peer="automatic_commitment = true") as recorded:
        with recorded.modality() as modality:
            prior = modality.register(PATIENT)
            old = add_image(prior.series("T1"))
            prior.complete()
            assert modality.wait_until(
                lambda: all(each.state in ("done", "waiting") for each in modality.jobs.list()), 20
            )
            recorded.recorder.forget()
            exam = modality.register(PATIENT)
            images = [add_image(exam.series("T2"), seed) for seed in (1, 2)]
            uids = exam.key_objects([images[0], old], title="For Teaching", description="größer", observer="Doe^John")
            uids += exam.key_objects([images[1]], title="113001", reason="Motion blur")
            uids += [exam.present(images, MARKED), exam.present(images)]
            exam.complete()
            assert modality.wait_until(
                lambda: all(each.state in ("done", "waiting") for each in modality.jobs.list()), 20
            )
            recorder = recorded.recorder
            recorder.closed()
            sent = [each.data for each in recorder.requests("C-STORE-RQ")]
            [n_set] = [each.data for each in recorder.requests("N-SET-RQ")]
            asked = [each.data for each in recorder.requests("N-ACTION-RQ")]
        yield Made(
            [each for each in sent if each.SOPClassUID == KEY_OBJECT_SELECTION_DOCUMENT_STORAGE],
            [each for each in sent if each.SOPClassUID == GRAYSCALE_SOFTCOPY_PRESENTATION_STATE_STORAGE],
            n_set,
            {item.ReferencedSOPInstanceUID for each in asked for item in each.ReferencedSOPSequence},
            exam.study_instance_uid,
            prior.study_instance_uid,
            set(uids),
        )


def save(data_set: Dataset, path: Path) -> Path:
    data_set.file_meta = FileMetaDataset()
    data_set.file_meta.TransferSyntaxUID = UID(EXPLICIT)
    data_set.file_meta.MediaStorageSOPClassUID = data_set.SOPClassUID
    data_set.file_meta.MediaStorageSOPInstanceUID = data_set.SOPInstanceUID
    data_set.save_as(path, enforce_file_format=True)
    return path


@pytest.mark.requirement("MR-13-01")
@pytest.mark.needs("dciodvfy", "dcmpschk", "dsrdump")
def test_others_find_no_fault_in_them(made: Made, tmp_path: Path) -> None:
    for number, each in enumerate([*made.documents, *made.states]):
        path = save(each, tmp_path / f"{number}.dcm")
        assert dciodvfy_errors(path) == []
        assert list_faults(each) == []
    for number, each in enumerate(made.states):
        checked = run("dcmpschk", save(each, tmp_path / f"state-{number}.dcm"))
        assert "Test passed" in checked.output
        assert "Test failed" not in checked.output
    for number, each in enumerate(made.documents):
        dump = run("dsrdump", save(each, tmp_path / f"document-{number}.dcm"))
        assert dump.status == 0
        assert not [line for line in dump.output.splitlines() if line.startswith("E:")]
        assert "contains IMAGE" in dump.output


@pytest.mark.requirement("MR-13.6-01")
def test_a_document_says_what_it_is(made: Made) -> None:
    assert {each.Modality for each in made.documents} == {"KO"}
    assert sorted(each.ConceptNameCodeSequence[0].CodeValue for each in made.documents) == [
        "113001",
        "113004",
        "113004",
    ]


def test_a_document_of_two_studies_is_in_both_of_them(made: Made) -> None:
    own, other = sorted(
        (each for each in made.documents if "IdenticalDocumentsSequence" in each),
        key=lambda each: each.StudyInstanceUID != made.study,
    )
    assert (own.StudyInstanceUID, other.StudyInstanceUID) == (made.study, made.prior_study)
    for each, twin in ((own, other), (other, own)):
        [study] = each.IdenticalDocumentsSequence
        [series] = study.ReferencedSeriesSequence
        assert study.StudyInstanceUID == twin.StudyInstanceUID
        assert series.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == twin.SOPInstanceUID
        assert [item.StudyInstanceUID for item in each.CurrentRequestedProcedureEvidenceSequence] == [
            made.study, made.prior_study,
        ]  # fmt: skip
    assert own.PatientName == other.PatientName == "Doe^Jane"
    assert own.ReferencedPerformedProcedureStepSequence
    assert not other.ReferencedPerformedProcedureStepSequence


def test_a_state_says_how_images_are_shown(made: Made) -> None:
    marked, plain = sorted(made.states, key=lambda each: each.SeriesNumber)
    assert (marked.Modality, marked.ContentLabel, marked.ImageRotation) == ("PR", "TEACHING", 90)
    assert marked.GraphicAnnotationSequence[0].TextObjectSequence[0].UnformattedTextValue == "cyst: größer"
    assert [len(series.ReferencedImageSequence) for series in plain.ReferencedSeriesSequence] == [1, 1]
    assert "GraphicAnnotationSequence" not in plain


def test_ris_and_archive_are_told_of_them(made: Made) -> None:
    told = [
        item.ReferencedSOPInstanceUID
        for series in made.n_set.PerformedSeriesSequence
        for item in series.ReferencedNonImageCompositeSOPInstanceSequence
    ]
    assert set(told) == made.uids
    assert made.uids <= made.committed


def test_what_cannot_be_noted_is_refused_and_nothing_is_stored(tmp_path: Path) -> None:
    with device_in_hospital(tmp_path, "mr") as device, device.modality(works=False) as modality:
        other = modality.register({"PatientID": "2"})
        foreign = add_image(other.series("T1"))
        exam = modality.register(PATIENT)
        image = add_image(exam.series("T1"))
        before = len(exam.record.series)
        refused(exam, "nothing is chosen", [])
        refused(exam, "the local database has nothing", ["1.2.3"], kind=NotFound)
        refused(exam, "of another patient", [foreign])
        with pytest.raises(UsageError, match="no title"):
            exam.key_objects([image], title="For Fun")
        with pytest.raises(UsageError, match="is not within"):
            exam.present([image], Look(area=(1, 1, 17, 17)))
        again = modality.register(PATIENT).begin()
        with pytest.raises(UsageError, match="is not of the study"):
            again.present([image])
        assert len(exam.record.series) == before
        exam.complete()
        with pytest.raises(WrongState):
            exam.key_objects([image])


@pytest.mark.parametrize("with_image", [False, True])
def test_an_issuer_given_by_hand_keeps_no_prior_away(tmp_path: Path, with_image: bool) -> None:
    """The images of an MR device do not have it, priors of an archive may."""
    with device_in_hospital(tmp_path, "mr") as device, device.modality(works=False) as modality:
        own = add_image(modality.register(PATIENT).series("T1"))
        issuers = {"HOSPITAL": "1.2.1", "ELSEWHERE": "1.2.2"}
        for issuer, uid in issuers.items():
            prior = objects.mr_image(SOPInstanceUID=uid, StudyInstanceUID=f"{uid}.1", IssuerOfPatientID=issuer)
            for keyword, value in PATIENT.items():
                setattr(prior, keyword, value)
            modality.import_files([objects.save(prior, tmp_path / "prior")])
        exam = modality.register({**PATIENT, "IssuerOfPatientID": "HOSPITAL"})
        series = exam.series("T2")
        images = [add_image(series)] if with_image else []
        assert exam.key_objects([own, issuers["HOSPITAL"], *images], title="For Teaching")
        refused(exam, "of another patient", [issuers["ELSEWHERE"]])


def refused(exam: Exam, words: str, instances: list[str], kind: type[Exception] = UsageError) -> None:
    for ask in (exam.key_objects, exam.present):
        with pytest.raises(kind, match=words):
            ask(instances)


def test_the_rf_device_makes_none(tmp_path: Path) -> None:
    with device_in_hospital(tmp_path, "rf") as device, device.modality(works=False) as modality:
        exam = modality.register(PATIENT)
        image = add_image(exam.series("one"))
        refused(exam, "makes no", [image])
        assert [each.SOPInstanceUID for each in exam.instances()] == [image]
