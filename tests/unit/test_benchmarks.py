"""The bars of the benchmarks are numbers with a direction."""

from __future__ import annotations

import sys

import pytest

from benchmarks import __main__ as benchmarks
from benchmarks.rows import AtLeast, AtMost, Row


@pytest.mark.parametrize(
    ("must", "ratios", "is_met"),
    [
        (AtLeast(2), (1.0, 2.0, 9.0), True),
        (AtLeast(2), (1.0, 1.9, 9.0), False),
        (AtMost(0.3), (0.3,), True),
        (AtMost(0), (1,), False),
    ],
)
def test_the_median_is_held_to_the_bar(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    must: AtLeast | AtMost,
    ratios: tuple[float, ...],
    is_met: bool,
) -> None:
    row = Row("work", ratios, must, "figures")
    monkeypatch.setattr(benchmarks, "CASES", {"case": lambda _: [row]})
    monkeypatch.setattr(sys, "argv", ["benchmarks"])
    assert benchmarks.main() == 0
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--check"])
    assert benchmarks.main() == (0 if is_met else 1)
    said = capsys.readouterr()
    assert f"| {must} |" in said.out
    assert ("missed: work: " in said.err) != is_met
