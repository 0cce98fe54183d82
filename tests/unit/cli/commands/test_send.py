"""Which files ``openmodality send`` finds."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from openmodality.cli.commands.send import SendReport, find_instances
from openmodality.cli.terminal.progress import ProgressLine
from openmodality.dimse.status import StatusCategory
from openmodality.dimse.verdict import Verdict
from openmodality.errors import TransportError
from openmodality.network.storage.sent import Sent
from openmodality.services.storage import STORE_JUDGE, StoreResult
from tests.peers.objects import mr_series


def test_a_folder_that_cannot_be_listed_is_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By a system call that fails, as root may list everything."""
    [path] = mr_series(tmp_path / "open", 1)
    closed = tmp_path / "closed"
    closed.mkdir()
    real = os.scandir

    def scandir(folder: Any) -> Any:
        if Path(folder) == closed:
            raise PermissionError(13, "Permission denied", str(folder))
        return real(folder)

    monkeypatch.setattr(os, "scandir", scandir)
    instances, unreadable = find_instances([tmp_path])
    assert [instance.path for instance in instances] == [path]
    assert [path for path, _ in unreadable] == [closed]
    assert capsys.readouterr().err == f"{closed}: cannot be read: Permission denied\n"


def test_links_to_folders_are_followed_and_each_folder_is_gone_through_once(tmp_path: Path) -> None:
    here, elsewhere, named = tmp_path / "here", tmp_path / "elsewhere", tmp_path / "named"
    files = {folder: mr_series(folder, 1)[0].name for folder in (here / "below", elsewhere, named)}
    (here / "link").symlink_to(elsewhere)
    (here / "same").symlink_to(elsewhere)
    (here / "below" / "up").symlink_to(here)
    (elsewhere / "up").symlink_to(tmp_path / "here" / "below")
    instances, unreadable = find_instances([here, named, here, named])
    found = [instance.path for instance in instances]
    assert found == [here / "below" / files[here / "below"], here / "link" / files[elsewhere], named / files[named]]
    assert unreadable == []


def test_results_are_counted_by_the_verdict_that_decided_them(tmp_path: Path) -> None:
    instances, _ = find_instances(mr_series(tmp_path, 1))
    verdict = Verdict(0xC123, StatusCategory.WARNING, "the peer keeps a copy", "succeed")
    report = SendReport("PACS", instances, [])
    report.add(Sent(instances[0], StoreResult(0xC123, verdict)), ProgressLine("sent", 1, 1), quiet=True)
    told = report.as_json(1.0)
    assert (told["stored"], told["outcomes"]) == (1, {"the peer keeps a copy": 1})


def test_what_befalls_many_files_is_one_line_with_a_count_and_the_cause(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    instances, _ = find_instances(mr_series(tmp_path, 62))
    report, progress = SendReport("PACS", instances, []), ProgressLine("sent", 62, 62)
    full = StoreResult(0xA700, STORE_JUDGE(0xA700))
    gone = TransportError("not sent, because the association ended", advice="try again")
    for number, instance in enumerate(instances):
        sent = Sent(instance, full) if number < 60 else Sent(instance, error=gone)
        report.add(sent, progress, quiet=False)
    assert capsys.readouterr().err == ""
    report.say_unsent()
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith(f"{instances[0].path} and 59 other files: A700 ")
    assert "out of resources" in first.lower()
    assert second == f"{instances[60].path} and 1 other file: not sent, because the association ended; try again"
