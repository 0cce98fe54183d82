from __future__ import annotations

from pathlib import Path

from tests.acceptance.command_line import finish, openmodality, serving, start
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
    """It says so and ends; what is queued waits for a device that listens."""
    with in_hospital(tmp_path) as place:
        assert openmodality("worklist", "-c", place.site).status == 0
        assert openmodality("exam", "start", "1", "-c", place.site).status == 0
        text = place.site.read_text(encoding="utf-8")
        taken, own = place.hospital.ris_peer.port, place.hospital.peers["OM_MR"][1]
        place.site.write_text(text.replace(f"port = {own}", f"port = {taken}"), encoding="utf-8")
        ended = openmodality("serve", "-c", place.site)
        assert place.hospital.ris.steps == []
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


def test_what_holds_patients_is_private_and_a_readable_site_file_is_named(tmp_path: Path) -> None:
    with in_hospital(tmp_path) as place:
        assert place.site.stat().st_mode & 0o777 == 0o600, "as init wrote it"
        place.site.chmod(0o644)
        data = place.site.parent / "data"
        process = start("serve", "-c", place.site)
        assert process.stderr is not None
        lines = [process.stderr.readline()]
        while "Ctrl-C stops" not in lines[-1]:
            assert lines[-1], lines
            lines.append(process.stderr.readline())
        modes = {path.name: path.stat().st_mode & 0o777 for path in data.iterdir() if path.is_file()}
        process.send_signal(2)
        assert finish(process).status == 0
        assert data.stat().st_mode & 0o777 == 0o700
    assert modes.keys() >= {"openmodality.db", "openmodality.db-wal", "openmodality.db-shm", "worker.lock"}
    assert set(modes.values()) == {0o600}
    assert lines[0].startswith("openmodality: warning: file.readable_by_all")
    assert f"file={place.site}" in lines[0]
