from __future__ import annotations

import errno
import resource
from pathlib import Path

import pytest

from openmodality.cli.terminal.result_file import write_result


def test_a_disk_that_is_full_leaves_no_half_file_and_is_told_with_the_file(tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        with pytest.raises(OSError, match=r"new\.html") as refused:
            write_result(tmp_path / "new.html", "x" * 1000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert refused.value.errno == errno.EFBIG
    assert not (tmp_path / "new.html").exists()
