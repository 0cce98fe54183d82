"""What a job that falls back on the classic series leaves behind: jobs, performed step, UIDs; across restarts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from openmodality import Modality
from openmodality.activities.enhanced_fallback import INSTEAD, EnhancedFallback
from openmodality.errors import ObjectInvalid
from openmodality.exam.session import Exam
from openmodality.jobs.job import Job
from openmodality.objects.site_objects import find_uid_maker
from openmodality.standard.sop_classes import ENHANCED_MR_IMAGE_STORAGE, MR_IMAGE_STORAGE
from openmodality.store.data_set_json import from_json
from openmodality.store.database import Database
from openmodality.store.states import InstanceResult, JobKind
from tests.devices import MR_SITE
from tests.peers.process import free_port

PEER = """
[peers.pacs]
ae_title = "PACS"
host = "127.0.0.1"
port = 104
services = ["storage", "storage_commitment", "mpps"]
automatic_commitment = true
enhanced_or_classic = true
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    path = tmp_path / "site.toml"
    path.write_text(MR_SITE.format(port=free_port()) + PEER, encoding="utf-8")
    return path


def make_enhanced(exam: Exam, images: int = 1) -> list[str]:
    series = exam.series("dwi", sop_class_uid=ENHANCED_MR_IMAGE_STORAGE)
    values = np.arange(3 * 16 * 12, dtype=np.uint16).reshape(3, 16, 12)
    affine = np.diag([1.0, 1.0, 2.0, 1.0])
    return [uid for _ in range(images) for uid in series.add_volume(values, affine, space="LPS", axes="kji")]


def list_classes(modality: Modality, job: Job) -> list[str]:
    return [each.SOPClassUID for each in modality.jobs.show(job.id).instances]


def find_jobs(modality: Modality) -> tuple[Job, Job]:
    [send] = modality.jobs.list(kinds=[JobKind.SEND])
    [commit] = modality.jobs.list(kinds=[JobKind.COMMIT])
    return send, commit


def change(modality: Modality, job: Job, declined: Sequence[str]) -> bool:
    database: Database = modality._store.database
    fallback = EnhancedFallback(database, find_uid_maker(modality.site))
    return fallback.change(job, modality.site.peer("pacs"), declined)


def test_both_jobs_go_on_with_the_classic_series_and_again_after_a_restart(site: Path) -> None:
    with Modality(site, works=False) as modality:
        exam = modality.register({"PatientID": "1", "PatientName": "Doe^Jane"})
        made = make_enhanced(exam, images=2)
        exam.complete()
        send, commit = find_jobs(modality)
        assert list_classes(modality, send) == list_classes(modality, commit) == [ENHANCED_MR_IMAGE_STORAGE] * 2
        uids = {each.SOPInstanceUID for each in exam.instances()}
        told = from_json(exam.steps[0].n_set or {})
        referenced = {
            item.ReferencedSOPInstanceUID
            for series in told.PerformedSeriesSequence
            for item in series.ReferencedImageSequence
        }
        assert referenced == uids
    # The device was killed before the change, then after it.
    with Modality(site, works=False) as modality:
        assert change(modality, find_jobs(modality)[0], made)
    with Modality(site, works=False) as modality:
        send, commit = find_jobs(modality)
        assert not change(modality, send, made)
        for job in (send, commit):
            assert list_classes(modality, job) == [MR_IMAGE_STORAGE] * 6
            assert {each.SOPInstanceUID for each in modality.jobs.show(job.id).instances} == uids - set(made)
        assert send.parameters[INSTEAD].startswith("the classic series of 6 images instead of 2 Enhanced MR Images")
        exam = modality.find_exam(exam.id)
        exam.deliver()
        assert len(modality.jobs.list(kinds=[JobKind.SEND])) == 1
        assert {each.SOPInstanceUID for each in exam.instances()} == uids
        [again] = modality.send(study=exam.study_instance_uid, peer="pacs")[:1]
        assert set(list_classes(modality, again)) == {MR_IMAGE_STORAGE}


def test_a_study_of_which_enhanced_images_arrived_is_not_mixed(site: Path) -> None:
    with Modality(site, works=False) as modality:
        exam = modality.register({"PatientID": "1", "PatientName": "Doe^Jane"})
        [first] = make_enhanced(exam)
        exam.deliver()
        [send] = modality.jobs.list(kinds=[JobKind.SEND])
        arrived = modality.jobs.show(send.id).instances[0]
        modality._runtime.queue.record(send.id, [replace(arrived, result=InstanceResult.SUCCESS)])
        [second] = make_enhanced(exam)
        exam.deliver()
        last = max(modality.jobs.list(kinds=[JobKind.SEND]), key=lambda job: job.id)
        assert not change(modality, last, [second])
        fallback = EnhancedFallback(modality._store.database, find_uid_maker(modality.site))
        assert "has enhanced images of this study" in fallback.explain(modality.site.peer("pacs"), [second])
        assert first != second


def test_series_of_images_are_numbered_apart_from_documents(site: Path) -> None:
    with Modality(site, works=False) as modality:
        exam = modality.exam(patient={"PatientID": "1", "PatientName": "Doe^Jane"})
        exam.key_objects(make_enhanced(exam), title="Of Interest")
        make_enhanced(exam)
        numbers = {(each.object_name, each.number) for each in exam.record.series if each.number < 8000}
        exam.complete()
    assert numbers == {
        ("Enhanced MR Image", 1), ("MR Image", 2), ("Enhanced MR Image", 3), ("MR Image", 4),
    }  # fmt: skip


def test_a_classic_series_that_cannot_be_built_leaves_no_series_on_record(site: Path) -> None:
    with Modality(site, works=False) as modality:
        exam = modality.exam(patient={"PatientID": "1", "PatientName": "Doe^Jane"})
        series = exam.series("dwi", sop_class_uid=ENHANCED_MR_IMAGE_STORAGE)
        pixels = np.zeros((4, 4), dtype=np.uint16)
        place = {"ImagePositionPatient": [0, 0, 0], "ImageOrientationPatient": [1, 0, 0, 0, 1, 0]}
        with pytest.raises(ObjectInvalid):  # vectors of length 1 and 2, which the classic images are asked for
            series.add(
                pixels, PixelSpacing=[1, 1], SliceThickness=1,
                **{**place, "ImageOrientationPatient": [1, 0, 0, 0, 2, 0]},
            )  # fmt: skip
        assert [each.object_name for each in exam.record.series] == ["Enhanced MR Image"]
        assert exam.instances() == []
        other = exam.series("t1", sop_class_uid=MR_IMAGE_STORAGE)
        series.add(pixels, PixelSpacing=[1, 1], SliceThickness=1, **place)
        assert (other.record.number, [each.number for each in exam.record.series]) == (2, [1, 2, 3])
        assert len(exam.instances()) == 2
        exam.complete()
        referenced = {
            item.ReferencedSOPInstanceUID
            for each in from_json(exam.steps[0].n_set or {}).PerformedSeriesSequence
            for item in each.ReferencedImageSequence
        }
        assert referenced == {each.SOPInstanceUID for each in exam.instances()}
