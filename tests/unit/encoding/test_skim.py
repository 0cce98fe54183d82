"""A complete data set is told from one that is cut off (PS3.5 7.1)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset, Sequence

from openmodality.dimse.data_set import encode_data_set
from openmodality.encoding.elements import Tokenizer
from openmodality.encoding.skim import is_whole
from openmodality.standard.transfer_syntaxes import UNCOMPRESSED


def encoded(transfer_syntax: str) -> bytes:
    item = Dataset()
    item.ScheduledProcedureStepID = "1"
    data_set = Dataset()
    data_set.SOPInstanceUID = "1.2.3"
    data_set.RequestAttributesSequence = Sequence([item])
    data_set.Rows = 4
    data_set.add_new("PixelData", "OW", bytes(64))
    return encode_data_set(data_set, transfer_syntax)


@pytest.mark.parametrize("transfer_syntax", UNCOMPRESSED)
def test_only_the_whole_is_whole(transfer_syntax: str) -> None:
    raw = encoded(transfer_syntax)
    assert is_whole(raw, transfer_syntax)
    tokenizer = Tokenizer(transfer_syntax)
    tokenizer.feed(raw)
    tokenizer.finish()
    assert not any(is_whole(raw[:end], transfer_syntax) for end in range(len(raw) - 64 - 7, len(raw)))


@given(st.binary(max_size=200), st.sampled_from(UNCOMPRESSED))
def test_noise_is_whole_or_not(raw: bytes, transfer_syntax: str) -> None:
    assert is_whole(raw, transfer_syntax) in (True, False)


@pytest.mark.parametrize("transfer_syntax", UNCOMPRESSED)
def test_undefined_length_is_left_to_the_tokenizer(transfer_syntax: str) -> None:
    data_set = Dataset()
    data_set.RequestAttributesSequence = Sequence([Dataset()])
    data_set["RequestAttributesSequence"].is_undefined_length = True
    assert not is_whole(encode_data_set(data_set, transfer_syntax), transfer_syntax)
