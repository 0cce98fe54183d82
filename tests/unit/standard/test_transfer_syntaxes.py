"""The table of transfer syntaxes against pydicom's UID dictionary."""

from __future__ import annotations

import pytest
from pydicom._uid_dict import UID_dictionary
from pydicom.uid import UID

from openmodality.standard import transfer_syntaxes
from openmodality.standard.transfer_syntaxes import TRANSFER_SYNTAXES, UNCOMPRESSED

PYDICOM = {uid: entry[0] for uid, entry in UID_dictionary.items() if entry[1] == "Transfer Syntax"}
NEWER_THAN_PYDICOM = {
    "1.2.840.10008.1.2.4.110",
    "1.2.840.10008.1.2.4.111",
    "1.2.840.10008.1.2.4.112",
    "1.2.840.10008.1.2.8.1",
}
NO_PIXEL_DATA = ("JPIP", "SMPTE", "RFC 2557", "XML", "Papyrus")  # pydicom calls all but four encapsulated


def test_table_has_the_transfer_syntaxes_of_the_standard() -> None:
    assert set(TRANSFER_SYNTAXES) == set(PYDICOM) | NEWER_THAN_PYDICOM
    assert all(uid == syntax.uid for uid, syntax in TRANSFER_SYNTAXES.items())


@pytest.mark.parametrize("uid", sorted(PYDICOM))
def test_facts_agree_with_pydicom(uid: str) -> None:
    ours, theirs = TRANSFER_SYNTAXES[uid], UID(uid)
    assert ours.name == PYDICOM[uid]
    assert ours.big_endian is not theirs.is_little_endian
    if not ours.name.startswith("Papyrus"):
        assert ours.explicit is not theirs.is_implicit_VR
    if ours.name.startswith(NO_PIXEL_DATA):
        assert not ours.encapsulated
        assert ours.deflated == ours.name.endswith("Deflate")
    else:
        assert ours.encapsulated == theirs.is_encapsulated
        assert ours.deflated == theirs.is_deflated


def test_constants_name_members_of_the_table() -> None:
    constants = {name: value for name, value in vars(transfer_syntaxes).items() if isinstance(value, str)}
    named = {value for name, value in constants.items() if name.isupper() and not name.startswith("__")}
    assert named <= set(TRANSFER_SYNTAXES)
    assert len(named) == sum(name.isupper() and not name.startswith("__") for name in constants)


def test_uncompressed_are_the_three_plain_layouts() -> None:
    plain = {s.uid for s in TRANSFER_SYNTAXES.values() if not s.encapsulated and not s.deflated and s.uid in PYDICOM}
    assert set(UNCOMPRESSED) <= plain
    assert {(TRANSFER_SYNTAXES[uid].explicit, TRANSFER_SYNTAXES[uid].big_endian) for uid in UNCOMPRESSED} == {
        (False, False),
        (True, False),
        (True, True),
    }
