"""The body of an upload on its way to disk."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from openmodality.console import uploads
from openmodality.console.uploads import UploadPlace, store_body
from openmodality.store.files.instance_file import StorageFull


async def give(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def store(place: UploadPlace, path: Path, start: bytes, *chunks: bytes) -> str:
    """In a thread of its own, since a browser of another test may have a loop in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(store_body(place, give(*chunks), path, start))).result()


def test_a_body_is_written_as_it_comes_and_held_to_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place, path = UploadPlace(tmp_path), tmp_path / "body"
    chunk = b"x" * (1 << 20)
    digest = store(place, path, b"start", chunk, b"end")
    assert path.read_bytes() == b"start" + chunk + b"end"
    assert digest == hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(uploads, "RESERVE_BYTES", 1 << 60)
    with pytest.raises(StorageFull):
        store(place, path, b"", chunk, chunk)
