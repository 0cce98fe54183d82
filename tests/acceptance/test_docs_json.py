"""The promise of docs/json.md holds: each command is run once, and what it prints is compared with the page."""

from __future__ import annotations

import json
import logging
import signal
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from pydicom import dcmread

from openmodality.audit.codes import EventKind
from openmodality.cli.display.hospital_lines import SERVERS
from openmodality.device.profile import loader
from openmodality.hospital.control import ControlSocket
from openmodality.hospital.orders import Orders
from openmodality.store.states import (
    ExamState,
    InstanceResult,
    JobKind,
    JobState,
    Origin,
    ProblemKind,
)
from tests.acceptance.command_line import finish, receiving, start
from tests.acceptance.documents import ROOT
from tests.acceptance.hospital_site import Place, in_hospital
from tests.acceptance.in_process import call
from tests.acceptance.json_promise import check_document, check_event, promised_commands, promised_values
from tests.command_tree import LEAVES
from tests.made_objects import report
from tests.peers.objects import mr_series

Printed = dict[str, list[Any]]
ELSEWHERE: Final = {"demo": "tests/acceptance/test_cli_demo.py", "completion": "a program for a shell, without --json"}
"""Commands that a test of their own compares with the page, and one that prints no result."""
IMPORTED: Final = "PatientID=TEST-0001"
LISTED_ONLY: Final = {"hospital --list-personalities", "instances list --problems"}


class Program:
    """Calls commands as a program does, and keeps what they print."""

    def __init__(self, place: Place, folder: Path) -> None:
        self.printed: Printed = {}
        self.place = place
        self.folder = folder

    def ask(self, command: str, *words: object, site: bool = True, status: int = 0) -> list[Any]:
        """The items that a command prints."""
        arguments = [*map(str, words), *(["-c", str(self.place.site)] if site else [])]
        ended, said = call([*command.split(), *arguments, "--json"], self.folder)
        assert (ended, "{\n" in said) == (status, True), said
        document, _ = json.JSONDecoder().raw_decode(said[said.index("{\n") :])
        self.printed.setdefault(command, []).append(document)
        items: list[Any] = document["items"]
        return items

    def run(self, command: str, *words: object) -> None:
        """Run a command that runs on until it has printed a line."""
        process = start(*command.split(), *words, "--json")
        assert process.stdout is not None
        lines = [process.stdout.readline()]
        process.send_signal(signal.SIGTERM)
        ended = finish(process)
        assert ended.status == 0, ended.err
        self.printed[command] = [json.loads(line) for line in [*lines, *ended.out.splitlines()]]


def _judge_displays(program: Program) -> None:
    """Commands that need no device."""
    measured = program.folder / "measured.csv"
    measured.write_text("".join(f"{0.5 + level * level / 200}\n" for level in range(256)), encoding="utf-8")
    program.ask("gsdf pattern", "pattern.png", "--rows", 128, "--columns", 128, site=False)
    program.ask("gsdf table", measured, site=False)
    program.ask("gsdf film", "--least", 0.2, "--greatest", 3.0, "--illumination", 2000, site=False)


def _read_trail(program: Program) -> None:
    """What all of that has left in the audit trail."""
    (newest, *_) = program.ask("audit list", "--limit", 3)
    program.ask("audit show", newest["row"])
    program.ask("audit export", "--to", program.folder / "trail", "--kind", "order")
    (chain,) = program.ask("audit verify")
    assert chain["whole"]
    program.ask("audit verify", "--head", chain["head"])


def _state(program: Program) -> None:
    """The conformance statement, and what a longer PDU changes in it."""
    program.ask("conformance print", "--profile", "mr", site=False)
    program.ask("conformance print", "--profile", "rf", "-o", "rf.json", site=False)
    stated = json.loads((program.folder / "rf.json").read_text("utf-8"))
    stated["association"]["max_pdu_receive_bytes"] = 16384
    (program.folder / "changed.json").write_text(json.dumps(stated), encoding="utf-8")
    (found,) = program.ask("conformance diff", program.folder / "rf.json", program.folder / "changed.json", site=False)
    assert "16384" in found["text"]


