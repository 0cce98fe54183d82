"""``docs/objects-mr.md`` and ``docs/objects-rf.md`` say what the profiles say, row by row."""

from __future__ import annotations

import csv

import pytest

from tests.mr_image_values import ELSEWHERE, SPEC
from tools.objects_page import PAGE, PAGES, make_page


@pytest.mark.parametrize("profile", PAGES)
def test_the_page_is_up_to_date(profile: str) -> None:
    text = PAGES[profile].read_text(encoding="utf-8")
    assert text == make_page(text, profile), "run: python -m tools.objects_page"


def test_each_row_of_the_tables_of_the_rf_statement_is_on_its_page() -> None:
    lines = PAGES["rf"].read_text(encoding="utf-8").splitlines()
    with (SPEC.parent / "rf" / "iod_modules.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            tag = f"({row['path'].rpartition('>')[2]})"
            assert any(f"{row['keyword']}" in line and f"| {tag} |" in line for line in lines), row


def test_each_row_of_the_statement_is_on_the_page_with_its_type_and_source() -> None:
    """Of some the type is another one: the standard decides where a statement prints something looser, or stricter."""
    rows = [line.split(" | ") for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    named = {(row[0].strip("|> ").partition(" (")[0], row[1]): row[3:5] for row in rows if len(row) >= 7}
    with (SPEC / "iod_modules.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["iod_scope"] in ("common", "MR", "SC") and row["keyword"]:
                tag = f"({row['path'].rpartition('>')[2]})"
                kind, source = named[row["keyword"], tag]
                assert kind in ("1", "1C", "2", "2C", "3")
                assert source


def test_what_an_mr_image_does_not_have_is_named_with_the_reason() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for keyword, reason in ELSEWHERE.items():
        [line] = [each for each in text.splitlines() if each.startswith(f"| {keyword} | Secondary Capture")]
        assert reason.partition("(")[2].rstrip(")") in line


def test_each_private_attribute_is_on_the_page() -> None:
    text = PAGE.read_text(encoding="utf-8")
    with (SPEC / "private_dictionary.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["element_offset"]:
                assert f"| MMCPrivate | {row['name']} | ({row['tag']}) | {row['vr']} |" in text
