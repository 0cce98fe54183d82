"""The media profiles of both devices, against the tables of their statements."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from openmodality.activities.media_profiles import choose_media_profile, list_media_profiles, make_file_set_options
from openmodality.device.site.site import Site
from openmodality.device.site.site_loader import load_site
from openmodality.errors import ConfigurationError
from openmodality.standard.sop_classes import MEDIA_STORAGE_DIRECTORY_STORAGE

SPEC = Path(__file__).parents[2] / "data" / "spec"
STATED_ACTS = {
    "Create": "create",
    "Write to CD-R": "create",
    "Store": "update",
    "Query": "query",
    "Retrieve": "retrieve",
}


def site(tmp_path: Path, profile: str, more: str = "") -> Site:
    (tmp_path / "site.toml").write_text(f'profile = "{profile}"\n{more}', encoding="utf-8")
    return load_site(tmp_path / "site.toml")


def rows(name: str) -> list[dict[str, str]]:
    with (SPEC / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_mr_profiles_are_the_statements(tmp_path: Path) -> None:
    ours = list_media_profiles(site(tmp_path, "mr"))
    stated: dict[str, set[str]] = {}
    for row in rows("mr/media_profiles.csv"):
        stated.setdefault(row["profile"], set()).add(STATED_ACTS[row["activity"]])
        assert ours[row["profile"]].sop_classes == set(row["sop_classes"].split())
    assert {name: set(profile.activities) for name, profile in ours.items() if name != "usb"} == stated


def test_rf_profiles_are_the_statements(tmp_path: Path) -> None:
    ours = list_media_profiles(site(tmp_path, "rf"))
    stated: dict[str, set[str]] = {}
    for row in rows("rf/media.csv"):
        if row["sop_class_uid"] != MEDIA_STORAGE_DIRECTORY_STORAGE:
            stated.setdefault(row["profile"], set()).add(row["sop_class_uid"])
    assert {name: set(profile.sop_classes) for name, profile in ours.items() if name != "usb"} == stated
    assert all(profile.activities == {"create"} for profile in ours.values())


def test_switches_of_the_site_change_the_profiles(tmp_path: Path) -> None:
    dose = list_media_profiles(site(tmp_path, "rf", "[parameters.behaviour]\nmedia_dose_sr = true\n"))
    assert dose["STD-GEN-CD"].takes("1.2.840.10008.5.1.4.1.1.88.67")
    both = "[parameters.kits]\nmedia = false\n[parameters.behaviour]\nmedia_dose_sr = true\n"
    assert list_media_profiles(site(tmp_path, "rf", both)) == {}


def test_a_profile_by_name(tmp_path: Path) -> None:
    assert choose_media_profile(site(tmp_path, "mr")).name == "STD-CTMR-DVD"
    assert choose_media_profile(site(tmp_path, "mr"), "usb").capacity_bytes == 0
    with pytest.raises(ConfigurationError) as refused:
        choose_media_profile(site(tmp_path, "mr"), "STD-GEN-CD")
    assert refused.value.advice == "this device has STD-CTMR-DVD, STD-CTMR-CD, usb"


@pytest.mark.parametrize(("profile", "title"), [("mr", "OM_MR"), ("rf", "")])
def test_the_source_title_is_mr_s_alone(tmp_path: Path, profile: str, title: str) -> None:
    own = site(tmp_path, profile)
    assert make_file_set_options(own, choose_media_profile(own), "DISC").source_ae_title == title
