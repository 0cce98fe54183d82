"""What a send job says of its failures, and what it leaves out, over associations as over DICOMweb."""

from __future__ import annotations

from pathlib import Path

import pytest

from openmodality.activities.send_failures import SendFailures, list_to_try
from openmodality.device.site.site import Site
from openmodality.device.site.site_loader import load_site
from openmodality.dimse.verdict import find_advice
from openmodality.errors import TransportError
from openmodality.jobs.job import JobInstance
from openmodality.jobs.outcome import Done, Fail, Retry
from openmodality.services.storage import STORE_JUDGE
from openmodality.standard.sop_classes import MR_IMAGE_STORAGE
from openmodality.store.states import InstanceResult

PEER = '[peers.pacs]\nae_title = "PACS"\nhost = "localhost"\nport = 104\nservices = ["storage"]\n'


@pytest.fixture
def site(tmp_path: Path) -> Site:
    (tmp_path / "site.toml").write_text(f'profile = "mr"\n{PEER}', encoding="utf-8")
    return load_site(tmp_path)


def add_all(*failures: tuple[str, str, bool]) -> SendFailures:
    found = SendFailures()
    for reason, uid, may_pass in failures:
        found.add(reason, uid, may_pass=may_pass)
    return found


@pytest.mark.parametrize(
    ("failures", "said"),
    [
        ([("status A700", "1.2", True)], "not sent to pacs: status A700 (instance 1.2)"),
        ([("no connection", "", True)], "not sent to pacs: no connection"),
        ([("status A700", "1.2", True)] * 2, "2 instances were not sent to pacs: status A700"),
        (
            [("waited", "", True), ("waited", "", True), ("aborted", "1.9", True)],
            "3 instances were not sent to pacs: aborted (instance 1.9)",
        ),
        (
            [("a", "1.1", True), ("b", "1.2", True), ("b", "1.3", True)],
            "3 instances were not sent to pacs: b (2 of them)",
        ),
    ],
)
def test_what_befell_instances_comes_before_what_waited_for_them(
    site: Site, failures: list[tuple[str, str, bool]], said: str
) -> None:
    outcome = add_all(*failures).decide(site.peer("pacs"))
    assert isinstance(outcome, Retry)
    assert outcome.reason == said


def test_a_failure_that_may_pass_lets_the_job_be_tried_again(site: Site) -> None:
    peer = site.peer("pacs")
    assert SendFailures().decide(peer) == Done()
    assert isinstance(add_all(("a", "", False), ("a", "", False)).decide(peer), Fail)
    mixed = add_all(("a", "", True), ("b", "", False))
    mixed.add("c", may_pass=True, is_peer_away=True)
    outcome = mixed.decide(peer)
    assert isinstance(outcome, Retry)
    assert outcome.peer_away


def instance(number: int, result: InstanceResult, status: int | None, attempts: int = 0) -> JobInstance:
    return JobInstance(MR_IMAGE_STORAGE, f"1.2.{number}", result, status, f"comment {number}", attempts)


def test_what_the_peer_has_refused_for_good_is_not_offered_again() -> None:
    failures = SendFailures()
    outstanding = [
        instance(1, InstanceResult.FAILURE, 0xA900),
        instance(2, InstanceResult.FAILURE, 0xA700),
        instance(3, InstanceResult.FAILURE, None),
        instance(4, InstanceResult.PENDING, 0xA900),
        instance(5, InstanceResult.FAILURE, 0xC001),
    ]
    left = list(list_to_try(outstanding, STORE_JUDGE, failures))
    assert [each.SOPInstanceUID for each in left] == ["1.2.2", "1.2.3", "1.2.4"]
    assert (failures.reasons, failures.may_pass) == ({"comment 1": 1, "comment 5": 1}, False)


def test_a_retry_begins_with_what_was_not_offered() -> None:
    tried = [instance(number, InstanceResult.PENDING, None, attempts) for number, attempts in ((1, 2), (2, 0), (3, 1))]
    found = list_to_try(tried, STORE_JUDGE, SendFailures())
    assert [each.SOPInstanceUID for each in found] == ["1.2.2", "1.2.3", "1.2.1"]


def test_a_refusal_is_told_with_what_can_be_done_about_it(site: Site) -> None:
    failures = add_all(("status A900: not of its SOP class", "1.2", False))
    failures.note_refusal("status A900: not of its SOP class", 0xA900)
    failures.note_refusal("no connection", None)
    outcome = failures.decide(site.peer("pacs"))
    assert isinstance(outcome, Fail)
    assert outcome.reason.startswith("not sent to pacs: status A900: not of its SOP class (instance 1.2); ")
    assert outcome.reason.endswith(find_advice("storage", "C-STORE", 0xA900))
    assert list(failures.advice) == ["status A900: not of its SOP class"]


def test_a_failure_of_the_association_is_told_with_what_to_do_about_it(site: Site) -> None:
    failures = add_all(("cannot connect", "", True))
    failures.note_error("cannot connect", TransportError("cannot connect", advice="check that the peer is running"))
    failures.note_error("cannot connect", None)
    outcome = failures.decide(site.peer("pacs"))
    assert isinstance(outcome, Retry)
    assert outcome.reason == "not sent to pacs: cannot connect; check that the peer is running"


def test_what_was_refused_for_good_before_keeps_its_advice() -> None:
    failures = SendFailures()
    refused = JobInstance("1.2", MR_IMAGE_STORAGE, InstanceResult.FAILURE, 0xC000, "status C000: no", 1)
    assert not list(list_to_try([refused], STORE_JUDGE, failures))
    assert failures.advice == {"status C000: no": find_advice("storage", "C-STORE", 0xC000)}
