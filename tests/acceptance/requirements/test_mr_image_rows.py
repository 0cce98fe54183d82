"""MR 13.1: every row of the MR Image comes to an archive as it was given, or as the device finds it."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.tag import Tag

from openmodality.device.profile.loader import load_profile
from openmodality.errors import ObjectInvalid, UsageError
from openmodality.exam.session import Exam
from openmodality.objects.rules.check import check
from openmodality.objects.rules.definition import ObjectDefinition
from tests.acceptance.requirements.pynetdicom_hospital import recorded_device
from tests.acceptance.requirements.test_mr_enhanced import save
from tests.devices import device_in_hospital
from tests.mr_image_values import (
    CONFIGURED,
    ELSEWHERE,
    MR_IMAGE,
    OF_DEVICE,
    OF_FRAME,
    WITH_EXAM,
    WITH_IMAGE,
    list_rows,
)
from tests.peers import orthanc
from tests.peers.dicom3tools import dciodvfy_errors
from tests.peers.module_tables import list_faults
from tests.peers.process import run

PIXELS = np.arange(64, dtype=np.uint16).reshape(8, 8) * 60
PATIENT = {"PatientID": "1", "PatientName": "Doe^Jane"}
KNEE = {"CodeValue": "T-D9200", "CodingSchemeDesignator": "SRT", "CodeMeaning": "Knee"}
LEAST = {
    "ImagePositionPatient": [0, 0, 0], "ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "PixelSpacing": [1, 1],
}  # fmt: skip
AS_ANNEX_A = (
    "not present in standard DICOM IOD", "Retired attribute", "retired attributes", "CodingSchemeDesignator",
    "Coding Scheme Designator", "Unrecognized defined term = <M>", "Non-identity Modality LUT",
    "is only permitted to be empty when actually unknown",
)  # fmt: skip
"""Warnings of dciodvfy about what the statement asks for, or the caller said."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Dataset]:
    """What an archive got: the fullest form by Python, a companion and the command line's options; the least form."""
    folder = tmp_path_factory.mktemp("rows")
    np.save(folder / "companion.npy", PIXELS)
    (folder / "companion.json").write_text(json.dumps({"object": "MR Image", **WITH_IMAGE}))
    np.save(folder / "options.npy", PIXELS)
    with recorded_device(folder, "mr", more=CONFIGURED) as recorded, recorded.modality() as modality:
        exam = modality.register(WITH_EXAM)
        uids = {}
        for name, given in {"shared": WITH_IMAGE, "frame": OF_FRAME, "least": LEAST}.items():
            series = exam.series(name, sop_class_uid=MR_IMAGE)
            [uids[name]] = series.add(PIXELS, **given)
            assert (series.left_out, series.overridden) == ((), ())
        before = {each.SOPInstanceUID for each in exam.instances()}
        exam.acquire(folder / "companion.npy")
        [uids["companion"]] = {each.SOPInstanceUID for each in exam.instances()} - before
        exam.acquire(folder / "options.npy", object="MR Image", keywords=WITH_IMAGE)
        [uids["options"]] = {each.SOPInstanceUID for each in exam.instances()} - before - {uids["companion"]}
        exam.complete()
        assert modality.wait_until_idle(30)
        recorded.recorder.closed()
        stored = {str(each.data.SOPInstanceUID): each.data for each in recorded.recorder.requests("C-STORE-RQ")}
    return {name: stored[uid] for name, uid in uids.items()}


def find_values(data_set: Dataset, path: str) -> list[Any]:
    """The elements at a path of tags, one for each item on the way."""
    *above, last = [int(tag.replace(",", ""), 16) for tag in path.split(">")]
    data_sets = [data_set]
    for tag in above:
        data_sets = [item for each in data_sets if tag in each for item in each[tag].value]
    return [each[last] for each in data_sets if last in each]


def find_tag(keyword: str) -> str:
    tag = Tag(keyword)
    return f"{tag.group:04X},{tag.element:04X}"


def is_reached(made: dict[str, Dataset], row: dict[str, str], given: dict[str, Any]) -> bool:
    """Whether a row has the value that was given, or one that the device has found."""
    if row["keyword"] in ELSEWHERE:
        return not any(find_values(data_set, row["path"]) for data_set in made.values())
    found = find_values(made["frame" if row["path"].startswith("5200,9230") else "shared"], row["path"])
    if not found or any(element.is_empty for element in found):
        return False
    top, _, below = row["path"].partition(">")
    if row["keyword"] in OF_DEVICE or below or found[0].VR in ("SQ", "OW", "AT"):
        return row["keyword"] in OF_DEVICE or top in given
    values = given[top] if isinstance(given[top], list) else [given[top]]
    held = list(found[0].value) if found[0].VM > 1 else [found[0].value]
    return [str(each) for each in held] == [str(each) for each in values] or list(map(float, held)) == values


