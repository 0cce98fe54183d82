from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.command_line import Ended, serving
from tests.acceptance.hospital_site import Place, in_hospital
from tests.acceptance.in_process import call, openmodality
from tests.peers.process import wait_until


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A device with a completed exam whose jobs are queued: step, nine images, commitment, step."""
    with in_hospital(tmp_path) as place:
        for arguments in (
            ("worklist",),
            ("exam", "start", 1),
            ("exam", "acquire", 1, "--simulate", "T1 SE SAG"),
            ("exam", "complete", 1),
        ):
            status, printed = call([*map(str, arguments), "-c", str(place.site)], tmp_path)
            assert status == 0, printed
        yield place


def jobs(place: Place, *arguments: object) -> Ended:
    return openmodality("jobs", *arguments, "-c", place.site)


def listed(place: Place, *arguments: object) -> list[dict[str, Any]]:
    return jobs(place, "list", *arguments, "--json").items


def test_list_show_cancel_retry(place: Place) -> None:
    kinds = [job["kind"] for job in reversed(listed(place))]
    assert kinds == ["mpps_create", "send", "commit", "mpps_set"]
    table = jobs(place, "list", "--kind", "send").out.splitlines()
    assert table[0].split() == ["job", "kind", "peer", "state", "instances", "queued", "reason"]
    assert "0 of 9" in table[1]
    (send,) = listed(place, "--kind", "send")
    cancelled = jobs(place, "cancel", send["job"])
    assert (cancelled.status, cancelled.out) == (0, f"job {send['job']}: send to pacs, cancelled\n")
    assert {job["kind"] for job in listed(place, "--state", "cancelled")} == {"send", "commit"}
    assert jobs(place, "cancel", send["job"]).status == 1
    assert jobs(place, "retry", send["job"]).out == f"job {send['job']}: send to pacs, todo\n"
    assert listed(place, "--state", "cancelled") == [], "the commitment follows the send job"
    refused = jobs(place, "retry", send["job"], "--peer", "ris")
    assert (refused.status, "peer ris does not offer storage" in refused.error_line) == (2, True)
    assert jobs(place, "show", 99).status == 1
    limited = jobs(place, "list", "--limit", 2)
    assert len(limited.out.splitlines()) == 3
    assert "there are more than 2" in limited.error_line


def test_retries_many_at_once(place: Place) -> None:
    (step,) = listed(place, "--kind", "mpps_create")
    (send,) = listed(place, "--kind", "send")
    assert jobs(place, "cancel", step["job"], send["job"]).status == 0
    retried = jobs(place, "retry", "--state", "cancelled", "--destination", "ris")
    assert (retried.status, retried.out) == (0, f"job {step['job']}: mpps_create to ris, todo\n")
    assert len(jobs(place, "retry", "--state", "cancelled").out.splitlines()) == 2
    assert jobs(place, "retry", "--state", "failed").out == "there are no such jobs\n"
    for unknown in (("--destination", "nobody"), ("--peer", "nobody")):
        refused = jobs(place, "retry", "--state", "failed", *unknown)
        assert (refused.status, refused.out) == (2, "")
        assert "has no peer 'nobody'; its peers are: " in refused.error_line
    for wrong in ((), (1, "--state", "failed"), ("--destination", "ris"), (1, "--destination", "ris")):
        assert jobs(place, "retry", *wrong).status == 2


def test_a_peer_that_is_not_there_has_no_empty_list(place: Place) -> None:
    assert listed(place, "--peer", "pacs")
    refused = jobs(place, "list", "--peer", "nobody")
    assert (refused.status, refused.out) == (2, "")
    assert "has no peer 'nobody'; its peers are: " in refused.error_line


def test_a_job_that_cannot_be_retried_keeps_no_other_from_it(place: Place) -> None:
    """Here the step, which goes to no archive; it is older than the others, so that it is the first one."""
    (step,) = listed(place, "--kind", "mpps_create")
    (send,) = listed(place, "--kind", "send")
    assert jobs(place, "cancel", step["job"], send["job"]).status == 0
    retried = jobs(place, "retry", "--state", "cancelled", "--peer", "pacs")
    assert retried.status == 1
    assert f"openmodality: job {step['job']}: peer pacs does not offer mpps" in retried.err
    assert f"job {send['job']}: send to pacs, todo\n" in retried.out
    assert {job["kind"] for job in listed(place, "--state", "cancelled")} >= {"mpps_create"}
    named = jobs(place, "retry", step["job"], send["job"], "--peer", "pacs")
    assert (named.status, named.out) == (2, "")


def test_failures_say_why(place: Place) -> None:
    place.hospital.misbehave("pacs:a900")
    with serving(place.site):
        wait_until(lambda: listed(place, "--kind", "send")[0]["state"] == "failed", timeout_s=30, what="the failure")
    (send,) = listed(place, "--kind", "send")
    assert "A900" in send["reason"]
    shown = jobs(place, "show", send["job"])
    assert "failed" in shown.out
    details = jobs(place, "show", send["job"], "--json").item
    assert details["instances"][0]["status"] == "A900"
    assert details["history"][-1]["state"] == "failed"
    (commit,) = listed(place, "--kind", "commit")
    assert commit["reason"] == f"waits for job {send['job']}, which failed"
    assert f"waits for job {send['job']}, which failed" in jobs(place, "list").out
    assert f"job {send['job']} (send, failed)" in jobs(place, "show", commit["job"]).out
    place.hospital.behave()
    assert jobs(place, "retry", send["job"]).status == 0
    with serving(place.site):
        wait_until(lambda: not listed(place, "--state", "todo", "--state", "doing", "--state", "waiting"), timeout_s=30)
    assert {job["state"] for job in listed(place)} == {"done"}
    assert len(place.hospital.pacs.instances) == 9
