"""The printed statement: its order, and what Markdown and HTML make of it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from openmodality.conformance.document import Document, PrintedTable, Section, number_sections
from openmodality.conformance.html import write_html
from openmodality.conformance.layouts import LAYOUTS, arrange_document
from openmodality.conformance.markdown import write_markdown
from tests.statements import make_profile_statement

ORDER = {
    "annex-n": [
        "Overview", "Supported services", "Introduction", "Implementation model", "Services", "Media interchange",
        "Network interfaces", "Configuration", "Security", "Support of character sets", "Annex: contents of objects",
    ],
    "mr": [
        "Introduction", "Implementation model", "Image transfer", "Print Management", "Modality Worklist",
        "Modality Performed Procedure Step", "Media interchange", "Communication profiles",
        "Extensions, specializations and private parts", "Security", "Configuration", "Support of character sets",
        "Annex A: objects", "Annex B: worklist", "Annex C: performed procedure step",
    ],
    "rf": [
        "Overview", "Transfer syntaxes", "Introduction", "Networking", "Media interchange",
        "Support of character sets", "Security", "Annexes",
    ],
}  # fmt: skip


def document(profile: str, layout: str) -> Document:
    return arrange_document(make_profile_statement(profile), layout)


def list_tables(made: Document) -> list[PrintedTable]:
    sections = [section for _, _, section in number_sections(made.sections)]
    return [block for section in sections for block in section.blocks if isinstance(block, PrintedTable)]


@pytest.mark.parametrize("profile", ["mr", "rf"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_layout_has_its_order_of_sections(profile: str, layout: str) -> None:
    assert [section.title for section in document(profile, layout).sections] == ORDER[layout]


@pytest.mark.parametrize("profile", ["mr", "rf"])
def test_no_layout_leaves_anything_out(profile: str) -> None:
    titles = [{table.title for table in list_tables(document(profile, layout))} for layout in LAYOUTS]
    assert titles[1:] == titles[:1] * 2
    assert all(len(table.rows[0]) == len(table.heads) for table in list_tables(document(profile, "mr")) if table.rows)


def test_aes_of_the_rf_statement() -> None:
    numbered = {section.title: number for number, _, section in number_sections(document("rf", "rf").sections)}
    assert numbered["AE specifications"] == "4.2"
    assert [numbered[f"{name} AE"] for name in ("Storage SCU", "MWM SCU", "Storage SCP", "Verification SCU")] == [
        "4.2.2", "4.2.4", "4.2.7", "4.2.9",
    ]  # fmt: skip


SMALL = Document(
    "A | <b>title</b>",
    (("Device", "x"),),
    (
        Section("First *one*", ("It has <i>marks</i> and `code`.", PrintedTable("T", ("a|b", "c"), (("1_2", ""),)))),
        Section("Second", sections=(Section("Below"),)),
    ),
)


def test_marks_of_markdown_are_escaped() -> None:
    text = write_markdown(SMALL)
    assert "# A \\| \\<b\\>title\\</b\\>" in text
    assert "- [1 First \\*one\\*](#1-first-one)\n- [2 Second](#2-second)\n  - [2.1 Below](#21-below)" in text
    assert "\n## 1 First \\*one\\*\n\nIt has \\<i\\>marks\\</i\\> and \\`code\\`.\n" in text
    assert "**Table 1: T**\n\n| a\\|b | c |\n|---|---|\n| 1\\_2 |  |\n" in text


class Reader(HTMLParser):
    """Elements that are open, ids, links, and what an element must not have."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.used: set[str] = set()
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.used.add(tag)
        self.used.update(name for name, _ in attrs)
        if tag != "meta":
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name == "href":
                self.links.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        if self.open.pop() != tag:
            self.wrong.append(tag)


@pytest.mark.parametrize("made", [SMALL, document("rf", "annex-n")], ids=["small", "rf"])
def test_html_is_whole_and_needs_nothing_else(made: Document) -> None:
    text = write_html(made)
    reader = Reader()
    reader.feed(text)
    assert (reader.open, reader.wrong) == ([], [])
    assert len(set(reader.ids)) == len(reader.ids)
    assert {link for link in reader.links if link.removeprefix("#") not in reader.ids} == set()
    assert reader.used & {"script", "img", "link", "src", "onclick", "iframe"} == set()
    assert not re.search(r"url\(|@import", text)
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text


def test_html_escapes_what_it_shows() -> None:
    text = write_html(SMALL)
    assert "<title>A | &lt;b&gt;title&lt;/b&gt;</title>" in text
    assert "<p>It has &lt;i&gt;marks&lt;/i&gt; and `code`.</p>" in text
    assert '<nav aria-label="Contents">' in text
