"""Many peers at once: they store, query and move, and every image is accounted for."""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import monotonic

from pynetdicom import AE, evt
from pynetdicom.sop_class import MRImageStorage  # type: ignore[attr-defined]

from openmodality import Modality
from tests.acceptance.requirements.query_device import FIND, INCOMING, MOVE, make_identifier
from tests.interop.sites import PeerTable, SiteFile, write_site
from tests.peers.forked import COMMAND, fork
from tests.peers.objects import mr_image
from tests.peers.process import Address, accepts, wait_until
from tests.peers.pynetdicom_ae import associated, serving

PEERS, SOAK_PEERS = 6, 50
ROUNDS, SOAK_S = 3, 300
STUDY = "1.2.3.1"
IMAGES = ("1.2.3.1.1.1", "1.2.3.1.1.2")


class _Crowd:
    """Peers of three kinds, each in a thread of its own, and what they stored: study and instance."""

    def __init__(self, device: Address, is_over: Callable[[int], bool]) -> None:
        self.stored = [(STUDY, uid) for uid in IMAGES]
        self.errors: list[str] = []
        self._device = device
        self._is_over = is_over

    def run(self, count: int) -> None:
        kinds = (self._store, self._query, self._move)
        threads = [threading.Thread(target=self._guard, args=(kinds[n % 3], n)) for n in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(600)
        self.errors += ["a peer waits for ever" for thread in threads if thread.is_alive()]

    def _guard(self, act: Callable[[int], None], number: int) -> None:
        try:
            act(number)
        except Exception as error:  # noqa: BLE001 - the boundary of a thread; the test looks at it
            self.errors.append(f"{act.__name__}: {error!r}")

    def _store(self, number: int) -> None:
        done = 0
        while not self._is_over(done):
            with associated(self._device, [MRImageStorage], calling=f"P{number}") as association:
                image = mr_image(rows=16, columns=16, PatientID=f"P{number}", PatientName=f"Load^{number}")
                assert association.send_c_store(image).Status == 0
                self.stored.append((str(image.StudyInstanceUID), str(image.SOPInstanceUID)))
            done += 1

    def _query(self, number: int) -> None:
        done = 0
        while not self._is_over(done):
            with associated(self._device, [FIND["STUDY"]], calling=f"P{number}") as association:
                study, _ = self.stored[-1]  # acknowledged a moment ago
                asked = make_identifier(QueryRetrieveLevel="STUDY", StudyInstanceUID=study, PatientName="")
                *found, (final, _) = association.send_c_find(asked, FIND["STUDY"])
                assert final.Status == 0, f"{final.Status:04X}"
                assert [match["StudyInstanceUID"].value for _, match in found if match] == [study]
            done += 1

    def _move(self, number: int) -> None:
        done = 0
        while not self._is_over(done):
            with associated(self._device, [MOVE["STUDY"]], calling=f"P{number}") as association:
                asked = make_identifier(QueryRetrieveLevel="STUDY", StudyInstanceUID=STUDY)
                *_, (final, _) = association.send_c_move(asked, "STORE", MOVE["STUDY"])
                assert (final.Status, final.NumberOfCompletedSuboperations) == (0, 2), str(final)
            done += 1


@contextmanager
def _serving(site: SiteFile) -> Iterator[Address]:
    """The device in a process of its own, which ends well."""
    process = fork(COMMAND, "serve", "-c", site.path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: accepts(site.device.port), what="the device", timeout_s=60)
        yield site.device
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


def test_many_peers_at_once(tmp_path: Path, soak: bool) -> None:
    count, end = (SOAK_PEERS, monotonic() + SOAK_S) if soak else (PEERS, 0.0)
    arrived: list[str] = []

    def take(event: evt.Event) -> int:
        arrived.append(str(event.request.AffectedSOPInstanceUID))  # type: ignore[union-attr]
        return 0

    with ExitStack() as stack:
        archive = AE(ae_title="STORE")
        archive.maximum_associations = SOAK_PEERS
        store = stack.enter_context(serving([MRImageStorage], [(evt.EVT_C_STORE, take)], ae=archive))
        peers = [PeerTable("store", store, ["storage"])]
        peers += [PeerTable(f"p{n}", Address(f"P{n}", 1), [], {"incoming": INCOMING}) for n in range(count)]
        limits = {"general": {"max_accepted_associations": SOAK_PEERS + 10}}
        site = write_site(tmp_path, "mr", peers, parameters=limits)
        device = stack.enter_context(_serving(site))
        crowd = _Crowd(device, lambda done: monotonic() > end and done >= ROUNDS)
        with associated(device, [MRImageStorage], calling="P0") as association:
            for uid in IMAGES:
                image = mr_image(rows=16, columns=16, StudyInstanceUID=STUDY, SOPInstanceUID=uid)
                assert association.send_c_store(image).Status == 0
        crowd.run(count)
        assert crowd.errors == []
    with Modality(site.path) as modality:
        kept = [each["SOPInstanceUID"] for each in modality.instances()]
    assert sorted(kept) == sorted(uid for _, uid in crowd.stored)
    assert set(arrived) == set(IMAGES)
    assert len(arrived) % 2 == 0
