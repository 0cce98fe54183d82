"""The page for auditors: who may see it, what it shows, and that logins and changes of users are on record."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from openmodality.store.listing.audit import AuditSearch
from tests import plain_http
from tests.console_site import PASSWORD, ConsolePlace, console_in_hospital
from tests.peers.objects import mr_series

AS_JSON = {"accept": "application/dicom+json"}
CANARY = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsolePlace]:
    with console_in_hospital(tmp_path_factory.mktemp("audit-page")) as made:
        made.add_user("alice", "auditor")
        made.add_user("otto", "operator")
        made.modality.register({"PatientID": "CANARY-1", "PatientName": CANARY})
        yield made


def kinds(place: ConsolePlace, kind: str) -> list[tuple[str, ...]]:
    """Who was in events of a kind, oldest first."""
    rows = place.modality.audit.find(AuditSearch(kinds=[kind])).rows
    return [row.users for row in reversed(rows)]


def test_the_page_is_the_auditors_alone(place: ConsolePlace) -> None:
    auditor, operator = place.log_in("alice"), place.log_in("otto")
    assert auditor.get("/").headers["location"] == "/audit"
    assert auditor.get("/audit").status_code == 200
    assert auditor.get("/today").status_code == 403
    assert [operator.get(path).status_code for path in ("/audit", "/audit/1")] == [403, 403]
    assert operator.post("/audit/verify").status_code == 403
    assert '"/audit"' not in operator.get("/account").text


def test_events_are_listed_filtered_and_shown(place: ConsolePlace) -> None:
    auditor = place.log_in("alice")
    page = auditor.get("/audit?kind=patient").text
    assert "Patient Record" in page
    assert "CANARY-1" in page
    (row,) = place.modality.audit.find(AuditSearch(kinds=["patient"])).rows
    shown = auditor.get(f"/audit/{row.number}").text
    assert "&lt;img src=x onerror=alert(1)&gt;" in shown
    assert CANARY not in shown
    assert "No event is like that" in auditor.get("/audit?patient=nobody").text
    assert "is no date" in auditor.get("/audit?since=x").text
    assert "no such kind" in auditor.get("/audit?kind=%3Cimg%3E").text
    assert auditor.get("/audit/999999").status_code == 404


def test_the_page_says_where_the_trail_stands(place: ConsolePlace) -> None:
    auditor = place.log_in("alice")
    assert "names no audit repository" in auditor.get("/audit").text
    assert "The chain is whole" in auditor.post("/audit/verify").text


def test_login_failed_login_and_logout_are_on_record(place: ConsolePlace) -> None:
    visitor = place.log_in("otto")
    visitor.post("/logout")
    plain_http.post(f"{place.url}/login", data={"name": "otto", "password": "wrong"}, headers={"origin": place.url})
    rows = place.modality.audit.find(AuditSearch(kinds=["authentication"], user="otto")).rows[:3]
    types = [("Logout" in row.entry.message, row.entry.outcome) for row in reversed(rows)]
    assert types == [(False, 0), (True, 0), (False, 8)]
    assert all('NetworkAccessPointID="127.0.0.1"' in row.entry.message for row in rows)
    assert PASSWORD not in "".join(row.entry.message for row in rows)


def test_what_is_changed_of_users_and_tokens_is_on_record(place: ConsolePlace) -> None:
    accounts = place.accounts
    accounts.add_user("vera", ["viewer"])
    accounts.change_roles("vera", ["senior"])
    accounts.disable_user("vera")
    accounts.enable_user("vera")
    accounts.make_link("vera")
    accounts.add_token("robot", ["view"])
    accounts.revoke_token("robot")
    rows = place.modality.audit.find(AuditSearch(kinds=["alert"])).rows[:7]
    said = [row.entry.message.partition("<EventOutcomeDescription>")[2].partition("<")[0] for row in reversed(rows)]
    assert said == [
        "user added, with roles viewer",
        "roles changed to senior",
        "the user is let in no longer",
        "the user is let in again",
        "a link for a password was made",
        "token added, with scopes view",
        "token revoked",
    ]


def test_what_a_user_of_the_console_does_is_on_record_under_that_name(place: ConsolePlace) -> None:
    visitor = place.log_in("otto")
    before = place.modality.audit.read_state().last
    visitor.post("/today/ask")
    place.log_in("alice").get("/audit")
    rows = place.modality.audit.find(AuditSearch(user="otto")).rows
    assert place.modality.audit.read_state().last > before
    assert any(row.number > before for row in rows)
    assert any("alice" in users for users in kinds(place, "audit-log"))


def test_looks_over_dicomweb_are_one_event_for_each_person_and_study(place: ConsolePlace, tmp_path: Path) -> None:
    place.modality.import_files(mr_series(tmp_path, 2))
    (study,) = place.modality.studies(PatientID="TEST-0001")
    uid = study["StudyInstanceUID"]
    visitor = place.log_in("otto")
    before = place.modality.audit.read_state().last
    assert visitor.client.get("/dicom-web/studies?PatientID=TEST-0001", headers=AS_JSON).status_code == 200
    for _ in range(3):
        assert visitor.client.get(f"/dicom-web/studies/{uid}/metadata", headers=AS_JSON).status_code == 200
    rows = [row for row in place.modality.audit.find(AuditSearch(user="otto")).rows if row.number > before]
    assert [row.entry.kind for row in reversed(rows)] == ["query", "access"]
    assert rows[0].patients == ("TEST-0001",)


@pytest.mark.parametrize(
    "path",
    [
        "/viewer/instance/{}/frames/1",
        "/viewer/instance/{}/facts",
        "/images/instance/{}/thumbnail",
        "/api/v1/instances/{}/file",
        "/api/v1/instances/{}/frames/1",
        "/api/v1/instances/{}/picture",
        "/api/v1/instances/{}/attributes",
    ],
)
def test_every_way_to_an_image_is_on_record(place: ConsolePlace, tmp_path: Path, path: str) -> None:
    place.modality.import_files(mr_series(tmp_path, 1))
    uid = place.modality.instances(PatientID="TEST-0001")[0]["SOPInstanceUID"]
    name = "sees-" + "".join(filter(str.isalnum, path))
    headers = {"authorization": f"Bearer {place.accounts.add_token(name, ['view'])}"}
    assert plain_http.get(place.url + path.format(uid), headers=headers).status_code == 200
    rows = place.modality.audit.find(AuditSearch(kinds=["access"], user=name)).rows
    assert [row.patients for row in rows] == [("TEST-0001",)]


def test_settings_that_are_changed_are_named_without_their_values(place: ConsolePlace) -> None:
    place.modality.site.path.write_text(
        place.modality.site.path.read_text(encoding="utf-8") + "\n#\n", encoding="utf-8"
    )
    place.modality.audit.tell_settings(["console.idle_minutes"])
    (row, *_) = place.modality.audit.find(AuditSearch(kinds=["alert"])).rows
    assert "settings changed: console.idle_minutes" in row.entry.message
    assert "Software Configuration" in row.entry.message
