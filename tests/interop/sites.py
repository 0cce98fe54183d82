"""Site files of devices whose peers are programs of other makers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.devices import LISTENS
from tests.interop.certificates import KeyPair
from tests.peers.process import HOST, Address, free_port

SHORT_TIMEOUTS = {
    "connect_timeout_s": 20,
    "dimse_timeout_s": 20,
    "association_timeout_s": 20,
}


@dataclass(frozen=True, slots=True)
class PeerTable:
    """A ``[peers.name]`` table."""

    name: str
    address: Address
    services: Sequence[str]
    settings: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        lines = {
            "ae_title": self.address.aet,
            "host": self.address.host,
            "port": self.address.port,
            "services": list(self.services),
            **self.settings,
        }
        return _table(f"peers.{self.name}", lines)


@dataclass(frozen=True, slots=True)
class SiteFile:
    """A written site file; ``device`` is where the device takes notifications of commitment."""

    path: Path
    device: Address


def write_site(
    folder: Path,
    profile: str,
    peers: Sequence[PeerTable],
    *,
    keys: KeyPair | None = None,
    tls: Mapping[str, object] | None = None,
    parameters: Mapping[str, Mapping[str, object]] | None = None,
    port: int = 0,
) -> SiteFile:
    """A site with these peers; with ``keys`` everything is under TLS, ``tls`` are more settings of that table."""
    role, title = LISTENS[profile]
    port = port or free_port()
    tables = [
        f"profile = {json.dumps(profile)}\n",
        _table("data", {"durability": "os"}),
        _table("network", {"bind_address": HOST}),
        _table(f"application_entities.{role}", {"port": port}),
        *([_table("application_entities.storage_scp", {"port": free_port()})] if profile == "rf" else ()),
        *map(str, peers),
        _table("parameters.general", {**SHORT_TIMEOUTS, **(parameters or {}).get("general", {})}),
        *(_table(f"parameters.{group}", lines) for group, lines in (parameters or {}).items() if group != "general"),
    ]
    if keys is not None:
        files = {"certificate": keys.certificate, "private_key": keys.key, "ca_certificates": keys.authority}
        tables.append(
            _table("tls", {"enabled": True, **{key: str(file) for key, file in files.items()}, **(tls or {})})
        )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "site.toml"
    path.write_text("\n".join(tables), "utf-8")
    return SiteFile(path, Address(title, port))


def _table(name: str, lines: Mapping[str, object]) -> str:
    return "\n".join([f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in lines.items()), ""])


def for_both(*, mr: Sequence[str] = (), rf: Sequence[str] = ()) -> pytest.MarkDecorator:
    """Both profiles, each with the ids of requirements that a test shows of it."""
    ids = {"mr": mr, "rf": rf}
    return pytest.mark.parametrize(
        "profile",
        [
            pytest.param(profile, marks=pytest.mark.requirement(*shown) if shown else ())
            for profile, shown in ids.items()
        ],
    )
