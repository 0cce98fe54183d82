"""The virtual hospital in this process, and a new device's site file that knows it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from openmodality.device.site.new_site import write_site
from openmodality.hospital.addresses import DEVICES, PACS, PRINTER, RIS, Endpoint
from openmodality.hospital.hospital import Habits, Hospital
from tests.peers.process import HOST, free_port


@dataclass(frozen=True, slots=True)
class Place:
    """A hospital and a device in it."""

    hospital: Hospital
    site: Path

    @property
    def data(self) -> Path:
        """The device's data folder."""
        return self.site.parent / "data"


@contextlib.contextmanager
def in_hospital(folder: Path, profile: str = "mr", habits: Habits | None = None) -> Iterator[Place]:
    """A hospital on free ports, and the site file of a device with this profile whose peers are there."""
    ris, pacs, printer = (Endpoint(each.aet, 0) for each in (RIS, PACS, PRINTER))
    ports = {port: free_port() for _, port in DEVICES.values()}
    devices = {aet: (HOST, ports[port]) for aet, (_, port) in DEVICES.items()}
    hospital = Hospital(folder / "hospital", ris, pacs, printer, devices, habits or Habits())
    with hospital:
        taken = ports | {each.port: hospital.peer(name).port for name, each in _SERVERS.items()}
        site = write_site(folder / profile, profile)
        text = with_ports(site.read_text(encoding="utf-8"), taken)
        for usual, ours in (
            ('# durability = "fsync"', 'durability = "os"'),
            ("# port = 11180", f"port = {free_port()}"),
        ):
            text = text.replace(usual, ours)
        site.write_text(text, encoding="utf-8")
        yield Place(hospital, site)


def with_ports(text: str, ports: dict[int, int]) -> str:
    """A site file with other ports."""
    return re.sub(r"^port = (\d+)$", lambda found: f"port = {ports[int(found[1])]}", text, flags=re.MULTILINE)


_SERVERS = {"ris": RIS, "pacs": PACS, "printer": PRINTER}
