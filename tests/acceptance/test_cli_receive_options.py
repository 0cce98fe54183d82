"""``openmodality receive``: what is accepted, where it goes, and what is run for it, before DCMTK's storescu."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from tests.acceptance.command_line import Receiving, openmodality, receiving
from tests.acceptance.json_promise import check_event
from tests.interop import contents
from tests.peers import dcmtk, objects
from tests.peers.process import Finished, wait_until

pytestmark = pytest.mark.needs("storescu")
APPEND = "import os, sys; log = open(sys.argv[1], 'a'); print(*sys.argv[2:], sep='|', file=log); log.close()"
TOLD = "os.environ['OPENMODALITY_FILE'], os.environ['OPENMODALITY_STUDY'], os.environ['OPENMODALITY_CALLING']"
APPEND_TOLD = APPEND.replace("[2:]", f"[2:], {TOLD}")


def python(code: str, *words: object) -> str:
    """A command that runs this code."""
    return shlex.join([sys.executable, "-c", code, *map(str, words)])


def store(here: Receiving, *arguments: str | Path) -> Finished:
    return dcmtk.scu("storescu", here.address, *arguments)


def lines_of(log: Path) -> list[list[str]]:
    return [line.split("|") for line in log.read_text().splitlines()] if log.exists() else []


def test_only_what_is_accepted_is_taken_in_our_order(tmp_path: Path) -> None:
    [path] = objects.mr_series(tmp_path / "files", 1)
    with receiving(tmp_path / "one", "--json", "--accept", "ImplicitVRLittleEndian") as here:
        assert store(here, "-xi", path).status == 0  # proposes Implicit VR Little Endian alone
        ended = here.stop()
        assert json.loads(ended.out)["transfer_syntax"] == ImplicitVRLittleEndian
    with receiving(tmp_path / "two", "--accept", "ExplicitVRBigEndian") as here:
        refused = store(here, "-xi", path)
        assert refused.status != 0
        assert "No Acceptable Presentation Contexts" in refused.output
        assert dcmtk.scu("echoscu", here.address).status == 0
        assert here.files() == []


def test_the_first_that_is_named_is_preferred(tmp_path: Path) -> None:
    [path] = objects.mr_series(tmp_path / "files", 1)
    for first, second, expected in (
        ("ExplicitVRLittleEndian", "ImplicitVRLittleEndian", ExplicitVRLittleEndian),
        ("ImplicitVRLittleEndian", "ExplicitVRLittleEndian", ImplicitVRLittleEndian),
    ):
        with receiving(tmp_path / first, "--json", "--accept", first, "--accept", second) as here:
            assert openmodality("send", here.address, path).status == 0
            ended = here.stop()
        assert json.loads(ended.out)["transfer_syntax"] == expected


def test_files_are_sorted_by_study(tmp_path: Path) -> None:
    one = objects.mr_series(tmp_path / "files", 2)
    two = objects.mr_series(tmp_path / "files", 1, StudyInstanceUID="1.2.840.99.1")
    study = dcmread(one[0]).StudyInstanceUID
    folder = tmp_path / "received"
    with receiving(folder, "--json", "--sort-by", "study") as here:
        assert store(here, *one, *two, *one).status == 0
        ended = here.stop()
    for path, name in ((one[0], study), (one[1], study), (two[0], "1.2.840.99.1")):
        contents.assert_same_content(path, folder / name / path.name)
    assert {each.name for each in folder.iterdir()} <= {study, "1.2.840.99.1", ".incoming"}
    lines = [json.loads(line) for line in ended.out.splitlines()]
    assert [line["stored"] for line in lines] == ["new"] * 3 + ["already stored"] * 2
    assert lines[2]["path"] == str(folder / "1.2.840.99.1" / two[0].name)


def test_an_instance_from_before_stays_where_it_is_and_that_is_said(tmp_path: Path) -> None:
    image = objects.mr_image(StudyInstanceUID="1.2.840.99.1")
    path = objects.save(image, tmp_path / "1")
    image.StudyInstanceUID = "1.2.840.99.2"
    other = objects.save(image, tmp_path / "2")
    folder = tmp_path / "received"
    with receiving(folder) as here:
        assert store(here, path).status == 0
    with receiving(folder, "--sort-by", "study") as here:
        assert store(here, path).status == 0
        assert "0x110" in store(here, "-v", other).output
        assert [str(file.relative_to(folder)) for file in folder.rglob("*.dcm")] == [path.name]
        ended = here.stop()
    assert f"{path.stem}: is there already, and stays at {folder / path.name}" in ended.err
    assert f"came again with different content, the first is kept at {folder / path.name}" in ended.err


@pytest.mark.parametrize("study", ["", "../../outside"])
def test_an_instance_without_a_study_is_refused_where_files_are_sorted(tmp_path: Path, study: str) -> None:
    image = objects.mr_image()
    image["StudyInstanceUID"]._value = study  # pydicom would warn
    path = objects.save(image, tmp_path / "files")
    with receiving(tmp_path / "received", "--sort-by", "study") as here:
        assert "CannotUnderstand" in store(here, "-v", path).output
        assert list(here.folder.rglob("*.dcm")) == []
    assert not (tmp_path / "outside").exists()


def test_a_command_for_each_file_and_one_for_the_study(tmp_path: Path) -> None:
    paths = objects.mr_series(tmp_path / "files", 3)
    study = dcmread(paths[0]).StudyInstanceUID
    files, studies, folder = tmp_path / "files.log", tmp_path / "studies.log", tmp_path / "received"
    options = ["--sort-by", "study", "--exec", python(APPEND_TOLD, files), "--study-end", "0.5"]
    with receiving(folder, *options, "--exec-study", python(APPEND_TOLD, studies)) as here:
        assert store(here, *paths).status == 0
        wait_until(lambda: bool(lines_of(studies)), what="the command of the study")
        assert store(here, paths[0]).status == 0  # there already: nothing is run
        ended = here.stop()
    stored = [str(folder / study / path.name) for path in paths]
    assert lines_of(files) == [[path, path, study, "TESTER"] for path in stored]
    assert lines_of(studies) == [[str(folder / study), "", study, "TESTER"]]
    assert (ended.status, ended.err) == (0, "received 4 files\n")


def test_at_the_stop_what_is_queued_is_finished_and_the_study_has_ended(tmp_path: Path) -> None:
    paths = objects.mr_series(tmp_path / "files", 4)
    files, studies = tmp_path / "files.log", tmp_path / "studies.log"
    slow = python("import time; time.sleep(0.3); " + APPEND, files)
    with receiving(tmp_path / "received", "--exec", slow, "--exec-study", python(APPEND, studies)) as here:
        assert store(here, *paths).status == 0
        ended = here.stop()
    assert [Path(path).name for [path] in lines_of(files)] == [path.name for path in paths]
    assert lines_of(studies) == [[dcmread(paths[0]).StudyInstanceUID]]
    assert ended.status == 0
    assert "commands; Ctrl-C ends what runs" in ended.err


def test_no_shell_reads_what_a_peer_has_sent(tmp_path: Path) -> None:
    [path] = objects.mr_series(tmp_path / "files", 1)
    log, folder = tmp_path / "log", tmp_path / "a b; $(touch x)"
    with receiving(folder, "--exec", python(APPEND_TOLD, log)) as here:
        assert dcmtk.scu("storescu", here.address, path, calling="$(touch y)").status == 0
    [[argument, _, _, calling]] = lines_of(log)
    assert (argument, calling) == (str(folder / path.name), "$(touch y)")


def test_a_command_that_fails_is_told_and_reception_goes_on(tmp_path: Path) -> None:
    paths = objects.mr_series(tmp_path / "files", 2)
    command = python("import sys; print('said'); sys.exit(7)")
    with receiving(tmp_path / "received", "--json", "--exec", command) as here:
        assert store(here, *paths).status == 0
        assert len(here.files()) == 2
        ended = here.stop()
    events = [json.loads(line) for line in ended.out.splitlines()]
    for event in events:
        check_event("receive", event)
    failed = [event for event in events if event["event"] == "command_failed"]
    assert [event["argument"] for event in failed] == [str(tmp_path / "received" / path.name) for path in paths]
    assert {(event["option"], event["status"], event["reason"]) for event in failed} == {
        ("--exec", 7, "ended with status 7")
    }
    assert failed[0]["command"] == command
    assert ended.err.count(": ended with status 7\n") == 2
    assert ended.err.count("said\n") == 2
    assert ended.status == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--accept", "JPEG"], "--accept"),
        (["--sort-by", "patient"], "--sort-by"),
        (["--exec", ""], "it is empty"),
        (["--exec", "echo 'a"], "no closing quotation"),
        (["--exec-study", "/no/such/program"], "there is no program '/no/such/program'"),
        (["--exec-study", "true", "--study-end", "0"], "--study-end"),
    ],
)
def test_wrong_options(tmp_path: Path, arguments: list[str], said: str) -> None:
    ended = openmodality("receive", tmp_path, "--port", 0, *arguments)
    assert ended.status == 2
    assert said in ended.error_line
