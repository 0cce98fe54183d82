"""Associations with film printers: kept for a while after a job, and released when nothing was done on them (MR-4.1.1).

Rules. One association to a printer. It is kept only after a block that ended well: after any other the printer may
still hold what the block has created. While it is kept, a thread of its own answers what the printer asks, and releases
it when its time is over. Before it is used again it is tried; one that has died meanwhile is replaced by a new one.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Final

from pydicom import Dataset

from openmodality.activities.connection import Connector
from openmodality.activities.print_record import PrintStopped
from openmodality.device.site.site import Peer
from openmodality.errors import OpenModalityError
from openmodality.network.association import Association
from openmodality.services.print_management import PrinterListener, printer_event_service

_IDLE_KEY: Final = "print.association_idle_s"
PrinterCheck = Callable[[Association], None]
"""Asks the printer something that changes nothing."""


class _Line:
    """An association with one printer, and the function that is called with what the printer reports on it."""

    def __init__(self, connections: Connector, peer: Peer, listener: PrinterListener) -> None:
        self.listener = listener
        self.association = connections.open("print", peer, services=(printer_event_service(self._tell),))
        self._wake_reader, self._wake_writer = os.pipe()
        self._thread: threading.Thread | None = None

    def _tell(self, event_type: int, attributes: Dataset) -> None:
        self.listener(event_type, attributes)

    def keep(self, idle_s: float) -> None:
        """Let a thread answer the printer for so long, and release then."""
        self._thread = threading.Thread(target=self._attend, args=(idle_s,), name="printer-idle", daemon=True)
        self._thread.start()

    def take_back(self) -> bool:
        """End the keeping; whether the association is still open."""
        if self._thread is not None:
            os.write(self._wake_writer, b"\0")
            self._thread.join()
            os.read(self._wake_reader, 1)
            self._thread = None
        return self.association.is_open

    def close(self, *, abort: bool = False) -> None:
        """Release or abort, where it is open, and give everything back."""
        if abort:
            self.association.abort()
        self.association.release()
        os.close(self._wake_reader)
        os.close(self._wake_writer)

    def _attend(self, idle_s: float) -> None:
        end = monotonic() + idle_s
        try:
            is_over = self.association.attend(end - monotonic(), self._wake_reader)
        except OpenModalityError:
            self.association.abort()  # who uses it next opens another; why it ended is in the log
            return
        if is_over:
            self.association.release()


class PrinterAssociations:
    """The associations of one device with its printers."""

    def __init__(self, connections: Connector) -> None:
        self._connections = connections
        self._kept: dict[str, _Line] = {}

    @contextmanager
    def use(self, peer: Peer, listener: PrinterListener, check: PrinterCheck) -> Iterator[Association]:
        """An association with a printer that ``check`` has passed on, for a block; the local AE has one block at once.

        An :class:`OpenModalityError` of ``check`` on a kept association is raised only where it is of the printer
        itself; else a new association is opened. Raises what :meth:`Connector.open` raises.
        """
        with self._connections.take_turn("print"):
            line = self._find(peer, listener, check)
            try:
                yield line.association
            except PrintStopped:  # aborted where the status asks for that, else released
                line.close()
                raise
            except BaseException:
                line.close(abort=True)
                raise
            idle_s = peer.parameters.number(_IDLE_KEY)
            if idle_s and line.association.is_open:
                line.keep(idle_s)
                self._kept[peer.name] = line
            else:
                line.close()

    def close(self) -> None:
        """Release all that are kept."""
        while self._kept:
            _, line = self._kept.popitem()
            line.take_back()
            line.close()

    def _find(self, peer: Peer, listener: PrinterListener, check: PrinterCheck) -> _Line:
        """The kept line, if it still works, else a new one; ``check`` has passed on it."""
        kept = self._kept.pop(peer.name, None)
        if kept is not None:
            kept.listener = listener
            if kept.take_back() and _passes(kept, check):
                return kept
            kept.close(abort=True)
        line = _Line(self._connections, peer, listener)
        try:
            check(line.association)
        except PrintStopped:
            line.close()
            raise
        except BaseException:
            line.close(abort=True)
            raise
        return line


def _passes(line: _Line, check: PrinterCheck) -> bool:
    try:
        check(line.association)
    except PrintStopped:
        line.close()
        raise
    except OpenModalityError:
        return False
    return True
