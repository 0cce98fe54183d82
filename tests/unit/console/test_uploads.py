"""Uploads on their way to disk: what they are by their beginning, their parts, and the room that they may take."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from openmodality.console.request_errors import TooManyRequests
from openmodality.console.uploads import MOST_UPLOADS, UploadPlace, name_by_content, split_parts
from openmodality.errors import UsageError
from openmodality.store.files.instance_file import StorageFull


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"\x1f\x8b rest", "upload.nii.gz"),
        (b"\x93NUMPY", "upload.npy"),
        (b"PK\x03\x04", "upload.npz"),
        (b"\x89PNG\r\n", "upload.png"),
        (b"II*\0", "upload.tif"),
        (b"\0" * 128 + b"DICM", "upload.dcm"),
        (b"\0" * 344 + b"n+1\0", "upload.nii"),
        (b"\x89HDF", "upload.h5"),
        (b"MATLAB 5.0", "upload.mat"),
        (b"anything", "upload.raw"),
        (b"", "upload.raw"),
    ],
)
def test_a_file_is_named_by_how_it_begins(tmp_path: Path, content: bytes, name: str) -> None:
    path = tmp_path / "body"
    path.write_bytes(content)
    assert name_by_content(path) == tmp_path / name


def make_body(*parts: tuple[str, bytes], boundary: str = "b") -> bytes:
    mark = f"--{boundary}".encode()
    return (
        b"".join(mark + b"\r\n" + head.encode() + b"\r\n\r\n" + content + b"\r\n" for head, content in parts)
        + mark
        + b"--\r\n"
    )


def test_parts_lie_beside_each_other(tmp_path: Path) -> None:
    body = tmp_path / "body"
    pixels = b"\x93NUMPY\r\n--a\r\n\0"
    body.write_bytes(
        make_body(
            ("Content-Type: application/json", b'{"EchoTime": 30}'),
            ('Content-Disposition: form-data; name="x"; filename="../../a.bval"', b"0 1"),
            ("Content-Type: application/octet-stream", pixels),
        )
    )
    path = split_parts(body, "b")
    assert (path, path.read_bytes()) == (tmp_path / "upload.npy", pixels)
    assert (tmp_path / "upload.json").read_bytes() == b'{"EchoTime": 30}'
    assert (tmp_path / "upload.bval").read_bytes() == b"0 1", "the name of a part leads nowhere else"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"--b",
        b"no mark",
        make_body(("", b"x"))[:-6],
        make_body(("Content-Type: application/json", b"{}")),
        make_body(*[("Content-Type: image/png", b"x")] * 2),
        make_body(*[("Content-Type: application/json", b"{}")] * 20),
    ],
)
def test_a_body_of_parts_that_is_not_whole_is_refused(tmp_path: Path, content: bytes) -> None:
    body = tmp_path / "body"
    body.write_bytes(content)
    with pytest.raises(UsageError):
        split_parts(body, "b")


def test_only_so_many_come_at_once_and_nothing_stays(tmp_path: Path) -> None:
    place = UploadPlace(tmp_path / "uploads")
    with ExitStack() as opened:
        folders = [opened.enter_context(place.open(1)) for _ in range(MOST_UPLOADS)]
        assert len(set(folders)) == MOST_UPLOADS
        with pytest.raises(TooManyRequests), place.open(1):
            pass
    assert not list(place.folder.iterdir())
    with place.open(1):
        pass
    place.remove_left()
    assert not place.folder.exists()
    with pytest.raises(StorageFull), place.open(1 << 60):
        pass
