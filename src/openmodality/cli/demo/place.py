"""The folder of a demonstration: a hospital, and a device for each profile with a site file that knows it.

::

    DIR/hospital/             what RIS and PACS got
    DIR/mr/site.toml          the device; its database and instances are in data/ beside it
    DIR/mr/pictures/exam-1/   a PNG of each image
    DIR/mr/discs/exam-1.iso   a disc of the study, and beside it the folder that it was made of
    DIR/ports.json            the ports of all of them: the usual ones, or free ones where one of those was taken

A folder of an earlier demonstration is used again as it is, with its ports.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import socket
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from openmodality.device.site.new_site import write_site
from openmodality.device.site.site import Site
from openmodality.device.site.site_file import ConsoleSettings
from openmodality.device.site.site_loader import load_site
from openmodality.errors import ConfigurationError
from openmodality.hospital.addresses import DEVICES, LOCALHOST, PACS, PRINTER, RIS, Endpoint
from openmodality.hospital.hospital import Habits, Hospital

_SERVERS = {"ris": RIS, "pacs": PACS, "printer": PRINTER}
CONSOLE_PORTS = {"mr": ConsoleSettings().port, "rf": ConsoleSettings().port + 1}
_USUAL = (*CONSOLE_PORTS.values(), *(each.port for each in _SERVERS.values()), *(port for _, port in DEVICES.values()))


@contextmanager
def alone() -> Iterator[None]:
    """One demonstration at a time chooses its ports; the next one chooses when this one's servers listen."""
    fd = os.open(tempfile.gettempdir(), os.O_RDONLY | os.O_CLOEXEC)  # a folder: needs no file, whoever made it
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def prepare(folder: Path, profiles: Sequence[str], habits: Habits) -> tuple[Hospital, dict[str, Site]]:
    """The hospital, not yet open, and the site of each profile.

    Raises :class:`ConfigurationError` where the folder cannot be used.
    """
    ports = load_ports(folder)
    sites = {profile: _site(folder / profile, profile, ports) for profile in profiles}
    endpoints = {name: Endpoint(each.aet, ports[each.port]) for name, each in _SERVERS.items()}
    devices = {aet: (LOCALHOST, ports[port]) for aet, (_, port) in DEVICES.items()}
    hospital = Hospital(folder / "hospital", **endpoints, peers=devices, habits=habits)
    return hospital, sites


def hospital_options(folder: Path) -> list[str]:
    """What ``openmodality hospital`` is to be told, so that it is the one of this folder."""
    ports = load_ports(folder)
    found = ["--data", str(folder / "hospital")]
    for name, usual in _SERVERS.items():
        if ports[usual.port] != usual.port:
            found += [f"--{name}-port", str(ports[usual.port])]
    for aet, (host, port) in DEVICES.items():
        if ports[port] != port:
            found += ["--peer", f"{aet}={host}:{ports[port]}"]
    return found


def _site(folder: Path, profile: str, ports: Mapping[int, int]) -> Site:
    file = folder / "site.toml"
    if not file.exists():
        write_site(folder, profile)
        text = _set_ports(file.read_text(encoding="utf-8"), ports)
        console = CONSOLE_PORTS[profile]
        usual, ours = f"# port = {CONSOLE_PORTS['mr']}", f"port = {ports.get(console, console)}"
        file.write_text(text.replace(usual, ours).replace("# simulator = false", "simulator = true"), encoding="utf-8")
    return load_site(file)


def _set_ports(text: str, ports: Mapping[int, int]) -> str:
    def changed(line: re.Match[str]) -> str:
        return f"port = {ports.get(int(line[1]), int(line[1]))}"

    return re.sub(r"^port = (\d+)$", changed, text, flags=re.MULTILINE)


def load_ports(folder: Path) -> dict[int, int]:
    """The port to use for each that a new site file has; the same ones whenever a folder is used."""
    file = folder / "ports.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        known = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        ports = {int(usual): int(chosen) for usual, chosen in known.items()}
        if missing := [port for port in _USUAL if port not in ports]:  # all, or those of what a later version has added
            ports |= find_free_ports(missing)
            file.write_text(json.dumps(ports) + "\n", encoding="utf-8")
        return ports
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be used: {error.strerror}") from error
    except (ValueError, AttributeError) as error:
        raise ConfigurationError(f"{file} is no list of ports", advice="delete it, or choose another folder") from error


def find_free_ports(usual: Sequence[int]) -> dict[int, int]:
    """The usual ports where all are free, others for all of them where one is taken.

    For all: where another hospital runs, its devices need their ports too, although nobody may listen there yet.
    """
    with ExitStack() as probes:  # all are held until the last is found, so that none is found twice
        try:
            return {port: _bound(port, probes) for port in usual}
        except OSError:
            return {port: _bound(0, probes) for port in usual}


def _bound(port: int, probes: ExitStack) -> int:
    probe = probes.enter_context(socket.socket())
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    probe.bind((LOCALHOST, port))
    return int(probe.getsockname()[1])
