"""A setting is changed in the text of a site file, and nothing else of it."""

from __future__ import annotations

import tomllib
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openmodality.device.profile.loader import list_profile_names, load_profile
from openmodality.device.site.new_site import make_site_text
from openmodality.device.site.site_text import remove_table, remove_value, set_value
from openmodality.errors import ConfigurationError

TEXT = """\
# The device.
profile = "mr"

[peers.ris]
ae_title = "RIS"  # as said
services = [
    "worklist",  # asked
    "mpps",
] # all of it

# The archive.
[peers.pacs]
port = 104

[peers.pacs.statuses]
"0111" = "success"

[parameters.storage]
# How often (0-100).
# retries = 10
# retry_delay_min = 5
"""


def changed(before: str, after: str) -> tuple[list[str], list[str]]:
    """The lines that are gone, and the new ones."""
    old, new = before.splitlines(), after.splitlines()
    return [line for line in old if line not in new], [line for line in new if line not in old]


@pytest.mark.parametrize(
    ("key", "value", "gone", "new"),
    [
        (("peers", "ris", "ae_title"), "X", ['ae_title = "RIS"  # as said'], ['ae_title = "X"  # as said']),
        (("peers", "pacs", "port"), 11112, ["port = 104"], ["port = 11112"]),
        (("parameters", "storage", "retries"), 3, [], ["retries = 3"]),
        (("parameters", "storage", "abort_on_failure"), False, [], ["abort_on_failure = false"]),
        (("peers", "ris", "host"), "10.0.0.7", [], ['host = "10.0.0.7"']),
        (("peers", "new", "port"), 1, [], ["[peers.new]", "port = 1"]),
        (("extensions",), ["c_get"], [], ['extensions = ["c_get"]']),
        (("peers", "pacs", "statuses", "0111"), "failure", ['"0111" = "success"'], ['"0111" = "failure"']),
        (("peers", "ris", "statuses"), {"A 1": "x"}, [], ['statuses = { "A 1" = "x" }']),
    ],
)  # fmt: skip
def test_one_setting_is_another(key: tuple[str, ...], value: object, gone: list[str], new: list[str]) -> None:
    text = set_value(TEXT, key, value)
    assert changed(TEXT, text) == (gone, new)
    assert set_value(text, key, value) == text, "a second time changes nothing"


def test_a_value_of_several_lines_is_one_value() -> None:
    text = set_value(TEXT, ("peers", "ris", "services"), ["worklist"])
    assert 'services = ["worklist"] # all of it\n\n# The archive.' in text
    assert "asked" not in text


def test_a_new_setting_goes_behind_its_commented_line() -> None:
    assert "# retries = 10\nretries = 3\n# retry_delay_min" in set_value(TEXT, ("parameters", "storage", "retries"), 3)


def test_what_is_removed_has_its_default() -> None:
    assert changed(TEXT, remove_value(TEXT, ("peers", "pacs", "port"))) == (["port = 104"], [])
    assert remove_value(TEXT, ("peers", "pacs", "host")) == TEXT
    without = remove_table(TEXT, ("peers", "pacs"))
    assert "pacs" not in tomllib.loads(without)["peers"]
    assert "[parameters.storage]\n# How often (0-100).\n" in without
    assert remove_value(TEXT, ("peers", "pacs", "statuses")).count("[peers.pacs.statuses]") == 0


def test_dotted_keys_are_changed_too() -> None:
    text = 'profile = "mr"\npeers.pacs.port = 1\n'
    assert set_value(text, ("peers", "pacs", "port"), 3) == 'profile = "mr"\npeers.pacs.port = 3\n'


@pytest.mark.parametrize(
    "text",
    [
        'profile = "mr"\npeers = { pacs = { port = 1 } }\n',
        'profile = """\n[peers.pacs]\nport = 1\n"""\n[peers]\npacs = { port = 2 }\n',
    ],
)
def test_what_is_written_in_another_way_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"peers\.pacs\.port is written in a way.*change it in the site file"):
        set_value(text, ("peers", "pacs", "port"), 3)


@cache
def write_default(name: str) -> str:
    return make_site_text(load_profile(name), name)


@given(value=st.text(max_size=40), name=st.sampled_from(list_profile_names()))
def test_any_text_goes_in_and_comes_out(value: str, name: str) -> None:
    before = write_default(name)
    key = ("device", "station_name")
    after = set_value(before, key, value)
    assert tomllib.loads(after)["device"]["station_name"] == value
    assert remove_value(after, key) == before
