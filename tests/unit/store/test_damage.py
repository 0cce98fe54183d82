from __future__ import annotations

from pathlib import Path

import pytest

from openmodality.standard.query_retrieve import Level
from openmodality.store.damage import is_damaged, set_aside
from openmodality.store.listing.entities import count
from openmodality.store.local import open_store
from tests.peers.objects import mr_series
from tests.unit.store.conftest import open_copy


def test_a_sound_file_and_none_are_not_damaged(empty_folder: Path, tmp_path: Path) -> None:
    assert not is_damaged(empty_folder)
    assert not is_damaged(tmp_path)


@pytest.mark.parametrize("damage", ["head", "middle", "cut off"])
def test_a_damaged_file_is_found_and_its_index_is_made_anew(empty_folder: Path, tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "data"
    with open_copy(empty_folder, folder) as store:
        for path in mr_series(tmp_path / "source", 3, rows=4, columns=4):
            store.add_file(path)
    file = folder / "openmodality.db"
    content = bytearray(file.read_bytes())
    if damage == "cut off":
        del content[len(content) // 2 :]
    else:
        at = 0 if damage == "head" else len(content) // 2
        content[at : at + 20000] = b"\x55" * 20000
    file.write_bytes(content)
    assert is_damaged(folder)
    kept = set_aside(folder, 0.0)
    assert kept.read_bytes() == content
    with open_store(folder, durability="os") as store:
        assert store.recover().indexed == 3
        with store.read() as snapshot:
            assert count(snapshot, Level.IMAGE) == 3
