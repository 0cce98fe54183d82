"""Which kinds of job a device does."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from openmodality.app.runtime import Runtime
from openmodality.device.site.site_loader import load_site
from openmodality.store.states import JobKind


@pytest.mark.parametrize("profile", ["mr", "rf"])
def test_every_kind_of_job_is_done(tmp_path: Path, profile: str) -> None:
    (tmp_path / "site.toml").write_text(f'profile = "{profile}"\n', "utf-8")
    runtime = Runtime(load_site(tmp_path), time.time)
    try:
        assert set(runtime._executors()) == set(JobKind)
    finally:
        runtime.close()
