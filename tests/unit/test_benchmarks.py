"""The bars of the benchmarks are numbers with a direction, and the page of results has a section for each case."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks import __main__ as benchmarks
from benchmarks.results_page import Run, format_row, format_value, write_section
from benchmarks.rows import AtLeast, AtMost, Row, Shown


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
    assert f"| {must}{'' if is_met else ', missed'} |" in said.out
    assert ("missed: work: " in said.err) != is_met


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0.00"),
        (0.000454, "0.00045"),
        (0.0999, "0.1"),
        (0.25, "0.25"),
        (1.404, "1.40"),
        (99.99, "99.99"),
        (19833.04, "19,833"),
    ],
)
def test_a_value_shows_the_digits_that_tell_something(value: float, shown: str) -> None:
    assert format_value(value) == shown


def test_a_case_is_written_anew_and_every_other_section_and_remark_stays(tmp_path: Path) -> None:
    page, order = tmp_path / "results.md", ("find", "move", "index")
    run = Run("2026-11-30", 1, "2 cores")

    def write(case: str, value: float) -> None:
        row = Row(f"a row of {case}", (value,), Shown(), "figures")
        write_section(page, f"{case}, on tmpfs", run, [row], order)

    for case in ("index", "find", "move"):
        write(case, 1.0)
    text = page.read_text("utf-8").replace("## index", "What limits a move.\n\nOf it half is the peer's.\n\n## index")
    page.write_text(text, "utf-8")
    write("move", 2.0)
    write("find", 3.0)
    lines = page.read_text("utf-8").splitlines()
    assert [line for line in lines if line.startswith("## ")] == [
        "## find, on tmpfs",
        "## move, on tmpfs",
        "## index, on tmpfs",
    ]
    rows = [line for line in lines if line.startswith("| a row")]
    assert rows == [
        format_row(Row(f"a row of {case}", (value,), Shown(), "figures"))
        for case, value in zip(order, (3, 2, 1), strict=True)
    ]
    remarks = lines.index("What limits a move.")
    assert lines.index(rows[1]) < remarks < lines.index("Of it half is the peer's.") < lines.index("## index, on tmpfs")
    assert lines.count("2026-11-30, 1 round, 2 cores.") == 3
