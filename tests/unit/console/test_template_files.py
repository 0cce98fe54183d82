from __future__ import annotations

import base64
import hashlib
import re
import tomllib
from datetime import datetime
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from openmodality.console.template_files import (
    STATIC_FOLDER,
    StaticFiles,
    Templates,
    format_clock,
    format_date,
    format_dicom_time,
    format_person,
    make_sentence,
)

TEMPLATES = STATIC_FOLDER.parent / "templates"
BUDGET_BYTES = 150_000


def test_files_of_others_are_those_that_their_digests_name() -> None:
    vendored = tomllib.loads((STATIC_FOLDER / "VENDOR.toml").read_text("utf-8"))["file"]
    assert {each["name"] for each in vendored} == {path.name for path in STATIC_FOLDER.glob("*.min.js")}
    for each in vendored:
        digest = hashlib.sha384((STATIC_FOLDER / each["name"]).read_bytes()).digest()
        assert base64.b64encode(digest).decode() == each["sha384"], each["name"]


def test_script_and_style_stay_small() -> None:
    assert sum(map(len, StaticFiles().content.values())) < BUDGET_BYTES


@pytest.mark.parametrize("path", sorted(TEMPLATES.glob("*.html")), ids=lambda path: path.name)
def test_no_template_has_script_or_style_in_it_or_trusts_a_value(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not re.search(r"<style|<script(?![^>]* src=)|\sstyle=|\son[a-z]+=|javascript:|hx-on|\bjs:", text)
    assert not re.search(r"\|\s*safe\b|autoescape|Markup", text)
    assert not re.search(r"""(src|href|action)=["']?(https?:)?//""", text), "nothing comes from elsewhere"


def test_what_is_shipped_calls_nobody_else() -> None:
    for path in STATIC_FOLDER.iterdir():
        if path.suffix == ".css" or path.name in ("console.js", "policy.js", "worker.js"):
            assert not re.search(r"https?://|@import|url\(", path.read_text("utf-8")), path.name


def test_an_address_of_a_file_changes_with_its_content(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text("1")
    before = StaticFiles(tmp_path)
    (tmp_path / "a.js").write_text("2")
    after = StaticFiles(tmp_path)
    assert before.make_url("a.js") != after.make_url("a.js")
    assert after.find_type("a.js").startswith("text/javascript")
    with pytest.raises(KeyError):
        after.make_url("b.js")


def test_a_value_is_text_and_a_missing_one_an_error() -> None:
    templates = Templates(StaticFiles())
    values = {"theme": "dark", "device": "<b>&", "name": '"><img src=x>', "back": "/", "error": "{{7*7}}"}
    values["offers_emergency"] = ""
    text = templates.render("login.html", **values)
    assert "<img" not in text
    assert "&lt;b&gt;&amp;" in text
    assert "49" not in text.split("<form")[0].split("alert")[1]
    del values["error"]
    with pytest.raises(UndefinedError):
        templates.render("login.html", **values)


def test_values_for_people() -> None:
    assert format_person("Carter^Edith^^Dr.") == "Carter, Dr. Edith"
    assert format_person("Yamada^Tarou=山田^太郎=やまだ^たろう") == "Yamada, Tarou (山田, 太郎) (やまだ, たろう)"
    assert format_person("=山田^太郎") == "(山田, 太郎)"
    assert format_person("") == ""
    assert (format_date("19691226"), format_date("1969"), format_date("")) == ("1969-12-26", "1969", "")
    times = [format_dicom_time(text) for text in ("080000", "0830", "8", "081530.5")]
    assert times == ["08:00:00", "08:30", "8", "08:15:30"]
    assert (make_sentence("no such job"), make_sentence("Done."), make_sentence("")) == ("No such job.", "Done.", "")
    assert make_sentence("openmodality recover shows all") == "openmodality recover shows all."
    now = datetime(2026, 11, 29, 12, 0).timestamp()
    assert format_clock(now - 3600, now) == "11:00:00"
    assert format_clock(now - 86_400, now) == "2026-11-28 12:00"
    assert format_clock(None) == ""
