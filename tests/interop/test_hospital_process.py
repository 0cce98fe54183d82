"""The virtual hospital as a process: its command line, kill -9 and restart, and what it writes to its log."""

from __future__ import annotations

import contextlib
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydicom.uid import generate_uid

from openmodality.hospital.personalities import PERSONALITIES
from openmodality.network.entity import RemoteAE
from openmodality.services import mpps
from openmodality.services.verification import echo
from openmodality.standard.sop_classes import MODALITY_PERFORMED_PROCEDURE_STEP, VERIFICATION
from tests import hospital_scu as scu
from tests.acceptance.command_line import Ended, openmodality
from tests.peers.process import environment

PROGRAM = "from openmodality.cli.main import main; main()"
ROOT = Path(__file__).parents[2]
MARK = "Canary"
PORTS = ("--ris-port", "0", "--pacs-port", "0", "--printer-port", "0")


class Process:
    """``openmodality hospital --json`` on free ports."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.listening = self.event("listening")

    def event(self, kind: str) -> dict[str, Any]:
        """The next event of a kind."""
        assert self.process.stdout is not None
        for text in self.process.stdout:
            event: dict[str, Any] = json.loads(text)
            if event["event"] == kind:
                return event
        raise AssertionError(f"the hospital ended before {kind}")

    def say(self, text: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{text}\n")
        self.process.stdin.flush()

    def peer(self, server: str) -> RemoteAE:
        at = self.listening[server]
        return RemoteAE(at["aet"], at["host"], at["port"])


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-c", PROGRAM, "hospital", *PORTS, *map(str, arguments)]


@contextlib.contextmanager
def running(*arguments: str | Path) -> Iterator[Process]:
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command("--json", *arguments), stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=_environment()
    ) as process:
        try:
            yield Process(process)
        finally:
            process.kill()


def _environment() -> dict[str, str]:
    return {**environment(), "PYTHONPATH": str(ROOT / "src"), "PYTHONUTF8": "1"}


def run(*arguments: str) -> Ended:
    """To its end, as a fork of the process that has everything imported."""
    return openmodality("hospital", *PORTS, *arguments)


def ask(peer: RemoteAE) -> int:
    with scu.associated(peer, VERIFICATION) as association:
        return echo(association)


def test_it_listens_obeys_and_ends(tmp_path: Path) -> None:
    with running("--data", tmp_path, "--misbehave", "pacs:slow@1=0") as hospital:
        assert [ask(hospital.peer(server)) for server in ("ris", "pacs", "printer")] == [0, 0, 0]
        assert hospital.event("misbehaved")["personality"] == "slow"
        hospital.say("misbehave printer:abort")
        hospital.say("misbehave nonsense")
        hospital.say("quit")
        _, complained = hospital.process.communicate(timeout=20)
        assert hospital.process.returncode == 0
    assert "there is no personality 'nonsense'" in complained
    assert (tmp_path / "schedule.json").exists()


def test_it_stops_at_sigterm() -> None:
    with running() as hospital:
        folder = Path(hospital.listening["data"])
        assert folder.exists()
        hospital.process.terminate()
        assert hospital.process.wait(20) == 0
    assert not folder.exists()


def test_it_survives_kill_9(tmp_path: Path) -> None:
    transactions, uid = scu.Transactions(), generate_uid()
    with scu.hospital(tmp_path) as seen:
        item = seen.ris.items[0]
    images = scu.images(item, uid, 3)
    with running("--data", tmp_path, "--commitment-delay", "3600") as hospital:
        with scu.associated(hospital.peer("ris"), MODALITY_PERFORMED_PROCEDURE_STEP) as association:
            assert mpps.create_step(association, uid, scu.step_attributes(item)).status == 0
        assert [result.status for result in scu.store_to(hospital.peer("pacs"), *images)] == [0, 0, 0]
        assert scu.commit_to(hospital.peer("pacs"), transactions, images).status == 0
        hospital.process.kill()
    with scu.listening(transactions) as port:
        arguments = ("--data", tmp_path, "--commitment-delay", "0", "--peer", f"{scu.DEVICE}=127.0.0.1:{port}")
        with running(*arguments) as hospital:
            # The plan of the transaction says 3600 s; an address that changes makes it due at once
            hospital.say(f"peer {scu.DEVICE}=127.0.0.1:{port}")
            assert hospital.event("commitment.reported")["failed"] == 0
    with scu.hospital(tmp_path) as again:
        assert set(again.pacs.instances) == {image.SOPInstanceUID for image in images}
        assert [(step.sop_instance_uid, step.status) for step in again.ris.steps] == [(uid, "IN PROGRESS")]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--misbehave", "nonsense"), "there is no personality 'nonsense'"),
        (("--peer", "OM_MR"), "'OM_MR' is not an address"),
        (("--peer", "OM_MR=localhost:0"), "port 0 is outside"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(arguments: tuple[str, ...], said: str) -> None:
    done = run(*arguments)
    assert done.status == 2
    assert said in done.err
    assert len(done.err.splitlines()) == 1


def test_a_wrong_schedule_is_one_line_and_status_2(tmp_path: Path) -> None:
    (tmp_path / "schedule.json").write_text("{", encoding="utf-8")
    done = run("--data", str(tmp_path))
    assert done.status == 2
    assert "schedule.json, line 1" in done.err


def test_the_personalities_are_listed_and_documented() -> None:
    listed = run("--list-personalities").out
    documented = (ROOT / "docs" / "hospital.md").read_text(encoding="utf-8")
    for name, personality in PERSONALITIES.items():
        assert any(line.startswith(f"{name} ") and personality.summary in line for line in listed.splitlines()), name
        servers = ", ".join(personality.servers)
        assert f"| `{name}` | {servers} | {personality.hook.value} | {personality.summary} |" in documented
    items = json.loads(run("--list-personalities", "--json").out)["items"]
    assert [item["name"] for item in items] == list(PERSONALITIES)


def test_no_patient_in_log_event_or_complaint(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with scu.hospital(tmp_path) as hospital:
        patient_id = hospital.ris.items[0].patient_id
        hospital.ris.change_patient(
            patient_id, PatientName=f"{MARK}^Name", AccessionNumber=f"{MARK}1", PatientID=f"{MARK}2", Allergies=MARK
        )
        item, uid = hospital.ris.items[0], generate_uid()
        hospital.misbehave("mpps-0110@1", "pacs:a700@1", "pacs:abort-mid-transfer@2", "commit-failures")
        for _ in range(2):
            scu.create_step(hospital, scu.step_attributes(item), uid)
        images = scu.images(item, uid, 3)
        for image in images:
            with contextlib.suppress(Exception):
                scu.store(hospital, image)
        images[2].PatientID = f"{MARK}3"
        images[2].SOPInstanceUID = generate_uid()
        scu.store(hospital, images[2])
        scu.request_commitment(hospital, scu.Transactions(), images)
        scu.end_step(hospital, uid, images[:1])
        scu.query(hospital)
        assert hospital.complaints
        said = [json.dumps(event.as_dict()) for event in hospital.events]
    records = [json.dumps(vars(record), default=str) for record in caplog.records]
    assert any("hospital.event" in record for record in records)
    own = [text for text in (*said, *records) if MARK in text]
    assert own == []
    assert MARK not in (tmp_path / "complaints.jsonl").read_text(encoding="utf-8")
