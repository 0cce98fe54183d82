"""An exam as a program holds it: what leaving the block does, and what a source or a watched folder gives."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.uid import MRImageStorage, SecondaryCaptureImageStorage

from openmodality.acquisition.drop_folder import DroppedFile, make_arrival_key
from openmodality.acquisition.source import AcquiredFrame, AcquiredSeries
from openmodality.acquisition.volume import Volume
from openmodality.device.site.site import Site
from openmodality.errors import ObjectInvalid, OtherIdentity, PartlyTaken, UsageError
from openmodality.exam.ingest import make_file_source
from openmodality.exam.session import Exam
from openmodality.exam.workflow import Workflow
from openmodality.objects.rules.elements import data_set_of
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
    exam = Exam(workflow, workflow.register([], data_set_of(PatientID="1", OperatorsName="ROE")).id)
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


def save_images(folder: Path, *names: str) -> None:
    for name in names:
        np.save(folder / name, np.ones((4, 4), np.uint16))


def test_what_is_wrong_with_one_input_does_not_stop_those_behind_it(begin_exam: BeginExam, tmp_path: Path) -> None:
    save_images(tmp_path, "a.npy", "c.npy", "e.npy")
    (tmp_path / "b.npy").write_bytes(b"no array")
    (tmp_path / "c.json").write_text('{"PatientID": "ELSE"}')
    (tmp_path / "d.toml").write_text('object = "CT Image"')
    save_images(tmp_path, "d.npy")
    exam = begin_exam()
    with pytest.raises(PartlyTaken) as caught:
        exam.acquire([tmp_path / f"{name}.npy" for name in "abcde"])
    assert [series.record.description for series in caught.value.made] == ["a", "e"]
    assert len(exam.instances()) == 2
    problems = {Path(name).stem: problem for name, problem in caught.value.problems.items()}
    assert {name: type(problem) for name, problem in problems.items()} == {
        "b": ObjectInvalid, "c": OtherIdentity, "d": UsageError,
    }  # fmt: skip
    assert caught.value.message.startswith("3 of the inputs made no images: ")
    assert "b.npy: not a kind of file that holds an image" in caught.value.message
    assert "ELSE" not in str(caught.value), "it may be logged"


def test_each_folder_of_a_folder_is_an_input_of_its_own(begin_exam: BeginExam, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / "scans" / name).mkdir(parents=True)
    (tmp_path / "scans" / "one" / "a.npy").write_bytes(b"no array")
    save_images(tmp_path / "scans" / "two", "a.npy")
    exam = begin_exam()
    with pytest.raises(PartlyTaken, match="1 of the inputs made no images"):
        exam.acquire(tmp_path / "scans")
    assert len(exam.instances()) == 1


def test_what_is_wrong_with_all_inputs_alike_is_said_as_it_is(begin_exam: BeginExam, tmp_path: Path) -> None:
    save_images(tmp_path, "a.npy", "b.npy")
    paths = [tmp_path / "a.npy", tmp_path / "b.npy"]
    exam = begin_exam()
    with pytest.raises(UsageError, match="this device makes no CT Image"):
        exam.acquire(paths, object="CT Image")
    exam.discontinue()
    with pytest.raises(UsageError) as caught:
        exam.acquire(paths, object="SC Image")
    assert not isinstance(caught.value, PartlyTaken)


def test_a_file_of_a_watched_folder_gives_its_series(begin_exam: BeginExam, tmp_path: Path) -> None:
    file = tmp_path / "a.npy"
    np.save(file, np.arange(16, dtype=np.uint16).reshape(4, 4))
    geometry = {"PixelSpacing": [1, 1], "SliceThickness": 5, "ImagePositionPatient": [0, 0, 0]}
    said = geometry | {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0]}
    file.with_suffix(".json").write_text(json.dumps(said), encoding="utf-8")
    exam = begin_exam()
    (series,) = exam.take(DroppedFile(file, make_arrival_key(file)))
    assert [each.series_instance_uid for each in exam.record.series] == [series.series_instance_uid]


def test_a_file_that_comes_again_gives_no_second_phase(begin_exam: BeginExam, tmp_path: Path) -> None:
    file = tmp_path / "a.npy"
    np.save(file, np.array([[[1, 1j], [2, -2]], [[3, 3j], [4, -4j]]], np.complex64))
    said = {"parts": "magnitude+phase", "affine": np.eye(4).tolist(), "object": "MR Image"}
    file.with_suffix(".json").write_text(json.dumps(said), encoding="utf-8")
    exam = begin_exam()
    made = []
    for _ in range(2):
        exam.take(DroppedFile(file, make_arrival_key(file)))
        made.append([each.SOPInstanceUID for each in exam.instances()])
    assert len(exam.record.series) == 2
    assert made[0] == made[1]
    assert len(set(made[0])) == 4


def test_a_document_spans_no_two_patients_of_one_id(begin_exam: BeginExam) -> None:
    other = begin_exam(PatientName="Other^Olga", PatientBirthDate="19500101")
    foreign = add_image(other.series("T1"))
    prior = begin_exam(PatientName="Mine^Max", PatientBirthDate="19990101")
    old = add_image(prior.series("T1"))
    exam = begin_exam(PatientName="Mine^Max", PatientBirthDate="19990101")
    for count in (0, 1):
        own = [add_image(exam.series("T1")) for _ in range(count)]
        with pytest.raises(UsageError, match="of another patient"):
            exam.key_objects([*own, foreign])
        assert exam.key_objects([*own, old])


def read_all(store: LocalStore, uids: Sequence[str]) -> list[pydicom.Dataset]:
    return [pydicom.dcmread(store.files.path(uid)) for uid in uids]


@pytest.mark.parametrize("type_", ["int16", "int32", "float32", "float64", "uint8", "bool"])
def test_values_of_every_type_come_back(begin_exam: BeginExam, store: LocalStore, type_: str) -> None:
    values = (np.random.default_rng(1).normal(0, 900, (3, 4, 5)) > 0) * 1.5 if type_ == "bool" else None
    array = (np.random.default_rng(1).normal(100, 900, (3, 4, 5)) if values is None else values).astype(type_)
    made = read_all(store, begin_exam().series("VALUES").add_volume(array, np.eye(4)))
    assert len({(each.get("RescaleSlope"), each.get("RescaleIntercept"), each.WindowCenter) for each in made}) == 1
    slope = float(made[0].get("RescaleSlope", 1))
    back = np.stack([each.pixel_array * slope + float(each.get("RescaleIntercept", 0)) for each in made])
    usual = array.astype(float)[:, ::-1, ::-1]  # of an affine in RAS, as readers expect to see it
    assert np.abs(back - usual).max() <= (slope * 0.50001 if "float" in type_ else 0)
    if "float" in type_:
        [mapping] = made[0].RealWorldValueMappingSequence
        assert (mapping.RealWorldValueSlope, mapping.RealWorldValueIntercept) == (slope, made[0].RescaleIntercept)
        assert made[0].VOILUTFunction == "LINEAR_EXACT"


def test_a_rescale_that_the_caller_states_is_that_of_the_values(begin_exam: BeginExam, store: LocalStore) -> None:
    array = np.array([[[0.0, 1.0], [2.0, 3.0]]])
    [made] = read_all(
        store, begin_exam().series("S").add_volume(array, np.diag([-1, -1, 1, 1]), RescaleSlope=2, RescaleIntercept=5)
    )
    assert made.pixel_array * float(made.RescaleSlope) + float(made.RescaleIntercept) == pytest.approx(
        array[0] * 2 + 5, abs=1e-3
    )


def test_complex_values_give_magnitude_and_phase(begin_exam: BeginExam, store: LocalStore) -> None:
    array = (np.array([1, 2j, -3, -4j]) * np.exp(0.1j)).reshape(1, 2, 2)
    series = begin_exam().series("COMPLEX")
    [magnitude] = read_all(store, series.add_volume(array, np.diag([-1, -1, 1, 1]), parts="magnitude+phase"))
    assert series.phase is not None
    [phase] = read_all(store, [each.SOPInstanceUID for each in series.exam.instances()][-1:])
    assert (magnitude.ImageType[2], phase.ImageType[2]) == ("M", "P")
    assert (magnitude.SeriesDescription, phase.SeriesDescription) == ("COMPLEX", "COMPLEX phase")
    for made, values in ((magnitude, np.abs(array)), (phase, np.angle(array))):
        back = made.pixel_array * float(made.RescaleSlope) + float(made.RescaleIntercept)
        assert back == pytest.approx(values[0], abs=float(made.RescaleSlope))
    assert phase.RealWorldValueMappingSequence[0].MeasurementUnitsCodeSequence[0].CodeValue == "rad"


def test_colour_becomes_secondary_capture(begin_exam: BeginExam, store: LocalStore) -> None:
    exam = begin_exam()
    pixels = np.random.default_rng(1).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    series = exam.series("COLOUR")
    [made] = read_all(store, series.add(pixels))
    assert (made.SOPClassUID, made.PhotometricInterpretation, made.SamplesPerPixel) == (
        SecondaryCaptureImageStorage,
        "RGB",
        3,
    )
    assert np.array_equal(made.pixel_array, pixels)
    assert exam.record.series[0].object_name == series.object_name == "SC Image"
    grey = exam.series("GREY")
    add_image(grey)
    with pytest.raises(UsageError, match="begin a series of its own"):
        grey.add(pixels)


def test_a_slope_holds_for_the_series_and_other_ranges_are_refused(begin_exam: BeginExam, store: LocalStore) -> None:
    series = begin_exam().series("S", sop_class_uid=MRImageStorage)
    place = {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "PixelSpacing": [1, 1], "SliceThickness": 1}
    frames = np.linspace(0, 1, 8).reshape(2, 2, 2)
    uids = series.add(frames, ImagePositionPatient=[0, 0, 0], **place)
    uids += series.add(frames / 2, ImagePositionPatient=[0, 0, 1], **place)
    assert len({each.RescaleSlope for each in read_all(store, uids)}) == 1
    with pytest.raises(ObjectInvalid, match="values from 0 to 3, and images before were spread from 0 to 1"):
        series.add(frames * 3, ImagePositionPatient=[0, 0, 2], **place)


def test_a_volume_is_stored_whole_or_not_at_all(begin_exam: BeginExam, store: LocalStore) -> None:
    exam = begin_exam()
    series = exam.series("S")

    def frames() -> Iterator[NDArray[np.uint16]]:
        yield np.ones((2, 2), np.uint16)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        series.add_volume(frames(), np.eye(4), shape=(2, 2, 2))
    bad: dict[str, Any] = {"ScanningSequence": ["SE", "SE", "XX"]}
    with pytest.raises(ObjectInvalid):
        series.add_volume(np.ones((3, 2, 2), np.uint16), np.eye(4), EchoTime=["1", "2", "x"], **bad)
    assert exam.instances() == []
    assert not [left for left in store.files.root.rglob("*") if left.is_file()]


def test_what_was_given_and_not_used_is_said_with_its_reason(begin_exam: BeginExam) -> None:
    series = begin_exam().series("S")
    volume = Volume(
        array=np.ones((1, 2, 2), np.uint16),
        affine=np.eye(4),
        keywords={"KVP": 80, "PatientID": "2"},
        unused={"SliceTiming": "no place"},
    )
    series.add_volume(volume)
    assert series.unused == {"SliceTiming": "no place"}
    assert (series.left_out, series.overridden) == (("KVP",), ("PatientID",))
    series.add(
        np.array([[0.0, 9.0]]),
        scale=(0, 5),
        ImagePositionPatient=[0, 0, 1],
        ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
        PixelSpacing=[1, 1],
    )
    assert series.unused["scale"] == "1 of 2 values lie outside of it and are clipped"


@pytest.mark.parametrize("is_whole", [True, False])
def test_of_frames_that_are_all_there_all_become_images_or_none(begin_exam: BeginExam, is_whole: bool) -> None:
    place = {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "PixelSpacing": [1, 1], "SliceThickness": 1}
    frames = [
        AcquiredFrame(np.ones((4, 4), np.uint16), data_set_of(**place, ImagePositionPatient=[0, 0, depth]))
        for depth in range(3)
    ]
    frames.append(AcquiredFrame(np.ones((4, 4), np.uint16), Dataset()))  # nobody says where it lies
    acquired = AcquiredSeries("T1", "MR", MRImageStorage, frames, 4, is_whole=is_whole)
    exam = begin_exam()
    with pytest.raises(ObjectInvalid, match="ImagePositionPatient"):
        exam.series("T1").add_all(acquired)
    assert len(exam.instances()) == (0 if is_whole else 3)
    told: list[int] = []
    good = replace(acquired, frames=frames[:3], number_of_frames=3)
    series = exam.series("T1")
    series.add_all(good, lambda done, total: told.append(done))
    assert (len(series.made), told) == (3, [1, 2, 3])
