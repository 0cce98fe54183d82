"""The VR table against pydicom's dictionary."""

from __future__ import annotations

from pydicom._dicom_dict import DicomDictionary, RepeatersDictionary
from pydicom.valuerep import BYTES_VR, EXPLICIT_VR_LENGTH_16, EXPLICIT_VR_LENGTH_32, FLOAT_VR, INT_VR

from openmodality.encoding.vr import LONG_VRS, SHORT_VRS, SWAP_WIDTH, dictionary


def test_every_standard_tag_has_pydicoms_vr() -> None:
    table = dictionary()
    expected = {tag: entry[0] for tag, entry in DicomDictionary.items() if entry[0] != "NONE"}
    assert {tag: table[tag] for tag in expected} == expected
    assert len(table) == len(expected)


def test_repeating_groups_have_pydicoms_vr_in_each_repetition() -> None:
    table = dictionary()
    for mask, entry in RepeatersDictionary.items():
        for digit in "0248ACE":
            tag = int(mask.replace("x", digit), 16)
            if not tag & 0x10000 and tag & 0xFFFF and tag not in DicomDictionary:
                assert table[tag] == entry[0], mask


def test_what_is_not_in_the_dictionary() -> None:
    table = dictionary()
    size = len(table)
    assert table[0x00090010] == table[0x001900FF] == "LO"  # private creators
    assert table[0x00091001] == table[0x0009000F] == "UN"
    assert table[0x00080000] == table[0x00090000] == table[0x7FE00000] == "UL"  # group lengths
    assert table[0x00082FFF] == table[0x60000099] == "UN"
    assert len(table) == size, "a stranger's tags must not make the table grow"


def test_length_fields_and_words_agree_with_pydicom() -> None:
    assert {str(vr) for vr in EXPLICIT_VR_LENGTH_16} == SHORT_VRS
    assert {str(vr) for vr in EXPLICIT_VR_LENGTH_32} == LONG_VRS
    swapped = {str(vr) for vr in BYTES_VR | FLOAT_VR | INT_VR} - {"OB", "UN", "DS", "IS", "OB or OW", "US or SS"}
    assert {vr for vr in swapped | {"AT"} if " " not in vr} == set(SWAP_WIDTH)
