from __future__ import annotations

import pytest
from pydicom import Dataset

from openmodality.dimse.data_set import decode_data_set, encode_data_set
from openmodality.dimse.repertoires import holds
from openmodality.query.match_bytes import MatchEncoder
from openmodality.standard.transfer_syntaxes import UNCOMPRESSED

ELEMENTS = [
    (0x00080018, "UI", "1.2.3"),
    (0x00080061, "CS", "MR\\SR"),
    (0x00100010, "PN", "Doe^Jane"),
    (0x00201208, "IS", "12"),
    (0x00280010, "US", "512"),
    (0x00280011, "US", ""),
]
JAPANESE = ("", "ISO 2022 IR 87")


@pytest.mark.parametrize("transfer_syntax", UNCOMPRESSED)
@pytest.mark.parametrize("name", ["Doe^Jane", "Müller^Jörg", "Yamada^Tarou=山田^太郎=やまだ^たろう", "Ω^ж"])
def test_a_match_is_read_as_it_was_written(transfer_syntax: str, name: str) -> None:
    encoder = MatchEncoder([(tag, vr) for tag, vr, _ in ELEMENTS], transfer_syntax, [("ISO_IR 100",), JAPANESE])
    raw = encoder.encode([name if vr == "PN" else text for _, vr, text in ELEMENTS])
    found = decode_data_set(raw, transfer_syntax)
    assert (found.SOPInstanceUID, list(found.ModalitiesInStudy), str(found.PatientName)) == (
        "1.2.3",
        ["MR", "SR"],
        name,
    )
    assert (found.NumberOfStudyRelatedInstances, found.Rows, found.Columns) == (12, 512, None)


@pytest.mark.parametrize(
    ("name", "declared"),
    [
        ("Doe^Jane", None),
        ("Müller^Jörg", "ISO_IR 100"),
        ("=山田^太郎", ["", "ISO 2022 IR 87"]),
        ("Ω^Müller", "ISO_IR 192"),
    ],
)
def test_the_first_character_set_that_holds_the_text_is_declared(name: str, declared: object) -> None:
    raw = MatchEncoder([(0x00100010, "PN")], UNCOMPRESSED[0], [(), ("ISO_IR 100",), JAPANESE]).encode([name])
    assert decode_data_set(raw, UNCOMPRESSED[0]).get("SpecificCharacterSet") == declared


@pytest.mark.parametrize("terms", [("ISO_IR 100",), ("ISO_IR 192",), JAPANESE, ("ISO 2022 IR 13", "ISO 2022 IR 87")])
@pytest.mark.parametrize(
    ("vr", "tag", "text"),
    [
        ("PN", 0x00100010, "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        ("PN", 0x00101001, "Müller^Jörg\\Größe^Ä"),
        ("LO", 0x00101000, "ä1\\b\\山"),
        ("LT", 0x00104000, "山\\田\r\nü"),
    ],
)
def test_text_is_written_as_pydicom_writes_it(terms: tuple[str, ...], vr: str, tag: int, text: str) -> None:
    data_set = Dataset()
    if holds(terms, set(text)):
        data_set.SpecificCharacterSet = list(terms)
    else:
        data_set.SpecificCharacterSet = "ISO_IR 192"
    data_set.add_new(tag, vr, text)
    for transfer_syntax in UNCOMPRESSED:
        raw = MatchEncoder([(tag, vr)], transfer_syntax, [terms]).encode([text])
        assert raw == encode_data_set(data_set, transfer_syntax)
