from __future__ import annotations

from pathlib import Path

from tests.acceptance.command_line import openmodality, serving, start
from tests.acceptance.hospital_site import in_hospital
from tests.peers.process import wait_until


def test_listens_and_stops_and_is_alone(tmp_path: Path) -> None:
    with in_hospital(tmp_path) as place:
        with serving(place.site):
            again = openmodality("serve", "-c", place.site)
            assert again.status == 1
            assert "another process serves" in again.error_line
            port = place.hospital.peers["OM_MR"][1]
            echoed = openmodality("echo", f"OM_MR@127.0.0.1:{port}", "--calling", "OM_PACS")
            assert echoed.status == 0
        with serving(place.site):
            pass  # the lock of the one that was ended is free


def test_works_what_was_queued_before(tmp_path: Path) -> None:
    with in_hospital(tmp_path) as place:
        assert openmodality("worklist", "-c", place.site).status == 0
        assert openmodality("exam", "start", "1", "-c", place.site).status == 0
        assert place.hospital.ris.steps == []
        with serving(place.site):
            wait_until(lambda: [step.status for step in place.hospital.ris.steps] == ["IN PROGRESS"], what="the step")


def test_port_in_use(tmp_path: Path) -> None:
    with in_hospital(tmp_path) as place:
        text = place.site.read_text(encoding="utf-8")
        taken, own = place.hospital.ris_peer.port, place.hospital.peers["OM_MR"][1]
        place.site.write_text(text.replace(f"port = {own}", f"port = {taken}"), encoding="utf-8")
        ended = openmodality("serve", "-c", place.site)
    assert ended.status == 1
    assert str(taken) in ended.error_line


def test_ctrl_c_ends_it(tmp_path: Path) -> None:
    with in_hospital(tmp_path) as place, serving(place.site) as process:
        process.send_signal(2)
        assert process.wait(10) == 0


def test_needs_a_site_file(tmp_path: Path) -> None:
    process = start("serve", "-c", tmp_path / "none.toml")
    _, err = process.communicate(timeout=30)
    assert process.returncode == 2
    assert "openmodality init" in err