@pytest.mark.requirement("MR-3-20", "MR-13-01")
def test_each_row_is_reached(made: dict[str, Dataset]) -> None:
    rows = list_rows()
    assert len(rows) == 250
    given = {find_tag(keyword): value for keyword, value in {**OF_FRAME, **WITH_EXAM, **WITH_IMAGE}.items()}
    assert [row["path"] for row in rows if not is_reached(made, row, given)] == []


def test_rows_inside_sequences_have_the_values_that_were_given(made: dict[str, Dataset]) -> None:
    for name, keyword in (
        ("shared", "SharedFunctionalGroupsSequence"),
        ("frame", "PerFrameFunctionalGroupsSequence"),
    ):
        [groups] = made[name][keyword].value
        [slab], [coil] = groups.MRSpatialSaturationSequence, groups.MRReceiveCoilSequence
        assert (slab.SlabThickness, list(slab.MidSlabPosition)) == (40.0, [1.0, 2.0, 3.5])
        assert coil.MultiCoilDefinitionSequence[0].MultiCoilElementName == "H1"
        assert groups.MRModifierSequence[0].InversionTimes == 150.0
        [diffusion] = groups.MRDiffusionSequence
        assert list(diffusion.DiffusionGradientDirectionSequence[0].DiffusionGradientOrientation) == [1.0, 0.0, 0.0]
    [direction] = (
        made["shared"].SharedFunctionalGroupsSequence[0].MRDiffusionSequence[0].DiffusionGradientDirectionSequence
    )
    assert direction.private_block(0x0029, "MMCPrivate")[0x1F].value == "3"
    [code] = made["shared"].AnatomicRegionSequence
    assert (code.CodeValue, code.CodeMeaning) == ("T-D9200", "Knee")


@pytest.mark.parametrize("name", ["companion", "options"])
def test_a_companion_and_options_say_as_much_as_a_program(made: dict[str, Dataset], name: str) -> None:
    told, by_program = made[name], made["shared"]
    of_instance = {"SOPInstanceUID", "SeriesInstanceUID", "SeriesNumber", "SeriesTime", "InstanceCreationTime"}
    of_instance |= {"ContentTime", "SeriesDescription", "AcquisitionNumber"}
    assert told.keys() == by_program.keys()
    different = {each.keyword for each in told if each != by_program[each.tag]}
    assert different <= of_instance


@pytest.mark.needs("dciodvfy", "dcmdump")
@pytest.mark.parametrize("name", ["shared", "frame", "least"])
def test_judges_of_others_find_no_fault(made: dict[str, Dataset], name: str, tmp_path: Path) -> None:
    path = save(made[name], tmp_path / "image.dcm")
    assert dciodvfy_errors(path) == []
    warnings = [line for line in run("dciodvfy", "-new", path).output.splitlines() if line.startswith("Warning")]
    assert [line for line in warnings if not any(known in line for known in AS_ANNEX_A)] == []
    assert run("dcmdump", path).status == 0


@pytest.mark.parametrize("name", ["shared", "frame", "least"])
def test_another_table_of_modules_holds(made: dict[str, Dataset], name: str) -> None:
    besides = () if name == "least" else ("contrast-bolus", "patient-study", "voi-lut", "image-plane")
    assert list_faults(made[name], besides=besides) == []
    definition = ObjectDefinition.of(load_profile("mr"), "MR Image")
    assert [str(finding) for finding in check(made[name], definition)] == []


def check_shown_by_orthanc(made: dict[str, Dataset], folder: Path) -> None:
    """Orthanc stores each of them and renders it in its size."""
    with orthanc.orthanc(folder / "orthanc") as pacs:
        for name, data_set in made.items():
            content = save(data_set, folder / f"{name}.dcm").read_bytes()
            stored = pacs.rest.post("/instances", content=content).raise_for_status().json()
            assert stored["Status"] == "Success"
            if data_set.PhotometricInterpretation == "PALETTE COLOR":
                continue  # Orthanc shows no palettes
            picture = pacs.rest.get(f"/instances/{stored['ID']}/preview").raise_for_status()
            assert Image.open(io.BytesIO(picture.content)).size == (data_set.Columns, data_set.Rows)
        assert pacs.instances() == sorted(str(each.SOPInstanceUID) for each in made.values())


@pytest.mark.needs("Orthanc")
def test_an_archive_of_others_stores_and_shows_them(made: dict[str, Dataset], tmp_path: Path) -> None:
    check_shown_by_orthanc(made, tmp_path)


