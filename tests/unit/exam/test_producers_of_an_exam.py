"""A new kind of object takes part in an exam as a producer: nothing in the workflow knows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from pydicom import Dataset, dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from openmodality.exam.producers.producer import StepWork
from openmodality.exam.session import Exam
from openmodality.jobs.listing import list_jobs
from openmodality.store.listing.exams import SeriesRecord
from openmodality.store.local import LocalStore
from openmodality.store.states import ExamState, JobKind

KEY_OBJECT_SELECTION_DOCUMENT_STORAGE = "1.2.840.10008.5.1.4.1.1.88.59"
BeginExam = Callable[..., Exam]


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


def test_it_adds_a_series_its_instances_and_attributes_of_the_step(begin_exam: BeginExam, store: LocalStore) -> None:
    producer = KeyObjects()
    exam = begin_exam([producer])
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
        jobs = list_jobs(snapshot, kinds=[JobKind.SEND])
    assert {job.destination for job in jobs} == {"hospital", "archive"}


def test_a_process_that_dies_over_it_makes_nothing_twice(begin_exam: BeginExam, store: LocalStore) -> None:
    producer = KeyObjects(failures=1)
    exam = begin_exam([producer])
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
