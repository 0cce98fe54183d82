"""A new kind of object takes part in an exam as a producer: nothing in the workflow knows it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from openmodality.device.site.site import Site
from openmodality.device.site.site_loader import load_site
from openmodality.exam.producers.producer import StepWork
from openmodality.exam.session import Exam
from openmodality.exam.workflow import Workflow
from openmodality.jobs.listing import list_jobs
from openmodality.jobs.queue import Queue
from openmodality.store.listing.exams import SeriesRecord
from openmodality.store.local import LocalStore, open_store
from openmodality.store.states import ExamState, JobKind

KEY_OBJECT_SELECTION_DOCUMENT_STORAGE = "1.2.840.10008.5.1.4.1.1.88.59"
SITE = """
profile = "mr"
[peers.hospital]
ae_title = "HOSPITAL"
host = "localhost"
port = 104
services = ["mpps", "storage"]
"""


@dataclass
class KeyObjects:
    """Adds a document to each step that ends; ``failures`` times it dies over it."""

    failures: int = 0
    seen: list[StepWork] = field(default_factory=list)

    def plan_series_at_end(self, work: StepWork, at: float) -> SeriesRecord | None:
        self.seen.append(work)
        number = 8000 + len(work.exam.series)
        return SeriesRecord(f"{work.key}.1", number, "Key Objects", "KO", "Key images", at, work.key)

    def build_at_end(self, work: StepWork, series: SeriesRecord) -> Iterator[Dataset]:
        for number in (1, 2):
            yield _document(work, series, number)
            if self.failures:
                self.failures -= 1
                raise KeyboardInterrupt

    def describe_step(self, work: StepWork) -> Dataset:
        added = Dataset()
        added.PerformedProcedureStepDescription = f"{len(work.instances)} documents"
        return added


def _document(work: StepWork, series: SeriesRecord, number: int) -> Dataset:
    document = Dataset()
    document.file_meta = FileMetaDataset()
    document.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    uid = UID(f"{series.series_instance_uid}.{number}")
    document.SOPClassUID = document.file_meta.MediaStorageSOPClassUID = UID(KEY_OBJECT_SELECTION_DOCUMENT_STORAGE)
    document.SOPInstanceUID = document.file_meta.MediaStorageSOPInstanceUID = uid
    document.PatientID, document.Modality = "1", series.modality
    document.StudyInstanceUID = work.exam.study_instance_uid
    document.SeriesInstanceUID, document.SeriesNumber = series.series_instance_uid, series.number
    return document


@pytest.fixture
def site(tmp_path: Path) -> Site:
    (tmp_path / "site.toml").write_text(SITE, "utf-8")
    return load_site(tmp_path)


@pytest.fixture
def store(site: Site) -> Iterator[LocalStore]:
    with open_store(site.data_folder, durability="os") as store:
        yield store


def begun(site: Site, store: LocalStore, producer: KeyObjects) -> Exam:
    workflow = Workflow(site, store, Queue(store.database), [producer])
    user = Dataset()
    user.PatientID = "1"
    exam = Exam(workflow, workflow.register([], user).id)
    return exam.begin()


def test_it_adds_a_series_its_instances_and_attributes_of_the_step(site: Site, store: LocalStore) -> None:
    producer = KeyObjects()
    exam = begun(site, store, producer)
    exam.discontinue()
    (series,) = exam.record.series
    assert (series.object_name, series.number) == ("Key Objects", 8000)
    assert [each.SOPInstanceUID for each in exam.instances()] == [f"{series.series_instance_uid}.{n}" for n in (1, 2)]
    (step,) = exam.steps
    assert step.n_set is not None
    sent = Dataset.from_json(step.n_set)
    assert sent.PerformedProcedureStepDescription == "2 documents"
    (performed,) = sent.PerformedSeriesSequence
    others = performed.ReferencedNonImageCompositeSOPInstanceSequence
    assert [each.ReferencedSOPInstanceUID for each in others] == [each.SOPInstanceUID for each in exam.instances()]
    assert not performed.ReferencedImageSequence
    with store.read() as snapshot:
        (job,) = list_jobs(snapshot, kinds=[JobKind.SEND])
    assert job.destination == "hospital"


def test_a_process_that_dies_over_it_makes_nothing_twice(site: Site, store: LocalStore) -> None:
    producer = KeyObjects(failures=1)
    exam = begun(site, store, producer)
    with pytest.raises(KeyboardInterrupt):
        exam.discontinue()
    assert (exam.state, len(exam.instances())) == ("IN PROGRESS", 1)
    assert exam.discontinue().state is ExamState.DISCONTINUED
    (series,) = exam.record.series
    assert series.number == 8000, "the series on record is the one that is filled"
    assert len(exam.instances()) == 2
    assert {_number(store, each.SOPInstanceUID) for each in exam.instances()} == {8000}


def _number(store: LocalStore, sop_instance_uid: str) -> int:
    return int(dcmread(store.files.path(sop_instance_uid)).SeriesNumber)
