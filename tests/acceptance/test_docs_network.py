"""Each block of docs/network.md runs as it is printed, but for the port."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom import dcmread

import openmodality.network
from tests.interop import wire
from tests.peers import objects
from tests.peers.process import Address, accepts, free_port, wait_until

DOCUMENT = Path(__file__).parents[2] / "docs" / "network.md"
BLOCKS = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
ECHO, FILES, DATA_SET, SCP = BLOCKS


@pytest.fixture
def port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The port of the document's own Storage SCP, running."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "received").mkdir()
    number, end = free_port(), threading.Event()
    thread = threading.Thread(target=run, args=(SCP, number), kwargs={"input": lambda _: end.wait()})
    thread.start()
    wait_until(lambda: accepts(number), what="the Storage SCP of the document")
    yield number
    end.set()
    thread.join(10)
    assert not thread.is_alive()


def run(block: str, port: int, **names: object) -> None:
    exec(compile(block.replace("11112", str(port)), str(DOCUMENT), "exec"), {"__name__": "script", **names})


def test_the_example_of_an_echo(port: int, capsys: pytest.CaptureFixture[str]) -> None:
    run(ECHO, port)
    assert capsys.readouterr().out == "status 0000\n"


def test_the_example_that_stores_files(port: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = objects.mr_series(tmp_path / "to-send", 3)
    run(FILES, port)
    assert capsys.readouterr().out.count(" success\n") == 3
    for path in paths:
        assert dcmread(tmp_path / "received" / path.name) == dcmread(path)


def test_store_a_data_set(port: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(DATA_SET, port)
    assert capsys.readouterr().out == "0000 success \n"
    [file] = (tmp_path / "received").iterdir()
    assert dcmread(file).pixel_array.shape == (64, 64)


def test_two_senders_of_the_same_uid_do_not_mix(port: int, tmp_path: Path) -> None:
    """Each is answered Success for a file that was whole; the last one stays."""
    address = Address("ARCHIVE", port)
    contents = {letter: _image(letter) for letter in (b"A", b"B")}
    with wire.associated(address, wire.MR_IMAGE) as one, wire.associated(address, wire.MR_IMAGE) as other:
        for connection, data in zip((one, other), contents.values(), strict=True):
            connection.send(wire.p_data(wire.value(wire.store_rq("1.2.3.4"), 3)))
            connection.send(wire.p_data(wire.value(data[:500], 0)))
        wait_until(lambda: len(list((tmp_path / "received").iterdir())) == 2, what="both files in the making")
        for connection, data in zip((one, other), contents.values(), strict=True):
            connection.send(wire.p_data(wire.value(data[500:], 2)))
            assert wire.status_of(connection.receive_command()) == 0
            [file] = (tmp_path / "received").glob("*.dcm")
            assert file.read_bytes().endswith(data)
    assert len(list((tmp_path / "received").iterdir())) == 1


def _image(letter: bytes) -> bytes:
    return wire.implicit_image("1.2.3.4", 1000)[:-1000] + letter * 1000


def test_the_storage_scp_has_about_20_lines() -> None:
    body = SCP.partition("\n)\n")[2]  # after what it imports
    assert len([line for line in body.splitlines() if line.strip()]) <= 22


def test_every_public_name_is_there() -> None:
    for name in openmodality.network.__all__:
        assert getattr(openmodality.network, name) is not None
        assert name in dir(openmodality.network)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = openmodality.network.nothing  # type: ignore[attr-defined, unused-ignore]


def test_the_package_itself_imports_nothing_of_weight() -> None:
    loaded = "[name for name in sys.modules if name.startswith(('openmodality', 'pydicom'))]"
    code = f"import sys, openmodality.network; print(sorted({loaded}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=_sources())
    assert done.stdout.strip() == "['openmodality', 'openmodality.network']"


def _sources() -> dict[str, str]:
    return {"PYTHONPATH": str(DOCUMENT.parents[1] / "src")}
