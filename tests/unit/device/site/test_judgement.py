"""The one verdict on a status: table, switches, a peer's own meanings; and who asks for which row."""

from __future__ import annotations

import ast
import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from openmodality.device.profile.loader import load_profile
from openmodality.device.site.site import Site
from openmodality.device.site.site_loader import load_site
from openmodality.dimse.status import StatusCategory
from openmodality.standard.statuses import ServiceName

ROOT = Path(__file__).parents[4]
STATUSES = ROOT / "tests" / "data" / "spec" / "rf" / "statuses.csv"

OPERATIONS: dict[tuple[str, str], tuple[tuple[ServiceName, str], ...]] = {
    ("Storage SCU", "C-STORE response"): (("storage", "C-STORE"),),
    ("Storage Commitment SCU", "N-ACTION response"): (("storage_commitment", "N-ACTION"),),
    ("Storage Commitment SCU", "N-EVENT-REPORT request received"): (("storage_commitment", "N-EVENT-REPORT event"),),
    ("MWM SCU", "C-FIND response"): (("worklist", "C-FIND"),),
    ("MPPS SCU", "N-CREATE / N-SET response"): (("mpps", "N-CREATE"), ("mpps", "N-SET")),
    ("Q/R SCU", "C-FIND response"): (("query", "C-FIND"),),
    ("Q/R SCU", "C-MOVE response"): (("retrieve", "C-MOVE"),),
    ("Verification SCU", "C-ECHO response"): (("verification", "C-ECHO"),),
    ("Print SCU", "Printer N-GET response"): (("print", "N-GET Printer"),),
    ("Print SCU", "Printer N-EVENT-REPORT request received"): (("print", "N-EVENT-REPORT Printer event"),),
    ("Print SCU", "Film Session N-CREATE response"): (("print", "N-CREATE Film Session"),),
    ("Print SCU", "Film Session N-DELETE response"): (("print", "N-DELETE Film Session"),),
    ("Print SCU", "Film Box N-CREATE response"): (("print", "N-CREATE Film Box"),),
    ("Print SCU", "Film Box N-ACTION response"): (("print", "N-ACTION Film Box"),),
    ("Print SCU", "Grayscale Image Box N-SET response"): (("print", "N-SET Image Box"),),
}
"""The statement's names of the operations whose answers are judged, and ours."""

DECIDED_OTHERWISE = {
    ("verification", "C-ECHO", "*"),
    ("storage", "C-STORE", "0111"),
    ("storage_commitment", "N-ACTION", "0210"),
    *(("query", "C-FIND", code) for code in ("FF01", "FE00")),
    *(("retrieve", "C-MOVE", code) for code in ("B000", "FE00")),
    *(("print", "N-ACTION Film Session", code) for code in ("0000", "B601", "B602", "B604")),
    *(("print", "N-DELETE Film Box", code) for code in ("0000", "*")),
    *(("print", "N-CREATE Presentation LUT", code) for code in ("0000", "0107", "0116", "B605")),
}
"""Codes that the statement leaves to "any other status", and that do no harm (DECISIONS R/F 23, INTEROP trap 25); and
those of print requests that the R/F device does not send.
"""

SITE = """\
profile = "rf"

[peers.archive]
ae_title = "ARCHIVE"
host = "pacs.example.org"
port = 104
services = ["storage"]

[peers.archive.statuses]
"0111" = "success"
"A7xx" = "failure"
"A702" = "retry"
"C1xx" = "warning"

[peers.strict]
ae_title = "STRICT"
host = "pacs.example.org"
port = 104

[peers.strict.parameters.behaviour]
store_warnings_are_success = false
mpps_warning_is_success = true
"""


def write(folder: Path, text: str) -> Path:
    file = folder / "site.toml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return load_site(write(tmp_path, SITE))


def printed() -> Iterator[tuple[ServiceName, str, str, bool]]:
    """The rows of the R/F statement: our service and operation, the code, whether the association is aborted."""
    with STATUSES.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            for service, operation in OPERATIONS.get((row["ae"], row["operation"]), ()):
                yield service, operation, row["code"], row["aborts"] == "yes"


@pytest.mark.parametrize(("service", "operation", "code", "aborts"), list(printed()))
def test_the_verdict_is_that_of_the_statement(
    tmp_path: Path, service: ServiceName, operation: str, code: str, aborts: bool
) -> None:
    site = load_site(write(tmp_path, 'profile = "rf"\n'))
    status = 0x0BAD if code == "*" else int(code.replace("x", "5"), 16)
    verdict = site.judge(service, operation, status)
    assert verdict.must_abort is aborts
    assert verdict.is_failure is aborts


def test_a_row_that_the_statement_does_not_have_was_decided() -> None:
    known = {(service, operation, code) for service, operation, code, _ in printed()}
    rows = {
        (rule.service, rule.operation, rule.code): rule.abort
        for rule in load_profile("rf").statuses
        if not rule.operation.endswith(" repeated")
    }
    more = {key for key, abort in rows.items() if key not in known and not abort}
    assert more == DECIDED_OTHERWISE
    assert known <= set(rows) | {("storage_commitment", "N-EVENT-REPORT event", "*")}


@pytest.mark.parametrize(
    ("status", "category", "effect", "transient", "aborts"),
    [
        (0x0111, "success", "succeed", False, False),
        (0xA700, "failure", "fail", False, True),
        (0xA702, "failure", "fail", True, True),
        (0xC123, "warning", "succeed", False, False),
        (0xC000, "failure", "fail", False, True),
    ],
)
def test_a_peer_s_statuses_can_mean_something_else(
    site: Site, status: int, category: str, effect: str, transient: bool, aborts: bool
) -> None:
    verdict = site.judge("storage", "C-STORE", status, site.peer("archive"))
    assert (verdict.category.value.lower(), verdict.effect) == (category, effect)
    assert (verdict.is_transient, verdict.must_abort) == (transient, aborts)
    assert site.judge("storage", "C-STORE", 0xA702).is_transient


