from __future__ import annotations

from pathlib import Path

import pytest

from openmodality.activities.commit_jobs import make_commit_job
from openmodality.activities.performed_step import make_n_create_job, make_n_set_job
from openmodality.activities.send import make_send_job
from openmodality.device.site.site import Peer
from openmodality.device.site.site_loader import load_site
from openmodality.jobs.job import RetryParameters


def make_peer(folder: Path, more: str = "") -> Peer:
    path = folder / "site.toml"
    services = '["storage", "storage_commitment", "mpps"]'
    peer = f'[peers.pacs]\nae_title = "PACS"\nhost = "127.0.0.1"\nport = 104\nservices = {services}\n'
    path.write_text(f'profile = "rf"\n{peer}{more}', "utf-8")
    return load_site(path).peers["pacs"]


@pytest.mark.parametrize(("minutes", "delay_s"), [(5, 300.0), (7, 420.0)])
def test_jobs_wait_for_minutes(tmp_path: Path, minutes: int, delay_s: float) -> None:
    peer = make_peer(tmp_path, f"[parameters.storage]\nretry_delay_min = {minutes}\nretries = 3\n")
    assert make_send_job(peer, []).retry == RetryParameters(3, delay_s)
    assert make_commit_job(peer, []).retry == RetryParameters(5, delay_s, permanent=True)
    for job in (make_n_create_job(peer, "1.2"), make_n_set_job(peer, "1.2")):
        assert job.retry == RetryParameters(0, delay_s), "a step is told until the RIS has it"


def test_without_a_delay_only_steps_are_tried_again(tmp_path: Path) -> None:
    peer = make_peer(tmp_path, "[parameters.storage]\nretry_delay_min = 0\n")
    assert make_send_job(peer, []).retry.delay_s == make_commit_job(peer, []).retry.delay_s == 0
    assert make_n_set_job(peer, "1.2").retry.delay_s == 300


def test_a_request_that_may_not_be_repeated_is_not(tmp_path: Path) -> None:
    peer = make_peer(tmp_path, "[parameters.storage_commitment]\nretries = 0\n")
    assert make_commit_job(peer, []).retry.delay_s == 0
