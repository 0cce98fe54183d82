"""Devices for tests: site files that name the stand-in hospital, and acquisitions that take little time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from openmodality import Modality
from openmodality.acquisition.mr_protocol import SURVEY
from openmodality.acquisition.mr_simulator import MrSimulator
from openmodality.acquisition.rf_simulator import RfSimulator
from openmodality.acquisition.source import Source
from openmodality.acquisition.xray_protocol import UPPER_GI
from openmodality.exam.series import Series
from openmodality.hospital.addresses import Endpoint
from openmodality.hospital.hospital import Habits, Hospital
from openmodality.network.entity import RemoteAE
from tests.peers.process import free_port
from tests.stand_in import Hospital as StandIn
from tests.stand_in import hospital, scheduled

STATION = {"mr": "OM_MR", "rf": "ADR_MWM_SCU"}
MODALITY = {"mr": "MR", "rf": "RF"}
LISTENS = {"mr": ("device", "OM_MR"), "rf": ("storage_commitment", "ADR_S_COMM_SCU")}

MR_SITE = """
profile = "mr"
[data]
durability = "os"
[network]
bind_address = "127.0.0.1"
[application_entities.device]
port = {port}
"""
"""An MR device that listens, without peers."""

_SITE = """
profile = "{profile}"

[data]
durability = "os"

[network]
bind_address = "127.0.0.1"

[console]
port = {console_port}

{entities}
{peers}
[parameters.general]
connect_timeout_s = 20
dimse_timeout_s = 20
association_timeout_s = 20
{more}
"""

_PEER = """
[peers.{name}]
ae_title = "{title}"
host = "127.0.0.1"
port = {port}
services = {services}
{more}
"""

_RIS_SERVICES = ["verification", "worklist", "mpps"]
_PACS_SERVICES = ["verification", "storage", "storage_commitment"]


@dataclass
class Device:
    """A site file, the hospital it names, and the port on which the device takes notifications."""

    profile: str
    site: Path
    hospital: StandIn
    hospital_port: int
    port: int

    def modality(self, *, works: bool = True) -> Modality:
        return Modality(self.site, works=works)

    @property
    def source(self) -> Source:
        """Two images, of the kind that the device makes."""
        return quick_source(self.profile)


def quick_source(profile: str) -> Source:
    if profile == "mr":
        return MrSimulator([replace(SURVEY[2], matrix=64, slices=2)])
    return RfSimulator([replace(UPPER_GI[1], matrix=64, duration_s=0.3)])


def pixels(seed: int = 1, size: int = 16) -> NDArray[np.uint16]:
    """A square image, of 16 by 16 pixels where nothing is said."""
    return np.random.default_rng(seed).integers(0, 4096, (size, size), dtype=np.uint16)


def add_image(series: Series, seed: int = 1, size: int = 16) -> str:
    """One image, of 16 by 16 pixels where nothing is said, with the geometry that an MR image cannot do without."""
    geometry: dict[str, Any] = {
        "ImagePositionPatient": [0, 0, seed],
        "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
        "PixelSpacing": [1, 1],
        "SliceThickness": 5,
    }
    (uid,) = series.add(pixels(seed, size), **geometry)
    return uid


def today(profile: str = "mr", count: int = 1, **changes: str) -> list[Dataset]:
    """Worklist items for today and this device."""
    date = datetime.now().strftime("%Y%m%d")
    return [
        scheduled(number, modality=MODALITY[profile], station=STATION[profile], start_date=date, **changes)
        for number in range(1, count + 1)
    ]


def write_site(folder: Path, profile: str, port: int, *, own_port: int, peer: str = "", more: str = "") -> Path:
    """A site file whose one peer is the stand-in hospital at ``port``."""
    services = json.dumps([*_RIS_SERVICES, *_PACS_SERVICES[1:]])
    peers = _PEER.format(name="hospital", title="HOSPITAL", port=port, services=services, more=peer)
    return _write(folder, profile, peers, own_port, more)


def write_two_peers(
    folder: Path, profile: str, ris_port: int, pacs_port: int, *, own_port: int, more: str = ""
) -> Path:
    """A site file whose peers are RIS and PACS of the virtual hospital."""
    automatic = "automatic_commitment = true"
    ris = _PEER.format(name="ris", title="OM_RIS", port=ris_port, services=json.dumps(_RIS_SERVICES), more="")
    pacs = _PEER.format(
        name="pacs", title="OM_PACS", port=pacs_port, services=json.dumps(_PACS_SERVICES), more=automatic
    )
    return _write(folder, profile, ris + pacs, own_port, more)


def _write(folder: Path, profile: str, peers: str, own_port: int, more: str) -> Path:
    role, _ = LISTENS[profile]
    entities = f"[application_entities.{role}]\nport = {own_port}\n"
    if profile == "rf":
        entities += f"[application_entities.storage_scp]\nport = {free_port()}\n"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "site.toml"
    parts = {"profile": profile, "entities": entities, "peers": peers, "more": more, "console_port": free_port()}
    path.write_text(_SITE.format(**parts), "utf-8")
    return path


@contextmanager
def device_in_hospital(
    folder: Path, profile: str, items: Sequence[Dataset] = (), *, peer: str = "", more: str = ""
) -> Iterator[Device]:
    """A running hospital and the site file of a device in it; the device itself is not running."""
    own_port = free_port()
    with hospital(folder / "pacs", items) as (made, port):
        made.device = RemoteAE(LISTENS[profile][1], "127.0.0.1", own_port)
        site = write_site(folder, profile, port, own_port=own_port, peer=peer, more=more)
        yield Device(profile, site, made, port, own_port)


@contextmanager
def in_virtual_hospital(folder: Path, profile: str, *, more: str = "") -> Iterator[tuple[Hospital, Path]]:
    """A running virtual hospital and the site file of a device in it; the device itself is not running."""
    own_port = free_port()
    devices = {LISTENS[profile][1]: ("127.0.0.1", own_port)}
    endpoints = (Endpoint("OM_RIS"), Endpoint("OM_PACS"), Endpoint("OM_PRINT"))
    with Hospital(folder / "hospital", *endpoints, devices, Habits(commitment_retry_s=0.2)) as made:
        ports = made.ris_peer.port, made.pacs_peer.port
        yield made, write_two_peers(folder, profile, *ports, own_port=own_port, more=more)