def test_what_may_be_unknown_is_empty_in_the_least_form(made: dict[str, Dataset]) -> None:
    least = made["least"]
    for keyword in (
        "ScanOptions", "MRAcquisitionType", "EchoTime", "EchoTrainLength", "SliceThickness", "PatientPosition",
        "RepetitionTime", "PositionReferenceIndicator", "ReferringPhysicianName",
    ):  # fmt: skip
        assert least[keyword].is_empty
    assert not {"InversionTime", "TriggerTime", "ContrastBolusAgent"} & {each.keyword for each in least}


def test_types_2c_are_sent_where_their_conditions_hold(tmp_path: Path) -> None:
    with device_in_hospital(tmp_path, "mr") as device, device.modality(works=False) as modality:
        exam = modality.register(PATIENT)

        def make(**said: Any) -> Dataset:
            [uid] = exam.series("x", sop_class_uid=MR_IMAGE).add(PIXELS, **LEAST, **said)
            return read(exam, uid)

        planar = make(ScanningSequence="EP", SequenceVariant="NONE")
        assert "RepetitionTime" not in planar
        assert make(ScanningSequence=["EP", "IR"], SequenceVariant="SK").RepetitionTime is None
        assert make(ScanningSequence=["SE", "IR"]).InversionTime is None
        assert make(ScanOptions=["FC", "PPG"]).TriggerTime is None
        assert "TriggerTime" not in make(ScanOptions=["FC"])
        assert make(ScanningSequence="EP", RepetitionTime=7).RepetitionTime == 7


def read(exam: Exam, uid: str) -> Dataset:
    [path] = exam.data_folder.rglob(f"*{uid}*")
    return dcmread(path)


def modify(keyword: str, value: object) -> list[dict[str, Any]]:
    return [{"MRModifierSequence": [{keyword: value}]}]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"EchoTime": "abc"}, "(0018,0081) EchoTime: no number, 'abc' (MR Image module, type 2, VR DS)"),
    ({"EchoTime": [1, 2]}, "(0018,0081) EchoTime: 2 values, "),
    ({"MRAcquisitionType": "4D"}, "(0018,0023) MRAcquisitionType: not 2D or 3D (MR Image module, type 2, VR CS)"),
    ({"ScanningSequence": ["SE", "XX"]}, "(0018,0020) ScanningSequence: not EP or GR or IR or RM or SE"),
    ({"AcquisitionMatrix": [256, 0, 0]}, "(0018,1310) AcquisitionMatrix: 3 values (MR Image module, type 3, VR US)"),
    ({"SequenceName": "a\\b"}, "(0018,0024) SequenceName: a backslash, which parts values (MR Image module"),
    ({"ReceiveCoilName": "x" * 17}, "(0018,1250) ReceiveCoilName: longer than 16 characters (MR Image module"),
    ({"PVCRejection": "a\x07"}, "(0018,1085) PVCRejection: a control character (MR Image module"),
    ({"NumberOfKSpaceTrajectories": 70000}, "the value of (0018,9093) NumberOfKSpaceTrajectories does not fit"),
    (
        {"B1rms": float("nan")},
        "the value of (0018,1320) B1rms does not fit its value representation FL (MR Image module",
    ),
    ({"AnatomicRegionSequence": [{"CodeValue": "1"}]}, "a code without (0008,0104) CodeMeaning, (0008,0102)"),
    ({"AnatomicRegionSequence": "knee"}, "the value of (0008,2218) AnatomicRegionSequence does not fit"),
    (
        {"SharedFunctionalGroupsSequence": modify("Spoiling", "no way!")},
        "item 1: (0018,9016) Spoiling: not GRADIENT or NONE or RF or RF_AND_GRADIENT",
    ),
    ({"ImageType": ["ORIGINAL", "PRIMARY", "no way!"]}, "(0008,0008) ImageType: no code string (General Image module"),
    ({"SharedFunctionalGroupsSequence": modify("T2Preparation", "MAYBE")}, "not NO or YES"),
    ({"RedPaletteColorLookupTableDescriptor": [4, 0, 16]}, "the rest of the palette (Image Pixel module, "),
    ({"BitsStored": 20}, "(0028,0101) BitsStored of 20 is more than the object allows (Image Pixel module, type 1, VR"),
    ({"BitsStored": 1}, "(0028,0101) BitsStored is too small for the pixel values (Image Pixel module, type 1, VR US)"),
    ({"WindowCenter": 5, "WindowWidth": 0}, "WindowWidth: a width that is not above zero, '0' (VOI LUT module, "),
    ({"RescaleSlope": 0}, "(0028,1053) RescaleSlope: a slope of zero, '0' (Additional Attributes module, "),
    ({"ImageOrientationPatient": [1, 0, 0, 0, 2, 0]}, "has vectors of length 1 and 2 (Image Plane module, type 1, VR"),
    ({"MRModifierSequence": [{"T2Preparation": "MAYBE"}]}, "(0018,9021) T2Preparation: not NO or YES ("),
    ({"FrameIncrementPointer": "FrameTime"}, "names (0018,1063) FrameTime, which is not given"),
    ({"NumberOfFrames": 2}, "(0028,0008) NumberOfFrames: not 1 (Additional Attributes module, type 3, VR IS)"),
    ({"ReferencedImageSequence": [{"ReferencedSOPClassUID": "x"}]}, "ReferencedSOPClassUID does not fit"),
    (
        {"BodyPartExamined": "TOE NAIL"},
        "'TOE NAIL' is no Body Part Examined (0018,0015) of this device (General Series module, type 3, VR CS)",
    ),
    ({"BodyPartExamined": 5}, "no Body Part Examined"),
    ({"EchoTime": -1}, "(0018,0081) EchoTime: a number below zero, '-1' (MR Image module, type 2, VR DS)"),
    ({"SliceThickness": "-0.5"}, "SliceThickness: a number below zero, '-0.5' (Image Plane module, type 2, VR DS)"),
    ({"PatientWeight": -70}, "(0010,1030) PatientWeight: a number below zero (Patient Study module, type 3, VR DS)"),
    (
        {"SharedFunctionalGroupsSequence": modify("InversionTimes", -1.0)},
        "item 1: (0018,9079) InversionTimes: a number below zero (Additional Attributes module",
    ),
    ({"OperatorsName": "a^b^c^d^e^f"}, "OperatorsName: a name of 6 components (General Series module, type 3, VR PN)"),
    ({"OperatorsName": "a=b=c=d"}, "(0008,1070) OperatorsName: a name of 4 groups (General Series module"),
    ({"AnatomicRegionSequence": [KNEE, KNEE]}, "AnatomicRegionSequence: 2 items (MR Image module, type 3, VR SQ)"),
    ({"MRModifierSequence": [{"Spoiling": "RF"}] * 2}, "MRModifierSequence: 2 items (Additional Attributes module"),
    ({"ImageType": ["COPIED", "PRIMARY"]}, "(0008,0008) ImageType: not DERIVED or ORIGINAL (General Image module"),
    ({"ScanOptions": ["CG", "XX"]}, "(0018,0022) ScanOptions: not CG or FC or FS or PER or PFF or PFP or PPG or RG"),
    ({"Spoiling": "SOME"}, "(0018,9016) Spoiling: not GRADIENT or NONE or RF or RF_AND_GRADIENT (Additional Attrib"),
    ({"InPlanePhaseEncodingDirection": "OTHER"}, "InPlanePhaseEncodingDirection: not COL or ROW (MR Image module"),
    ({"MPGAxisNumber": "x" * 65}, "(0029,101F): longer than 64 characters (Private Attributes 0029 module"),
    ({"private": {"Nonsense": 1}}, "Nonsense is no private attribute of this device"),
    ({"Technologist": "Roe"}, "3 private attributes are called Technologist"),
    ({"0033,1001": "x"}, "0033,1001 is no private attribute of this device"),
]


