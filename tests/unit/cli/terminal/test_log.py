"""The log on stderr: events with their fields, and nothing of anybody else's."""

from __future__ import annotations

import ast
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from openmodality.cli.terminal import log
from openmodality.cli.terminal.log import FIELDS, show_log, take_level
from openmodality.errors import describe_fault

SOURCES = Path(log.__file__).parents[2]


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    logger = logging.getLogger("openmodality")
    handlers, level, show = logger.handlers[:], logger.level, warnings.showwarning
    yield
    warnings.showwarning = show
    logger.handlers[:] = handlers
    logger.setLevel(level)


def test_a_warning_is_one_line_with_its_fields(capsys: pytest.CaptureFixture[str]) -> None:
    show_log(logging.WARNING)
    logger = logging.getLogger("openmodality.network.acceptor")
    logger.warning("association.ended", extra={"address": "10.0.0.7", "reason": "closed\x1b[2J by peer", "secret": 1})
    logger.info("association.open", extra={"address": "10.0.0.7"})
    logging.getLogger("pydicom").warning("Doe^Jane is no date")
    assert capsys.readouterr().err == (
        "openmodality: warning: association.ended address=10.0.0.7 reason='closed\\x1b[2J by peer'\n"
    )


def test_what_a_command_says_itself_is_not_said_twice(capsys: pytest.CaptureFixture[str]) -> None:
    show_log(logging.WARNING)
    logger = logging.getLogger("openmodality.exam.producers.images")
    for event in ("image.attributes_left_out", "image.attributes_overridden", "image.other"):
        logger.warning(event, extra={"object": "MR Image", "keywords": "Modality"})
    assert capsys.readouterr().err == ("openmodality: warning: image.other object='MR Image' keywords=Modality\n")


@pytest.mark.parametrize("debug", [False, True])
def test_a_warning_of_python_is_an_event_without_its_text(capsys: pytest.CaptureFixture[str], debug: bool) -> None:
    show_log(logging.DEBUG if debug else logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = log.log_warning
        warnings.warn("\x1b[31mDoe^Jane is no date", UserWarning, stacklevel=1)
    said = capsys.readouterr().err
    assert "python.warning error=UserWarning place=test_log.py:" in said.replace("  ", " ")
    assert "Doe" not in said
    assert "\x1b" not in said


def test_warnings_of_python_go_to_the_log() -> None:
    show_log(logging.WARNING)
    assert warnings.showwarning is log.log_warning


@pytest.mark.parametrize("debug", [False, True])
def test_a_traceback_comes_only_with_debug(capsys: pytest.CaptureFixture[str], debug: bool) -> None:
    show_log(logging.DEBUG if debug else logging.INFO)
    try:
        raise KeyError("Doe^Jane")
    except KeyError:
        logging.getLogger("openmodality.dimse.service").exception("dimse.handler_failed", extra={"command": "C-STORE"})
    said = capsys.readouterr().err
    assert "dimse.handler_failed command=C-STORE" in said
    assert ("Traceback" in said) == debug
    assert debug or said.endswith(" exception=KeyError\n")


@pytest.mark.parametrize("debug", [False, True])
def test_the_place_of_a_fault_comes_always_and_its_traceback_with_debug(
    capsys: pytest.CaptureFixture[str], debug: bool
) -> None:
    show_log(logging.DEBUG if debug else logging.INFO)
    text = "Doe^Jane\x1b[2J"
    try:
        raise KeyError(text)
    except KeyError as error:
        fields = describe_fault(error)
    fields["trace"] += "\x1b[31m\n"
    logging.getLogger("openmodality.jobs.worker").error("job.crashed", extra={"job": 7, **fields})
    said = capsys.readouterr().err
    assert "error=KeyError job=7 place=test_log.py:" in said
    assert ("in test_the_place_of_a_fault" in said) == ("raise KeyError(text)" in said) == debug
    assert said.count("\n") == 1 or debug
    assert "Doe" not in said
    assert "\x1b" not in said


def test_the_text_of_an_exception_does_nothing_to_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    show_log(logging.DEBUG)
    try:
        raise ValueError("bad\x1b[31mred")
    except ValueError:
        logging.getLogger("openmodality.dimse.service").exception("dimse.handler_failed")
    said = capsys.readouterr().err
    assert said.endswith("\nValueError: bad\ufffd[31mred\n")


@pytest.mark.parametrize(
    ("words", "level", "left"),
    [
        ("echo PACS", logging.WARNING, "echo PACS"),
        ("echo -v PACS", logging.INFO, "echo PACS"),
        ("--verbose echo PACS", logging.INFO, "echo PACS"),
        ("echo PACS -d", logging.DEBUG, "echo PACS"),
        ("echo -v --debug PACS", logging.DEBUG, "echo PACS"),
        ("send PACS -- -d", logging.WARNING, "send PACS -- -d"),
    ],
)
def test_the_level_is_that_of_the_options(words: str, level: int, left: str) -> None:
    given = words.split()
    assert take_level(given) == level
    assert given == left.split()


def test_every_field_that_is_logged_is_allow_listed_or_left_out_on_purpose() -> None:
    left_out = {"job_kind"}
    logged = {
        key.value
        for path in SOURCES.rglob("*.py")
        if "extra=" in (text := path.read_text(encoding="utf-8"))
        for call in ast.walk(ast.parse(text))
        if isinstance(call, ast.keyword) and call.arg == "extra" and isinstance(call.value, ast.Dict)
        for key in call.value.keys
        if isinstance(key, ast.Constant)
    }
    assert logged <= set(FIELDS) | left_out
