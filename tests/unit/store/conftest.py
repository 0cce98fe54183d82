from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydicom.dataset import FileDataset

from openmodality.store.local import LocalStore, open_store
from tests.peers.objects import save


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def store(folder: Path, database_url: str) -> Iterator[LocalStore]:
    with open_store(folder, url=database_url, durability="os", clock=lambda: 1000.0) as opened:
        yield opened


@pytest.fixture(scope="module")
def empty_folder(_migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a database and nothing in it, for all tests of a module to fill once and to copy."""
    folder = tmp_path_factory.mktemp("filled") / "data"
    folder.mkdir()
    shutil.copy(_migrated, folder)
    return folder


def fill(folder: Path, images: Iterable[FileDataset]) -> Path:
    """Index the images in a data folder; the folder."""
    with open_store(folder, durability="os", clock=lambda: 1000.0) as store:
        for image in images:
            store.add_file(save(image, folder.parent))
    return folder


@contextmanager
def open_copy(filled: Path, folder: Path) -> Iterator[LocalStore]:
    """Open a copy of a filled data folder, which a test may change."""
    shutil.copytree(filled, folder)
    with open_store(folder, durability="os", clock=lambda: 1000.0) as opened:
        yield opened