@pytest.mark.parametrize(("profile", "aborts"), [("mr", False), ("rf", True)])
@pytest.mark.parametrize("status", [0xA700, 0xC000, 0x0122])
def test_the_verdict_knows_whether_the_device_aborts(tmp_path: Path, profile: str, aborts: bool, status: int) -> None:
    verdict = load_site(write(tmp_path, f'profile = "{profile}"\n')).judge("storage", "C-STORE", status)
    assert (verdict.is_failure, verdict.must_abort) == (True, aborts)


def test_one_peer_may_be_aborted_where_others_are_not(tmp_path: Path) -> None:
    text = SITE.replace('"rf"', '"mr"') + "[peers.strict.parameters.storage]\nabort_on_failure = true\n"
    site = load_site(write(tmp_path, text))
    judged = [site.judge("storage", "C-STORE", 0xA702, site.peer(name)) for name in ("archive", "strict")]
    assert [verdict.must_abort for verdict in judged] == [False, True]
    assert site.judge("mpps", "N-SET", 0x0110, site.peer("archive")).must_abort


def test_a_peer_s_statuses_do_not_touch_the_number_of_an_event(tmp_path: Path) -> None:
    text = SITE.replace('"0111" = "success"', '"0001" = "failure"\n"0002" = "success"')
    site = load_site(write(tmp_path, text))
    effects = [
        site.judge("storage_commitment", "N-EVENT-REPORT event", event, site.peer("archive")).effect
        for event in (0x0001, 0x0002)
    ]
    assert effects == ["permit_delete", "resend"]


@pytest.mark.parametrize(("switch", "effect"), [("true", "succeed"), ("false", "fail")])
@pytest.mark.parametrize("status", [0xB000, 0xB006, 0xB007])
def test_store_warnings_are_what_the_site_says(tmp_path: Path, switch: str, effect: str, status: int) -> None:
    text = f'profile = "rf"\n[parameters.behaviour]\nstore_warnings_are_success = {switch}\n'
    verdict = load_site(write(tmp_path, text)).judge("storage", "C-STORE", status)
    assert (verdict.category, verdict.effect) == (StatusCategory.WARNING, effect)
    assert verdict.must_abort is (effect == "fail")


@pytest.mark.parametrize("operation", ["N-CREATE", "N-SET"])
@pytest.mark.parametrize("status", [0x0107, 0x0116])
def test_a_switch_may_stand_otherwise_for_one_peer(site: Site, operation: str, status: int) -> None:
    assert site.judge("mpps", operation, status).is_failure
    assert site.judge("mpps", operation, status, site.peer("strict")).is_done
    assert site.judge("storage", "C-STORE", 0xB000).is_done
    assert site.judge("storage", "C-STORE", 0xB000, site.peer("strict")).is_failure


@pytest.mark.parametrize(
    ("operation", "status", "is_repeat", "done"),
    [
        ("N-CREATE", 0x0000, False, True),
        ("N-CREATE", 0x0111, False, False),
        ("N-CREATE", 0x0111, True, True),
        ("N-CREATE", 0x0110, True, False),
        ("N-SET", 0x0110, False, False),
        ("N-SET", 0x0110, True, True),
        ("N-SET", 0x0112, True, False),
        ("N-SET", 0xC000, True, False),
    ],
)
def test_a_repeated_request_has_rows_of_its_own(
    site: Site, operation: str, status: int, is_repeat: bool, done: bool
) -> None:
    verdict = site.judge_of("mpps", operation, is_repeat=is_repeat)(status)
    assert (verdict.is_done, verdict.must_abort) == (done, not done)


def test_what_the_profile_does_not_list_is_judged_by_the_standard(site: Site) -> None:
    assert site.judge("storage", "C-GET", 0).is_done
    assert site.judge("storage", "C-GET", 0xA700).is_failure


# Who asks for which row


ASKING = ("judge", "judge_of", "reply_of")


def asked_for() -> set[tuple[str, str]]:
    """Service and operation wherever product code asks for a verdict."""
    found: set[tuple[str, str]] = set()
    for file in (ROOT / "src").rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        nodes = ast.walk(ast.parse(text)) if any(f".{name}(" in text for name in ASKING) else ()
        for node in nodes:
            if isinstance(node, ast.Call) and _called(node) in ASKING:
                found |= {(service, operation) for service, operation in _pairs(node, file)}
    return found


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else ""


def _pairs(node: ast.Call, file: Path) -> Iterator[tuple[str, str]]:
    """The two first arguments; an operation that is looked up in a table stands for all of the table."""
    literal = [each.value for each in node.args[:2] if isinstance(each, ast.Constant)]
    if len(literal) == 2:
        yield str(literal[0]), str(literal[1])
        return
    for table in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(table, ast.AnnAssign) and ast.unparse(table.target) == "_OPERATIONS" and table.value:
            for key, value in zip(table.value.keys, table.value.values, strict=True):  # type: ignore[attr-defined]
                yield str(literal[0]) if literal else key.value, value.value


def test_every_row_is_asked_for() -> None:
    rows = {
        (rule.service, rule.operation.removesuffix(" repeated"))
        for name in ("mr", "rf")
        for rule in load_profile(name).statuses
    }
    assert asked_for() == rows
