"""What a send job says of its failures, what it leaves out, and what it proposes; the sending itself needs a peer."""

from __future__ import annotations

from pathlib import Path

import pytest

from openmodality.activities.send import _allowed, _leave_out_refused, _put_untried_first, _Tally
from openmodality.device.site.site import Site
from openmodality.device.site.site_loader import load_site
from openmodality.errors import NoPresentationContext
from openmodality.jobs.job import JobInstance
from openmodality.jobs.outcome import Done, Fail, Retry
from openmodality.services.storage import STORE_JUDGE
from openmodality.services.storage_plan import AssociationPlan
from openmodality.standard.sop_classes import MR_IMAGE_STORAGE
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN
from openmodality.store.states import InstanceResult
from openmodality.upper_layer.negotiation import ContextProposal

CT = "1.2.840.10008.5.1.4.1.1.2"
JPEG = "1.2.840.10008.1.2.4.70"
PEER = '[peers.pacs]\nae_title = "PACS"\nhost = "localhost"\nport = 104\nservices = ["storage"]\n'


@pytest.fixture
def site(tmp_path: Path) -> Site:
    (tmp_path / "site.toml").write_text(f'profile = "mr"\n{PEER}', encoding="utf-8")
    return load_site(tmp_path)


def tally_of(*failures: tuple[str, str, bool]) -> _Tally:
    tally = _Tally()
    for reason, uid, transient in failures:
        tally.count_failure(reason, uid, transient=transient)
    return tally


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
    outcome = tally_of(*failures).outcome(site.peer("pacs"))
    assert isinstance(outcome, Retry)
    assert outcome.reason == said


def test_a_failure_that_may_pass_lets_the_job_be_tried_again(site: Site) -> None:
    peer = site.peer("pacs")
    assert _Tally().outcome(peer) == Done()
    assert isinstance(tally_of(("a", "", False), ("a", "", False)).outcome(peer), Fail)
    mixed = tally_of(("a", "", True), ("b", "", False))
    mixed.peer_away = True
    outcome = mixed.outcome(peer)
    assert isinstance(outcome, Retry)
    assert outcome.peer_away


def instance(number: int, result: InstanceResult, status: int | None, attempts: int = 0) -> JobInstance:
    return JobInstance(MR_IMAGE_STORAGE, f"1.2.{number}", result, status, f"comment {number}", attempts)


def test_what_the_peer_has_refused_for_good_is_not_offered_again() -> None:
    tally = _Tally()
    outstanding = [
        instance(1, InstanceResult.FAILURE, 0xA900),
        instance(2, InstanceResult.FAILURE, 0xA700),
        instance(3, InstanceResult.FAILURE, None),
        instance(4, InstanceResult.PENDING, 0xA900),
        instance(5, InstanceResult.FAILURE, 0xC001),
    ]
    left = list(_leave_out_refused(outstanding, STORE_JUDGE, tally))
    assert [each.SOPInstanceUID for each in left] == ["1.2.2", "1.2.3", "1.2.4"]
    assert (tally.reasons, tally.transient) == ({"comment 1": 1, "comment 5": 1}, False)


def test_a_retry_begins_with_what_was_not_offered() -> None:
    tried = [instance(number, InstanceResult.PENDING, None, attempts) for number, attempts in ((1, 2), (2, 0), (3, 1))]
    assert [each.SOPInstanceUID for each in _put_untried_first(tried)] == ["1.2.2", "1.2.3", "1.2.1"]


def test_only_what_the_profile_has_is_proposed(site: Site) -> None:
    def propose(*proposals: ContextProposal) -> list[ContextProposal]:
        return _allowed(AssociationPlan(proposals, frozenset()), site, site.peer("pacs"))

    explicit = (EXPLICIT_VR_LITTLE_ENDIAN,)
    kept = propose(ContextProposal(CT, explicit), ContextProposal(MR_IMAGE_STORAGE, explicit))
    assert kept == [ContextProposal(MR_IMAGE_STORAGE, explicit)]
    assert propose(ContextProposal(MR_IMAGE_STORAGE, (JPEG,))) == [ContextProposal(MR_IMAGE_STORAGE, (JPEG,))]
    (own,) = propose(ContextProposal(MR_IMAGE_STORAGE, ("1.2.840.10008.1.2.1.98",)))
    assert own.abstract_syntax == MR_IMAGE_STORAGE
    with pytest.raises(NoPresentationContext, match="does not send these SOP Classes to pacs"):
        propose(ContextProposal(CT, (IMPLICIT_VR_LITTLE_ENDIAN,)))
