"""Archives of others beside ours, as they are installed: Orthanc and dcmqrscp that store, Orthanc that is asked."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Final

from benchmarks.ends import DCMTK, End
from tests.peers.programs import program

_QR_TITLE: Final = "QRSCP"
_INSTANCE: Final = 4
"""Orthanc's number for an instance among its resources."""
_QR_CONFIGURATION: Final = """
NetworkTCPPort = {port}
MaxPDUSize = 131072
MaxAssociations = 16
HostTable BEGIN
HostTable END
VendorTable BEGIN
VendorTable END
AETable BEGIN
{title} {folder} RW (200, 1024mb) ANY
AETable END
"""


def configure_orthanc(folder: Path, port: int, http_port: int = 0) -> Path:
    """The configuration of an Orthanc whose data are below a folder; without ``http_port`` it has no REST interface."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "orthanc.json"
    settings = {
        "DicomAet": "ORTHANC",
        "DicomPort": port,
        "HttpServerEnabled": bool(http_port),
        "HttpPort": http_port or 8042,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "storage"),
        "DicomAlwaysAllowStore": True,
        "DicomAlwaysAllowFind": True,
        "LimitFindResults": 0,
        "Plugins": [],
    }
    file.write_text(json.dumps(settings), encoding="utf-8")
    return file


def _receive_with_orthanc(folder: Path, port: int) -> Sequence[str]:
    return (str(program("Orthanc")), str(configure_orthanc(folder, port)))


def _count_in_orthanc(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "storage" / "index")) as index:
        (count,) = index.execute("SELECT count(*) FROM Resources WHERE resourceType = ?", (_INSTANCE,)).fetchone()
    return int(count)


def _receive_with_dcmqrscp(folder: Path, port: int) -> Sequence[str]:
    (folder / "qr").mkdir()
    file = folder / "dcmqrscp.cfg"
    file.write_text(_QR_CONFIGURATION.format(port=port, title=_QR_TITLE, folder=folder / "qr"))
    return (str(program("dcmqrscp")), "--config", str(file))


def _count_in_dcmqrscp(folder: Path) -> int:
    return sum(1 for file in (folder / "qr").iterdir() if file.name != "index.dat")


ORTHANC: Final = End("Orthanc", _receive_with_orthanc, DCMTK.send, count=_count_in_orthanc)
DCMQRSCP: Final = End("dcmqrscp", _receive_with_dcmqrscp, DCMTK.send, count=_count_in_dcmqrscp)
STORESCU_TO_DCMQRSCP: Final = replace(
    DCMTK, send=lambda path, port: (*DCMTK.send(path, port)[:1], "-aec", _QR_TITLE, *DCMTK.send(path, port)[1:])
)
"""storescu that names the title by which dcmqrscp knows its database."""
