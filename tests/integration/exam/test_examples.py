"""The examples that need no archive of others do what they say."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from tests.acceptance.documents import ROOT
from tests.devices import in_virtual_hospital


def test_the_home_built_scanner_does_the_first_exam_of_the_worklist(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with in_virtual_hospital(tmp_path, "mr") as (hospital, site):
        runpy.run_path(str(ROOT / "examples" / "home_built_scanner.py"))["main"](str(site))
        assert len(hospital.pacs.instances) == 16
    assert "COMPLETED 16 images; nothing is left to do" in capsys.readouterr().out
