"""``docs/site-file.md`` says what the code says."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from openmodality.device.site import settings_doc
from openmodality.device.site.settings_doc import format_toml_value, list_site_settings, make_settings_page

PAGE = Path(__file__).parents[4] / "docs" / "site-file.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == make_settings_page(), (
        "run: python -m openmodality.device.site.settings_doc docs/site-file.md"
    )


def test_settings_have_their_dotted_names() -> None:
    keys = {setting.key: setting for setting in list_site_settings()}
    assert keys["peers.NAME.port"].allowed == "1-65535"
    assert keys["data.durability"].default == '"fsync"'
    assert keys["mapping[].image"].meaning == "path in images"
    assert keys["profile"].default == ""


@pytest.mark.parametrize("value", ["", 'a "b"', "a\\b", "it's \\ here", True, 7, 1.5, ["a", "b"], {}, {"a": 1}])
def test_values_are_written_as_toml_reads_them(value: object) -> None:
    assert tomllib.loads(f"key = {format_toml_value(value)}") == {"key": value}


def test_a_bar_in_a_cell_parts_no_columns() -> None:
    assert settings_doc._format_cell("BLACK|WHITE") == "BLACK\\|WHITE"
