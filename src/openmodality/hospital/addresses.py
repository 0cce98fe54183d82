"""Where the hospital listens, and where it finds the devices that it has to call back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Final

from openmodality.network.entity import RemoteAE, normalize_ae_title
from openmodality.value_class import dataclass

LOCALHOST: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """AE title and port of one of the hospital's systems; port 0 takes a free one."""

    aet: str
    port: int = 0
    host: str = LOCALHOST


RIS: Final = Endpoint("OM_RIS", 11113)
PACS: Final = Endpoint("OM_PACS", 11114)
PRINTER: Final = Endpoint("OM_PRINT", 11115)
AUDIT: Final = Endpoint("OM_AUDIT", 11116)
"""What a newly made site file expects. The audit repository has no AE title: it speaks no DICOM."""

DEVICES: Final[Mapping[str, tuple[str, int]]] = {
    "OM_MR": (LOCALHOST, 11112),
    "ADR_S_COMM_SCU": (LOCALHOST, 11104),
    "HDR_QR_SCU": (LOCALHOST, 11105),
    "OPENMODALITY": (LOCALHOST, 11119),
}
"""Where both devices listen as their newly made site files say: storage commitment results, retrieved instances; and
``openmodality conformance check`` without a site file.
"""


class AddressBook(MutableMapping[str, tuple[str, int]]):
    """Host and port by AE title; may change while the hospital runs. ``changed`` is called after each change."""

    def __init__(self, addresses: Mapping[str, tuple[str, int]]) -> None:
        self.changed: Callable[[], object] = lambda: None
        self._lock = threading.Lock()
        self._addresses = {normalize_ae_title(aet): address for aet, address in addresses.items()}

    def __getitem__(self, aet: str) -> tuple[str, int]:
        with self._lock:
            return self._addresses[aet.strip()]

    def __setitem__(self, aet: str, address: tuple[str, int]) -> None:
        with self._lock:
            self._addresses[normalize_ae_title(aet)] = address
        self.changed()

    def __delitem__(self, aet: str) -> None:
        with self._lock:
            del self._addresses[aet.strip()]

    def __iter__(self) -> Iterator[str]:
        with self._lock:
            return iter(list(self._addresses))

    def __len__(self) -> int:
        return len(self._addresses)

    def find(self, aet: str) -> RemoteAE | None:
        """The peer of that AE title, ``None`` where the book has none."""
        address = self.get(aet.strip())
        return RemoteAE(aet.strip(), *address) if address else None
