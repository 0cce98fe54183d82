"""A device that receives, with its index: a site file that lets the senders of the benchmark in.

It sets the order of the transfer syntaxes to that of ``openmodality receive``: by its profile the device would choose
Implicit VR Little Endian, and the senders' conversions would be measured.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Final

from benchmarks.ends import OURS, End, call_ours
from benchmarks.sites import describe_device, describe_peer, save_site
from openmodality.network.entity import DEFAULT_AE_TITLE

_NETWORK: Final = """transfer_syntaxes = ["ExplicitVRLittleEndian", "ImplicitVRLittleEndian"]
accept_any_called_ae_title = true
"""


def describe_receiver(port: int, durability: str = "os") -> str:
    """The text of its site file."""
    ours = describe_peer("ours", DEFAULT_AE_TITLE, services=["verification"], incoming=["storage"])
    theirs = describe_peer("storescu", "STORESCU", services=["verification"], incoming=["storage"])
    return describe_device(durability=durability, more=_NETWORK, port=port) + ours + theirs


def _serve(folder: Path, port: int) -> Sequence[str]:
    return call_ours("serve", "-c", str(save_site(folder, describe_receiver(port))))


def _serve_durably(folder: Path, port: int) -> Sequence[str]:
    return call_ours("serve", "-c", str(save_site(folder, describe_receiver(port, "fsync"))))


def _count_indexed(folder: Path) -> int:
    """Instances in the index of a device that has ended, and whose file is there."""
    with closing(sqlite3.connect(folder / "data" / "openmodality.db")) as database:
        (indexed,) = database.execute("SELECT count(*) FROM instances").fetchone()
    return min(int(indexed), sum(1 for _ in (folder / "data").rglob("*.dcm")))


SERVE: Final = End("openmodality serve", _serve, OURS.send, count=_count_indexed)
SERVE_AS_INSTALLED: Final = replace(SERVE, receive=_serve_durably)
