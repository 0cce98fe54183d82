from __future__ import annotations

from pathlib import Path

import pytest
from pydicom import Dataset, dcmread
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from openmodality.errors import ObjectInvalid
from openmodality.store.files.indexed_attributes import Attributes, read_attributes
from tests.peers.objects import mr_image, save

NO_DICOM = ["idna", "utf-7", "undefined", "hex_codec", "rot13", "mbcs", "utf_16", "punycode", "latin_1"]
"""Codecs of Python."""
SYNTAXES = [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]


def second_opinion(path: Path, attributes: Attributes) -> dict[str, str]:
    """The same keywords, read by pydicom."""
    dataset = dcmread(path)
    rows = attributes.patient | attributes.study | attributes.series | attributes.instance
    read = {keyword: dataset.get(keyword, dataset.file_meta.get(keyword)) for keyword in rows}
    return {keyword: "" if value is None else str(value) for keyword, value in read.items()}


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize(
    ("character_set", "name"),
    [
        ("ISO_IR 100", "Müller^Jörg"),
        ("ISO_IR 192", "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        (["ISO 2022 IR 13", "ISO 2022 IR 87"], "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう"),
        ("GB18030", "Zhang^XiaoDong=张^小东"),
        (["", "ISO 2022 IR 149"], "Hong^Gildong=洪^吉洞=홍^길동"),
    ],
)
def test_attributes_are_those_that_pydicom_reads(
    tmp_path: Path, syntax: str, character_set: str | list[str], name: str
) -> None:
    image = mr_image(rows=4, columns=6, transfer_syntax=syntax, SpecificCharacterSet=character_set, PatientName=name)
    path = save(image, tmp_path)
    found = read_attributes(path)
    assert found.patient["PatientName"] == name
    assert (found.instance["Rows"], found.instance["Columns"]) == ("4", "6")
    assert found.length_bytes == path.stat().st_size
    expected = second_opinion(path, found)
    assert found.patient | found.study | found.series | found.instance == expected


def test_sequences_and_private_elements_in_between_are_passed_over(tmp_path: Path) -> None:
    image = mr_image(rows=4, columns=4)
    other = Dataset()
    other.PatientID = "NESTED"
    image.OtherPatientIDsSequence = Sequence([other])
    image["OtherPatientIDsSequence"].is_undefined_length = True
    image.private_block(0x0009, "SOMEBODY", create=True).add_new(1, "OB", bytes(200_000))
    assert read_attributes(save(image, tmp_path)).patient["PatientID"] == "TEST-0001"


def test_an_unknown_character_set_hides_nothing_else(tmp_path: Path) -> None:
    path = save(mr_image(rows=4, columns=4, PatientName="Doe^Jane"), tmp_path)
    path.write_bytes(path.read_bytes().replace(b"ISO_IR 100", b"ISO_IR 999"))
    assert read_attributes(path).patient["PatientName"] == "Doe^Jane"


@pytest.mark.parametrize("character_set", NO_DICOM)
def test_a_codec_of_python_is_no_character_set(tmp_path: Path, character_set: str) -> None:
    image = mr_image(rows=4, columns=4, SpecificCharacterSet="ISO_IR 192", PatientName="Doe^Zoë")
    path = save(image, tmp_path)
    path.write_bytes(path.read_bytes().replace(b"ISO_IR 192", character_set.encode().ljust(10)))
    found = read_attributes(path)
    assert found.patient["PatientName"] == "Doe^Zo\ufffd\ufffd"
    assert found.patient["PatientID"] == "TEST-0001"


def test_what_no_database_takes_does_not_reach_it(tmp_path: Path) -> None:
    image = mr_image(rows=4, columns=4, SpecificCharacterSet="ISO_IR 192", PatientName="A^BCD", PatientComments="1\n2")
    path = save(image, tmp_path)
    path.write_bytes(path.read_bytes().replace(b"A^BCD ", b"A\0B\xed\xa0\x80"))
    found = read_attributes(path)
    assert found.patient["PatientName"] == "A\ufffdB\ufffd\ufffd\ufffd"
    assert found.patient["PatientComments"] == "1\n2"


@pytest.mark.parametrize("length", [0, 100, 140, 400, 700])
def test_what_is_cut_off_is_no_instance(tmp_path: Path, length: int) -> None:
    path = save(mr_image(rows=4, columns=4), tmp_path)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(ObjectInvalid):
        read_attributes(path)
