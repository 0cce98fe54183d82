"""R/F 4.2.5.2.2 and 4.4.2: one association at a time for each AE, whichever job or process asks."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom import Dataset
from pynetdicom import evt
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    ModalityPerformedProcedureStep,
    ModalityWorklistInformationFind,
    StorageCommitmentPushModel,
    StudyRootQueryRetrieveInformationModelFind,
    XRayAngiographicImageStorage,
)

from openmodality import Modality
from tests.acceptance.command_line import finish, start
from tests.devices import add_image
from tests.interop.sites import PeerTable, write_site
from tests.peers.process import wait_until
from tests.peers.pynetdicom_ae import serving


@pytest.mark.requirement("RF-4.2.5.2.2-01")
def test_a_command_waits_until_the_association_of_another_process_has_ended(tmp_path: Path) -> None:
    """The archive takes its time with the first query; the second process calls when that is over, and not before."""
    asked, asked_again, go_on = threading.Event(), threading.Event(), threading.Event()

    def answer(event: evt.Event) -> Iterator[tuple[int, None]]:
        (asked_again if asked.is_set() else asked).set()
        assert go_on.wait(30)
        yield 0, None

    with serving([StudyRootQueryRetrieveInformationModelFind], [(evt.EVT_C_FIND, answer)], aet="PACS") as archive:
        site = write_site(tmp_path, "rf", [PeerTable("pacs", archive, ["query_retrieve"])])
        with Modality(site.path) as modality:
            first = threading.Thread(target=modality.query, kwargs={"PatientID": "1"})
            first.start()
            assert asked.wait(10)
            command = start("query", "pacs", "-k", "PatientID=1", "-c", site.path)
            wait_until((tmp_path / "data" / "turns" / "query_retrieve").exists, what="the file that is locked")
            assert not asked_again.wait(2)
            go_on.set()
            first.join(20)
            assert finish(command).status == 0
            assert asked_again.is_set()


class Crowd:
    """A pynetdicom AE that counts the associations of each calling AE title.

    It keeps each request waiting for a while, until a second association of the same title is there.
    """

    def __init__(self) -> None:
        self.most: Counter[str] = Counter()
        self.requests: Counter[str] = Counter()
        self._open: Counter[str] = Counter()
        self._changed = threading.Condition()

    def _come(self, event: evt.Event) -> None:
        with self._changed:
            self._open[event.assoc.requestor.ae_title] += 1
            self.most |= self._open
            self._changed.notify_all()

    def _go(self, event: evt.Event) -> None:
        with self._changed:
            self._open[event.assoc.requestor.ae_title] -= 1

    def _wait(self, event: evt.Event) -> None:
        title = event.assoc.requestor.ae_title
        with self._changed:
            self.requests[title] += 1
            self._changed.wait_for(lambda: self.most[title] > 1, 0.3)

    def _answer(self, event: evt.Event) -> tuple[int, Dataset | None]:
        self._wait(event)
        return 0, event.attribute_list if event.event is evt.EVT_N_CREATE else None

    def _find(self, event: evt.Event) -> Iterator[tuple[int, None]]:
        self._wait(event)
        yield 0, None

    def _store(self, event: evt.Event) -> int:
        self._wait(event)
        return 0

    @property
    def handlers(self) -> list[evt.EventHandlerType]:
        """What pynetdicom calls."""
        answering = (evt.EVT_N_CREATE, evt.EVT_N_SET, evt.EVT_N_ACTION)
        return [
            (evt.EVT_ACCEPTED, self._come), (evt.EVT_CONN_CLOSE, self._go), (evt.EVT_C_FIND, self._find),
            (evt.EVT_C_STORE, self._store), *((each, self._answer) for each in answering),
        ]  # fmt: skip


@pytest.mark.requirement("RF-4.4.2-11", "RF-4.4.2-15", "RF-4.4.2-20", "RF-4.4.2-28")
def test_no_ae_has_two_associations_at_a_time(tmp_path: Path) -> None:
    crowd = Crowd()
    contexts = [
        ModalityPerformedProcedureStep, ModalityWorklistInformationFind, StorageCommitmentPushModel,
        XRayAngiographicImageStorage,
    ]  # fmt: skip
    services = ["storage", "storage_commitment", "mpps", "worklist"]
    with serving(contexts, crowd.handlers, aet="HOSPITAL", roles=True) as address:
        peers = [PeerTable(name, address, services, {"automatic_commitment": True}) for name in ("one", "two")]
        site = write_site(tmp_path, "rf", peers)
        with Modality(site.path) as modality:
            with modality.exam(patient={"PatientID": "1"}) as exam:
                add_image(exam.series("T1", ProtocolName="T1"))
            asking = [threading.Thread(target=modality.worklist) for _ in range(2)]
            for each in asking:
                each.start()
            for each in asking:
                each.join(20)
            expected = {"ADR_STORAGE_SCU": 2, "ADR_SC_SCU": 2, "ADR_MPPS_SCU": 4, "ADR_MWM_SCU": 2}
            wait_until(lambda: sum(crowd.requests.values()) >= sum(expected.values()))
    assert sorted(crowd.requests.values()) == sorted(expected.values())
    assert set(crowd.most.values()) == {1}
    assert len(crowd.most) == 4
