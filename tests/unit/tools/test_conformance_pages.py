"""The printed statements of both devices, and the schema, are up to date."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.conformance_pages import DOCS, make_pages

PAGES = dict(make_pages())


@pytest.mark.parametrize("file", PAGES, ids=lambda file: file.name)
def test_the_page_is_up_to_date(file: Path) -> None:
    assert file.read_text(encoding="utf-8") == PAGES[file], "run: make docs"


def test_both_devices_and_the_schema_are_there() -> None:
    assert set(PAGES) == {
        DOCS / "conformance" / "mr.md", DOCS / "conformance" / "rf.md", DOCS / "conformance.schema.json",
    }  # fmt: skip
