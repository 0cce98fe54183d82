"""What is set at a site, by table, and what a person types in place of it."""

from __future__ import annotations

import pytest

from openmodality.device.profile.loader import load_profile
from openmodality.device.site.new_site import make_site_text
from openmodality.device.site.setting_values import (
    SettingValue,
    find_setting_table,
    list_setting_tables,
    make_new_table,
    read_typed_value,
)
from openmodality.device.site.settings_doc import list_all_parameters, list_site_settings
from openmodality.errors import NotFound, UsageError

RF = load_profile("rf")
TEXT = make_site_text(RF, "rf") + '\n[peers.other]\nae_title = "OTHER"\nhost = "h"\nport = 104\ntls = true\n'


def find(name: str, key: str) -> SettingValue:
    table = find_setting_table(RF, TEXT, name)
    return next(each for each in table.values if each.place[-1] == key)


def test_every_setting_and_parameter_has_its_place() -> None:
    keys = {value.setting.key for table in list_setting_tables(RF, TEXT) for value in table.values}
    expected = {each.key for each in (*list_site_settings(), *list_all_parameters(RF))}
    assert expected - keys == {each for each in expected if "[]" in each} | {"parameters"}


@pytest.mark.parametrize("name", ["mr", "rf"])
def test_sections_are_those_of_settings_that_there_are(name: str) -> None:
    profile = load_profile(name)
    known = {each.key for each in (*list_site_settings(), *list_all_parameters(profile))}
    assert set(profile.setting_sections) <= known


def test_a_value_is_shown_as_it_is_set_or_by_default() -> None:
    port, retries, tls = find("peers.other", "port"), find("parameters.storage", "retries"), find("peers.other", "tls")
    assert (port.key, port.table, port.shown, port.typed, port.is_set) == (
        "peers.other.port", "peers.other", "104", "104", True
    )  # fmt: skip
    assert (retries.shown, retries.typed, retries.is_set, retries.section) == ("10", "10", False, "4.4.2")
    assert tls.typed == "true"
    assert find("peers.pacs", "services").typed.splitlines()[0] == "verification"
    assert find("peers.pacs", "tls").typed == ""
    assert not find("parameters.storage", "max_initiated_associations").is_changeable
    assert not find("peers.pacs", "parameters").is_changeable
    assert not find("media", "burn_command").is_changeable, "which program is run is for the file alone"
    assert find("site", "profile").typed == "rf"


@pytest.mark.parametrize(
    ("table", "key", "typed", "value"),
    [
        ("peers.other", "port", "11112", 11112),
        ("peers.other", "tls", "false", False),
        ("peers.other", "services", "storage\n\n mpps ", ["storage", "mpps"]),
        ("peers.other", "statuses", '"0111" = success', {"0111": "success"}),
        ("parameters.dose", "calibration_factor", "1.5", 1.5),
        ("parameters.worklist", "modality", "", ""),
        ("console", "identity_check", "scan", "scan"),
    ],
)
def test_what_is_typed_is_read(table: str, key: str, typed: str, value: object) -> None:
    assert read_typed_value(find(table, key).setting, typed) == value


@pytest.mark.parametrize(
    ("table", "key", "typed", "said"),
    [
        ("peers.other", "port", "1e3", "1-65535"),
        ("peers.other", "tls", "yes", "neither true nor false"),
        ("peers.other", "statuses", "0111", "NAME = VALUE"),
        ("parameters.dose", "calibration_factor", "x", "0-1000"),
    ],
)
def test_what_cannot_be_a_value_is_said(table: str, key: str, typed: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read_typed_value(find(table, key).setting, typed)


def test_a_peer_may_be_new_and_other_tables_not() -> None:
    new = find_setting_table(RF, TEXT, "peers.second")
    assert new == make_new_table(RF, "peers", "second")
    assert {value.is_set for value in new.values} == {False}
    for name in ("nowhere", "peers", "peers.", "peers.a b", "mapping", "device.x"):
        with pytest.raises(NotFound):
            find_setting_table(RF, TEXT, name)
