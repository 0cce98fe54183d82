"""Instance files to put on a medium."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from openmodality.media.application_profile import USB, ApplicationProfile
from openmodality.media.file_set import FileSetOptions
from tests.peers import objects

IDENTITY = ("1.2.826.0.1.3680043.10.999", "TEST")


@pytest.fixture
def options() -> FileSetOptions:
    return FileSetOptions(USB, IDENTITY, durable=False)


@pytest.fixture
def images(tmp_path: Path) -> list[Path]:
    """Three MR images of one series."""
    return objects.mr_series(tmp_path / "source", 3, rows=8, columns=8)


def limited(capacity_bytes: int = 0, *sop_classes: str) -> ApplicationProfile:
    return ApplicationProfile("TEST-PROFILE", capacity_bytes, frozenset(sop_classes))


def saved(folder: Path, **values: Any) -> Path:
    return objects.save(objects.mr_image(rows=8, columns=8, **values), folder)
