"""DICOMDIRs of any content: read or refused, each record in one place, what we write read back as it was."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import example, given
from hypothesis import strategies as st
from pydicom import Dataset

from openmodality.encoding.part10 import encode_file_head
from openmodality.errors import ObjectInvalid
from openmodality.media.directory import (
    DirectoryRecord,
    encode_directory,
    encode_element,
)
from openmodality.media.directory_reader import parse_directory
from openmodality.media.file_ids import find_file
from openmodality.standard import tags
from openmodality.standard.sop_classes import MEDIA_STORAGE_DIRECTORY_STORAGE
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN

HEAD = encode_file_head(MEDIA_STORAGE_DIRECTORY_STORAGE, "1.2.3", EXPLICIT_VR_LITTLE_ENDIAN, "1.2.3", "TEST")
SEQUENCE = b"\x04\x00\x20\x12SQ\x00\x00"
"""The header of the records, but for its length."""

components = st.text("ABC_019", min_size=1, max_size=8)
file_ids = st.lists(components, max_size=8).map(tuple)
leaves = st.builds(lambda file_id: DirectoryRecord("IMAGE", b"", file_id, "1.2", "1.3", "1.4"), file_ids)
names = st.text("ABC^", min_size=1, max_size=9)


def _above(record_type: str, below: st.SearchStrategy[DirectoryRecord]) -> st.SearchStrategy[DirectoryRecord]:
    return st.builds(
        lambda name, children: DirectoryRecord(
            record_type, encode_element(tags.PATIENT_NAME, "PN", name.encode()), children=children
        ),
        names,
        st.lists(below, max_size=3),
    )


patients = st.lists(_above("PATIENT", _above("STUDY", _above("SERIES", leaves))), max_size=3)


@given(patients)
def test_what_we_write_we_read(made: list[DirectoryRecord]) -> None:
    found = parse_directory(b"".join(encode_directory(made, "SET", ("1.2.3", "TEST"))))
    assert (found.problems, found.file_set_id) == ([], "SET")
    assert found.patients == [_as_read(record) for record in made]


def _as_read(record: DirectoryRecord) -> DirectoryRecord:
    """A record without a file has no UIDs of one."""
    uids = ("1.2", "1.3", "1.4") if record.file_id else ("", "", "")
    children = [_as_read(child) for child in record.children]
    return DirectoryRecord(record.record_type, record.keys, record.file_id, *uids, children)


@given(patients, st.data())
def test_any_offsets_give_each_record_one_place(made: list[DirectoryRecord], data: st.DataObject) -> None:
    written = bytearray(b"".join(encode_directory(made, "SET", ("1.2.3", "TEST"))))
    count = len([record for patient in made for record in patient.walk()])
    places = [at for at in range(len(HEAD), len(written) - 12) if written[at : at + 6] in _OFFSETS]
    values = [0, 1, len(written), 0xFFFFFFFF, *(at - 8 for at in places)]
    for place in places:
        chosen = data.draw(st.sampled_from(values))
        written[place + 8 : place + 12] = chosen.to_bytes(4, "little")
    found = parse_directory(bytes(written))
    records = [id(record) for patient in found.patients for record in patient.walk()]
    assert len(records) == len(set(records)) == count


_OFFSETS = (b"\x04\x00\x00\x14UL", b"\x04\x00\x20\x14UL", b"\x04\x00\x00\x12UL")


@given(st.binary(max_size=300), st.sampled_from([b"", SEQUENCE + b"\xff\xff\xff\xff", SEQUENCE + b"\xff\0\0\0"]))
def test_any_bytes_after_the_head_are_read_or_refused(noise: bytes, start: bytes) -> None:
    with suppress(ObjectInvalid):
        found = parse_directory(HEAD + start + noise)
        for patient in found.patients:
            for record in patient.walk():
                assert isinstance(found.keys_of(record), Dataset)


@given(
    st.lists(
        st.sampled_from(["..", ".", "", "/", "LINK", "CIRCLE", "OUTSIDE", "IN", "\0", "x" * 300, "in"]), max_size=4
    )
)
@example(["LINK", "OUTSIDE"])
@example(["CIRCLE"])
def test_no_file_id_leads_out_of_the_medium(file_id: list[str]) -> None:
    with TemporaryDirectory() as name:
        root = Path(name).resolve() / "medium"
        root.mkdir()
        for path in (root / "IN", root.parent / "OUTSIDE"):
            path.write_bytes(b"x")
        (root / "LINK").symlink_to(root.parent)
        (root / "CIRCLE").symlink_to(root / "CIRCLE")
        found = find_file(root, tuple(file_id))
    assert found == (root / "IN" if file_id in (["IN"], ["in"]) else None)
