"""The conformance statement over HTTP: the page, its files, the API; of the device as it runs, not of its profile."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest

from openmodality.app.conformance import DeviceStatement
from openmodality.conformance.document import PrintedTable, number_sections
from openmodality.conformance.layouts import LAYOUTS
from tests.console_site import ConsolePlace, Visitor, console_in_hospital
from tests.rest_client import RestProgram, add_program

CANARY = "<img src=x onerror=alert(1)>"
PEER = '[peers.odd]\nae_title = "<IMG SRC=X>"\nhost = "127.0.0.1"\nport = 11399\n'


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsolePlace]:
    with console_in_hospital(tmp_path_factory.mktemp("statement"), tables=PEER) as made:
        made.add_user("vera", "viewer")
        made.add_user("alice", "auditor")
        made.modality.start_exam(patient={"PatientID": "CANARY-1", "PatientName": CANARY})
        yield made


@pytest.fixture(scope="module")
def vera(place: ConsolePlace) -> Visitor:
    return place.log_in("vera")


@pytest.fixture(scope="module")
def program(place: ConsolePlace) -> RestProgram:
    return add_program(place, "display", ["view"])


class Reader(HTMLParser):
    """The cells of a page, the names that links lead to, and where its links within lead."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.names: list[str] = []
        self.links: list[str] = []
        self._is_cell = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        self.names += [said["id"] or ""] if "id" in said else []
        self.links += [said["href"] or ""] if tag == "a" else []
        if tag == "tr":
            self.rows.append([])
        if tag == "td":
            self.rows[-1].append("")
        self._is_cell = tag == "td"

    def handle_data(self, data: str) -> None:
        if self._is_cell:
            self.rows[-1][-1] += data

    def handle_endtag(self, tag: str) -> None:
        self._is_cell = False


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_page_has_each_row_of_the_statement_of_this_device(place: ConsolePlace, vera: Visitor, layout: str) -> None:
    answer = vera.get(f"/statement?layout={layout}")
    assert answer.status_code == 200
    page = Reader(answer.text)
    document = DeviceStatement(place.modality.site).arrange(layout)
    numbered = list(number_sections(document.sections))
    blocks = [block for _, _, section in numbered for block in section.blocks]
    rows = [list(row) for block in blocks if isinstance(block, PrintedTable) for row in block.rows]
    assert len(rows) > 1000
    assert [row for row in page.rows if row] == rows
    links = [link[1:] for link in page.links if link.startswith("#s")]
    assert len(links) == len(numbered)
    assert set(links) <= set(page.names)
    assert len(set(page.names)) == len(page.names)
    assert "<IMG" not in answer.text
    assert "&lt;IMG SRC=X&gt;" in answer.text
    assert "<img src=x" not in answer.text, "the patient of the open exam is above it"


def test_which_tests_show_a_sentence_is_told_where_it_is_asked_for(
    place: ConsolePlace, vera: Visitor, program: RestProgram
) -> None:
    statement = DeviceStatement(place.modality.site)
    evidence = statement.read_evidence()
    plain, page = vera.get("/statement").text, vera.get("/statement?evidence=true").text
    rows = {row[0]: row for row in Reader(page).rows if row}
    for each in evidence.requirements:
        assert rows[each.id][2] == each.text
        assert all(proof.test in rows[each.id][5] for proof in each.proofs)
    assert 'href="/statement?layout=annex-n&amp;evidence=true"' in plain
    assert 'href="/statement/html?layout=annex-n&amp;evidence=true"' in page
    assert evidence.requirements[0].id not in {row[0] for row in Reader(plain).rows if row}
    assert vera.get("/statement/html?evidence=true").text == statement.write("html", evidence=evidence)
    assert program.get("/conformance?evidence=true") == json.loads(statement.write("json", evidence=evidence))


def test_who_may_see_it_and_what_is_not_there(place: ConsolePlace, vera: Visitor) -> None:
    alice = place.log_in("alice")
    for path in ("/statement", "/statement/json"):
        assert alice.get(path).status_code == 403
    assert 'href="/statement"' in vera.get("/today").text
    assert 'href="/statement"' not in alice.get("/audit").text
    for path in ("/statement?layout=x", "/statement/pdf", "/statement/html?layout=%3Cimg%3E"):
        answer = vera.get(path)
        assert answer.status_code == 404
        assert "choose of" in answer.text.casefold()
        assert "<img>" not in answer.text


@pytest.mark.parametrize(("format", "ending"), [("json", "json"), ("html", "html"), ("markdown", "md")])
def test_files_are_those_that_the_command_writes(place: ConsolePlace, vera: Visitor, format: str, ending: str) -> None:
    answer = vera.get(f"/statement/{format}?layout=mr")
    assert answer.headers["content-disposition"] == f'attachment; filename="conformance-mr.{ending}"'
    assert answer.text == DeviceStatement(place.modality.site).write(format, "mr")


def test_a_setting_that_waits_for_a_restart_is_named_and_not_stated(place: ConsolePlace, vera: Visitor) -> None:
    text = place.site.read_text(encoding="utf-8")
    assert "The site file says otherwise" not in vera.get("/statement").text
    place.site.write_text(text.replace("port = 11399", "port = 11398"), encoding="utf-8")
    try:
        page = vera.get("/statement").text
        assert "<code>peers.odd.port</code>" in page
        assert "<td>11399</td>" in page
        assert "<td>11398</td>" not in page
        place.site.unlink()
        assert vera.get("/statement").status_code == 200
    finally:
        place.site.write_text(text, encoding="utf-8")


def test_a_program_gets_it_as_it_asks(place: ConsolePlace, program: RestProgram) -> None:
    statement = DeviceStatement(place.modality.site)
    stated = json.loads(statement.write("json"))
    assert program.get("/conformance") == stated
    assert "odd" in [each["name"] for each in stated["remote_entities"]]
    for accept, format in (("text/markdown", "markdown"), ("text/html;q=0.9, text/plain", "html")):
        answer = program.call("GET", "/conformance?layout=rf", headers={"accept": accept})
        assert answer.headers["content-type"] == f"text/{format}; charset=utf-8"
        assert answer.text == statement.write(format, "rf")
    problem = program.fail("GET", "/conformance", headers={"accept": "application/pdf"})
    assert (problem["status"], "text/markdown" in problem["advice"]) == (406, True)
    assert program.fail("GET", "/conformance?layout=x")["errors"][0]["where"] == "query.layout"


def test_a_browser_may_use_the_style_of_the_document_and_nothing_else(program: RestProgram) -> None:
    answer = program.call("GET", "/conformance", headers={"accept": "text/html"})
    (style,) = re.findall(r"<style>(.*?)</style>", answer.text, flags=re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = answer.headers["content-security-policy"]
    assert f"style-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy


def test_nobody_without_the_scope_gets_it(place: ConsolePlace) -> None:
    other = add_program(place, "auditing", ["audit"])
    assert other.fail("GET", "/conformance")["status"] == 403
