"""The standard's table of statuses, against pynetdicom's, and the pattern of a code that covers a status."""

from __future__ import annotations

import pytest
from pynetdicom import status as pynetdicom_statuses

from openmodality.dimse.status import StatusCategory, categorize
from openmodality.dimse.verdict import Verdict, find_advice, find_code, standard_judge
from openmodality.services.storage import STORE_JUDGE
from openmodality.standard.dimse import STATUS_MEANINGS
from openmodality.standard.status_advice import STATUS_ADVICE
from openmodality.standard.statuses import STANDARD_STATUSES, ServiceName

SECOND_SOURCE: dict[tuple[ServiceName, str], dict[int, tuple[str, str]]] = {
    ("verification", "C-ECHO"): pynetdicom_statuses.VERIFICATION_SERVICE_CLASS_STATUS,
    ("storage", "C-STORE"): pynetdicom_statuses.STORAGE_SERVICE_CLASS_STATUS,
    ("storage_commitment", "N-ACTION"): pynetdicom_statuses.STORAGE_COMMITMENT_SERVICE_CLASS_STATUS,
    ("query", "C-FIND"): pynetdicom_statuses.QR_FIND_SERVICE_CLASS_STATUS,
    ("retrieve", "C-MOVE"): pynetdicom_statuses.QR_MOVE_SERVICE_CLASS_STATUS,
    ("worklist", "C-FIND"): pynetdicom_statuses.MODALITY_WORKLIST_SERVICE_CLASS_STATUS,
    ("mpps", "N-CREATE"): pynetdicom_statuses.PROCEDURE_STEP_STATUS,
    ("mpps", "N-SET"): pynetdicom_statuses.PROCEDURE_STEP_STATUS,
}
KNOWN_AS_STORED = ("storage", "C-STORE", 0x0111)
"""A failure by its number, but the peer has the instance (INTEROP trap 25)."""


@pytest.mark.parametrize(("service", "operation"), SECOND_SOURCE)
def test_each_code_is_of_the_category_that_another_library_gives_it(service: ServiceName, operation: str) -> None:
    judge = standard_judge(service, operation)
    codes = [each.code for each in STANDARD_STATUSES if (each.service, each.operation) == (service, operation)]
    for status, (name, _) in SECOND_SOURCE[service, operation].items():
        fact = find_code(codes, status)
        if fact != "*" and (service, operation, status) != KNOWN_AS_STORED:
            assert judge(status).category.value == name, f"{status:04X}"


@pytest.mark.parametrize(("service", "operation"), SECOND_SOURCE)
def test_what_the_other_library_does_not_know_is_in_no_row(service: ServiceName, operation: str) -> None:
    rows = [each for each in STANDARD_STATUSES if (each.service, each.operation) == (service, operation)]
    known = SECOND_SOURCE[service, operation]
    general = {0x0001, 0x0107, 0x0111, 0x0116}  # PS3.7 allows them to every service
    codes = {int(row.code.replace("x", "0"), 16) for row in rows if row.code != "*"}
    assert codes - general <= set(known)
    assert [row.code for row in rows][-1] == "*"


def test_effect_and_category_of_a_row_agree() -> None:
    effects = {"success": {"succeed"}, "warning": {"succeed", "partial"}, "pending": {"collect", "continue"}}
    for row in STANDARD_STATUSES:
        assert row.effect in effects.get(row.category, {"fail", "partial"}), row
        assert not row.transient or row.effect == "fail"


@pytest.mark.parametrize(
    ("status", "meaning", "done", "transient"),
    [
        (0x0000, "success", True, False),
        (0xB000, "stored, attributes coerced", True, False),
        (0xB006, "stored, elements discarded", True, False),
        (0xB007, "stored, data set does not match its SOP class", True, False),
        (0xB123, "stored, with a warning", True, False),
        (0x0107, "stored, attribute list error", True, False),
        (0x0111, "the peer had it already", True, False),
        (0xA700, "refused: out of resources", False, True),
        (0xA7FF, "refused: out of resources", False, True),
        (0xA900, "error: data set does not match SOP class", False, False),
        (0xA9FF, "error: data set does not match SOP class", False, False),
        (0xC000, "error: cannot understand", False, False),
        (0xCFFF, "error: cannot understand", False, False),
        (0x0110, "Processing failure", False, False),
        (0x0122, "Refused: SOP Class not supported", False, False),
        (0xFE00, "Cancel", False, False),
    ],
)
def test_every_class_of_status_of_a_store_is_told_apart(status: int, meaning: str, done: bool, transient: bool) -> None:
    verdict = STORE_JUDGE(status)
    assert (verdict.status, verdict.meaning) == (status, meaning)
    assert (verdict.is_done, verdict.is_transient, verdict.is_failure) == (done, transient, not done)
    assert verdict.must_abort is not done