def _examine(program: Program) -> None:
    """A peer that the site knows, and what two statements predict."""
    program.ask("conformance print", "--profile", "mr", "-o", "mr.json", site=False)
    compared = ("--compare", program.folder / "mr.json", program.folder / "rf.json")
    assert program.ask("conformance check", "ris", *compared, status=1)


def _read_dose(program: Program) -> None:
    file = program.folder / "dose.dcm"
    report(None).save_as(file, enforce_file_format=True)
    program.ask("dose", file, site=False)


def _keep_aside(program: Program, image: Path) -> None:
    """Commands about what the index cannot hold: other content under a known UID."""
    other = dcmread(image)
    other.PatientID = "TEST-0002"
    other.save_as(image)
    program.ask("import", image, status=1)
    (problem,) = program.ask("instances list --problems")
    program.ask("instances retry", problem["problem"], status=1)
    program.ask("instances dismiss", problem["problem"])
    program.ask("recover")


def _note(program: Program, exam: int) -> None:
    """Documents of an exam in progress, and how its images are shown."""
    program.ask("exam unscheduled", "--patient-id", "U-3", "--patient-name", "Doe^Jim")
    program.ask("exam acquire", exam, "--simulate", "T1 SE SAG")
    [details] = program.ask("exam show", exam)
    program.ask("exam check", exam)
    series = details["series"][0]["SeriesInstanceUID"]
    [document] = program.ask("key make", exam, "--series", series, "--title", "For Teaching")
    program.ask("key show", document["sop_instance_uid"])
    program.ask("key titles", site=False)
    [state] = program.ask("present make", exam, "--series", series)
    program.ask("present show", state["sop_instance_uid"], "--output", program.folder / "shown")


def _print(program: Program, study: str) -> None:
    program.ask("printer show", "printer")
    program.ask("print", "printer", "--study", study, "--preview", program.folder / "sheet.png")
    program.ask("print", "printer", "--study", study)


def _look(program: Program) -> None:
    """Commands that show what there is."""
    (study,) = program.ask("studies list")
    program.ask("studies show", study["StudyInstanceUID"])
    series = program.ask("series list")[0]["SeriesInstanceUID"]
    program.ask("series show", series)
    instance = program.ask("instances list")[0]["SOPInstanceUID"]
    program.ask("instances show", instance)
    program.ask("exam list")
    program.ask("exam show", 1)
    program.ask("jobs list")
    program.ask("jobs list", "--limit", 1)
    program.ask("jobs show", 2)


def _change(program: Program, study: str, images: list[Path]) -> None:
    """Commands of peers, files and media."""
    pacs = program.place.hospital.pacs_peer
    program.ask("jobs cancel", 2)
    program.ask("jobs retry", 2)
    program.ask("echo", "pacs")
    program.ask("send", pacs, images[0], site=False)
    program.ask("query", "pacs", "--level", "STUDY", "-k", IMPORTED)
    program.ask("import", images[1])
    program.ask("commit", "pacs", "--study", study, "--wait", 0)
    program.ask("retrieve", "pacs", "--study", program.printed["query"][0]["items"][0]["StudyInstanceUID"])
    program.ask("media create", "disc", "--study", study)
    program.ask("media update", "disc", "--study", program.ask("studies list")[0]["StudyInstanceUID"])
    program.ask("media list", "disc", "--level", "SERIES")
    program.ask("media verify", "disc", site=False)
    program.ask("media iso", "disc", "disc.iso", site=False)
    program.ask("media retrieve", "disc")
    _print(program, study)
    (instance, *_) = program.ask("instances list", "-k", IMPORTED)
    program.ask("instances delete", instance["SOPInstanceUID"], "--force", "--yes")
    program.ask("series delete", instance["SeriesInstanceUID"], "--force", "--yes")
    program.ask("import", images[0])
    _keep_aside(program, images[0])
    program.ask("studies delete", instance["StudyInstanceUID"], "--force", "--yes")


def _let_in(program: Program) -> None:
    """Users and programs of the console."""
    program.ask("console link")
    program.ask("console user add", "bob", "--role", "operator")
    program.ask("console user link", "bob")
    program.ask("console user change", "bob", "--disable")
    program.ask("console user list")
    program.ask("console token add", "display", "--scope", "view")
    program.ask("console token list")
    program.ask("console token revoke", "display")


