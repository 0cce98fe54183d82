"""The head of a file: pydicom reads what we write, we read what pydicom writes, noise raises ObjectInvalid only."""

from __future__ import annotations

from contextlib import suppress
from io import BytesIO

from hypothesis import given
from hypothesis import strategies as st
from pydicom import dcmread

from openmodality.encoding.part10 import encode_file_head, read_any, read_file_meta
from openmodality.errors import ObjectInvalid
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN

uids = st.lists(st.integers(1, 10**9), min_size=1, max_size=5).map(lambda parts: "1." + ".".join(map(str, parts)))
names = st.text("ABC_0", max_size=16)


@given(uids, uids, uids, names, names)
def test_pydicom_and_we_read_what_we_write(sop_class: str, instance: str, writer: str, version: str, ae: str) -> None:
    head = encode_file_head(sop_class, instance, EXPLICIT_VR_LITTLE_ENDIAN, writer, version, ae)
    theirs = dcmread(BytesIO(head)).file_meta
    assert theirs.FileMetaInformationGroupLength == len(head) - 144
    assert theirs.FileMetaInformationVersion == b"\0\1"
    assert (theirs.MediaStorageSOPClassUID, theirs.MediaStorageSOPInstanceUID) == (sop_class, instance)
    assert theirs.TransferSyntaxUID == EXPLICIT_VR_LITTLE_ENDIAN
    assert theirs.ImplementationClassUID == writer
    assert theirs.get("ImplementationVersionName", "") == version
    assert theirs.get("SourceApplicationEntityTitle", "") == ae
    ours = read_file_meta(head, strict=True)
    assert ours.data_set_offset == len(head)
    assert (ours.media_storage_sop_class_uid, ours.media_storage_sop_instance_uid) == (sop_class, instance)
    assert (ours.implementation_class_uid, ours.implementation_version_name) == (writer, version)
    assert (ours.transfer_syntax_uid, ours.source_ae_title) == (EXPLICIT_VR_LITTLE_ENDIAN, ae)


@given(
    noise=st.binary(max_size=300), prefix=st.sampled_from([b"", bytes(128) + b"DICM", b"\x08\0", b"\x02\0", b"DICM"])
)
def test_noise_raises_object_invalid_or_nothing(noise: bytes, prefix: bytes) -> None:
    for read in (read_file_meta, read_any):
        with suppress(ObjectInvalid):
            assert read(BytesIO(prefix + noise)).data_set_offset <= len(prefix + noise)
