"""Image objects of both devices: what is in them, and where it came from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest
from pydicom.dataset import Dataset

from openmodality.errors import ObjectInvalid
from openmodality.objects.exam_facts import InstanceFacts, SeriesFacts
from openmodality.objects.image.image import ImageBuilder
from openmodality.objects.rules.check import check
from openmodality.objects.rules.standard_rules import UNKNOWN_SIDES
from tests.made_objects import NAMES, NOW, OBJECTS, UIDS, acquired, definition_of, exam, instances, worklist

RF_OBJECTS = [name for profile, name in OBJECTS if profile == "rf"]
PIXELS = np.arange(64, dtype=np.uint16).reshape(8, 8)


def first(profile: str, name: str, *, scheduled: bool = True) -> Dataset:
    return next(instances(profile, name, worklist(NAMES["ascii"]) if scheduled else None))[1]


def build(
    name: str,
    attributes: Dataset,
    pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint16]] = PIXELS,
    off: Iterable[str] = (),
) -> Dataset:
    definition = replace(definition_of("rf", name), switches_off=frozenset(off))
    series = SeriesFacts(UIDS(), 3, NOW, definition.information_object.modality)
    instance = InstanceFacts(UIDS(), 5, NOW)
    builder = ImageBuilder(definition, exam(worklist(NAMES["ascii"])), series)
    return builder.build(instance, pixels, attributes)


@pytest.mark.parametrize(("profile", "name"), OBJECTS)
def test_pixels_and_description(profile: str, name: str) -> None:
    data_set = first(profile, name)
    frame = next(iter(acquired(name).frames))
    assert np.array_equal(data_set.pixel_array, frame.pixels)
    assert data_set.HighBit == data_set.BitsStored - 1
    assert int(frame.pixels.max()) < 1 << data_set.BitsStored


@pytest.mark.parametrize(("profile", "name"), OBJECTS)
def test_file_meta_information_agrees(profile: str, name: str) -> None:
    data_set = first(profile, name)
    assert data_set.file_meta.MediaStorageSOPInstanceUID == data_set.SOPInstanceUID
    assert data_set.file_meta.MediaStorageSOPClassUID == data_set.SOPClassUID


@pytest.mark.parametrize(("profile", "name"), OBJECTS)
def test_instances_of_a_series_share_it_and_have_uids_of_their_own(profile: str, name: str) -> None:
    made = [data_set for _, data_set in instances(profile, name, worklist(NAMES["ascii"]))]
    assert len({data_set.SOPInstanceUID for data_set in made}) == len(made)
    assert len({(data_set.StudyInstanceUID, data_set.SeriesInstanceUID) for data_set in made}) == 1
    assert [data_set.InstanceNumber for data_set in made] == list(range(1, len(made) + 1))


@pytest.mark.parametrize(("profile", "name"), OBJECTS)
def test_the_performed_step_and_the_request_are_referred_to(profile: str, name: str) -> None:
    data_set = first(profile, name)
    (step,) = data_set.ReferencedPerformedProcedureStepSequence
    assert step.ReferencedSOPClassUID == "1.2.840.10008.3.1.2.3.3"
    assert data_set.PerformedProcedureStepID == "PPS1"
    (request,) = data_set.RequestAttributesSequence
    assert (request.RequestedProcedureID, request.ScheduledProcedureStepID) == ("RP1", "SPS1")


def test_mr_slices_of_a_study_share_a_frame_of_reference() -> None:
    made = [data_set for _, data_set in instances("mr", "MR Image", worklist(NAMES["ascii"]))]
    assert len({data_set.FrameOfReferenceUID for data_set in made}) == 1
    assert [data_set.PositionReferenceIndicator for data_set in made] == [""] * len(made) or all(
        data_set["PositionReferenceIndicator"].is_empty for data_set in made
    )
    assert made[0].InstanceCreationDate == "20261122"


@pytest.mark.parametrize("name", RF_OBJECTS)
@pytest.mark.parametrize("scheduled", [True, False])
def test_rf_images_have_the_modules_of_the_statement_and_nothing_else(name: str, scheduled: bool) -> None:
    data_set = first("rf", name, scheduled=scheduled)
    definition = definition_of("rf", name)
    assert check(data_set, definition) == []
    listed = {rule.path[0] for rule in definition.rules if rule not in UNKNOWN_SIDES}
    # Laterality is of Type 2C in PS3.3, so it comes where the part of the body is not known.
    assert {element.keyword for element in data_set if element.tag not in listed} <= {"Laterality"}
    assert data_set.AccessionNumber == ("A0001" if scheduled else "L1")


def test_patient_age_is_worked_out() -> None:
    assert first("rf", "CR Image").PatientAge == "056Y"
    assert first("rf", "CR Image", scheduled=False)["PatientAge"].is_empty
    assert "PatientAge" not in first("rf", "RF Image", scheduled=False)


@pytest.mark.parametrize(("ordered", "expected"), [("XA", "XA"), ("RF", "RF"), ("CR", "RF"), ("", "RF")])
def test_modality_is_that_of_the_order_where_it_may_be(ordered: str, expected: str) -> None:
    item = worklist(NAMES["ascii"])
    item.Modality = ordered
    _, data_set = next(instances("rf", "RF Image", item))
    assert data_set.Modality == expected
    assert data_set.SeriesInstanceUID
    assert data_set.PerformedProcedureStepID


def test_a_secondary_capture_says_when_it_was_made() -> None:
    data_set = first("rf", "SC Image")
    assert (data_set.Modality, data_set.ConversionType) == ("OT", "DI")
    assert (data_set.DateOfSecondaryCapture, data_set.TimeOfSecondaryCapture) == ("20261122", "083015.000000")


@pytest.mark.parametrize("name", RF_OBJECTS)
def test_patient_orientation_is_empty_and_images_in_acquisition_counts(name: str) -> None:
    data_set = first("rf", name)
    assert data_set["PatientOrientation"].is_empty
    assert data_set.ImagesInAcquisition == acquired(name).number_of_frames


@pytest.mark.parametrize(("largest", "bits"), [(200, 12), (4095, 12), (4096, 14), (65535, 16)])
@pytest.mark.parametrize("name", RF_OBJECTS)
def test_bits_stored_are_12_14_or_16(name: str, largest: int, bits: int) -> None:
    data_set = build(name, Dataset(), np.full((4, 4), largest, dtype=np.uint16))
    assert (data_set.BitsAllocated, data_set.BitsStored, data_set.HighBit) == (16, bits, bits - 1)
    assert (data_set.SamplesPerPixel, data_set.PixelRepresentation) == (1, 0)
    assert data_set.PhotometricInterpretation == "MONOCHROME2"
    assert data_set.WindowCenter
    assert data_set.WindowWidth
    if name in ("RF Image", "XA Image"):
        assert data_set.PixelIntensityRelationship == "DISP"
        assert data_set.RadiationSetting in ("SC", "GR")
        assert len(data_set.ImageType) == 3
    if name == "CR Image":
        assert data_set["ViewPosition"].is_empty


def test_monochrome1_is_turned_where_the_object_has_only_monochrome2() -> None:
    attributes = Dataset()
    attributes.PhotometricInterpretation, attributes.WindowCenter, attributes.WindowWidth = "MONOCHROME1", "10", "20"
    attributes.BitsStored = 12
    data_set = build("CR Image", attributes)
    assert data_set.PhotometricInterpretation == "MONOCHROME2"
    assert np.array_equal(data_set.pixel_array, 4095 - PIXELS)
    assert float(data_set.WindowCenter) == 4085.0


def build_mr(attributes: Dataset, shared: Dataset | None = None) -> Dataset:
    series = SeriesFacts(UIDS(), 1, NOW, "MR", frame_of_reference_uid=UIDS(), attributes=shared or Dataset())
    attributes.update(next(iter(acquired("MR Image").frames)).attributes)
    for keyword in ("WindowCenter", "WindowWidth"):
        attributes.pop(keyword, None)
    return ImageBuilder(definition_of("mr", "MR Image"), exam(None), series).build(
        InstanceFacts(UIDS(), 1, NOW), PIXELS, attributes
    )


@pytest.mark.parametrize(
    ("slope", "intercept", "center", "width"),
    [("1", "0", 32, 64), ("2", "-4096", -4032, 128), ("1", "-32", 0, 64), ("-0.5", "10", -6, 32)],
)
def test_a_window_that_is_found_is_in_units_after_the_rescale(
    slope: str, intercept: str, center: float, width: float
) -> None:
    attributes = Dataset()
    attributes.RescaleSlope, attributes.RescaleIntercept = slope, intercept
    data_set = build_mr(attributes)
    assert (float(data_set.WindowCenter), float(data_set.WindowWidth)) == (center, width)


def test_what_is_said_of_a_series_is_kept() -> None:
    """As the keywords of ``exam.series``: a window of which 0 is a value, and which end of the scale is white."""
    shared = Dataset()
    shared.WindowCenter, shared.WindowWidth, shared.PhotometricInterpretation = "0", "7", "MONOCHROME1"
    shared.BitsStored = 14
    data_set = build_mr(Dataset(), shared)
    assert (float(data_set.WindowCenter), float(data_set.WindowWidth)) == (0, 7)
    assert data_set.PhotometricInterpretation == "MONOCHROME1"
    assert data_set.BitsStored == 14
    assert np.array_equal(data_set.pixel_array, PIXELS)


def test_a_rescale_that_the_object_has_no_place_for_is_not_lost() -> None:
    attributes = Dataset()
    attributes.RescaleSlope, attributes.RescaleIntercept = "1", "-2048"
    with pytest.raises(ObjectInvalid, match=r"CR Image has no .*RescaleIntercept"):
        build("CR Image", attributes)
    attributes.RescaleIntercept = "0"
    assert build("CR Image", attributes)


@pytest.mark.parametrize("name", ["RF Image", "XA Image", "CR Image"])
def test_without_a_dap_meter_doses_are_zero(name: str) -> None:
    frame = next(iter(acquired(name).frames))
    measured = build(name, frame.attributes, frame.pixels)
    assert float(measured.ImageAndFluoroscopyAreaDoseProduct) > 0.0
    blind = build(name, frame.attributes, frame.pixels, off=["kits.dap"])
    assert float(blind.ImageAndFluoroscopyAreaDoseProduct) == float(blind.EntranceDoseInmGy) == blind.EntranceDose == 0


def test_a_table_that_moved_is_dynamic() -> None:
    attributes = Dataset()
    attributes.TableAngle = "10"
    data_set = build("RF Image", attributes)
    assert data_set.TableMotion == "DYNAMIC"
    assert data_set["TableLateralIncrement"].is_empty
    assert "TableMotion" not in build("RF Image", Dataset())


@pytest.mark.parametrize(
    "pixels",
    [np.zeros((2, 2), dtype=np.uint8), np.zeros((1, 2, 2), dtype=np.uint16), np.zeros((0, 2), dtype=np.uint16)],
)
def test_other_pixels_are_refused(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint16]]) -> None:
    with pytest.raises(ObjectInvalid, match="pixels"):
        build("CR Image", Dataset(), pixels)


def test_an_mr_image_without_a_place_in_space_is_refused() -> None:
    definition = definition_of("mr", "MR Image")
    series = SeriesFacts(UIDS(), 1, NOW, "MR", frame_of_reference_uid=UIDS())
    with pytest.raises(ObjectInvalid, match=r"\(0020,0032\) ImagePositionPatient of the Image Plane module"):
        ImageBuilder(definition, exam(None), series).build(InstanceFacts(UIDS(), 1, NOW), PIXELS, Dataset())


def test_unscheduled_without_a_step() -> None:
    definition = definition_of("rf", "CR Image")
    facts = replace(exam(None), step=None)
    frame = next(iter(acquired("CR Image").frames))
    series = SeriesFacts(UIDS(), 1, NOW, "CR")
    builder = ImageBuilder(definition, facts, series)
    data_set = builder.build(InstanceFacts(UIDS(), 1, NOW), frame.pixels, frame.attributes)
    assert "ReferencedPerformedProcedureStepSequence" not in data_set
    assert data_set.PerformedProcedureStepID == facts.study_id
    assert data_set.PatientName == "Unscheduled"
