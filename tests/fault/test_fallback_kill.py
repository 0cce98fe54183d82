"""A device that dies between any two steps of an enhanced image and of its classic series for an archive of old."""

from __future__ import annotations

import signal
from collections import Counter
from pathlib import Path

import pytest

from openmodality import Modality
from openmodality.standard.sop_classes import ENHANCED_MR_IMAGE_STORAGE, MR_IMAGE_STORAGE
from openmodality.store.states import JobKind, JobState
from tests.acceptance.requirements.test_mr_enhanced_or_classic import department, make_enhanced
from tests.fault.test_exam_kill import run_dying

PATIENT = {"PatientID": "1", "PatientName": "Doe^Jane"}
MOST = 40
STEPS = {False: 10, True: 1}
"""How many moments lie between two deaths: in the suite, in a soak."""


@pytest.mark.needs("storescp")
@pytest.mark.timeout(600)
def test_an_image_and_its_classic_series_are_there_together_or_not_at_all(tmp_path: Path, soak: bool) -> None:
    with department(tmp_path, old=True) as place:
        with Modality(place.site, works=False) as modality:
            exam_id = modality.exam(patient=PATIENT).id
        made = 0
        for point in range(2, MOST, STEPS[soak]):
            ended = run_dying("enhance", place.site, exam_id, point)
            assert run_dying("work", place.site, exam_id, 0) == 0  # which ends at its start what the other began
            with Modality(place.site, works=False) as modality:
                exam = modality.find_exam(exam_id)
                classes = Counter(each.SOPClassUID for each in exam.instances())
                made = classes[ENHANCED_MR_IMAGE_STORAGE]
                assert classes[MR_IMAGE_STORAGE] == 3 * made
                of_classic = [each for each in exam.record.series if each.object_name == "MR Image"]
                assert len(of_classic) == made
                assert all(modality.instance_path(each.SOPInstanceUID).exists() for each in exam.instances())
                assert modality.problems.list(dismissed=True) == []
            if ended == 0:
                break
            assert ended == signal.SIGKILL
        assert made > 0


@pytest.mark.needs("storescp")
@pytest.mark.timeout(600)
def test_the_archive_has_the_classic_series_once_wherever_the_device_died(tmp_path: Path, soak: bool) -> None:
    with department(tmp_path, old=True) as place:
        for exams, point in enumerate(range(2, MOST, STEPS[soak]), 1):
            with Modality(place.site, works=False) as modality:
                exam = modality.exam(patient=PATIENT)
                make_enhanced(exam)
                exam.complete()
            ended = run_dying("work", place.site, exam.id, point)
            assert ended in (0, signal.SIGKILL)
            assert run_dying("work", place.site, exam.id, 0) == 0
            check_study(place.site, exam.id, place.list_classes("old"), exams)
            if ended == 0:
                break
        assert exams > 2


def check_study(site: Path, exam_id: int, stored: list[str], exams: int) -> None:
    """The job of the exam is done with the classic series, which is all that the archive has of each."""
    with Modality(site, works=False) as modality:
        exam = modality.find_exam(exam_id)
        of_exam = {each.SOPInstanceUID for each in exam.instances() if each.SOPClassUID == MR_IMAGE_STORAGE}
        jobs = modality.jobs.list(kinds=[JobKind.SEND])
        assert [job.state for job in jobs] == [JobState.DONE] * exams
        last = max(jobs, key=lambda job: job.id)
        sent = Counter(each.SOPInstanceUID for each in modality.jobs.show(last.id).instances)
        assert sent == Counter(of_exam)
        assert "instead of 1 Enhanced MR Image" in last.reason
    assert Counter(stored) == {MR_IMAGE_STORAGE: 3 * exams}
