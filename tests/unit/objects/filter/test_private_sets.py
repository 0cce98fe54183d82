"""Which private attributes stay, and that a site decides it."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from openmodality.device.site.site_loader import load_site
from openmodality.dimse.data_set import decode_data_set, encode_data_set
from openmodality.encoding.deflate import deflate, inflate
from openmodality.objects.filter.private_sets import (
    PrivateSets,
    keep_known_private,
    list_exported_sets,
    list_imported_sets,
)
from openmodality.standard.transfer_syntaxes import (
    DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    UNCOMPRESSED,
)

OURS: PrivateSets = frozenset({("MMCPrivate", 0x0029)})


def with_private() -> Dataset:
    data_set = Dataset()
    data_set.PatientID = "1"
    data_set.private_block(0x0029, "OTHER", create=True).add_new(1, "LO", "x")
    data_set.private_block(0x0029, "MMCPrivate", create=True).add_new(1, "LO", "y")
    data_set.private_block(0x0009, "MMCPrivate", create=True).add_new(1, "LO", "z")
    inner = Dataset()
    inner.CodeValue = "C"
    inner.private_block(0x0029, "OTHER", create=True).add_new(2, "LO", "x")
    data_set.ProcedureCodeSequence = [inner]
    unknown = Dataset()
    unknown.PatientID = "2"
    data_set.private_block(0x0031, "OTHER", create=True).add_new(3, "SQ", [unknown])
    data_set.add_new(0x00291205, "LO", "of no block")
    return data_set


def kept(data_set: Dataset, known: PrivateSets, transfer_syntax: str) -> Dataset:
    data = encode_data_set(data_set, transfer_syntax)
    return decode_data_set(b"".join(map(bytes, keep_known_private([data], transfer_syntax, known))), transfer_syntax)


@pytest.mark.parametrize("transfer_syntax", UNCOMPRESSED)
def test_a_set_stays_by_its_creator_and_group_at_each_level(transfer_syntax: str) -> None:
    result = kept(with_private(), OURS, transfer_syntax)
    assert sorted(map(int, result.keys())) == [0x00081032, 0x00100020, 0x00290011, 0x00291101]
    assert result[0x00290011].value == "MMCPrivate"
    assert result.ProcedureCodeSequence[0].to_json_dict().keys() == {"00080100"}


def test_a_deflated_data_set_is_filtered_too() -> None:
    plain = encode_data_set(with_private(), EXPLICIT_VR_LITTLE_ENDIAN)
    filtered = keep_known_private(deflate([plain]), DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, OURS)
    assert b"".join(inflate(filtered)) == b"".join(keep_known_private([plain], EXPLICIT_VR_LITTLE_ENDIAN, OURS))


def test_a_creator_without_value_or_too_long_is_unknown() -> None:
    for creator in ("", "MMCPrivate" * 7):
        data_set = Dataset()
        data_set.add_new(0x00290010, "UT", creator)
        data_set.add_new(0x00291001, "LO", "x")
        assert len(kept(data_set, OURS, EXPLICIT_VR_LITTLE_ENDIAN)) == 0


@pytest.mark.parametrize(("imports", "exports"), [("true", "false"), ("false", "true")])
def test_import_and_export_are_switches_of_the_site(tmp_path: Path, imports: str, exports: str) -> None:
    text = f'profile = "mr"\n[parameters.behaviour]\nimport_private = {imports}\nexport_private = {exports}\n'
    (tmp_path / "site.toml").write_text(text, encoding="utf-8")
    site = load_site(tmp_path / "site.toml")
    assert (("MMCPrivate", 0x0029) in list_imported_sets(site)) is (imports == "true")
    assert (("MMCPrivate", 0x0029) in list_exported_sets(site)) is (exports == "true")
