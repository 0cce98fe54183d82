"""``openmodality conformance`` as it is typed."""

from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path

import pytest

from tests.acceptance.in_process import openmodality

OF_RF = json.dumps(
    {"kind": "OpenModality evidence", "schema_version": 1, "profile": "rf", "run": "2026-11-30", "requirements": []}
)
SITE = 'profile = "mr"\n[application_entities.device]\nae_title = "ROOM1"\n'


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "site.toml").write_text(SITE, encoding="utf-8")
    return tmp_path


def test_print_in_each_format(site: Path) -> None:
    html = openmodality("conformance", "print", "-c", site, "--format", "html")
    assert html.status == 0
    assert html.out.startswith("<!DOCTYPE html>")
    assert "ROOM1" in html.out
    markdown = openmodality("conformance", "print", "-c", site, "--layout", "mr")
    assert markdown.out.startswith("# DICOM Conformance Statement: MR imaging system")
    assert "## 15 Annex C: performed procedure step" in markdown.out
    stated = json.loads(openmodality("conformance", "print", "-c", site, "--format", "json").out)
    assert (stated["kind"], stated["schema_version"]) == ("OpenModality conformance statement", 1)
    assert stated["device_description"]["dicomNetworkAE"][0]["dicomAETitle"] == "ROOM1"


def test_what_a_file_is_shows_in_its_name(site: Path) -> None:
    for name, start in (("a.html", "<!DOCTYPE"), ("a.json", "{"), ("a.md", "# DICOM")):
        done = openmodality("conformance", "print", "--profile", "rf", "-o", site / name)
        said = f"{site / name}: the conformance statement of Remote-controlled R/F x-ray system\n"
        assert (done.status, done.out) == (0, said)
        assert (site / name).read_text(encoding="utf-8").startswith(start)


def test_evidence_says_which_test_shows_a_sentence(site: Path) -> None:
    markdown = openmodality("conformance", "print", "-c", site, "--evidence").out
    assert re.search(r"\| MR-3\.3\.1\.3-03 \| 3\.3\.1\.3 \| .*? \| shown \| independent peer: .*echoscu", markdown)
    assert re.search(r"MR-3-14: independent peer", markdown)
    stated = json.loads(openmodality("conformance", "print", "-c", site, "--evidence", "--json").out)["items"][0]
    evidence = stated["statement"]["evidence"]
    assert (evidence["profile"], len(evidence["requirements"])) == ("mr", 372)


def test_evidence_of_another_profile_or_none_is_named(site: Path) -> None:
    file = site / "evidence.json"
    for evidence, words in ((OF_RF, "is the evidence of profile rf; this device is mr"), ("{}", "is no evidence")):
        file.write_text(evidence, encoding="utf-8")
        done = openmodality("conformance", "print", "-c", site, f"--evidence={file}")
        assert (done.status, done.err.count("\n")) == (2, 1)
        assert words in done.err
    done = openmodality("conformance", "print", "--profile", "docs/examples/ct", "--evidence")
    assert (done.status, done.err.count("\n")) == (2, 1)
    assert "docs/examples/ct/evidence.json: cannot be read" in done.err


def test_diff_says_what_a_peer_would_notice(site: Path) -> None:
    openmodality("conformance", "print", "--profile", "mr", "-o", site / "before.json")
    openmodality("conformance", "print", "-c", site, "-o", site / "after.json")
    same = openmodality("conformance", "diff", site / "before.json", site / "before.json", "--exit-code")
    assert (same.status, same.out) == (0, "a peer would notice nothing\n")
    found = openmodality("conformance", "diff", site / "before.json", site / "after.json")
    sentence = "The AE device is now called ROOM1; it was OM_MR: peers that know its title must learn it."
    assert (found.status, found.out) == (0, f"application entities: {sentence}\n")
    assert openmodality("conformance", "diff", site / "before.json", site / "after.json", "--exit-code").status == 1


def test_a_profile_of_ones_own() -> None:
    done = openmodality("conformance", "print", "--profile", "docs/examples/ct")
    assert "| Profile | ct: CT scanner |" in done.out


def test_a_folder_of_the_name_of_a_profile_is_in_nobodys_way(site: Path) -> None:
    """``openmodality init mr`` makes one."""
    (site / "mr").mkdir()
    with contextlib.chdir(site):
        done = openmodality("conformance", "print", "--profile", "mr")
    assert done.out.startswith("# DICOM Conformance Statement: MR imaging system")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["print", "--profile", "xx"], "there is no profile 'xx': use mr, rf"),
        (["print", "-c", "nowhere"], "there is no site file nowhere"),
        (["print", "--format", "pdf"], "--format"),
        (["diff", "site.toml", "site.toml"], "is no JSON"),
        (["diff", "nowhere.json", "site.toml"], "file 'nowhere.json' does not exist"),
    ],
)
def test_bad_input_is_a_line(site: Path, words: list[str], message: str) -> None:
    with contextlib.chdir(site):
        done = openmodality("conformance", *words)
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)
    assert message in done.err
