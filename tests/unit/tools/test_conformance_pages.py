"""The printed statements of both devices, and the schema, are up to date."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tools import conformance_pages
from tools.conformance_pages import DOCS, RELEASED, list_changes, make_pages

NAMES = ("conformance/mr.md", "conformance/rf.md", "conformance/changes.md", "conformance.schema.json")


@pytest.fixture(scope="module")
def pages() -> dict[Path, str]:
    return dict(make_pages())


@pytest.mark.parametrize("file", [DOCS / name for name in NAMES], ids=lambda file: file.name)
def test_the_page_is_up_to_date(file: Path, pages: dict[Path, str]) -> None:
    assert file.read_text(encoding="utf-8") == pages[file], "run: make docs"


def test_both_devices_the_schema_and_the_changes_are_there(pages: dict[Path, str]) -> None:
    assert set(pages) == {DOCS / name for name in NAMES}


def test_what_a_release_did_not_say_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A statement of a release in which the device had a worklist key less."""
    for profile in ("mr", "rf"):
        stated = json.loads((RELEASED / f"{profile}.json").read_text("utf-8"))
        key = stated["worklist_keys"].pop()
        (tmp_path / f"{profile}.json").write_text(json.dumps(stated), "utf-8")
    monkeypatch.setattr(conformance_pages, "RELEASED", tmp_path)
    told = [line for line in list_changes() if line.startswith("- worklist: ")]
    assert len(told) == 2
    assert f"is now asked for {key['keyword']}" in told[1]
