"""The tables of N-CREATE and N-SET, made of the profile's."""

from __future__ import annotations

from pathlib import Path

import pytest

from openmodality.device.site.site import Site
from openmodality.device.site.site_loader import load_site
from openmodality.objects.performed_step.step_table import StepOperation, make_step_table
from openmodality.standard.performed_step import NOT_ALLOWED, PERFORMED_STEP_RULES


def load(folder: Path, profile: str, more: str = "") -> Site:
    (folder / "site.toml").write_text(f'profile = "{profile}"\n{more}', encoding="utf-8")
    return load_site(folder / "site.toml")


@pytest.mark.parametrize("profile", ["mr", "rf"])
@pytest.mark.parametrize("operation", list(StepOperation))
def test_nothing_is_sent_that_the_standard_forbids(tmp_path: Path, profile: str, operation: StepOperation) -> None:
    column = "n_create" if operation is StepOperation.BEGIN else "n_set"
    forbidden = {rule.path for rule in PERFORMED_STEP_RULES if getattr(rule, column) == NOT_ALLOWED}
    assert not forbidden & {row.path for row in make_step_table(load(tmp_path, profile), operation).rules}


@pytest.mark.parametrize("profile", ["mr", "rf"])
def test_what_the_standard_requires_of_a_step_that_begins_is_required(tmp_path: Path, profile: str) -> None:
    table = make_step_table(load(tmp_path, profile), StepOperation.BEGIN)
    required = {rule.path for rule in PERFORMED_STEP_RULES if rule.n_create == "1" and len(rule.path) == 1}
    assert required <= {row.path for row in table.rules if row.requirement == "1"}


@pytest.mark.parametrize("profile", ["mr", "rf"])
def test_what_is_final_goes_before_what_an_update_needs(tmp_path: Path, profile: str) -> None:
    table = make_step_table(load(tmp_path, profile), StepOperation.END)
    for keyword in ("PerformedProcedureStepEndDate", "PerformedSeriesSequence"):
        (row,) = (row for row in table.rules if row.keyword == keyword and len(row.path) == 1)
        assert row.requirement == "1"


def test_the_switches_of_the_site_hold(tmp_path: Path) -> None:
    site = load(tmp_path, "rf", "\n[parameters.kits]\ndap = false\n")
    assert make_step_table(site, StepOperation.END).switches_off >= {"kits.dap"}
