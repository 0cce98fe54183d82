"""What is read in tokens and written again is the same data set."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom.data import get_testdata_file

from openmodality.encoding.part10 import read_file_meta
from openmodality.encoding.token_writer import TokenWriter
from openmodality.encoding.tokenizer import Tokenizer


def written(data: bytes, transfer_syntax: str, step: int = 1 << 20) -> bytes:
    tokenizer, writer, result = Tokenizer(transfer_syntax), TokenWriter(transfer_syntax), bytearray()
    for start in range(0, len(data), step):
        for token in tokenizer.feed(data[start : start + step]):
            writer.put(token)
        for piece in writer.take():
            result += piece
    tokenizer.finish()
    return bytes(result)


@pytest.mark.parametrize("name", ["MR_small.dcm", "JPEG2000.dcm", "SC_rgb_rle_2frame.dcm"])
def test_without_sequences_of_defined_length_no_byte_changes(name: str) -> None:
    path = get_testdata_file(name, download=False)
    assert path is not None
    with Path(path).open("rb") as file:
        meta = read_file_meta(file)
        file.seek(meta.data_set_offset)
        data = file.read()
    assert written(data, meta.transfer_syntax_uid) == data
    assert written(data, meta.transfer_syntax_uid, 7) == data
