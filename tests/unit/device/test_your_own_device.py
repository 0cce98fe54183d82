"""``docs/your-own-device.md`` names the files, columns and keys that the loader reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from openmodality.device.profile import rows
from openmodality.device.profile.profile_file import ProfileFile

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "your-own-device.md").read_text(encoding="utf-8")
TABLES = [table for table in vars(rows).values() if isinstance(table, rows.Table)]


@pytest.mark.parametrize("table", TABLES, ids=[table.file for table in TABLES])
def test_every_table_is_described(table: rows.Table[object]) -> None:
    assert f"| `{table.file}` | `{','.join(table.columns)}` |" in PAGE


@pytest.mark.parametrize("key", ProfileFile.model_fields)
def test_every_key_is_described(key: str) -> None:
    assert f"`{key}`" in PAGE or f"`[[{key}]]`" in PAGE
