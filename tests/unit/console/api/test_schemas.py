"""The table of records is what the documents say, and each command has its resource or a reason why not."""

from __future__ import annotations

import re
from typing import Final

import pytest

from openmodality.console.api.schemas import EVERYTHING, read_members
from tests.acceptance.documents import ROOT
from tests.command_tree import LEAVES
from tests.rest_client import DOCUMENT

PAGES: Final = "\n".join((ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("json.md", "rest.md"))
_ROW: Final = re.compile(r"^\| `(\w+)` \| (.*?) \|(?: (.*?) ?\|)?$", flags=re.MULTILINE)
_COMMAND: Final = re.compile(r"^\| `([a-z ]+)` \| (?:`([A-Z]+) (/[^`]+)`|(none(?: yet)?: .+)) \|$", flags=re.MULTILINE)


@pytest.mark.parametrize("record", sorted(read_members()))
def test_a_record_has_the_members_of_its_page(record: str) -> None:
    found = re.search(rf"^### {re.escape(record)}\n(.*?)(?=^#|\Z)", PAGES, flags=re.MULTILINE | re.DOTALL)
    assert found, f"no page has {record}"
    rows = [(row[1], row[2], row[3] or "") for row in _ROW.finditer(found[1])]
    own = read_members()[record]
    assert [(each.name, each.kind, each.meaning) for each in own if each.name != EVERYTHING] == rows
    of_others = [each.kind for each in own if each.name == EVERYTHING]
    said = re.findall(r"^All of \[(.*?)\]", found[1], flags=re.MULTILINE)
    assert [each for each in of_others if each != "attributes"] == said
    is_open = re.search(r"^(Attributes, and|.*its attributes)", found[1], flags=re.MULTILINE)
    assert ("attributes" in of_others) == bool(is_open)


def read_section(title: str) -> str:
    page = (ROOT / "docs" / "rest.md").read_text(encoding="utf-8")
    return page.partition(f"## {title}\n")[2].partition("\n## ")[0]


def test_each_command_has_its_resource_or_a_reason_why_not() -> None:
    table = (ROOT / "docs" / "rest.md").read_text(encoding="utf-8").partition("## Commands and resources")[2]
    named = {
        command: (method, path, why) for command, method, path, why in _COMMAND.findall(table.partition("\n## ")[0])
    }
    assert set(named) == set(LEAVES)
    for command, (method, path, why) in named.items():
        assert why or method.lower() in DOCUMENT["paths"][f"/api/v1{path}"], command


def test_the_figures_of_the_page_are_those_that_there_are() -> None:
    page = (
        (ROOT / "docs" / "rest.md").read_text(encoding="utf-8").partition("## For supervisors")[2].partition("\n## ")[0]
    )
    named = set(re.findall(r"`([a-z_]+)`", page)) - {"view", "openmodality_"}
    source = (ROOT / "src" / "openmodality" / "console" / "metrics.py").read_text(encoding="utf-8")
    assert named == set(re.findall(r'_(?:gauge|counter|histogram)\(\s*"(\w+)"', source))
