"""``@pytest.mark.needs("storescp")`` marks a test that talks to a program of another maker.

Missing on a developer's machine: the test is skipped, and the end of the run says loudly how many were. Missing in CI
(``CI=true``): the test fails, because there a skipped peer would be a hole that nobody sees.
"""

from __future__ import annotations

import os
from collections import Counter

import pytest

from tests.peers.programs import PACKAGE_OF, find_program

_MISSING = "missing peer"


def pytest_runtest_setup(item: pytest.Item) -> None:
    programs = [str(argument) for mark in item.iter_markers("needs") for argument in mark.args]
    missing = [program for program in programs if find_program(program) is None]
    if not missing:
        return
    reason = ", ".join(f"{program} (Debian package {PACKAGE_OF[program]})" for program in missing)
    if os.environ.get("CI") == "true":
        pytest.fail(f"in CI every peer must be there; missing: {reason}", pytrace=False)
    item.user_properties += [(_MISSING, program) for program in missing]
    pytest.skip(f"missing peer: {reason}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What the reports of the skipped tests carry, as those of other processes reach this one too."""
    skipped = terminalreporter.stats.get("skipped", [])
    missing = Counter(str(value) for report in skipped for name, value in report.user_properties if name == _MISSING)
    if not missing:
        return
    terminalreporter.section("MISSING PEERS: NOT EVERYTHING WAS TESTED", sep="!", red=True, bold=True)
    for program, count in missing.most_common():
        advice = f"apt-get install {PACKAGE_OF[program]}"
        terminalreporter.write_line(f"{count} tests skipped for want of {program}: {advice}")
