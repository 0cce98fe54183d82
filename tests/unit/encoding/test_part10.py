"""Heads of files as they occur, and what is said about those that are wrong."""

from __future__ import annotations

from io import BytesIO

import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file

from openmodality.encoding.part10 import (
    FIRST_READ_BYTES,
    FileMeta,
    encode_file_head,
    read_any,
    read_file_meta,
)
from openmodality.errors import ObjectInvalid
from openmodality.standard.transfer_syntaxes import (
    DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    EXPLICIT_VR_BIG_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
)

HEAD = encode_file_head("1.2.3", "1.2.3.4", EXPLICIT_VR_LITTLE_ENDIAN, "2.25.1", "TEST_1", "MODALITY")


def changed_length(head: bytes, by: int) -> bytes:
    length = int.from_bytes(head[140:144], "little") + by
    return head[:140] + length.to_bytes(4, "little") + head[144:]


def test_what_is_written_is_read() -> None:
    assert read_file_meta(HEAD + b"\x08\0", strict=True) == FileMeta(
        media_storage_sop_class_uid="1.2.3",
        media_storage_sop_instance_uid="1.2.3.4",
        transfer_syntax_uid=EXPLICIT_VR_LITTLE_ENDIAN,
        data_set_offset=len(HEAD),
        implementation_class_uid="2.25.1",
        implementation_version_name="TEST_1",
        source_ae_title="MODALITY",
    )


@pytest.mark.parametrize(
    "name", ["MR_small.dcm", "CT_small.dcm", "JPEG2000.dcm", "image_dfl.dcm", "MR_small_bigendian.dcm"]
)
def test_files_of_others(name: str) -> None:
    path = get_testdata_file(name)
    assert isinstance(path, str)
    with open(path, "rb") as file:  # noqa: PTH123 - pydicom gives a text
        meta = read_any(file)
    theirs = dcmread(path)
    assert meta.transfer_syntax_uid == theirs.file_meta.TransferSyntaxUID
    assert meta.media_storage_sop_instance_uid == theirs.file_meta.MediaStorageSOPInstanceUID
    assert meta.data_set_offset == 144 + theirs.file_meta.FileMetaInformationGroupLength
    assert not meta.headless


def test_a_file_without_prefix_is_refused() -> None:
    with pytest.raises(ObjectInvalid, match="DICM"):
        read_file_meta(b"\xff\xd8\xff\xe0" + bytes(200))


def test_missing_transfer_syntax() -> None:
    start = HEAD.index(b"\x02\0\x10\0UI")
    with pytest.raises(ObjectInvalid, match=r"\(0002,0010\) Transfer Syntax UID"):
        read_file_meta(HEAD[:start] + b"\x08\0\x05\0CS\0\0")


@pytest.mark.parametrize("by", [-16, -8, 6, 4000])
def test_wrong_group_length_does_no_harm_unless_strict(by: int) -> None:
    file = changed_length(HEAD, by) + b"\x08\0\x05\0CS\0\0"
    assert read_file_meta(file).data_set_offset == len(HEAD)
    with pytest.raises(ObjectInvalid, match=r"\(0002,0000\)"):
        read_file_meta(file, strict=True)


def test_absent_group_length_does_no_harm_unless_strict() -> None:
    file = HEAD[:132] + HEAD[144:] + b"\x08\0\x05\0CS\0\0"
    assert read_file_meta(file).data_set_offset == len(HEAD) - 12
    with pytest.raises(ObjectInvalid, match="lacks"):
        read_file_meta(file, strict=True)


def test_strict_wants_the_instance_uid() -> None:
    with pytest.raises(ObjectInvalid, match=r"\(0002,0003\)"):
        read_file_meta(encode_file_head("1.2", "", EXPLICIT_VR_LITTLE_ENDIAN, "2.25.1"), strict=True)


