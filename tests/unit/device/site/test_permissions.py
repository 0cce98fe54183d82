"""A file that everybody may read is named, with what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from openmodality.device.site.permissions import warn_readable_by_all


@pytest.mark.parametrize(("mode", "warned"), [(0o600, False), (0o640, False), (0o644, True), (0o604, True)])
def test_what_everybody_may_read_is_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: int, warned: bool
) -> None:
    file = tmp_path / "device.key"
    file.touch()
    file.chmod(mode)
    warn_readable_by_all([file, tmp_path / "missing"])
    assert [vars(record)["file"] for record in caplog.records] == [str(file)] * warned
