"""Orthanc: a small PACS with a database, Query/Retrieve, storage commitment and, by a plug-in, a worklist.

A test carries ``@pytest.mark.needs("Orthanc")`` and reads::

    with orthanc.orthanc(tmp_path, known={"OURS": Address("OURS", port)}) as pacs:
        assert len(pacs.rest.get("/instances").json()) == 3
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from pydicom.dataset import FileDataset

from tests import plain_http
from tests.peers.process import HOST, Address, Server, free_port, running

WORKLIST_PLUGIN = Path("/usr/share/orthanc/plugins/libModalityWorklists.so")
"""Part of Debian's package; a test of the worklist asks `has_worklist` first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Orthanc(Server):
    """A running Orthanc; ``rest`` is a client of its REST interface."""

    rest: httpx.Client

    def know(self, name: str, address: Address) -> None:
        """Add or change a remote modality while running, as a destination of C-MOVE, C-STORE or commitment."""
        body = {"AET": address.aet, "Host": address.host, "Port": address.port, "Manufacturer": "Generic"}
        self.rest.put(f"/modalities/{name}", json=body).raise_for_status()

    def instances(self) -> list[str]:
        """The SOP Instance UIDs (0008,0018) of all that is stored, sorted."""
        found = self.rest.get("/instances", params={"expand": ""}).raise_for_status().json()
        return sorted(str(instance["MainDicomTags"]["SOPInstanceUID"]) for instance in found)


def has_worklist() -> bool:
    """Whether Orthanc's worklist plug-in is installed."""
    return WORKLIST_PLUGIN.exists()


@contextlib.contextmanager
def orthanc(
    folder: Path,
    *,
    aet: str = "ORTHANC",
    known: Mapping[str, Address] | None = None,
    worklist: Iterable[FileDataset] | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Iterator[Orthanc]:
    """An Orthanc with an empty database below the folder.

    ``known`` are its remote modalities; ``worklist`` turns the plug-in on and serves the items; ``settings`` are added
    to its configuration, under Orthanc's own names.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port, http_port = free_port(), free_port()
    configuration = _configuration(folder, aet, port, http_port) | _modalities(known or {})
    if worklist is not None:
        configuration |= _worklist(folder / "worklist", worklist)
    file = folder / "orthanc.json"
    file.write_text(json.dumps(configuration | dict(settings or {})), encoding="utf-8")
    log = folder / "orthanc.log"
    with (
        plain_http.open_client(base_url=f"http://{HOST}:{http_port}", timeout=10, trust_env=False) as rest,
        running("Orthanc", "--verbose", file, log=log, ready=lambda: _answers(rest), gently=False) as process,
    ):
        yield Orthanc(aet, port, folder=folder / "storage", log=log, process=process, rest=rest)


def _configuration(folder: Path, aet: str, port: int, http_port: int) -> dict[str, Any]:
    return {
        "Name": aet,
        "DicomAet": aet,
        "DicomPort": port,
        "HttpPort": http_port,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "storage"),
        "StableAge": 1,
        "DicomAlwaysAllowEcho": True,
        "DicomAlwaysAllowStore": True,
        "Plugins": [],
    }


def _modalities(known: Mapping[str, Address]) -> dict[str, Any]:
    return {
        "DicomModalities": {name: [address.aet, address.host, address.port] for name, address in known.items()},
        "DicomModalitiesInDatabase": False,
    }


def _worklist(folder: Path, items: Iterable[FileDataset]) -> dict[str, Any]:
    folder.mkdir(parents=True, exist_ok=True)
    for number, item in enumerate(items):
        item.save_as(folder / f"{number:04}.wl", enforce_file_format=True)
    return {"Plugins": [str(WORKLIST_PLUGIN)], "Worklists": {"Enable": True, "Database": str(folder)}}


def _answers(rest: httpx.Client) -> bool:
    try:
        return rest.get("/system").is_success
    except httpx.TransportError:
        return False
