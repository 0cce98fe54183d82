"""The site files of the devices that are measured: what all of them have, and a peer of a case."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

_DEVICE: Final = """
profile = "{profile}"

[data]
folder = "data"
durability = "{durability}"

[network]
bind_address = "127.0.0.1"
"""
_LISTENER: Final = """
[application_entities.device]
port = {port}
"""
_PEER: Final = """
[peers.{name}]
ae_title = "{ae_title}"
host = "127.0.0.1"
port = {port}
services = {services}
incoming = {incoming}
"""
UNUSED_PORT: Final = 1
"""Of a peer that is not called."""


def describe_device(*, profile: str = "mr", durability: str = "os", more: str = "", port: int | None = None) -> str:
    """The text of a site file; ``more`` are further lines of its network, ``port`` is where the device listens."""
    listener = "" if port is None else _LISTENER.format(port=port)
    return _DEVICE.format(profile=profile, durability=durability) + more + listener


def describe_peer(
    name: str, ae_title: str, port: int = UNUSED_PORT, *, services: Sequence[str], incoming: Sequence[str] = ()
) -> str:
    """A peer of this machine, behind the text of its device."""
    lists = {"services": json.dumps(services), "incoming": json.dumps(incoming)}
    return _PEER.format(name=name, ae_title=ae_title, port=port, **lists)


def save_site(folder: Path, *texts: str) -> Path:
    """The site file of a folder."""
    site = folder / "site.toml"
    site.write_text("".join(texts), encoding="utf-8")
    return site
