from __future__ import annotations

import csv
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pydicom import Dataset

from openmodality.activities.connection import Connector
from openmodality.activities.query import Model, choose_model, make_key_values, query_peer
from openmodality.device.site.site_loader import load_site
from openmodality.dimse.service import Refuse
from openmodality.dimse.verdict import Verdict
from openmodality.errors import UsageError
from openmodality.services.query_retrieve import QUERY_JUDGE, FindRequest, QueryFailed, query_service
from openmodality.standard.query_retrieve import Level
from openmodality.standard.sop_classes import STUDY_ROOT_FIND
from tests.in_memory import InMemoryPeer

MakePeer = Callable[..., InMemoryPeer]
TABLE = Path(__file__).parents[2] / "data" / "spec" / "rf" / "query_keys.csv"


@dataclass
class Archive:
    """Keeps what it was asked; answers with as many studies as it has."""

    count: int = 1
    error: Exception | None = None
    asked: list[Dataset] = field(default_factory=list)

    def list_supported(self, level: Level, identifier: Dataset) -> None:
        """All of them."""

    def find(self, request: FindRequest) -> Iterator[Dataset]:
        self.asked.append(request.identifier)
        if self.error is not None:
            raise self.error
        for number in range(self.count):
            study = Dataset()
            study.PatientID, study.StudyInstanceUID = "P1", f"1.2.{number}"
            yield study


def test_matches_come_with_what_a_person_is_shown(in_memory_peer: MakePeer) -> None:
    archive = Archive(2)
    peer = in_memory_peer(query_service(archive, "ARCHIVE"))
    answer = query_peer(peer.make_ends(), "STUDY", make_key_values({"PatientID": "P1"}))
    assert [each.StudyInstanceUID for each in answer.items] == ["1.2.0", "1.2.1"]
    (asked,) = archive.asked
    assert (asked.QueryRetrieveLevel, asked.PatientID) == ("STUDY", "P1")
    assert {"StudyDate", "PatientName", "ModalitiesInStudy"} <= {element.keyword for element in asked}
    assert (peer.opened[0].proposals[0].abstract_syntax, peer.opened[0].end) == (STUDY_ROOT_FIND, "released")


def test_no_more_than_the_limit(in_memory_peer: MakePeer) -> None:
    peer = in_memory_peer(query_service(Archive(5), "ARCHIVE"))
    answer = query_peer(peer.make_ends(), "STUDY", {}, limit=3)
    assert (len(answer.items), answer.more_available) == (3, True)


def test_a_refusal_names_the_peer_and_the_key_that_is_missing(
    in_memory_peer: MakePeer, caplog: pytest.LogCaptureFixture
) -> None:
    peer = in_memory_peer(query_service(Archive(), "ARCHIVE"))
    with caplog.at_level(logging.INFO), pytest.raises(QueryFailed, match="ARCHIVE@localhost:104: ") as refused:
        query_peer(peer.make_ends(name="pacs"), "SERIES", {})
    assert (refused.value.status, "StudyInstanceUID" in refused.value.advice) == (0xA900, True)
    (record,) = (each for each in caplog.records if each.message == "query.failed")
    assert record.__dict__["peer"] == "pacs"


@pytest.mark.parametrize(("aborts", "end"), [(True, "aborted"), (False, "released")])
def test_the_verdict_says_how_the_association_ends(in_memory_peer: MakePeer, aborts: bool, end: str) -> None:
    def judge(status: int) -> Verdict:
        return QUERY_JUDGE(status)._replace(must_abort=aborts)

    peer = in_memory_peer(query_service(Archive(), "ARCHIVE"))
    with pytest.raises(QueryFailed) as refused:
        query_peer(peer.make_ends(judge_of=lambda *_: judge), "SERIES", {})
    assert (refused.value.must_abort, peer.opened[0].end) == (aborts, end)


def test_the_words_of_a_peer_are_not_logged(in_memory_peer: MakePeer, caplog: pytest.LogCaptureFixture) -> None:
    peer = in_memory_peer(query_service(Archive(error=Refuse(0xC001, "DOE^JANE")), "ARCHIVE"))
    with caplog.at_level(logging.INFO, "openmodality.activities"), pytest.raises(QueryFailed):
        query_peer(peer.make_ends(), "STUDY", {})
    assert "DOE" not in caplog.text
    assert not any("DOE" in str(record.__dict__) for record in caplog.records if record.message == "query.failed")


@pytest.mark.parametrize(
    ("model", "patient_root", "level", "chosen"),
    [
        (None, False, "STUDY", "study"),
        (None, False, "PATIENT", "patient"),
        (None, True, "STUDY", "patient"),
        ("study", True, "STUDY", "study"),
        ("patient", False, "IMAGE", "patient"),
    ],
)
def test_the_model_is_the_one_that_has_the_level(
    model: Model | None, patient_root: bool, level: str, chosen: Model
) -> None:
    assert choose_model(model, InMemoryPeer().make_ends(patient_root=patient_root), level) == chosen


def test_levels_and_keywords_that_do_not_exist() -> None:
    ends = InMemoryPeer().make_ends()
    for model, level in (("study", "PATIENT"), (None, "FRAME")):
        with pytest.raises(UsageError, match="level"):
            query_peer(ends, level, {}, model=model)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="Patience"):
        make_key_values({"Patience": "1"})


SITE = """
profile = "rf"
[peers.pacs]
ae_title = "ARCHIVE"
host = "localhost"
port = 104
services = ["query_retrieve"]
"""


def keys_of_statement(level: str) -> set[str]:
    """The keys of Table 4.2-48 for a level."""
    with TABLE.open(encoding="utf-8", newline="") as lines:
        return {row["keyword"] for row in csv.DictReader(lines) if row["level"].replace("INSTANCE", "IMAGE") == level}


@pytest.mark.parametrize(
    ("level", "above"),
    [
        ("STUDY", {}),
        ("SERIES", {"StudyInstanceUID": "1"}),
        ("IMAGE", {"StudyInstanceUID": "1", "SeriesInstanceUID": "1.1"}),
    ],
)
def test_the_keys_of_the_profile_are_asked_for(
    in_memory_peer: MakePeer, tmp_path: Path, level: str, above: dict[str, str]
) -> None:
    archive = Archive()
    peer = in_memory_peer(query_service(archive, "ARCHIVE"))
    (tmp_path / "site.toml").write_text(SITE, "utf-8")
    site = load_site(tmp_path)
    query_peer(Connector(site).make_ends("query", site.peer("pacs")), level, make_key_values(above))
    (asked,) = archive.asked
    assert keys_of_statement(level)
    assert keys_of_statement(level) <= {element.keyword for element in asked}
    matching = {element.keyword for element in asked if not element.is_empty}
    assert matching == {"QueryRetrieveLevel", *above}
    assert peer.opened[0].proposals[0].abstract_syntax == STUDY_ROOT_FIND
