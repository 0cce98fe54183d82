"""DCMTK: its servers as context managers, its users by `scu`.

A test marks what it uses, ``@pytest.mark.needs("storescp", "echoscu")``, and reads::

    with dcmtk.storescp(tmp_path / "received", "--abort-during") as peer:
        finished = dcmtk.scu("storescu", peer, path)
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from pydicom.dataset import FileDataset

from tests.peers.process import Address, Finished, Server, accepts, free_port, run, running


def scu(
    name: str, peer: Address, *arguments: str | Path | int, calling: str = "TESTER", timeout_s: float = 30.0
) -> Finished:
    """Run ``echoscu``, ``storescu``, ``findscu``, ``movescu``, ``getscu`` or ``termscu`` against a peer.

    The arguments are options and then files; an option with a value is two arguments: ``"--key", "PatientID=7"``.
    """
    return run(name, "-aet", calling, "-aec", peer.aet, peer.host, peer.port, *arguments, timeout_s=timeout_s)


@contextlib.contextmanager
def storescp(folder: Path, *options: str | Path | int, aet: str = "STORESCP") -> Iterator[Server]:
    """A Storage SCP that keeps what it gets in the folder.

    Among its options are faults: ``--refuse``, ``--abort-after``, ``--abort-during``, ``--sleep-during``. It serves one
    association at a time unless ``--fork`` is given.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _serving("storescp", aet, folder, ["-aet", aet, "--output-directory", folder, *options]) as server:
        yield server


@contextlib.contextmanager
def wlmscpfs(
    folder: Path, items: Iterable[FileDataset], *options: str | Path | int, aet: str = "WLMSCPFS"
) -> Iterator[Server]:
    """A Basic Worklist SCP that serves the items. By default it answers without Specific Character Set (0008,0005)."""
    served = folder / aet
    served.mkdir(parents=True, exist_ok=True)
    (served / "lockfile").touch()
    for number, item in enumerate(items):
        item.save_as(served / f"{number:04}.wl", enforce_file_format=True)
    with _serving("wlmscpfs", aet, served, ["--data-files-path", folder, *options]) as server:
        yield server


@contextlib.contextmanager
def dcmqrscp(
    folder: Path, *options: str | Path | int, aet: str = "DCMQRSCP", known: Mapping[str, Address] | None = None
) -> Iterator[Server]:
    """A small archive: Storage and Query/Retrieve SCP. ``known`` are the destinations it may move to, by any name."""
    database = folder / aet
    database.mkdir(parents=True, exist_ok=True)
    port = free_port()
    hosts = [f"{name} = ({to.aet}, {to.host}, {to.port})" for name, to in (known or {}).items()]
    configuration = folder / "dcmqrscp.cfg"
    configuration.write_text(
        "\n".join([
            f"NetworkTCPPort = {port}", "MaxPDUSize = 16384", "MaxAssociations = 16",
            "HostTable BEGIN", *hosts, "HostTable END",
            "VendorTable BEGIN", "VendorTable END",
            "AETable BEGIN", f"{aet} {database} RW (200, 1024mb) ANY", "AETable END", "",
        ])
    )  # fmt: skip
    with _serving("dcmqrscp", aet, database, ["--config", configuration, *options], port=port) as server:
        yield server


@contextlib.contextmanager
def _serving(
    name: str, aet: str, folder: Path, arguments: Sequence[str | Path | int], port: int | None = None
) -> Iterator[Server]:
    port = port or free_port()
    log = folder.with_name(f"{folder.name}.{name}.{port}.log")
    with running(name, "--verbose", *arguments, port, log=log, ready=lambda: accepts(port)) as process:
        yield Server(aet, port, folder=folder, log=log, process=process)
