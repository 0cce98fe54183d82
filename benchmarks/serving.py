"""A device that receives, with its index: a site file that lets the senders of the benchmark in.

It sets the order of the transfer syntaxes to that of ``openmodality receive``: by its profile the device would choose
Implicit VR Little Endian, and the senders' conversions would be measured.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from benchmarks.ends import OURS, End, call_ours
from openmodality.network.entity import DEFAULT_AE_TITLE

SITE: Final = """
profile = "mr"

[data]
folder = "data"
durability = "os"

[network]
bind_address = "127.0.0.1"
transfer_syntaxes = ["ExplicitVRLittleEndian", "ImplicitVRLittleEndian"]
accept_any_called_ae_title = true

[application_entities.device]
port = {port}

[peers.ours]
ae_title = "{ours}"
host = "127.0.0.1"
port = 1
services = ["verification"]
incoming = ["storage"]

[peers.storescu]
ae_title = "STORESCU"
host = "127.0.0.1"
port = 1
services = ["verification"]
incoming = ["storage"]
"""


def _serve(folder: Path, port: int) -> Sequence[str]:
    site = folder / "site.toml"
    site.write_text(SITE.format(port=port, ours=DEFAULT_AE_TITLE))
    return call_ours("serve", "-c", str(site))


def _count_indexed(folder: Path) -> int:
    """Instances in the index of a device that has ended, and whose file is there."""
    with closing(sqlite3.connect(folder / "data" / "openmodality.db")) as database:
        (indexed,) = database.execute("SELECT count(*) FROM instances").fetchone()
    return min(int(indexed), sum(1 for _ in (folder / "data").rglob("*.dcm")))


SERVE: Final = End("openmodality serve", _serve, OURS.send, count=_count_indexed)
