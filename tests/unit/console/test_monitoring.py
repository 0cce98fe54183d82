"""What lies beside docs/rest.md for supervisors asks for figures that there are, by labels that they have."""

from __future__ import annotations

import json
import re
from typing import Any, Final

import pytest

from tests.acceptance.documents import ROOT

FOLDER: Final = ROOT / "docs" / "examples" / "monitoring"
SOURCE: Final = (ROOT / "src" / "openmodality" / "console" / "metrics.py").read_text(encoding="utf-8")
FIGURES: Final = set(re.findall(r'_(?:gauge|counter|histogram)\(\s*"(\w+)"', SOURCE))
OF_PROMETHEUS: Final = {"instance", "le"}


def list_expressions() -> list[tuple[str, str]]:
    """Each expression, with the text that shows its labels."""
    board: Any = json.loads((FOLDER / "grafana.json").read_text(encoding="utf-8"))
    rules = (FOLDER / "alerts.yml").read_text(encoding="utf-8").split("- alert: ")[1:]
    of_panels = [(each["expr"], each["legendFormat"]) for panel in board["panels"] for each in panel["targets"]]
    of_rules = [
        (rule.partition("expr: ")[2].partition("\n")[0], rule.partition("summary: ")[2].replace("$labels.", ""))
        for rule in rules
    ]
    assert len(of_rules) == 5
    return [*of_panels, *of_rules]


@pytest.mark.parametrize(("expression", "shown"), list_expressions())
def test_an_expression_asks_for_figures_by_labels_that_they_have(expression: str, shown: str) -> None:
    named = re.findall(r"openmodality_(\w+)", expression)
    assert named
    assert {name.removesuffix("_bucket") for name in named} <= FIGURES
    labels = {*re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", expression), *re.findall(r"\{\{ ?(\w+) ?\}\}", shown)}
    for by in re.findall(r"by \(([^)]*)\)", expression):
        labels |= set(by.split(", "))
    assert all(f'"{label}"' in SOURCE for label in labels - OF_PROMETHEUS)
