from __future__ import annotations

from dataclasses import replace

from openmodality.exam.producers.producer import StepWork
from openmodality.standard.sop_classes import MR_IMAGE_STORAGE
from openmodality.store.listing.exams import SeriesRecord
from tests.exam_records import STEP, STUDY, exam_of, instance_of, step_of

OWN = SeriesRecord("1.2.1", 1, "MR Image", "MR", "T1", 1.7e9, STEP)
EARLIER = SeriesRecord("1.2.2", 2, "MR Image", "MR", "T2", 1.6e9, "1.2.8")


def test_the_work_of_a_step_and_of_a_whole_exam() -> None:
    images = [instance_of(series, 1, MR_IMAGE_STORAGE) for series in (OWN, EARLIER)]
    of_step = StepWork(exam_of(OWN, EARLIER), step_of(), images)
    assert (of_step.key, of_step.series) == (STEP, [OWN])
    assert of_step.instances_of(OWN) == images[:1]
    of_exam = replace(of_step, step=None)
    assert (of_exam.key, of_exam.series) == (STUDY, [OWN, EARLIER])
