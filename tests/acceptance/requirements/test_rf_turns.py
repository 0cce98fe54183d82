"""R/F 4.2.5.2.2: one association for queries and retrieves, whichever process asks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pynetdicom import evt
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelFind  # type: ignore[attr-defined]

from openmodality import Modality
from tests.acceptance.command_line import finish, start
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
