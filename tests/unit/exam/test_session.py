"""An exam as a program holds it: what leaving the block does, and what a source or a watched folder gives."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest

from openmodality.acquisition.drop_folder import DroppedFile, make_arrival_key
from openmodality.acquisition.source import AcquiredSeries
from openmodality.acquisition.volume import Volume
from openmodality.device.site.site import Site
from openmodality.errors import ObjectInvalid, OtherIdentity
from openmodality.exam.ingest import make_file_source
from openmodality.exam.session import Exam, make_patient_attributes
from openmodality.exam.workflow import Workflow
from openmodality.store.local import LocalStore
from openmodality.store.states import ExamState
from tests.devices import add_image, quick_source

BeginExam = Callable[..., Exam]


def test_leaving_the_block_completes_the_exam(begin_exam: BeginExam) -> None:
    with begin_exam() as exam:
        add_image(exam.series("T1"))
    assert exam.state is ExamState.COMPLETED


def test_an_exception_discontinues_it_and_keeps_what_was_made(begin_exam: BeginExam) -> None:
    exam = begin_exam()
    add_image(exam.series("T1"))
    with pytest.raises(ZeroDivisionError), exam:
        _ = 1 / 0
    assert exam.state is ExamState.DISCONTINUED
    assert len(exam.instances()) == 1


def test_an_exam_that_was_ended_inside_the_block_stays_as_it_is(begin_exam: BeginExam) -> None:
    with begin_exam() as exam:
        exam.discontinue("110514")
    assert exam.state is ExamState.DISCONTINUED


def test_a_registered_exam_begins_with_its_first_series(make_workflow: Callable[[], Workflow]) -> None:
    workflow = make_workflow()
    exam = Exam(
        workflow, workflow.register([], make_patient_attributes({"PatientID": "1"}, {"OperatorsName": "ROE"})).id
    )
    assert str(exam.state) == "REGISTERED"
    series = exam.series("T1", modality="MR")
    assert str(exam.state) == "IN PROGRESS"
    assert exam.record.series[0].series_instance_uid == series.series_instance_uid


def test_all_images_of_a_source(begin_exam: BeginExam) -> None:
    told: list[tuple[int, int]] = []
    exam = begin_exam()
    exam.acquire(quick_source("mr"), lambda done, total: told.append((done, total)))
    assert told == [(1, 2), (2, 2)]
    assert len(exam.instances()) == 2


def test_what_is_no_image_is_refused(begin_exam: BeginExam) -> None:
    series = begin_exam().series("T1")
    with pytest.raises(ObjectInvalid):
        series.add(np.zeros((4, 4), np.float64))
    with pytest.raises(ObjectInvalid, match="Patience"):
        series.add(np.zeros((4, 4), np.uint16), Patience="1")


def test_numbers_go_on_within_a_series(begin_exam: BeginExam, tmp_path: Path) -> None:
    exam = begin_exam()
    series = exam.series("T1")
    uids = [add_image(series, number) for number in (1, 2, 3)]
    assert len(set(uids)) == 3
    assert [each.SOPInstanceUID for each in exam.instances()] == uids


def test_what_is_stated_and_has_other_values_in_the_object_is_named_once_without_its_value(
    begin_exam: BeginExam, site: Site, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    first: dict[str, object] = {"PatientID": "GEHEIM", "StudyID": ""}
    second: dict[str, object] = {"Modality": "CT", "SeriesDescription": "y", "TableHeight": 1}
    for number, stated in enumerate((first, second)):
        np.save(folder / f"{number}.npy", np.ones((4, 4), np.uint16))
        said = json.dumps({"SeriesDescription": "x", "WindowCenter": 2.50, "WindowWidth": "5.0", **stated})
        (folder / f"{number}.json").write_text(said, encoding="utf-8")
    with pytest.raises(OtherIdentity, match="PatientID is not that of exam"):
        begin_exam().acquire(make_file_source(site, folder))
    (series,) = begin_exam().acquire(make_file_source(site, folder), accept_identity=True)
    assert series.unused["PatientID"] == "the exam has its own"
    assert {"Modality", "SeriesDescription"} <= set(series.unused)
    assert series.left_out == ("TableHeight",)
    logged = [vars(record) for record in caplog.records]
    assert "GEHEIM" not in str(logged)
    assert [each["keywords"] for each in logged if each["msg"] == "image.attributes_left_out"] == ["TableHeight"]


def test_what_a_series_states_is_compared_and_an_image_may_state_it_anew(begin_exam: BeginExam) -> None:
    series = begin_exam().series("T1", PatientID="OTHER", SliceThickness=4, ProtocolName="T1")
    add_image(series)
    assert series.overridden == ("PatientID",)


def test_a_simulator_states_nothing_that_its_objects_say_otherwise(begin_exam: BeginExam) -> None:
    (series,) = begin_exam().acquire(quick_source("mr"))
    assert (series.left_out, series.overridden) == ((), ())


def test_a_volume_becomes_images_at_their_places(begin_exam: BeginExam, store: LocalStore) -> None:
    exam = begin_exam()
    array = np.arange(60, dtype=np.uint16).reshape(3, 4, 5)
    series = exam.series("VOLUME")
    uids = series.add_volume(array, np.diag([-1.0, -1.0, -2.5, 1.0]), EchoTime=12, TriggerTime=[1, 2, 3])
    made = [pydicom.dcmread(store.files.path(uid)) for uid in uids]
    assert [int(each.InstanceNumber) for each in made] == [1, 2, 3]
    assert [float(each.ImagePositionPatient[2]) for each in made] == [-5, -2.5, 0]
    assert [float(each.TriggerTime) for each in made] == [3, 2, 1]
    assert np.array_equal(np.stack([each.pixel_array for each in made]), array[::-1])
    assert len(series.add_volume(array, np.eye(4))) == 3
    made = [pydicom.dcmread(store.files.path(each.SOPInstanceUID)) for each in exam.instances()]
    assert [int(each.InstanceNumber) for each in made] == [1, 2, 3, 4, 5, 6]


def test_a_source_may_hand_over_a_volume(begin_exam: BeginExam) -> None:
    volume = Volume(array=np.ones((2, 4, 5), np.uint16), affine=np.eye(4))
    told: list[tuple[int, int]] = []

    class OneVolume:
        def series(self) -> Iterator[AcquiredSeries]:
            yield AcquiredSeries("VOLUME", "MR", "", (), 2, volume=volume)

    begin_exam().acquire(OneVolume(), lambda done, total: told.append((done, total)))
    assert told == [(1, 2), (2, 2)]


def test_the_handles_say_what_is_on_record_and_in_the_files(begin_exam: BeginExam, store: LocalStore) -> None:
    exam = begin_exam()
    assert exam.accession_number == exam.record.accession_number != ""
    assert exam.study_instance_uid == exam.record.study_instance_uid != ""
    series = exam.series("T1")
    files = [pydicom.dcmread(store.files.path(add_image(series, 2))) for _ in range(2)]
    assert [int(file.InstanceNumber) for file in files] == [1, 2]
    assert exam.notices == exam.record.notices
    assert exam.discontinue() is exam


def test_a_file_of_a_watched_folder_gives_its_series(begin_exam: BeginExam, tmp_path: Path) -> None:
    file = tmp_path / "a.npy"
    np.save(file, np.arange(16, dtype=np.uint16).reshape(4, 4))
    geometry = {"PixelSpacing": [1, 1], "SliceThickness": 5, "ImagePositionPatient": [0, 0, 0]}
    said = geometry | {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0]}
    file.with_suffix(".json").write_text(json.dumps(said), encoding="utf-8")
    exam = begin_exam()
    (series,) = exam.take(DroppedFile(file, make_arrival_key(file)))
    assert [each.series_instance_uid for each in exam.record.series] == [series.series_instance_uid]
