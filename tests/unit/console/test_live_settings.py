"""Which settings a console takes at once, and which wait for a restart."""

from __future__ import annotations

from pathlib import Path

from openmodality.console.live_settings import AT_ONCE, LiveSettings, list_differences
from openmodality.device.site.new_site import write_site
from openmodality.device.site.settings_doc import list_site_settings
from openmodality.device.site.site_loader import load_site


def test_some_are_taken_at_once_and_others_wait(tmp_path: Path) -> None:
    file = write_site(tmp_path, "mr")
    text = file.read_text()
    live = LiveSettings(load_site(file), text)
    own = '[console]\nidentity_check = "scan"\nidle_minutes = 5\nsession_hours = 2\n'
    own += "port = 11999\nemergency_start = true\n"
    after = text.replace("[console]\n", own).replace("port = 11114", "port = 104")
    file.write_text(after)
    assert live.console.identity_check == "type"
    live.take(load_site(file))
    assert (live.console.identity_check, live.console.emergency_start, live.console.port) == ("scan", True, 11180)
    assert (live.find_limits().idle_s, live.find_limits().absolute_s) == (300, 7200)
    assert sorted(live.list_waiting(after)) == ["console.port", "peers.pacs.port"]
    assert live.list_waiting(text) == []


def test_differences_are_named_by_key() -> None:
    assert list_differences("a = 1\n[b]\nc = 2\nd = 3\n", "a = 1\n[b]\nc = 5\n[e]\nf = []\n") == ["b.c", "b.d", "e.f"]


def test_what_is_taken_at_once_are_settings() -> None:
    assert {each.key for each in list_site_settings()} >= AT_ONCE
