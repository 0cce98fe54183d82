"""Data sets of files on their way to a peer."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from openmodality.dimse.data_set import decode_data_set
from openmodality.dimse.outgoing import DataSet, KnownLength
from openmodality.network.instances import InstanceReader, read_instance
from openmodality.objects.private_sets import with_known_private
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, UNCOMPRESSED
from tests.peers.objects import mr_image


def joined(data: DataSet) -> bytes:
    assert not isinstance(data, bytes | bytearray | memoryview)
    return b"".join(map(bytes, data.chunks if isinstance(data, KnownLength) else data))


@pytest.mark.parametrize("transfer_syntax", UNCOMPRESSED)
def test_what_is_rewritten_on_the_way_arrives_in_any_transfer_syntax(tmp_path: Path, transfer_syntax: str) -> None:
    image = mr_image()
    image.private_block(0x0029, "OTHER", create=True).add_new(1, "LO", "x")
    image.save_as(tmp_path / "image.dcm", enforce_file_format=True)
    reader = InstanceReader(rewrite=partial(with_known_private, known=frozenset()))
    with reader.data_set(read_instance(tmp_path / "image.dcm"), transfer_syntax) as data:
        sent = decode_data_set(joined(data), transfer_syntax)
    assert 0x00290010 in image
    assert sent.PixelData
    assert [element.tag for element in sent] == [element.tag for element in image if not element.tag.is_private]


def test_without_anything_to_change_a_file_goes_as_it_is(tmp_path: Path) -> None:
    mr_image().save_as(tmp_path / "image.dcm", enforce_file_format=True)
    instance = read_instance(tmp_path / "image.dcm")
    with InstanceReader().data_set(instance, EXPLICIT_VR_LITTLE_ENDIAN) as data:
        assert joined(data) == instance.path.read_bytes()[instance.offset_bytes :]
