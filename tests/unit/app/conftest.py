from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from openmodality.store.local import LocalStore, open_store


@pytest.fixture
def store(tmp_path: Path, database_url: str) -> Iterator[LocalStore]:
    with open_store(tmp_path / "data", url=database_url, durability="os", clock=lambda: 1000.0) as opened:
        yield opened
