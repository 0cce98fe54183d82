"""How many associations an AE may have at once, and its implementation identity, by profile and site."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from openmodality.device.profile.parameters import Parameters
from openmodality.device.site.association_limits import count_accepted, count_turns, find_identity
from openmodality.device.site.site_loader import load_default_site, load_site
from openmodality.standard.implementation import OWN_CLASS_UID, OWN_VERSION_NAME


@pytest.mark.parametrize("role", ["storage", "storage_commitment", "worklist", "mpps", "print"])
def test_an_ae_of_the_rf_device_opens_one_association_at_a_time(role: str) -> None:
    assert count_turns(load_default_site("rf"), role) == 1


def test_the_lower_limit_of_what_an_ae_accepts_holds() -> None:
    site = load_default_site("rf")
    general = site.parameters.integer("general.max_accepted_associations")
    assert count_accepted(site, "storage_scp") == general
    assert count_accepted(site, "storage_commitment") == 1
    changed = replace(site, parameters=Parameters({**site.parameters, "general.max_accepted_associations": 0}))
    assert count_accepted(changed, "storage_commitment") == 0


def test_the_identity_is_the_sites_or_our_own(tmp_path: Path) -> None:
    assert find_identity(load_default_site("mr")) == (OWN_CLASS_UID, OWN_VERSION_NAME)
    file = tmp_path / "site.toml"
    file.write_text('profile = "mr"\n[device]\nimplementation_class_uid = "1.2.3"\n', encoding="utf-8")
    assert find_identity(load_site(file)) == ("1.2.3", OWN_VERSION_NAME)
