"""Many peers at once: they store, query and move, and every image is accounted for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from time import monotonic

from pynetdicom import evt
from pynetdicom.sop_class import MRImageStorage  # type: ignore[attr-defined]

from openmodality import Modality
from tests.acceptance.requirements.query_device import FIND, INCOMING, MOVE, make_identifier
from tests.interop.sites import PeerTable, write_site
from tests.peers.objects import mr_image
from tests.peers.process import Address
from tests.peers.pynetdicom_ae import associated, serving

PEERS, SOAK_PEERS = 6, 50
ROUNDS, SOAK_S = 3, 300


class _Crowd:
    """Peers of three kinds, each in a thread of its own; what they stored, found and got."""

    def __init__(self, device: Address, is_over: Callable[[int], bool]) -> None:
        self.stored: list[str] = []
        self.moved: set[str] = set()
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
                self.stored.append(str(image.SOPInstanceUID))
            done += 1

    def _query(self, number: int) -> None:
        done = 0
        while not self._is_over(done):
            with associated(self._device, [FIND["STUDY"]], calling=f"P{number}") as association:
                asked = make_identifier(QueryRetrieveLevel="STUDY", StudyInstanceUID="", PatientName="Load*")
                *_, (final, _) = association.send_c_find(asked, FIND["STUDY"])
                assert final.Status == 0, f"{final.Status:04X}"
            done += 1

    def _move(self, number: int) -> None:
        done = 0
        while not self._is_over(done):
            with associated(self._device, [MOVE["STUDY"]], calling=f"P{number}") as association:
                asked = make_identifier(QueryRetrieveLevel="STUDY", StudyInstanceUID="1.2.3.1")
                *_, (final, _) = association.send_c_move(asked, "STORE", MOVE["STUDY"])
                assert (final.Status, final.NumberOfCompletedSuboperations) == (0, 2), f"{final.Status:04X}"
            done += 1


def test_many_peers_at_once(tmp_path: Path, soak: bool) -> None:
    count, end = (SOAK_PEERS, monotonic() + SOAK_S) if soak else (PEERS, 0.0)
    arrived: list[str] = []

    def take(event: evt.Event) -> int:
        arrived.append(str(event.request.AffectedSOPInstanceUID))  # type: ignore[union-attr]
        return 0

    with ExitStack() as stack:
        store = stack.enter_context(serving([MRImageStorage], [(evt.EVT_C_STORE, take)], aet="STORE"))
        peers = [PeerTable("store", store, ["storage"])]
        peers += [PeerTable(f"p{n}", Address(f"P{n}", 1), [], {"incoming": INCOMING}) for n in range(count)]
        limits = {"general": {"max_accepted_associations": SOAK_PEERS + 10}}
        site = write_site(tmp_path, "mr", peers, parameters=limits)
        modality = stack.enter_context(Modality(site.path))
        modality.serve()
        crowd = _Crowd(site.device, lambda done: monotonic() > end and done >= ROUNDS)
        with associated(site.device, [MRImageStorage], calling="P0") as association:
            for number in (1, 2):
                image = mr_image(rows=16, columns=16, StudyInstanceUID="1.2.3.1", SOPInstanceUID=f"1.2.3.1.1.{number}")
                assert association.send_c_store(image).Status == 0
        crowd.run(count)
        assert crowd.errors == []
        kept = [each["SOPInstanceUID"] for each in modality.instances()]
        assert sorted(kept) == sorted([*crowd.stored, "1.2.3.1.1.1", "1.2.3.1.1.2"])
        assert set(arrived) == {"1.2.3.1.1.1", "1.2.3.1.1.2"}
        assert len(arrived) % 2 == 0
