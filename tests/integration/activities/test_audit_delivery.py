"""The audit trail arrives at a repository that checks it, whatever that repository does."""

from __future__ import annotations

import logging
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from openmodality import Modality
from openmodality.activities import audit, audit_delivery
from openmodality.activities.audit_delivery import ROWS_AT_ONCE
from openmodality.audit.events import tell_log_used
from openmodality.audit.message_check import check_audit_message
from openmodality.audit.syslog import parse_syslog
from openmodality.store.listing.audit import AuditSearch
from openmodality.store.states import JobKind, JobState
from tests.audit_messages import find_schema_faults
from tests.audit_site import AuditPlace, in_audited_hospital, is_delivered
from tests.interop.certificates import key_pair

DELIVERED_S = 60.0


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "GATHER_S", 0.05)
    monkeypatch.setattr(audit_delivery, "_FIRST_PAUSE_S", 0.5)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[AuditPlace]:
    with in_audited_hospital(tmp_path) as made:
        yield made


def reason(modality: Modality) -> str:
    """Why the delivery is not done."""
    jobs = modality.jobs.list(kinds=[JobKind.AUDIT], states=[JobState.TODO])
    return next((job.reason for job in jobs if job.reason), "")


def test_what_a_device_does_arrives_under_tls_and_fits_the_schema(place: AuditPlace) -> None:
    with Modality(place.site) as modality:
        modality.query(PatientID="X")
        assert modality.wait_until(lambda: is_delivered(modality), DELIVERED_S)
        assert place.kinds == ["application", "query"]
    assert [fault for message in place.repository.messages for fault in message.faults] == []
    assert [fault for message in place.repository.messages for fault in find_schema_faults(message.content)] == []
    assert place.place.hospital.complaints == []


def test_the_stop_of_a_device_arrives_after_its_next_start(place: AuditPlace) -> None:
    with Modality(place.site):
        pass
    with Modality(place.site) as modality:
        assert modality.wait_until(lambda: is_delivered(modality), DELIVERED_S)
    types = [message.content.partition("Application St")[2][:3] for message in place.repository.messages]
    assert types[:3] == ["art", 'op"', "art"]


@pytest.mark.parametrize("personality", ["audit-refuse@1", "audit-drop@1", "audit-early-close@1"])
def test_what_a_repository_may_not_have_taken_comes_again(place: AuditPlace, personality: str) -> None:
    place.misbehave(personality)
    with Modality(place.site) as modality:
        modality.query(PatientID="X")
        assert modality.wait_until(lambda: is_delivered(modality) and "query" in place.kinds, DELIVERED_S)
        (first, *_) = reversed(modality.jobs.list(kinds=[JobKind.AUDIT]))
        said = " ".join(change.detail for change in modality.jobs.show(first.id).history)
    assert re.search(r"1 row waits since|2 rows wait since", said)
    assert {"application", "query"} <= set(place.kinds)
    repeated = [message for message in place.repository.messages if message.is_repeated]
    assert len(repeated) == (1 if personality == "audit-drop@1" else 0)


def test_a_repository_that_never_closes_has_perhaps_taken_nothing(place: AuditPlace) -> None:
    place.misbehave("audit-hang@1")
    place.set(timeout_s=1)
    with Modality(place.site) as modality:
        assert modality.wait_until(lambda: "does not close its side" in reason(modality), DELIVERED_S)
        assert modality.audit.read_state().delivered == 0
        assert modality.wait_until(lambda: is_delivered(modality), DELIVERED_S)
    assert place.kinds[:2] == ["application", "application"]


def test_a_slow_repository_gets_all_once(place: AuditPlace) -> None:
    place.misbehave("audit-slow=0.5")
    with Modality(place.site) as modality:
        assert modality.wait_until(lambda: is_delivered(modality), DELIVERED_S)
    assert not any(message.is_repeated for message in place.repository.messages)


