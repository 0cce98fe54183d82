"""A change of a site file is written whole or not at all, and what was there is kept."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from openmodality.device.site.new_site import write_site
from openmodality.device.site.site_change import (
    MOST_KEPT,
    find_kept,
    find_kept_folder,
    list_kept,
    mask_passwords,
    plan_change,
    write_change,
)
from openmodality.errors import ConfigurationError, NotFound, WrongState

AT = 1_800_000_000.25


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write_site(tmp_path / "site", "mr")


def test_a_change_is_written_and_can_be_put_back(file: Path) -> None:
    before = file.read_text()
    after = before.replace("port = 11114", "port = 104")
    change = plan_change(file, before, after)
    assert [line for line in change.lines if line[:1] in "+-"] == ["-port = 11114", "+port = 104"]
    kept = write_change(change, AT)
    assert (file.read_text(), kept.read_text()) == (after, before)
    assert stat.S_IMODE(file.stat().st_mode) == stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert list_kept(file) == [kept]
    assert find_kept(file, kept.name) == kept
    write_change(plan_change(file, after, kept.read_text()), AT + 1)
    assert file.read_text() == before
    assert [path.name for path in file.parent.iterdir() if path.name.endswith(".part")] == []


def test_what_makes_no_site_is_refused_before(file: Path) -> None:
    before = file.read_text()
    with pytest.raises(ConfigurationError, match=r"peers\.pacs\.port: .*less than or equal to 65535"):
        plan_change(file, before, before.replace("port = 11114", "port = 111140"))
    assert list_kept(file) == []


def test_what_another_has_written_meanwhile_stays(file: Path) -> None:
    before = file.read_text()
    change = plan_change(file, before, before + "# mine\n")
    file.write_text(before + "# theirs\n")
    with pytest.raises(WrongState, match="was changed meanwhile"):
        write_change(change, AT)
    assert file.read_text() == before + "# theirs\n"


def test_what_cannot_be_written_stays_as_it_was(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = file.read_text()
    change = plan_change(file, before, before + "# mine\n")

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(ConfigurationError, match="cannot be written: No space left on device"):
        write_change(change, AT)
    assert file.read_text() == before


def test_so_many_are_kept_and_no_more(file: Path) -> None:
    for number in range(MOST_KEPT + 2):
        text = file.read_text()
        write_change(plan_change(file, text, f"{text}# {number}\n"), AT + number)
    kept = list_kept(file)
    assert len(kept) == MOST_KEPT
    assert kept[0].read_text().count("\n# ") > kept[-1].read_text().count("\n# "), "the newest first"
    (find_kept_folder(file) / "other.toml").write_text("")
    assert len(list_kept(file)) == MOST_KEPT
    for name in ("other.toml", "../site.toml"):
        with pytest.raises(NotFound):
            find_kept(file, name)


def test_passwords_are_not_shown() -> None:
    text = 'database = "postgresql://om:secret@host/db"'
    assert mask_passwords(text) == 'database = "postgresql://om:***@host/db"'
    assert mask_passwords('host = "10.0.0.7"') == 'host = "10.0.0.7"'
