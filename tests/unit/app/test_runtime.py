from __future__ import annotations

from pathlib import Path

import pytest

from openmodality.app.runtime import group_kinds
from openmodality.device.site.site_loader import load_site
from openmodality.store.states import JobKind


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ("mr", [set(JobKind) - {JobKind.MEDIA, JobKind.AUDIT}]),
        (
            "rf",
            [
                {JobKind.SEND},
                {JobKind.COMMIT},
                {JobKind.MPPS_CREATE, JobKind.MPPS_SET},
                {JobKind.PRINT},
                {JobKind.RETRIEVE},
            ],
        ),
    ],
)
def test_jobs_of_one_local_ae_wait_for_each_other(tmp_path: Path, profile: str, expected: list[set[JobKind]]) -> None:
    (tmp_path / "site.toml").write_text(f'profile = "{profile}"\n', "utf-8")
    assert [set(kinds) for kinds in group_kinds(load_site(tmp_path))] == expected
