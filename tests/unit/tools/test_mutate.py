"""The mutation run: what it takes, and what it says about it."""

from __future__ import annotations

import pytest

from tools import mutate
from tools.mutants import Mutant
from tools.mutate import Result
from tools.mutation_runs import PACKAGES, ROOT, split_by_cost


@pytest.fixture(scope="module")
def sample() -> list[Mutant]:
    """To find all mutants takes longest."""
    return mutate.sample(ROOT, 9, 80)


def test_each_named_fault_can_be_made_in_the_code_as_it_is() -> None:
    faults = mutate.named_faults(ROOT)
    assert len({fault.key for fault in faults}) == len(faults) > 0
    for fault in faults:
        source = (ROOT / fault.file).read_bytes()
        assert fault.apply(source) != source


def test_the_sample_comes_from_what_decides_how_a_device_acts(sample: list[Mutant]) -> None:
    assert len(sample) == 80
    assert {mutant.file.split("/")[2] for mutant in sample} == set(PACKAGES)


def test_a_named_fault_that_nobody_notices_is_too_much(sample: list[Mutant]) -> None:
    faults = mutate.named_faults(ROOT)[:1]
    mutants = [*faults, *sample[:20]]
    done = {mutant.key: Result(mutant.key, "killed", "tests/unit/a.py::a", str(mutant), 1.0) for mutant in mutants}
    assert mutate.summarise(mutants, done)[1]
    done[mutants[3].key] = Result(mutants[3].key, "survived", "", str(mutants[3]), 1.0)
    text, is_enough = mutate.summarise(mutants, done)
    assert is_enough
    assert f"{mutants[3].key} survived" in text
    assert "mutants killed: 19 of 20, 95.0 %" in text
    done[faults[0].key] = Result(faults[0].key, "survived", "", str(faults[0]), 1.0)
    text, is_enough = mutate.summarise(mutants, done)
    assert not is_enough
    assert "named faults noticed: 0 of 1" in text


def test_an_equivalent_mutant_is_neither_killed_nor_alive(sample: list[Mutant]) -> None:
    mutants = sample[:4]
    done = {mutant.key: Result(mutant.key, "killed", "tests/unit/a.py::a", str(mutant), 1.0) for mutant in mutants}
    done[mutants[0].key] = Result(mutants[0].key, "equivalent", "the reason", str(mutants[0]), 0.0)
    text, is_enough = mutate.summarise(mutants, done)
    assert is_enough
    assert "0 survivors" in text
    assert "mutants killed: 3 of 3, 100.0 %" in text
    assert "equivalent mutants, not counted: 1" in text
    table = mutate.make_table(mutants, done, text)
    assert f"| {mutants[0].key} |" in table
    assert table.count("| killed |") == 3


def test_each_equivalent_mutant_has_a_reason() -> None:
    for key, result in mutate.find_equivalents().items():
        assert (result.key, result.verdict) == (key, "equivalent")
        assert len(result.by.split()) > 2


def test_tests_of_units_run_before_those_that_start_a_device() -> None:
    tests = ["tests/integration/a.py::a", "tests/unit/b.py::b", "tests/property/c.py::c"]
    assert split_by_cost(tests) == [tests[1:], tests[:1]]
    assert split_by_cost([]) == []