def test_a_repository_that_is_away_holds_up_nothing_and_gets_all_when_it_is_back(
    place: AuditPlace, caplog: pytest.LogCaptureFixture
) -> None:
    place.repository.stop()
    with Modality(place.site) as modality:
        modality.query(PatientID="CANARY")
        assert modality.wait_until(lambda: bool(reason(modality)), DELIVERED_S)
        assert "cannot connect to 127.0.0.1" in reason(modality)
        assert modality.wait_until_idle(10)
        modality.query(PatientID="CANARY")
        place.repository.start()
        (job, *_) = modality.jobs.list(kinds=[JobKind.AUDIT], states=[JobState.TODO])
        modality.jobs.retry(job.id)
        assert modality.wait_until(lambda: is_delivered(modality), DELIVERED_S)
    assert place.kinds[:3] == ["application", "query", "query"]
    assert "CANARY" not in "\n".join(str(vars(record)) for record in caplog.records)


def test_a_repository_of_a_stranger_gets_nothing_and_is_an_event(
    place: AuditPlace, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The device trusts another authority than that of the repository; it tells of it in its own trail."""
    stranger = key_pair(tmp_path / "stranger", "stranger")
    text = place.site.read_text(encoding="utf-8")
    lines = [
        f'ca_certificates = "{stranger.authority}"' if line.startswith("ca_cert") else line
        for line in text.splitlines()
    ]
    place.site.write_text("\n".join(lines), encoding="utf-8")
    with caplog.at_level(logging.INFO), Modality(place.site) as modality:
        assert modality.wait_until(lambda: "this side does not trust" in reason(modality), DELIVERED_S)
        kinds = [row.entry.kind for row in modality.audit.find(AuditSearch()).rows]
    assert "alert" in kinds
    assert place.kinds == []


def test_a_backlog_of_many_connections_arrives_in_order(place: AuditPlace) -> None:
    with Modality(place.site, works=False) as modality:
        trail = modality.audit.trail
        messages = [tell_log_used(trail.who, f"look {number:04}") for number in range(ROWS_AT_ONCE + 7)]
        trail.tell(*messages)
    with Modality(place.site) as modality:
        assert modality.wait_until(lambda: is_delivered(modality), DELIVERED_S)
    told = [message for message in place.repository.messages if message.kind == "audit-log"]
    looks = [message.content.partition(">look ")[2][:4] for message in told]
    assert looks == [f"{number:04}" for number in range(ROWS_AT_ONCE + 7)]


def test_tcp_in_the_clear_goes_only_where_the_site_says_so(tmp_path: Path) -> None:
    with in_audited_hospital(tmp_path, tls=False) as place, Modality(place.site) as modality:
        assert modality.wait_until(lambda: is_delivered(modality), DELIVERED_S)
        assert place.kinds == ["application"]


def test_without_a_repository_rows_are_kept_and_no_job_is_made(tmp_path: Path) -> None:
    with in_audited_hospital(tmp_path) as place:
        place.set(enabled=False)
        with Modality(place.site) as modality:
            assert modality.jobs.list(kinds=[JobKind.AUDIT]) == []
            assert modality.audit.read_state().backlog == 1


def test_datagrams_go_one_for_each_message_and_without_a_count(tmp_path: Path) -> None:
    """RFC 5426: what is sent counts as delivered, and is not repeated."""
    with (
        in_audited_hospital(tmp_path, tls=False) as place,
        socket.socket(type=socket.SOCK_DGRAM) as receiver,
    ):
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(DELIVERED_S)
        place.set(transport="udp", port=receiver.getsockname()[1])
        with Modality(place.site) as modality:
            header, content = parse_syslog(receiver.recv(65536))
            assert check_audit_message(content).faults == ()
            assert header.message_id == "DICOM+RFC3881"
            assert modality.wait_until(lambda: is_delivered(modality), DELIVERED_S)
