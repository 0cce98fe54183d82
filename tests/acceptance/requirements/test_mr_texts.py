"""MR section 12: the character sets of what the running device makes, in each VR of text, as others read it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.charset import convert_encodings, decode_bytes
from pydicom.dataelem import RawDataElement

from tests.acceptance.requirements.pynetdicom_hospital import recorded_device
from tests.acceptance.requirements.test_mr_enhanced import save
from tests.mr_image_values import MR_IMAGE, code
from tests.peers.process import run

PIXELS = np.zeros((4, 4), dtype=np.uint16)
PLANE = {"ImagePositionPatient": [0, 0, 0], "ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "PixelSpacing": [1, 1]}
KANJI = b"\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B"
KANA = b"\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B"
AT_LEVEL = {"LO": ("ProtocolName", "Allergies"), "SH": ("SequenceName", "EthnicGroup"), "ST": ("CommentsOnThePerformedProcedureStep",), "LT": ("ImageComments", "AdditionalPatientHistory")}  # fmt: skip  # noqa: E501


@dataclass(frozen=True, slots=True)
class Script:
    """A character set as a site file names it, what a device declares of it, and texts in it with their bytes."""

    configured: str
    declared: str | list[str] | None
    name: str
    name_bytes: bytes
    text: str
    text_bytes: bytes
    is_read_by_dcmtk: bool = True


SCRIPTS = {
    "default": Script("", None, "Doe^Jane", b"Doe^Jane", "plain text", b"plain text"),
    "latin": Script(
        "ISO_IR 100", "ISO_IR 100", "Müller^Jürgen", b"M\xfcller^J\xfcrgen", "Größe µ", b"Gr\xf6\xdfe \xb5"
    ),
    "katakana": Script(
        "ISO_IR 13", "ISO_IR 13", "ﾔﾏﾀﾞ^ﾀﾛｳ", b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3", "ｱﾀﾏ", b"\xb1\xc0\xcf"
    ),
    "kanji": Script(
        r"\\ISO 2022 IR 87", ["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎=やまだ^たろう",
        b"Yamada^Tarou=" + KANJI + b"=" + KANA, "春能", b"\x1b$B=UG=\x1b(B", is_read_by_dcmtk=False,
    ),
    "both": Script(
        r"ISO 2022 IR 13\\ISO 2022 IR 87", ["ISO 2022 IR 13", "ISO 2022 IR 87"], "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう",
        b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3=" + (KANJI + b"=" + KANA).replace(b"(B", b"(J"), "ｱﾀﾏ春",
        b"\xb1\xc0\xcf\x1b$B=U\x1b(J", is_read_by_dcmtk=False,
    ),
}  # fmt: skip
"""The bytes of the names are those of PS3.5 H.3; the texts in kanji have the byte 3DH inside characters."""


def make(folder: Path, script: Script) -> tuple[Dataset, Path]:
    """What an archive gets of an image with text in every VR, and the file that the device keeps."""
    more = f'[device]\ncharacter_sets = ["{script.configured}"]\n'
    with recorded_device(folder, "mr", more=more) as recorded, recorded.modality() as modality:
        exam = modality.register(
            {"PatientID": "1", "PatientName": script.name, "EthnicGroup": script.text, "Allergies": script.text}
        )
        [uid] = exam.series("x", sop_class_uid=MR_IMAGE).add(
            PIXELS, **PLANE, ProtocolName=script.text, SequenceName=script.text, ImageComments=f"{script.text}\r\n2",
            CommentsOnThePerformedProcedureStep=script.text, AdditionalPatientHistory=script.text,
            AnatomicRegionSequence=[code("1", "99X", script.text)], MPGAxisNumber=script.text,
        )  # fmt: skip
        exam.complete()
        assert modality.wait_until_idle(20)
        [stored] = recorded.recorder.requests("C-STORE-RQ")
        [path] = exam.data_folder.rglob(f"*{uid}*")
        return stored.data, path


def check_texts(data_set: Dataset, script: Script) -> None:
    declared: Any = data_set.get("SpecificCharacterSet")
    assert (declared if declared is None or isinstance(declared, str) else list(declared)) == script.declared
    assert str(data_set.PatientName) == script.name
    groups = (*script.name.split("="), "", "")
    assert (data_set.PatientName.ideographic, data_set.PatientName.phonetic) == (groups[1], groups[2])
    for keywords in AT_LEVEL.values():
        for keyword in keywords:
            assert str(data_set[keyword].value).partition("\r\n")[0] == script.text
    assert data_set.AnatomicRegionSequence[0].CodeMeaning == script.text
    assert data_set.private_block(0x0029, "MMCPrivate")[0x1F].value == script.text


def find_raw(data_set: Dataset, keyword: str) -> bytes:
    found: object = data_set.get_item(keyword)
    assert isinstance(found, RawDataElement)
    return bytes(found.value or b"").rstrip(b" ")


@pytest.mark.needs("dcmdump")
@pytest.mark.parametrize(
    "name",
    [
        pytest.param("default", marks=pytest.mark.requirement("MR-12-01")),
        pytest.param("latin", marks=pytest.mark.requirement("MR-12-04")),
        pytest.param("katakana", marks=pytest.mark.requirement("MR-12-02")),
        pytest.param("kanji", marks=pytest.mark.requirement("MR-12-03")),
        pytest.param("both", marks=pytest.mark.requirement("MR-12-02", "MR-12-03")),
    ],
)
def test_text_of_every_vr_is_read_by_others(tmp_path: Path, name: str) -> None:
    script = SCRIPTS[name]
    sent, path = make(tmp_path / "device", script)
    raw = dcmread(path)
    assert find_raw(raw, "PatientName") == script.name_bytes
    for keyword in (each for keywords in AT_LEVEL.values() for each in keywords if each != "ImageComments"):
        assert find_raw(raw, keyword) == script.text_bytes
    check_texts(sent, script)
    check_texts(dcmread(path), script)
    dump = run("dcmdump", "-q", path).output if script.is_read_by_dcmtk is False else run("dcmdump", "+U8", path).output
    if script.is_read_by_dcmtk:
        assert f"[{script.name}]" in dump
        assert dump.count(f"[{script.text}]") >= 7
    else:
        assert "PatientName" in dump
    save(sent, tmp_path / "sent.dcm")
    check_texts(dcmread(tmp_path / "sent.dcm"), script)


@pytest.mark.requirement("MR-12-03")
def test_bytes_of_kanji_that_look_like_delimiters_survive(tmp_path: Path) -> None:
    """3DH parts the groups of a name, 5CH values, 5EH components; inside kanji they do not."""
    name, encoded = "Haru^Taro=春能^移=はる^たろう", b"Haru^Taro=\x1b$B=UG=\x1b(B^\x1b$B0\\\x1b(B="
    script = SCRIPTS["kanji"]
    sent, path = make(tmp_path / "device", Script(script.configured, script.declared, name, b"", "x", b""))
    kept = dcmread(path)
    assert find_raw(kept, "PatientName").startswith(encoded)
    assert run("dcmdump", "-q", "+P", "0010,0010", path).status == 0
    save(sent, tmp_path / "sent.dcm")
    assert find_raw(dcmread(tmp_path / "sent.dcm"), "PatientName").startswith(encoded)


def test_the_bytes_of_these_scripts_are_theirs() -> None:
    """Pydicom's own tables agree with the bytes above."""
    for script in SCRIPTS.values():
        encodings = convert_encodings(script.declared or "ISO_IR 6")
        assert decode_bytes(script.text_bytes, encodings, set()) == script.text
