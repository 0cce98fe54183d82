"""Commands run one at a time, in order, and none is lost."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from openmodality.cli.terminal.command_runner import CommandRunner, FailedCommand, Work
from tests.peers.process import wait_until

NEVER_S = 3600.0


def work(code: str, argument: object = "", **environment: str) -> Work:
    return Work(
        "--exec",
        (sys.executable, "-c", f"import os, sys, time; from pathlib import Path; {code}"),
        str(argument),
        environment,
    )


def append(log: Path, text: str) -> Work:
    return work(f"log = open(sys.argv[1], 'a'); log.write({text!r}); log.close()", log)


def run(*works: Work, patience_s: float = 60) -> list[FailedCommand]:
    failures: list[FailedCommand] = []
    runner = CommandRunner(failures.append, quiet_s=NEVER_S, patience_s=patience_s)
    for each in works:
        runner.queue(each)
    runner.finish()
    return failures


def test_what_is_queued_is_run_in_order_and_finished(tmp_path: Path) -> None:
    assert run(*(append(tmp_path / "log", text) for text in "abcd")) == []
    assert (tmp_path / "log").read_text() == "abcd"


def test_no_shell_reads_the_argument_and_the_environment_is_told(tmp_path: Path) -> None:
    argument = f"{tmp_path}/$(touch x); \"'"
    told = work("Path(os.environ['LOG']).write_text(sys.argv[1])", argument, LOG=str(tmp_path / "log"))
    assert run(told) == []
    assert (tmp_path / "log").read_text() == argument


def test_what_fails_is_reported_and_the_next_is_run(tmp_path: Path) -> None:
    failures = run(
        work("sys.exit(3)", "a"),
        work("os.kill(os.getpid(), 9)", "b"),
        Work("--exec", (str(tmp_path / "none"),), "c", {}),
        work("", "d", NAME="a\0b"),
        append(tmp_path / "log", "e"),
    )
    assert [(each.work.argument, each.reason, each.status) for each in failures] == [
        ("a", "ended with status 3", 3),
        ("b", "was ended by signal 9", None),
        ("c", "cannot be started: No such file or directory", None),
        ("d", "cannot be started: ValueError", None),
    ]
    assert (tmp_path / "log").read_text() == "e"


def test_who_queues_waits_where_the_queue_is_full_and_nothing_is_lost(tmp_path: Path) -> None:
    gate, log, failures = tmp_path / "gate", tmp_path / "log", list[FailedCommand]()
    runner = CommandRunner(failures.append, quiet_s=NEVER_S, max_queued=1)
    runner.queue(work("\nwhile not os.path.exists(sys.argv[1]): time.sleep(0.01)", gate))
    wait_until(lambda: runner._process is not None, what="the first command")
    runner.queue(append(log, "b"))
    waiting = threading.Thread(target=runner.queue, args=(append(log, "c"),))
    waiting.start()
    waiting.join(0.2)
    assert waiting.is_alive()
    gate.touch()
    waiting.join(10)
    assert not waiting.is_alive()
    runner.finish()
    assert log.read_text() == "bc"
    assert failures == []


def test_what_awaits_quiet_is_run_once_behind_what_was_queued(tmp_path: Path) -> None:
    log, failures = tmp_path / "log", list[FailedCommand]()
    runner = CommandRunner(failures.append, quiet_s=0.1)
    for text in "ab":
        runner.queue_when_quiet("study", append(log, "S"))
        runner.queue(append(log, text))
    wait_until(lambda: log.exists() and "S" in log.read_text(), what="the command of the study")
    runner.postpone("study")  # over: there is nothing to postpone
    runner.finish()
    assert log.read_text() == "abS"


def test_the_end_does_not_await_quiet(tmp_path: Path) -> None:
    log = tmp_path / "log"
    runner = CommandRunner(lambda _: None, quiet_s=NEVER_S)
    runner.queue_when_quiet("study", append(log, "S"))
    runner.postpone("study")
    runner.queue(append(log, "a"))
    runner.finish()
    assert log.read_text() == "aS"


@pytest.mark.parametrize(
    ("patience_s", "is_urgent"), [(0.3, lambda: False), (NEVER_S, lambda: True)], ids=["patience", "urgent"]
)
def test_one_that_hangs_at_the_end_is_ended_and_those_behind_it_are_named(
    tmp_path: Path, patience_s: float, is_urgent: Callable[[], bool]
) -> None:
    failures: list[FailedCommand] = []
    runner = CommandRunner(failures.append, quiet_s=NEVER_S, patience_s=patience_s)
    runner.queue(work("time.sleep(3600)", "hangs"))
    wait_until(lambda: runner._process is not None, what="the command that hangs")
    runner.queue_when_quiet("study", append(tmp_path / "log", "S"))
    runner.queue(append(tmp_path / "log", "b"))
    runner.finish(is_urgent)
    assert [each.reason for each in failures] == [
        "was ended, because it still ran at the stop", "is not run", "is not run",
    ]  # fmt: skip
    assert not (tmp_path / "log").exists()
    runner.queue(work("", "late"))
    assert (failures[-1].work.argument, failures[-1].reason) == ("late", "is not run")


def test_one_that_ignores_the_order_to_end_is_killed() -> None:
    failures: list[FailedCommand] = []
    runner = CommandRunner(failures.append, quiet_s=NEVER_S, patience_s=0.2)
    runner.queue(work("import signal; signal.signal(15, signal.SIG_IGN); time.sleep(3600)"))
    wait_until(lambda: runner._process is not None, what="the command")
    runner.finish()
    assert not runner._thread.is_alive()
    assert [each.reason for each in failures] == ["was ended, because it still ran at the stop"]
