"""``openmodality audit`` as it is typed: what was done is listed, shown, verified and exported."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest

from tests.acceptance.hospital_site import Place, in_hospital
from tests.acceptance.in_process import call
from tests.peers.objects import mr_series

CANARY = "CANARY^<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("cli-audit")
    with in_hospital(folder) as made:
        site = ["-c", str(made.site)]
        for words in (
            ["worklist", *site],
            ["import", *map(str, mr_series(folder, 2)), *site],
            ["exam", "unscheduled", "--patient-id", "CANARY-1", "--patient-name", CANARY, *site],
            ["query", "pacs", "-k", "PatientID=CANARY-1", *site],
            ["studies", "delete", "1.2.3", *site],
        ):
            call(words, folder)
        yield made


def ask(place: Place, *words: str) -> tuple[int, str]:
    return call(["audit", *words, "-c", str(place.site)], place.site.parent)


def read(place: Place, *words: str) -> dict[str, object]:
    status, said = ask(place, *words, "--json")
    assert status == 0, said
    document: dict[str, object] = json.JSONDecoder().raw_decode(said[said.index("{\n") :])[0]
    return document


def items(place: Place, *words: str) -> list[dict[str, object]]:
    found = read(place, *words)["items"]
    assert isinstance(found, list)
    return found


def test_what_commands_did_is_listed_newest_first(place: Place) -> None:
    kinds = [each["kind"] for each in reversed(items(place, "list"))]
    assert [kind for kind in kinds if kind != "audit-log"] == ["query", "import", "patient", "procedure", "query"]


def test_to_read_is_on_record_with_the_user_of_the_machine(place: Place) -> None:
    ask(place, "list")
    newest, *_ = items(place, "list", "--kind", "audit-log")
    assert newest["event"] == "Audit Log Used"
    assert len(newest["users"]) == 2  # type: ignore[arg-type]


def test_filters_leave_what_is_looked_for(place: Place) -> None:
    assert {each["kind"] for each in items(place, "list", "--kind", "query")} == {"query"}
    assert {each["kind"] for each in items(place, "list", "--patient", "CANARY-1")} == {"patient", "procedure"}
    assert {each["kind"] for each in items(place, "list", "--user", "OM_PACS")} == {"query"}
    assert items(place, "list", "--until", "2001-01-01") == []
    assert items(place, "list", "--since", "2100-01-01T00:00") == []
    assert items(place, "list", "--failed") == []
    status, said = ask(place, "list", "--since", "yesterday")
    assert (status, "is no date" in said) == (2, True)


def test_a_list_on_a_terminal_says_where_the_delivery_stands(place: Place) -> None:
    status, said = ask(place, "list", "--limit", "1")
    assert status == 0
    assert "none delivered" in said
    assert "raise --limit" in said


def test_one_event_is_shown_in_full_and_a_hostile_name_is_text(place: Place) -> None:
    (row,) = items(place, "list", "--kind", "patient")
    status, said = ask(place, "show", str(row["row"]))
    assert status == 0
    assert "ParticipantObjectIdentification" in said
    assert CANARY.split("^", maxsplit=1)[1] in said
    (shown,) = items(place, "show", str(row["row"]))
    root = fromstring(str(shown["message"]))
    assert CANARY in [each.text for each in root.iter("ParticipantObjectName")]
    assert ask(place, "show", "999999")[0] == 1


def test_a_whole_chain_is_said_to_be_whole_and_its_head_is_known_later(place: Place) -> None:
    status, said = ask(place, "verify")
    assert (status, "the chain is whole" in said) == (0, True)
    head = said.split("head ")[1].split()[0]
    assert ask(place, "verify", "--head", head)[0] == 0
    number, _, digest = head.partition(":")
    other = f"{number}:{'0' * 64 if digest[0] != '0' else '1' * 64}"
    status, said = ask(place, "verify", "--head", other)
    assert (status, "is not the one that was written down" in said) == (1, True)
    status, said = ask(place, "verify", "--head", f"99999:{digest}")
    assert (status, "not here any more" in said) == (1, True)


def test_events_are_exported_once_into_a_folder_of_their_own(place: Place, tmp_path: Path) -> None:
    folder = tmp_path / "trail"
    assert ask(place, "export", "--to", str(folder), "--kind", "patient")[0] == 0
    (file,) = folder.glob("*.xml")
    assert fromstring(file.read_text(encoding="utf-8")).tag == "AuditMessage"
    assert file.stat().st_mode & 0o077 == 0
    assert "patient" in (folder / "chain.csv").read_text(encoding="utf-8")
    assert ask(place, "export", "--to", str(folder))[0] == 2


def test_a_row_that_was_tampered_with_ends_verify_with_an_error(place: Place) -> None:
    """The last test: it breaks the trail."""
    with closing(sqlite3.connect(place.data / "openmodality.db")) as database:
        database.execute("DROP TRIGGER audit_is_not_changed")
        database.execute("UPDATE audit SET patients = '' WHERE number = 2")
        database.commit()
    status, said = ask(place, "verify")
    assert status == 1
    assert "the chain is broken at row 2" in said
    _, printed = ask(place, "verify", "--json")
    (found,) = json.JSONDecoder().raw_decode(printed[printed.index("{\n") :])[0]["items"]
    assert (found["whole"], found["broken_at"]) == (False, 2)