def _give_order(program: Program) -> None:
    hospital = program.place.hospital
    port = hospital.ris_peer.port
    with ControlSocket(port, Orders(hospital, lambda: None).obey):
        program.ask("hospital ctl", "status", "--ris-port", port, site=False)


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Printed]:
    """What each command printed, by its words."""
    folder = tmp_path_factory.mktemp("promise")
    images = mr_series(folder / "images", 2)
    with in_hospital(folder) as place:
        program = Program(place, folder)
        program.ask("init", "other", "--profile", "mr", site=False)
        program.ask("profile check", ROOT / "docs" / "examples" / "ct", site=False)
        program.ask("profile check", ROOT / "tests" / "data" / "profiles" / "us", site=False, status=1)
        _state(program)
        _examine(program)
        program.ask("man", "man1", site=False)
        program.ask("worklist")
        program.ask("worklist", place.hospital.ris_peer, site=False)
        program.ask("exam start", 1)
        program.ask("exam acquire", 1, "--simulate", "T1 SE SAG")
        program.ask("exam complete", 1)
        program.ask("exam unscheduled", "--patient-id", "U-1", "--patient-name", "Doe^John")
        program.ask("exam discontinue", 2)
        _look(program)
        _change(program, program.printed["studies list"][0]["items"][0]["StudyInstanceUID"], images)
        _note(program, 3)
        _let_in(program)
        _read_trail(program)
        _judge_displays(program)
        _read_dose(program)
        program.run("serve", "-c", place.site)
        program.ask("hospital --list-personalities", site=False)
        _give_order(program)
        program.run("hospital", "--ris-port", 0, "--pacs-port", 0, "--printer-port", 0)
        with receiving(folder / "received", "--json") as receiver:
            program.ask("send", receiver.address, images[0], site=False)
            program.printed["receive"] = [json.loads(line) for line in receiver.stop().out.splitlines()]
        yield program.printed


@pytest.mark.parametrize("command", [each for each in (*LEAVES, *sorted(LISTED_ONLY)) if each not in ELSEWHERE])
def test_a_command_prints_what_the_page_promises(command: str, printed: Printed) -> None:
    assert printed[command]
    for document in printed[command]:
        (check_event if "event" in document else check_document)(command, document)


def test_a_check_of_a_profile_silences_its_loader_for_itself_only(printed: Printed) -> None:
    assert printed["profile check"]
    assert logging.getLogger(loader.__name__).level == logging.NOTSET


def test_the_page_promises_for_every_command_and_no_other() -> None:
    assert promised_commands() == {*LEAVES, *LISTED_ONLY} - {"completion"}


@pytest.mark.parametrize(
    ("kind", "member", "values"),
    [
        ("exam", "state", ExamState),
        ("job", "kind", JobKind),
        ("job", "state", JobState),
        ("job", "results", InstanceResult),
        ("instance of a job", "result", InstanceResult),
        ("problem", "kind", ProblemKind),
        ("problem", "origin", Origin),
        ("hospital event", "place", [*(server.upper() for server in SERVERS), "AUDIT"]),
        ("audit event", "kind", EventKind),
    ],
)
def test_the_page_names_each_value(kind: str, member: str, values: Iterable[str]) -> None:
    assert promised_values(kind, member) == set(map(str, values))


@pytest.mark.parametrize(
    "change",
    [{"job": "1"}, {"queued": "2026-11-22T08:40:00"}, {"scheduled": True}, {"kind": None}, {"results": {"a": ""}}],
)
def test_what_is_not_promised_is_found(change: dict[str, object], printed: Printed) -> None:
    document = printed["jobs list"][0]
    changed = [{**job, **change} for job in document["items"]]
    with pytest.raises(AssertionError):
        check_document("jobs list", {**document, "items": changed})


def test_a_member_that_is_missing_is_found(printed: Printed) -> None:
    document = printed["jobs show"][0]
    with pytest.raises(AssertionError, match="history is missing"):
        check_document("jobs show", _without(document, "history"))


def _without(document: dict[str, Any], member: str) -> dict[str, Any]:
    items = [{name: value for name, value in item.items() if name != member} for item in document["items"]]
    return {**document, "items": items}