@pytest.mark.parametrize(
    ("status", "effect"),
    [(0, "succeed"), (0x0107, "succeed"), (0xFF00, "continue"), (0xFE00, "partial"), (0xC1, "fail")],
)
def test_an_operation_that_no_table_has_is_judged_by_the_category(status: int, effect: str) -> None:
    verdict = standard_judge("print", "N-GET")(status)
    assert (verdict.category, verdict.effect) == (categorize(status), effect)
    assert verdict.must_abort is (effect == "fail")


@pytest.mark.parametrize(
    ("codes", "status", "found"),
    [
        (("A7xx", "A702", "*"), 0xA702, "A702"),
        (("A7xx", "A702", "*"), 0xA703, "A7xx"),
        (("A7xx", "A702", "*"), 0xC000, "*"),
        (("Axxx", "A7xx"), 0xA7FF, "A7xx"),
        (("A7xx",), 0xC000, None),
        ((), 0, None),
    ],
)
def test_the_code_that_fixes_most_digits_is_found(codes: tuple[str, ...], status: int, found: str | None) -> None:
    assert find_code(codes, status) == found


def test_a_category_has_the_name_that_tables_give_it() -> None:
    assert [StatusCategory.from_name(name) for name in ("success", "cancel")] == [
        StatusCategory.SUCCESS,
        StatusCategory.CANCEL,
    ]


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        (standard_judge("worklist", "C-FIND")(0xA700), "A700 out of resources"),
        (standard_judge("mpps", "N-SET")(0x0107), "0107 attribute list error"),
        (
            Verdict(0x0110, StatusCategory.FAILURE, "processing failure; the step was not created", "fail"),
            "0110 processing failure; the step was not created",
        ),
        (
            Verdict(0x0122, StatusCategory.FAILURE, "not stored", "fail"),
            "0122 Refused: SOP Class not supported: not stored",
        ),
        (
            Verdict(0x0107, StatusCategory.FAILURE, "not stored", "fail"),
            "0107 Attribute list error: a warning that counts as a failure",
        ),
        (Verdict(0xB600, StatusCategory.FAILURE, "not created", "fail"), "B600 not created"),
        (
            Verdict(0xB000, StatusCategory.WARNING, "stored, attributes coerced", "fail"),
            "B000 stored, attributes coerced",
        ),
    ],
)
def test_a_status_is_told_with_each_name_once(verdict: Verdict, said: str) -> None:
    assert verdict.describe() == said
    assert verdict.describe("disk full") == f"{said} (disk full)"


@pytest.mark.parametrize("service", sorted({each.service for each in STANDARD_STATUSES} | {"print"}))
@pytest.mark.parametrize(
    "status", [*STATUS_MEANINGS, 0xA700, 0xA702, 0xA801, 0xA900, 0xA9FF, 0xB000, 0xB600, 0xC000, 0x9999]
)
def test_each_failure_of_each_service_has_advice(service: ServiceName, status: int) -> None:
    advice = find_advice(service, "N-SET", status)
    assert len(advice) > len("the peer's own log")
    assert "worklist" not in advice or service == "worklist"


@pytest.mark.parametrize(
    ("service", "operation", "status", "said"),
    [
        ("storage", "C-STORE", 0xA701, "free some there or wait, then try again"),
        ("storage", "C-STORE", 0xA900, "look into the file"),
        ("storage", "C-STORE", 0xC123, "ask those who run the archive"),
        ("storage", "C-STORE", 0xB006, "the peer has the instance"),
        ("storage", "C-STORE", 0x0107, "the peer says that it did this"),
        ("storage", "C-STORE", 0x0124, "the AE title that called it"),
        ("worklist", "C-FIND", 0xA700, "ask for less, or wait"),
        ("worklist", "C-FIND", 0xA900, "worklist keys of this peer"),
        ("mpps", "N-CREATE", 0x0111, "has this step already"),
        ("mpps", "N-SET", 0x0111, "something else under this UID"),
        ("mpps", "N-SET", 0x0110, "may have ended the step already"),
        ("mpps", "N-CREATE", 0x0110, "own log may say what went wrong"),
        ("storage_commitment", "N-ACTION", 0x0213, "no space or memory"),
        ("print", "N-ACTION Film Box", 0xC602, "wait until the printer"),
        ("verification", "C-ECHO", 0x1234, "the peer's own log may say why"),
    ],
)
def test_advice_goes_by_service_and_status(service: ServiceName, operation: str, status: int, said: str) -> None:
    assert said in find_advice(service, operation, status)


def test_a_failure_of_the_standards_table_has_a_row_of_advice_or_the_general_one() -> None:
    rows = [(each.service, each.operation, each.code) for each in STATUS_ADVICE]
    assert len(rows) == len(set(rows))
    assert (None, "", "*") in rows
