"""Advice in the words of the place: no page and no answer of the API names a command that its reader does not have."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

import pytest

from openmodality.console.place_words import ReadingPlace, tell_job, tell_on_page, tell_place
from openmodality.console.template_files import make_sentence
from tests.acceptance.documents import ROOT
from tests.rest_client import DOCUMENT

SOURCE: Final = ROOT / "src" / "openmodality"
NEVER_SHOWN: Final = ("cli", "hospital", "console", "conformance", "device")
"""The command line itself and what answers there alone."""
AT_THE_MACHINE: Final = ("recovery.py", "waiting.py", "ownership.py")
"""What is told before anything is served, or by a command."""
OF_THE_MACHINE: Final = re.compile(
    r"openmodality (recover|serve|init|exam acquire --(assume-affine|derive|object|detector)|media update --adopt)"
)
"""What is done at the machine, wherever it is read."""
COMMAND: Final = re.compile(r"openmodality [a-z]+|(?<![\\w-])--[a-z]")
NAMING: Final = re.compile(r"--|openmodality ")
"""What a module has in which a text names one."""


def list_texts() -> Iterator[tuple[str, str]]:
    """Each text of the source that names a command or an option, where no docstring is it."""
    for path in sorted(SOURCE.rglob("*.py")):
        where = path.relative_to(SOURCE)
        if where.parts[0] in NEVER_SHOWN or where.name in AT_THE_MACHINE:
            continue
        source = path.read_text(encoding="utf-8")
        if not NAMING.search(source):
            continue
        tree = ast.parse(source)
        nodes = list(ast.walk(tree))
        left_out = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
        left_out |= {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
        for node in nodes:
            if not isinstance(node, ast.Constant | ast.JoinedStr) or id(node) in left_out:
                continue
            text = read_text(node)
            if COMMAND.search(text):
                yield f"{where}:{getattr(node, 'lineno', 0)}", text


def read_text(node: ast.AST) -> str:
    """A text as it may be at run time: numbers and names in it are 7."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(read_text(each) if isinstance(each, ast.Constant) else "7" for each in node.values)
    return ""


TEXTS: Final = list(list_texts())


def test_there_are_such_texts() -> None:
    assert len(TEXTS) > 30


@pytest.mark.parametrize("place", ["page", "api"])
@pytest.mark.parametrize(("where", "text"), TEXTS, ids=[where for where, _ in TEXTS])
def test_what_is_advised_can_be_done_where_it_is_read(where: str, text: str, place: ReadingPlace) -> None:
    told = OF_THE_MACHINE.sub("", tell_place(text, place))
    assert not COMMAND.search(told), told
    for method, path in re.findall(r"(GET|POST|DELETE) (/api/v1/\S+?)(?=[;, ]|$)", told):
        template = re.sub(r"/7(?=/|$)", "/{job}" if "/jobs/" in path else "/{exam}", path)
        assert method.lower() in DOCUMENT["paths"][template], path


def test_a_text_without_commands_stays_and_patients_do_too() -> None:
    for text in ("the peer answered A700", "Doe^--force^Jane", "exam -- 1"):
        assert tell_place(text, "api") == text
    assert make_sentence("openmodality jobs list shows all") == "Jobs shows all."


def test_the_history_of_a_job_is_told_with_its_reason() -> None:
    said = "no answer; openmodality jobs retry 12 asks anew"
    told = tell_job({"job": 12, "reason": said, "history": [{"state": "failed", "detail": said}]})
    assert told["reason"] == "no answer; POST /api/v1/jobs/12/retry asks anew"
    assert told["history"][0]["detail"] == told["reason"]


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("not SOP class 1.2.840.10008.5.1.4.1.1.88.67.", "not SOP class X-Ray Radiation Dose SR Storage."),
        ("1.2.840.10008.1.1 and 1.2.3", "Verification SOP Class and 1.2.3"),
        ("no 1.2.840.10008.9.9.9.9, nor 2.1.2.840.10008.1.1", "no 1.2.840.10008.9.9.9.9, nor 2.1.2.840.10008.1.1"),
    ],
)
def test_a_page_names_what_has_a_name(said: str, shown: str) -> None:
    assert tell_on_page(said) == shown
