"""DICOM JSON from the bytes of a data set, against pydicom's own reading of the same bytes (PS3.18 Annex F)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydicom import Dataset
from pydicom.sequence import Sequence

from openmodality.dimse.data_set import encode_data_set
from openmodality.encoding.json_model import INLINE_BYTES, BulkValue, JsonDataSet, JsonModel
from openmodality.encoding.walk import DataSetWalk
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN

_URI = "http://here/bulkdata/"


def _write(raw: bytes, syntax: str = EXPLICIT_VR_LITTLE_ENDIAN, step: int = 7) -> JsonDataSet:
    """The JSON of a data set that comes in small pieces."""
    model = JsonModel(lambda path: _URI + path)
    walk = DataSetWalk(syntax, (model,))
    for start in range(0, len(raw), step):
        walk.feed(memoryview(raw)[start : start + step])
    walk.finish()
    return model.document


def _make_data_set() -> Dataset:
    data_set, item, inner = Dataset(), Dataset(), Dataset()
    inner.CodeValue, inner.CodeMeaning = "T-1", "Kopf"
    item.ScheduledProcedureStepID = "S1"
    item.ScheduledProtocolCodeSequence = Sequence([inner])
    data_set.RequestAttributesSequence = Sequence([item, Dataset()])
    data_set.SOPInstanceUID = "1.2.3"
    data_set.ImageType = ["ORIGINAL", "PRIMARY", "M"]
    data_set.PatientName = "Doe^Jane"
    data_set.PatientComments = "one\\two"
    data_set.StudyDate = ""
    data_set.PixelSpacing = ["0.5", "1"]
    data_set.InstanceNumber = "7"
    data_set.Rows, data_set.SmallestImagePixelValue = 16, 3
    data_set.FrameIncrementPointer = 0x00181063
    data_set.add_new(0x00189087, "FD", 1000.0)
    data_set.add_new(0x00281101, "US", [256, 0, 16])
    data_set.add_new(0x00420011, "OB", b"%PDF")
    data_set.ReferencedSeriesSequence = Sequence([])
    return data_set


def _without_empty(document: Any) -> Any:
    """Writers differ in how they say that there is no value."""
    if isinstance(document, list):
        return [_without_empty(each) for each in document]
    if not isinstance(document, dict):
        return document
    return {name: _without_empty(each) for name, each in document.items() if each not in ([], None, "")}


def test_a_data_set_is_the_same_json_as_pydicom_makes() -> None:
    data_set = _make_data_set()
    found = _write(encode_data_set(data_set, EXPLICIT_VR_LITTLE_ENDIAN))
    assert _without_empty(found) == _without_empty(json.loads(json.dumps(data_set.to_json_dict())))
    assert Dataset.from_json(json.dumps(found)).PatientName == "Doe^Jane"


def test_numbers_are_signed_as_the_pixels_of_the_data_set_are() -> None:
    """The VR of (0028,0106) Smallest Image Pixel Value is that of the pixels around it (PS3.5 A.1)."""
    item, data_set = Dataset(), Dataset()
    item.PixelRepresentation = 1
    item.add_new(0x00280106, "SS", -5)
    raw = encode_data_set(item, IMPLICIT_VR_LITTLE_ENDIAN)
    assert _write(raw, IMPLICIT_VR_LITTLE_ENDIAN)["00280106"] == {"vr": "SS", "Value": [-5]}
    data_set.SourceImageSequence = [item]
    data_set.PixelRepresentation = 0
    data_set.add_new(0x00280106, "US", 65531)
    raw = encode_data_set(data_set, IMPLICIT_VR_LITTLE_ENDIAN)
    assert _write(raw, IMPLICIT_VR_LITTLE_ENDIAN)["00280106"] == {"vr": "US", "Value": [65531]}


def test_a_character_set_ends_with_its_item() -> None:
    item, data_set = Dataset(), Dataset()
    data_set.SpecificCharacterSet, item.SpecificCharacterSet = "ISO_IR 100", "ISO_IR 192"
    item.CodeMeaning = data_set.PatientComments = "Müller"
    data_set.ProcedureCodeSequence = [item]
    document = _write(encode_data_set(data_set, EXPLICIT_VR_LITTLE_ENDIAN))
    assert document["00081032"]["Value"][0]["00080104"]["Value"] == ["Müller"]
    assert document["00104000"]["Value"] == ["Müller"]


def test_group_lengths_are_no_part_of_it() -> None:
    raw = bytes.fromhex("10000000 554c0400 0a000000 10002000 4c4f0200") + b"1 "
    assert _write(raw) == {"00100020": {"vr": "LO", "Value": ["1"]}}


def test_bytes_stand_in_it_up_to_a_length() -> None:
    for length, name in ((1024, "InlineBinary"), (1026, "BulkDataURI")):
        data_set = Dataset()
        data_set.add_new(0x00420011, "OB", bytes(length))
        assert name in _write(encode_data_set(data_set, EXPLICIT_VR_LITTLE_ENDIAN))["00420011"]


def test_implicit_vr_is_the_same_json() -> None:
    data_set = _make_data_set()
    explicit, implicit = (
        _write(encode_data_set(data_set, syntax), syntax)
        for syntax in (EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN)
    )
    assert implicit == explicit


@pytest.mark.parametrize(
    ("terms", "name", "groups"),
    [
        ("ISO_IR 100", "Buc^Jérôme", {"Alphabetic": "Buc^Jérôme"}),
        (
            ["", "ISO 2022 IR 87"],
            "Yamada^Tarou=山田^太郎=やまだ^たろう",
            {"Alphabetic": "Yamada^Tarou", "Ideographic": "山田^太郎", "Phonetic": "やまだ^たろう"},
        ),
        ("ISO_IR 127", "قباني^لنزار", {"Alphabetic": "قباني^لنزار"}),
        ("GB18030", "Wang^XiaoDong=王^小东", {"Alphabetic": "Wang^XiaoDong", "Ideographic": "王^小东"}),
    ],
)
def test_text_in_any_character_set_is_unicode_and_says_so(terms: Any, name: str, groups: dict[str, str]) -> None:
    data_set = Dataset()
    data_set.SpecificCharacterSet, data_set.PatientName = terms, name
    found = _write(encode_data_set(data_set, EXPLICIT_VR_LITTLE_ENDIAN))
    assert found["00100010"] == {"vr": "PN", "Value": [groups]}
    assert found["00080005"]["Value"] == ["ISO_IR 192"]


def test_pixels_and_long_bytes_are_uris_even_in_sequences() -> None:
    item, data_set = Dataset(), Dataset()
    item.add_new(0x00282000, "OB", bytes(INLINE_BYTES + 2))
    data_set.OpticalPathSequence = Sequence([Dataset(), item])
    data_set.add_new(0x7FE00010, "OW", b"\1\2")
    found = _write(encode_data_set(data_set, EXPLICIT_VR_LITTLE_ENDIAN))
    assert found["7FE00010"] == {"vr": "OW", "BulkDataURI": f"{_URI}7FE00010"}
    assert found["00480105"]["Value"][1]["00282000"] == {"vr": "OB", "BulkDataURI": f"{_URI}00480105/2/00282000"}


def test_compressed_pixels_are_a_uri_and_what_follows_them_is_there() -> None:
    head = bytes.fromhex("e07f1000") + b"OB\0\0" + bytes.fromhex("ffffffff")
    fragments = bytes.fromhex("feff00e000000000 feff00e004000000 01020304 feffdde000000000")
    data_set = Dataset()
    data_set.add_new(0xFFFCFFFC, "OB", b"\0\0")
    found = _write(head + fragments + encode_data_set(data_set, EXPLICIT_VR_LITTLE_ENDIAN))
    assert found["7FE00010"] == {"vr": "OB", "BulkDataURI": f"{_URI}7FE00010"}
    assert found["FFFCFFFC"]["InlineBinary"] == "AAA="


def test_what_does_not_follow_its_vr_is_not_lost() -> None:
    raw = (
        bytes.fromhex("18005000") + b"DS\x04\0" + b"thin"  # Slice Thickness that is no number
        + bytes.fromhex("28001000") + b"US\x03\0" + b"\1\2\3"  # Rows of three bytes
        + bytes.fromhex("18008790") + b"FD\x08\0" + bytes.fromhex("000000000000f87f")
    )  # fmt: skip
    found = _write(raw)
    assert found["00180050"] == {"vr": "DS", "Value": ["thin"]}
    assert found["00280010"] == {"vr": "UN", "InlineBinary": "AQID"}
    assert found["00189087"] == {"vr": "FD", "Value": ["NaN"]}
    json.loads(json.dumps(found, allow_nan=False))


def test_a_value_is_found_by_its_path_and_given_in_pieces() -> None:
    item, data_set = Dataset(), Dataset()
    content = bytes(range(256)) * 8
    item.add_new(0x00282000, "OB", content)
    data_set.OpticalPathSequence = Sequence([Dataset(), item])
    raw = encode_data_set(data_set, EXPLICIT_VR_LITTLE_ENDIAN)
    wanted, other = BulkValue("00480105/2/00282000"), BulkValue("00480105/1/00282000")
    walk = DataSetWalk(EXPLICIT_VR_LITTLE_ENDIAN, (wanted, other))
    for start in range(0, len(raw), 100):
        walk.feed(raw[start : start + 100])
    assert (wanted.length, b"".join(wanted.pieces), wanted.is_complete) == (len(content), content, True)
    assert other.length is None
