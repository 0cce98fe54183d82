"""``kill -9`` while images are imported, and while a peer retrieves: all that was there is there, each once."""

from __future__ import annotations

import subprocess
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from random import Random

from pynetdicom import evt
from pynetdicom.association import Association
from pynetdicom.sop_class import MRImageStorage  # type: ignore[attr-defined]

from openmodality import Modality
from tests.acceptance.requirements.query_device import INCOMING, MOVE, make_identifier
from tests.interop.sites import PeerTable, SiteFile, write_site
from tests.peers.forked import COMMAND, Forked, fork
from tests.peers.objects import mr_series
from tests.peers.process import Address, accepts, wait_until
from tests.peers.pynetdicom_ae import associated, serving

IMAGES = 30
KILLS, SOAK_KILLS = 2, 40


def start(site: SiteFile, *words: str) -> Forked:
    """A command of the device, as it is installed."""
    return fork(COMMAND, *words, "-c", site.path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def kill(process: Forked) -> None:
    process.kill()
    process.wait(30)


def list_files(site: SiteFile) -> list[str]:
    """The SOP Instance UIDs of the files that have their names."""
    return sorted(path.stem for path in (site.path.parent / "data").rglob("*.dcm"))


def has_come(site: SiteFile, count: int, process: Forked) -> Callable[[], bool]:
    """Whether so many images are there, or the process has ended."""
    return lambda: len(list_files(site)) >= count or process.poll() is not None


def kill_then(happened: threading.Event, process: Forked) -> None:
    happened.wait(60)
    kill(process)


def reader(site: SiteFile) -> AbstractContextManager[Association]:
    """A peer that may retrieve."""
    return associated(site.device, [MOVE["STUDY"]], calling="READER")


def check_all_once(site: SiteFile, uids: list[str]) -> None:
    with Modality(site.path, works=True) as modality:
        kept = Counter(each["SOPInstanceUID"] for each in modality.instances())
    assert kept == Counter(uids)
    assert list_files(site) == sorted(uids)


def test_killed_while_importing(tmp_path: Path, soak: bool) -> None:
    files = mr_series(tmp_path / "images", IMAGES, rows=16, columns=16)
    site = write_site(tmp_path, "mr", [])
    random = Random(7)
    for _ in range(SOAK_KILLS if soak else KILLS):
        enough = min(len(list_files(site)) + random.randrange(1, IMAGES), IMAGES)
        process = start(site, "import", str(tmp_path / "images"))
        wait_until(has_come(site, enough, process), what="images", timeout_s=60)
        kill(process)
        with Modality(site.path) as modality:  # what has a name is listed, once
            kept = sorted(each["SOPInstanceUID"] for each in modality.instances())
        assert kept == list_files(site)
    assert start(site, "import", str(tmp_path / "images")).wait(60) == 0
    check_all_once(site, [path.stem for path in files])


def test_killed_while_a_peer_retrieves(tmp_path: Path, soak: bool) -> None:
    files = mr_series(tmp_path / "images", IMAGES, rows=16, columns=16)
    arrived: list[str] = []
    enough = threading.Event()

    def take(event: evt.Event) -> int:
        arrived.append(str(event.request.AffectedSOPInstanceUID))  # type: ignore[union-attr]
        if len(arrived) >= IMAGES // 3:
            enough.set()
        return 0

    with serving([MRImageStorage], [(evt.EVT_C_STORE, take)], aet="STORE") as store:
        peers = [
            PeerTable("store", store, ["storage"]),
            PeerTable("reader", Address("READER", 1), [], {"incoming": INCOMING}),
        ]
        site = write_site(tmp_path, "mr", peers)
        with Modality(site.path, works=False) as modality:
            modality.import_files(files)
            (study,) = modality.studies()
        asked = make_identifier(QueryRetrieveLevel="STUDY", StudyInstanceUID=study["StudyInstanceUID"])
        for _ in range(SOAK_KILLS if soak else 1):
            arrived.clear()
            enough.clear()
            process = start(site, "serve")
            wait_until(lambda: accepts(site.device.port), what="the device", timeout_s=30)
            killer = threading.Thread(target=kill_then, args=(enough, process))
            killer.start()
            with (
                suppress(ConnectionError, RuntimeError),
                associated(site.device, [MOVE["STUDY"]], calling="READER") as peer,
            ):
                list(peer.send_c_move(asked, "STORE", MOVE["STUDY"]))
            killer.join(90)
        check_all_once(site, [path.stem for path in files])
        arrived.clear()
        process = start(site, "serve")
        wait_until(lambda: accepts(site.device.port), what="the device", timeout_s=30)
        with associated(site.device, [MOVE["STUDY"]], calling="READER") as peer:
            *_, (final, _) = peer.send_c_move(asked, "STORE", MOVE["STUDY"])
        kill(process)
    assert (final.Status, final.NumberOfCompletedSuboperations) == (0, IMAGES)
    assert Counter(arrived) == Counter(path.stem for path in files)
