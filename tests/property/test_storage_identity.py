"""A data set is kept only where it is the instance that its command names, wherever else these UIDs stand in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openmodality.dimse.channel import Message, PeerInfo
from openmodality.dimse.service import Refuse
from openmodality.encoding.headers import UNDEFINED_LENGTH, layout_of
from openmodality.encoding.walk import DataSetWalk
from openmodality.services.storage import IdentityCheck, InstanceIdentity, StoreRequest, _write
from openmodality.standard.tags import ITEM, SEQUENCE_DELIMITATION_ITEM
from openmodality.standard.transfer_syntaxes import UNCOMPRESSED
from tests.interop.wire import MR_IMAGE

UIDS = st.sampled_from(["1.2.3.4", "1.2.3.5", "1.2.3", "1.2.34", "1.2.3.40"])


@dataclass
class Arriving:
    """A message of which only the data set matters."""

    parts: list[bytes]

    def chunks(self) -> list[memoryview]:
        return [memoryview(part) for part in self.parts]


class Kept:
    """Takes what is written."""

    def __init__(self) -> None:
        self.data = b""

    def write(self, chunk: memoryview) -> None:
        self.data += chunk

    def commit(self) -> None:
        raise AssertionError("not asked for here")

    def abort(self) -> None:
        raise AssertionError("not asked for here")


def identity(transfer_syntax: str, uid: str, pad: bytes = b"\0") -> bytes:
    """(0008,0016) and (0008,0018)."""
    write = layout_of(transfer_syntax).write
    values = [(0x00080016, MR_IMAGE.encode()), (0x00080018, uid.encode())]
    padded = [(tag, value + pad * (len(value) & 1)) for tag, value in values]
    return b"".join(write(tag, "UI", len(value)) + value for tag, value in padded)


@st.composite
def before(draw: st.DrawFn, transfer_syntax: str, uid: str) -> bytes:
    """Elements in front that hold the UIDs of the command where they mean nothing."""
    write, decoy = layout_of(transfer_syntax).write, identity(transfer_syntax, uid)
    item = write(ITEM, "", len(decoy)) + decoy
    kinds = {
        "nothing": b"",
        "empty": write(0x00080005, "CS", 0),
        "value": write(0x00080001, "UN", len(decoy)) + decoy,
        "text": write(0x00080005, "CS", 2) + b"A ",
        "sequence": write(0x00080006, "SQ", len(item)) + item,
        "open sequence": write(0x00080006, "SQ", UNDEFINED_LENGTH) + item + write(SEQUENCE_DELIMITATION_ITEM, "", 0),
    }
    return kinds[draw(st.sampled_from(sorted(kinds)))]


@pytest.mark.parametrize("transfer_syntax", UNCOMPRESSED)
@given(data=st.data(), uid=UIDS, own=UIDS, pad=st.sampled_from([b"\0", b" "]), size=st.integers(1, 300))
def test_only_the_instance_that_was_named_is_taken(
    transfer_syntax: str, data: st.DataObject, uid: str, own: str, pad: bytes, size: int
) -> None:
    write, decoy = layout_of(transfer_syntax).write, identity(transfer_syntax, uid)
    behind = write(0x00080020, "UN", len(decoy)) + decoy + write(0x00100010, "PN", 2) + b"A "
    raw = data.draw(before(transfer_syntax, uid)) + identity(transfer_syntax, own, pad) + behind
    parts = data.draw(st.sampled_from([[], [b""]])) + [raw[start : start + size] for start in range(0, len(raw), size)]
    named = InstanceIdentity(MR_IMAGE, uid)
    walk = DataSetWalk(transfer_syntax, (IdentityCheck(named),))
    request = StoreRequest(named, transfer_syntax, PeerInfo("A", "B"), walk)
    kept = Kept()
    if uid == own:
        _write(cast("Message", Arriving(parts)), request, kept)
        assert kept.data == raw
    else:
        with pytest.raises(Refuse) as caught:
            _write(cast("Message", Arriving(parts)), request, kept)
        assert caught.value.status == 0xA900
