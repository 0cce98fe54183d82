from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from pydicom import dcmread

from tests import plain_http
from tests.acceptance.command_line import SOURCES, openmodality
from tests.acceptance.json_promise import check_document
from tests.peers.process import free_port

USUAL = (11112, 11104, 11105, 11113, 11114, 11115)


@pytest.mark.timeout(120)
def test_both_devices_and_then_the_next_item(tmp_path: Path) -> None:
    (tmp_path / "ports.json").write_text(json.dumps({port: free_port() for port in USUAL}))
    ended = openmodality("demo", "--data", tmp_path, "--no-console", timeout_s=180)
    assert ended.status == 0, ended.err
    assert ended.err == ""
    for step in (
        "exam started",
        "acquiring T1 SE SAG: 9 of 9",
        "checked T1 SE SAG: rows P, columns F; right to left by 7 mm; 256 x 256 mm; 12 of 12 bits; fine",
        "a dose report among them",
        "film printed: 20 images on 1 sheet",
        "committed by the PACS: 36",
        "disc made: 36 instances",
        "disc made: 26 instances, 2 left out by its profile",
    ):
        assert step in ended.out
    assert ended.out.count("stored in the PACS:") == 2
    lines = ended.out.splitlines()
    heading = next(number for number, line in enumerate(lines) if line.startswith("device "))
    assert [line.split()[0] for line in lines[heading + 1 : heading + 3]] == ["mr", "rf"]
    for profile, count in (("mr", 36), ("rf", 26)):
        disc = tmp_path / profile / "discs" / "exam-1.iso"
        assert f"disc: {disc}" in lines
        assert disc.read_bytes()[32769:32774] == b"CD001"
        directory = dcmread(disc.with_suffix("") / "DICOMDIR")
        assert sum("ReferencedFileID" in record for record in directory.DirectoryRecordSequence) == count
    films = [Path(line.removeprefix("film: ")) for line in lines if line.startswith("film: ")]
    assert [path.parent for path in films] == [tmp_path / "hospital" / "printer"] * 2
    for film in films:
        with Image.open(film) as sheet:
            assert sheet.size == (1200, 1500)  # 8 x 10 inches
            assert max(sheet.convert("L").tobytes()) > 200
    pictures = sorted((tmp_path / "mr" / "pictures").rglob("*.png"))
    assert len(pictures) == 36
    with Image.open(pictures[0]) as picture:
        assert picture.size == (256, 256)

    again = openmodality("demo", "--data", tmp_path, "--profile", "mr", "--json")
    check_document("demo", again.json)
    assert [exam["faults"] for exam in again.items] == [[]]
    assert again.items[0]["item"] not in ended.out


def test_says_why_it_cannot(tmp_path: Path) -> None:
    (tmp_path / "ports.json").write_text("[]")
    ended = openmodality("demo", "--data", tmp_path)
    assert ended.status == 2
    assert "ports.json is no list of ports" in ended.error_line


def test_on_a_terminal_it_goes_on_with_a_console(tmp_path: Path) -> None:
    (tmp_path / "ports.json").write_text(json.dumps({port: free_port() for port in (*USUAL, 11180)}))
    ours, theirs = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(SOURCES)}
    words = ["-c", "from openmodality.cli.main import main; main()", "demo", "--data", str(tmp_path), "--profile", "mr"]
    with subprocess.Popen(
        [sys.executable, *words], stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
    ) as process:
        os.close(theirs)
        printed = b""
        try:
            while b"Ctrl-C stops" not in printed:
                printed += os.read(ours, 4096)
            (url,) = re.findall(rb"console: (http://\S+)", printed)
            assert plain_http.get(url.decode()).status_code == 401
            (setup,) = re.findall(rb"within an hour at (http://\S+)", printed)
            assert "The first user" in plain_http.get(setup.decode()).text
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 0
        finally:
            process.kill()
            os.close(ours)