def test_deflated_data_that_look_like_group_2_are_not_taken_for_it() -> None:
    head = encode_file_head("1.2.3", "1.2.3.4", DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, "2.25.1")
    meta = read_file_meta(head + b"\x02\0\x02\0UI\x04\x001.9\0")
    assert (meta.media_storage_sop_class_uid, meta.data_set_offset) == ("1.2.3", len(head))


def test_a_head_that_is_cut_off_is_refused() -> None:
    with pytest.raises(ObjectInvalid, match="cut off"):
        read_file_meta(BytesIO(HEAD[:-3]))


def test_long_private_information_is_passed_over() -> None:
    private = b"\x02\0\x02\1OB\0\0" + (100_000).to_bytes(4, "little") + bytes(100_000)
    file = changed_length(HEAD, len(private)) + private
    assert read_file_meta(BytesIO(file + b"\x08\0"), strict=True).data_set_offset == len(file)


@pytest.mark.parametrize("cut", range(1, 16))
def test_a_header_that_the_first_read_cuts_in_two_is_read_on(cut: int) -> None:
    """The element behind a long one begins ``cut`` bytes before the end of what is read at first."""
    value = bytes(FIRST_READ_BYTES - cut - len(HEAD) - 12)
    long = b"\x02\0\x02\1OB\0\0" + len(value).to_bytes(4, "little") + value
    after = b"\x02\0\x03\1OB\0\0\x04\0\0\0abcd"
    file = changed_length(HEAD, len(long + after)) + long + after
    assert read_file_meta(BytesIO(file + b"\x08\0" * 20)).data_set_offset == len(file)


@pytest.mark.parametrize("start", [0, 128])
def test_meta_information_without_preamble(start: int) -> None:
    file = HEAD[132:] if not start else HEAD[128:]
    meta = read_any(BytesIO(file))
    assert (meta.transfer_syntax_uid, meta.data_set_offset) == (EXPLICIT_VR_LITTLE_ENDIAN, len(file))


IMPLICIT = b"\x08\0\x16\0\x06\0\0\x001.2.3\0" + b"\x08\0\x18\0\x06\0\0\x001.2.4\0" + b"\x10\0\x10\0\2\0\0\0A "
EXPLICIT = b"\x08\0\x16\0UI\x06\x001.2.3\0" + b"\x08\0\x18\0UI\x06\x001.2.4\0" + b"\x10\0\x10\0PN\2\0A "
BIG = b"\0\x08\0\x16UI\0\x061.2.3\0" + b"\0\x08\0\x18UI\0\x061.2.4\0" + b"\0\x10\0\x10PN\0\2A "


@pytest.mark.parametrize(
    ("data", "syntax"),
    [(IMPLICIT, IMPLICIT_VR_LITTLE_ENDIAN), (EXPLICIT, EXPLICIT_VR_LITTLE_ENDIAN), (BIG, EXPLICIT_VR_BIG_ENDIAN)],
)
def test_a_data_set_alone(data: bytes, syntax: str) -> None:
    expected = FileMeta("1.2.3", "1.2.4", syntax, data_set_offset=0, headless=True)
    assert read_any(BytesIO(data)) == read_any(data) == expected


@pytest.mark.parametrize("data", [b"", b"\x08\0", b"%PDF-1.7 and more", b"\0\x08 no VR here"])
def test_other_files_are_not_taken_for_data_sets(data: bytes) -> None:
    with pytest.raises(ObjectInvalid, match="nor with a data set"):
        read_any(data)


def test_characters_that_cannot_be_in_a_uid() -> None:
    with pytest.raises(ObjectInvalid, match=r"\(0002,0003\)"):
        encode_file_head("1.2.3", "1.2.\u0663", EXPLICIT_VR_LITTLE_ENDIAN, "2.25.1")
    with pytest.raises(ObjectInvalid, match="too long"):
        encode_file_head("1.2.3", "1" * 70_000, EXPLICIT_VR_LITTLE_ENDIAN, "2.25.1")
