"""A device in the virtual hospital, with a wiretap on every line between them, in both directions."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from openmodality import Modality
from openmodality.cli.main import main
from openmodality.exam.session import Exam
from openmodality.hospital.hospital import Hospital
from openmodality.network.entity import RemoteAE
from tests.acceptance.command_line import Ended
from tests.acceptance.hospital_site import in_hospital, with_ports
from tests.acceptance.requirements.wiretap import Wiretap
from tests.devices import quick_source
from tests.interop.certificates import KeyPair
from tests.peers.process import HOST

Change = tuple[str, str]
"""A text of the site file and what stands there in its place."""


@dataclass(frozen=True, slots=True)
class Secure:
    """The relays, by their names, towards which the device has TLS, and the keys of everybody."""

    keys: KeyPair
    lines: frozenset[str]


@dataclass(frozen=True, slots=True)
class Recorded:
    """A device at its site, the hospital, and the record; relays are ``ris``, ``pacs``, ``printer`` and the device's
    own AE titles.
    """

    profile: str
    modality: Modality
    hospital: Hospital
    tap: Wiretap

    def scheduled_exam(self) -> Exam:
        """One exam from the worklist to the commitment of its images."""
        item = self.modality.worklist()[0]
        with self.modality.exam(item, OperatorsName="Operator^O") as exam:
            exam.acquire(quick_source(self.profile))
        self.settle()
        return exam

    def command(self, *arguments: object) -> Ended:
        """What ``openmodality`` does with the device's site file, in this process, which takes less time."""
        with redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as err:
            try:
                main([*map(str, arguments), "-c", str(self.modality.site.path)])
            except SystemExit as ended:
                return Ended(int(ended.code or 0), out.getvalue(), err.getvalue())
        raise AssertionError("a command ends with its status")

    def settle(self) -> None:
        """Wait until all jobs are done and all associations have ended."""
        assert self.modality.wait_until_idle(20)
        self.tap.wait_for_ends()


@contextlib.contextmanager
def recorded(
    folder: Path, profile: str, *, change: Sequence[Change] = (), add: str = "", secure: Secure | None = None
) -> Iterator[Recorded]:
    """A device that listens, in a hospital that behaves; ``change`` and ``add`` are for its site file.

    On the lines that ``secure`` names the device has TLS, the hospital never: the relay stands between them.
    """
    lines = secure.lines if secure else frozenset()
    server = secure.keys.server() if secure else None
    client = secure.keys.client() if secure else None
    with Wiretap() as tap, in_hospital(folder, profile) as place:
        hospital = place.hospital
        relays = {
            peer.port: tap.relay(name, peer.port, near_tls=server if name in lines else None)
            for name, peer in _servers(hospital).items()
        }
        for aet, (_, port) in list(hospital.peers.items()):
            hospital.peers[aet] = (HOST, tap.relay(aet, port, far_tls=client if aet in lines else None))
        text = with_ports(place.site.read_text(encoding="utf-8"), _Relayed(relays))
        text = text.replace('# durability = "fsync"', 'durability = "os"')
        for before, after in change:
            assert before in text, f"the site file has no {before!r}"
            text = text.replace(before, after)
        place.site.write_text(f"{text}\n{add}\n", encoding="utf-8")
        with Modality(place.site) as modality:
            modality.serve()
            yield Recorded(profile, modality, hospital, tap)


def _servers(hospital: Hospital) -> dict[str, RemoteAE]:
    return {name: hospital.peer(name) for name in ("ris", "pacs", "printer")}


class _Relayed(dict[int, int]):
    """Ports to connect to; those of the device itself stay."""

    def __missing__(self, port: int) -> int:
        return port