def test_wrong_input_is_refused_by_name_and_the_exam_goes_on(tmp_path: Path) -> None:
    with device_in_hospital(tmp_path, "mr") as device, device.modality(works=False) as modality:
        exam = modality.register(PATIENT)
        series = exam.series("x", sop_class_uid=MR_IMAGE)
        for wrong, words in WRONG:
            refuse(lambda wrong=wrong: series.add(PIXELS, **{**LEAST, **wrong}), words)
            assert exam.instances() == []
        refuse(lambda: exam.series("y", MRAcquisitionType="4D"), "not 2D or 3D")
        companion = tmp_path / "pixels.json"
        np.save(tmp_path / "pixels.npy", PIXELS)
        companion.write_text(json.dumps({"object": "MR Image", "MRAcquisitionType": "4D"}))
        refuse(lambda: exam.acquire(tmp_path / "pixels.npy"), "not 2D or 3D")
        assert exam.instances() == []
        series.add(PIXELS, **LEAST)
        exam.complete()
        assert len(exam.instances()) == 1


def refuse(act: Any, words: str) -> None:
    with pytest.raises((ObjectInvalid, UsageError)) as caught:
        act()
    assert words in caught.value.message
    assert caught.value.advice
    if " module, type " in caught.value.message:
        assert "it may come from " in caught.value.advice


def test_a_row_without_place_in_items_is_named(tmp_path: Path) -> None:
    with device_in_hospital(tmp_path, "mr") as device, device.modality(works=False) as modality:
        series = modality.register(PATIENT).series("x", sop_class_uid=MR_IMAGE)
        groups = [{"MRModifierSequence": [{"Spoiling": "RF", "InversionRecovery": "YES"}]}]
        series.add(PIXELS, **LEAST, SharedFunctionalGroupsSequence=groups)
        assert series.left_out == ("SharedFunctionalGroupsSequence.MRModifierSequence.InversionRecovery",)
