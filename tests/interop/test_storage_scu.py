"""We store to DCMTK, pynetdicom and Orthanc (PS3.4 Annex B)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import evt
from pynetdicom.sop_class import MRImageStorage  # type: ignore[attr-defined]

from openmodality.network.entity import LocalAE
from openmodality.network.storage.sent import SendOptions
from openmodality.services.storage import STORE_JUDGE
from tests.interop import contents, ours
from tests.peers import dcmtk, objects, orthanc, pynetdicom_ae
from tests.peers.process import Address, wait_until

ACCEPTS = {"+x=": None, "+xe": ExplicitVRLittleEndian, "+xb": ExplicitVRBigEndian, "+xi": ImplicitVRLittleEndian}
COMPRESSED_SCP = {"jpeg-baseline": "+xy", "rle": "+xr", "jpeg-lossless": "+xs", "jpeg-ls": "+xt", "jpeg-2000": "+xv"}


@pytest.mark.needs("storescp")
@pytest.mark.parametrize("accepted", ACCEPTS)
@pytest.mark.parametrize("transfer_syntax", contents.UNCOMPRESSED, ids=contents.NAMES.get)
def test_uncompressed_files_reach_dcmtk_in_what_it_accepts(tmp_path: Path, transfer_syntax: str, accepted: str) -> None:
    path = contents.saved(transfer_syntax, tmp_path / "files")
    with dcmtk.storescp(tmp_path / "received", accepted, "+B") as peer:
        [sent] = ours.send_files(peer, [path])
        assert sent.result is not None, sent.error
        assert (sent.result.status, sent.result.verdict.meaning) == (0, "success")
        [file] = peer.files()
    contents.assert_same_content(path, file)


@pytest.mark.needs("storescp", "dcmcjpeg")
@pytest.mark.parametrize("transfer_syntax", contents.COMPRESSED, ids=contents.NAMES.get)
def test_compressed_files_go_as_they_are_where_the_peer_takes_them(tmp_path: Path, transfer_syntax: str) -> None:
    path = contents.saved(transfer_syntax, tmp_path / "files")
    with dcmtk.storescp(tmp_path / "received", COMPRESSED_SCP[contents.NAMES[transfer_syntax]]) as peer:  # type: ignore[index]
        [sent] = ours.send_files(peer, [path])
        assert sent.is_stored, sent.error
        [file] = peer.files()
    found = dcmread(file)
    assert found.file_meta.TransferSyntaxUID == transfer_syntax
    assert found.PixelData == dcmread(path).PixelData


@pytest.mark.needs("storescp", "dcmcjpeg")
@pytest.mark.parametrize("accepted", ["+xe", "+xb", "+xi"])
@pytest.mark.parametrize("transfer_syntax", contents.COMPRESSED, ids=contents.NAMES.get)
def test_compressed_files_are_decompressed_for_a_peer_without_compression(
    tmp_path: Path, transfer_syntax: str, accepted: str
) -> None:
    path = contents.saved(transfer_syntax, tmp_path / "files")
    with dcmtk.storescp(tmp_path / "received", accepted) as peer:
        [sent] = ours.send_files(peer, [path])
        assert sent.is_stored, sent.error
        [file] = peer.files()
    found = dcmread(file)
    assert not found.file_meta.TransferSyntaxUID.is_compressed
    assert found.SOPInstanceUID == dcmread(path).SOPInstanceUID
    assert (found.pixel_array == dcmread(path).pixel_array).all()


@pytest.mark.needs("storescp")
def test_all_instances_of_a_job_go_over_one_association(tmp_path: Path) -> None:
    paths = [*objects.mr_series(tmp_path / "files", 5), objects.save(objects.ct_image(), tmp_path / "files")]
    with dcmtk.storescp(tmp_path / "received") as peer:
        sent = ours.send_files(peer, paths)
        assert all(one.is_stored for one in sent)
        assert peer.output.count("Association Acknowledged") == 1
        assert len(peer.files()) == 6


@pytest.mark.needs("storescp")
@pytest.mark.parametrize("peer_limit", [4096, 16384, 131072])
@pytest.mark.parametrize("own_limit", [0, 4096, 32768, 999999])
def test_what_we_send_keeps_to_the_peers_limit_and_ours(tmp_path: Path, peer_limit: int, own_limit: int) -> None:
    path = objects.save(objects.mr_image(rows=256, columns=256), tmp_path / "files")
    local = LocalAE("OURS", max_send_pdu_length=own_limit, timeouts=ours.PATIENT)
    with dcmtk.storescp(tmp_path / "received", "--max-pdu", peer_limit) as peer:
        [sent] = ours.send_files(peer, [path], local)
        assert sent.is_stored, sent.error
        [file] = peer.files()
    contents.assert_same_content(path, file)


@pytest.mark.needs("Orthanc", "dcmcjpeg")
def test_orthanc_keeps_and_lists_what_we_send(tmp_path: Path) -> None:
    paths = [contents.saved(syntax, tmp_path / "files") for syntax in contents.NAMES]
    with orthanc.orthanc(tmp_path / "pacs") as pacs:
        sent = ours.send_files(pacs, paths)
        assert [one.result.status if one.result else one.error for one in sent] == [0] * len(paths)
        wait_until(lambda: len(pacs.instances()) == len(paths), what="the instances in Orthanc")
        assert pacs.instances() == sorted(dcmread(path).SOPInstanceUID for path in paths)


@pytest.mark.needs("Orthanc")
def test_orthanc_says_success_to_an_instance_that_it_has(tmp_path: Path) -> None:
    path = objects.save(objects.mr_image(), tmp_path / "files")
    with orthanc.orthanc(tmp_path / "pacs") as pacs:
        assert [one.is_stored for one in ours.send_files(pacs, [path, path])] == [True, True]
        assert len(pacs.instances()) == 1


STATUSES = [
    (0x0000, "success", True, False),
    (0xB000, "stored, attributes coerced", True, False),
    (0xB006, "stored, elements discarded", True, False),
    (0xB007, "stored, data set does not match its SOP class", True, False),
    (0x0111, "the peer had it already", True, False),
    (0xA700, "refused: out of resources", False, True),
    (0xA701, "refused: out of resources", False, True),
    (0xA7FF, "refused: out of resources", False, True),
    (0xA900, "error: data set does not match SOP class", False, False),
    (0xA9FF, "error: data set does not match SOP class", False, False),
    (0xC000, "error: cannot understand", False, False),
    (0xCFFF, "error: cannot understand", False, False),
    (0x0110, "Processing failure", False, False),
    (0x0117, "Invalid SOP Instance", False, False),
    (0x0122, "Refused: SOP Class not supported", False, False),
    (0x0124, "Refused: not authorized", False, False),
    (0xFE00, "Cancel", False, False),
    (0xA800, "other status", False, False),
]


@dataclass
class Answering:
    """A peer that answers each C-STORE with one status, and how its associations ended."""

    address: Address = field(default_factory=lambda: Address("", 0))
    status: int = 0
    ended: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def answering() -> Iterator[Answering]:
    peer = Answering()
    handlers = [
        (evt.EVT_C_STORE, lambda _: peer.status),
        (evt.EVT_ABORTED, lambda _: peer.ended.append("A-ABORT")),
        (evt.EVT_RELEASED, lambda _: peer.ended.append("A-RELEASE")),
    ]
    with pynetdicom_ae.serving([MRImageStorage], handlers) as peer.address:
        yield peer


@pytest.mark.parametrize("stop", [False, True], ids=["go on", "stop on failure"])
@pytest.mark.parametrize(("status", "meaning", "stored", "transient"), STATUSES, ids=[f"{s[0]:04X}" for s in STATUSES])
def test_every_status_is_told_apart(
    tmp_path: Path, answering: Answering, status: int, meaning: str, stored: bool, transient: bool, stop: bool
) -> None:
    """Traps 23 to 25, R/F Table 4.2-7: a failure aborts the association where that is asked for, a warning never."""
    paths = objects.mr_series(tmp_path, 2, rows=8, columns=8)
    answering.status, answering.ended[:] = status, []
    first, second = ours.send_files(answering.address, paths, options=SendOptions(stop_on_failure=stop))
    wait_until(lambda: bool(answering.ended), what="the end of the association at the peer")
    assert first.result is not None
    assert (first.result.status, first.result.verdict.meaning) == (status, meaning)
    assert (first.is_stored, first.is_transient) == (stored, transient)
    if stop and not stored:
        assert answering.ended == ["A-ABORT"]
        assert second.result is None
        assert str(second.error) == "not sent, because an instance before it failed"
    else:
        assert answering.ended == ["A-RELEASE"]
        assert second.result is not None
        assert second.result.status == status


def test_a_peers_own_meaning_of_a_status_wins(tmp_path: Path, answering: Answering) -> None:
    """Trap 25: peers map everything to one code, so a table of the peer's own may override."""
    [path] = objects.mr_series(tmp_path, 1, rows=8, columns=8)
    answering.status = 0xC000
    [sent] = ours.send_files(answering.address, [path], options=SendOptions(judge=lambda status: STORE_JUDGE(0xA700)))
    assert sent.is_transient
