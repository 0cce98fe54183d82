"""Mutants: one small change each, known by its place in the code."""

from __future__ import annotations

from pathlib import Path

from tools.mutants import Mutant, choose, find_mutants

CODE = '''"""A text."""
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import os

Kind = Literal["a", "b"]


@decorated(1)
def due(job: "Job", now: float = 5) -> bool:
    """Whether it is time; é."""
    if not job or job.at < now + 1:
        raise ValueError("a text for people")
    log(f"{now}")
    return job.name
'''


def _mutants(folder: Path, code: str = CODE) -> list[Mutant]:
    file = folder / "code.py"
    file.write_text(code, encoding="utf-8")
    return find_mutants(folder, file)


def test_what_becomes_of_a_function(tmp_path: Path) -> None:
    assert [(mutant.before, mutant.after) for mutant in _mutants(tmp_path)] == [
        ("5", "6"),
        ("not job or job.at < now + 1", "(not (not job or job.at < now + 1))"),
        ("not job or job.at < now + 1", "(not job and job.at < now + 1)"),
        ("not job", "(job)"),
        ("job.at < now + 1", "(job.at <= now + 1)"),
        ("now + 1", "(now - 1)"),
        ("1", "2"),
        ('raise ValueError("a text for people")', "pass"),
        ('log(f"{now}")', "pass"),
        ("return job.name", "return None"),
    ]


def test_a_mutant_changes_one_place(tmp_path: Path) -> None:
    mutant = _mutants(tmp_path)[4]
    changed = mutant.apply(CODE.encode()).decode()
    assert changed == CODE.replace("job.at < now + 1", "(job.at <= now + 1)")
    assert (mutant.scope, [*mutant.lines]) == ("due", [13])


def test_a_mutant_stays_the_same_one_when_the_code_around_it_changes(tmp_path: Path) -> None:
    before = {mutant.key for mutant in _mutants(tmp_path)}
    after = {
        mutant.key for mutant in _mutants(tmp_path, f"import sys\n{CODE}\n\ndef more() -> int:\n    return 1 + 2\n")
    }
    assert before < after


def test_the_seed_chooses(tmp_path: Path) -> None:
    mutants = _mutants(tmp_path)
    assert choose(tmp_path, mutants, 1, 3) == choose(tmp_path, reversed(mutants), 1, 3)
    assert len(choose(tmp_path, mutants, 1, 3)) == 3
    assert choose(tmp_path, mutants, 1, 10) != choose(tmp_path, mutants, 2, 10)
