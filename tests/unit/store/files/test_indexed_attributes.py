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
    with pytest.warns(UserWarning, match="Unknown encoding"):
        assert read_attributes(path).patient["PatientName"] == "Doe^Jane"


@pytest.mark.parametrize("length", [0, 100, 140, 400, 700])
def test_what_is_cut_off_is_no_instance(tmp_path: Path, length: int) -> None:
    path = save(mr_image(rows=4, columns=4), tmp_path)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(ObjectInvalid):
        read_attributes(path)
