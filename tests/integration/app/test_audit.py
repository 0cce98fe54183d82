"""A device puts on record what it does, by whatever front: each event once, with its row in the same transaction."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

import pytest

from openmodality import Modality
from openmodality.audit.acting import Actor, set_actor
from openmodality.audit.events import ActingPerson
from openmodality.audit.message_check import check_audit_message
from openmodality.store.listing.audit import AuditRow, AuditSearch, verify_chain
from tests.acceptance.hospital_site import Place, in_hospital
from tests.audit_messages import HOSTILE, find_schema_faults
from tests.devices import add_image
from tests.peers.objects import mr_series

CANARY = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with in_hospital(tmp_path_factory.mktemp("audit")) as made:
        yield made


@pytest.fixture
def modality(place: Place) -> Iterator[Modality]:
    with Modality(place.site) as made:
        yield made


def rows_since(modality: Modality, number: int) -> list[AuditRow]:
    """What was put on record after a row, oldest first, without a look at the trail itself."""
    found = modality.audit.find(AuditSearch()).rows
    return [row for row in reversed(found) if row.number > number and row.entry.kind != "audit-log"]


def last(modality: Modality) -> int:
    return modality.audit.read_state().last


def message(row: AuditRow) -> Element:
    assert find_schema_faults(row.entry.message) == []
    assert check_audit_message(row.entry.message.encode()).faults == ()
    return fromstring(row.entry.message)


def counts(row: AuditRow) -> dict[str | None, str | None]:
    return {each.get("UID"): each.get("NumberOfInstances") for each in message(row).iter("SOPClass")}


def test_an_exam_is_on_record_from_worklist_to_archive(modality: Modality) -> None:
    before = last(modality)
    item = modality.worklist()[0]
    with modality.exam(item) as exam:
        series = exam.series("test")
        for number in range(3):
            add_image(series, number)
    assert modality.wait_until_idle(30)
    rows = rows_since(modality, before)
    assert [row.entry.kind for row in rows] == [
        "query", "query", "order", "procedure", "access", "procedure", "begin-transfer", "transfer",
    ]  # fmt: skip
    patient = (item["PatientID"],)
    assert {row.patients for row in rows[2:]} == {patient}
    assert counts(rows[4]) == counts(rows[6]) == counts(rows[7]) == {"1.2.840.10008.5.1.4.1.1.4": "3"}
    assert [step.get("UID") for row in (rows[3], rows[5]) for step in message(row).iter("MPPS")] == [
        exam.steps[0].sop_instance_uid
    ] * 2
    assert rows[7].users == ("OM_MR", "OM_PACS")


def test_instances_that_come_are_told_of_by_association_and_study(modality: Modality, place: Place) -> None:
    study = place.hospital.pacs.studies[-1] if place.hospital.pacs.studies else None
    assert study is not None
    uid = study.study_instance_uid
    before = last(modality)
    result = modality.retrieve(uid)
    assert result.counts.completed == 3
    modality.wait_until(lambda: any(row.entry.kind == "transfer" for row in rows_since(modality, before)), 10)
    rows = [row for row in rows_since(modality, before) if row.entry.kind != "query"]
    assert [row.entry.kind for row in rows] == ["begin-transfer", "transfer"]
    assert counts(rows[1]) == {"1.2.840.10008.5.1.4.1.1.4": "3"}
    event = message(rows[1]).find("EventIdentification")
    assert event is not None
    assert event.get("EventActionCode") == "C"
    assert rows[1].users == ("OM_PACS", "OM_MR")


def test_files_are_imported_and_deleted_series_by_series(modality: Modality, tmp_path: Path) -> None:
    set_actor(Actor(ActingPerson("alice", "10.0.0.8")))
    before = last(modality)
    paths = mr_series(tmp_path, 3)
    assert modality.import_files(paths).new == 3
    study = modality.studies(PatientID="TEST-0001")[0]
    instances = modality.instances(StudyInstanceUID=study["StudyInstanceUID"])
    modality.delete("IMAGE", instances[0]["SOPInstanceUID"], force=True)
    modality.delete("STUDY", study["StudyInstanceUID"], force=True)
    set_actor(Actor())
    rows = rows_since(modality, before)
    assert [row.entry.kind for row in rows] == ["import", "access", "delete"]
    assert [sum(map(int, filter(None, counts(row).values()))) for row in rows] == [3, 1, 2]
    assert all("alice" in row.users for row in rows)
    assert all(
        [
            each.get("UserID")
            for each in message(row).findall("ActiveParticipant")
            if each.get("UserIsRequestor") == "true"
        ]
        == ["alice"]
        for row in rows
    )


def test_what_is_refused_leaves_no_row(modality: Modality) -> None:
    before = last(modality)
    with pytest.raises(Exception, match="no such study"):
        modality.delete("STUDY", "1.2.3.4.5")
    assert rows_since(modality, before) == []


def test_a_hostile_name_is_text_in_its_message_and_in_no_log(
    modality: Modality, caplog: pytest.LogCaptureFixture
) -> None:
    before = last(modality)
    exam = modality.register({"PatientID": "CANARY-1", "PatientName": CANARY})
    (row,) = rows_since(modality, before)
    assert row.entry.kind == "patient"
    assert CANARY not in row.entry.message
    assert CANARY in [each.text for each in message(row).iter("ParticipantObjectName")]
    exam.begin()
    exam.discontinue()
    assert not any(mark in str(vars(record)) for record in caplog.records for mark in ("CANARY", HOSTILE[:9]))


def test_media_and_film_are_on_record_before_they_are_made(modality: Modality, tmp_path: Path) -> None:
    from openmodality.activities.media_job import MediumOrder  # noqa: PLC0415 - beside its use
    from openmodality.app.local_data import Chosen  # noqa: PLC0415 - likewise

    uid = modality.studies()[0]["StudyInstanceUID"]
    before = last(modality)
    profile = next(name for name, each in modality.media.profiles.items() if "create" in each.activities)
    modality.media.put(Chosen(studies=[uid]), MediumOrder("create", str(tmp_path / "disc"), profile))
    assert modality.wait_until_idle(30)
    (row,) = rows_since(modality, before)
    assert row.entry.kind == "export"
    codes = [each.get("csd-code") for each in message(row).iter("MediaType")]
    assert codes == ["110037"]


def test_the_site_file_that_has_changed_is_an_event_of_the_next_start(place: Place) -> None:
    with Modality(place.site) as modality:
        before = last(modality)
    place.site.write_text(place.site.read_text(encoding="utf-8") + "\n# changed\n", encoding="utf-8")
    with Modality(place.site) as modality:
        rows = rows_since(modality, before)
    assert [row.entry.kind for row in rows] == ["application", "alert", "application"]
    assert "Software Configuration" in rows[1].entry.message


def test_the_chain_of_all_that_is_whole_and_each_message_fits_the_schema(modality: Modality) -> None:
    with modality.database.read() as snapshot:
        assert verify_chain(snapshot).broken_at == 0
    for row in modality.audit.find(AuditSearch()).rows:
        message(row)
