"""Looks twice a day at the certificates of a device that runs, because a warning at its start alone comes too late."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from openmodality.activities.certificates import warn_of_certificates
from openmodality.app.background import BackgroundThread
from openmodality.device.site.site import Site
from openmodality.errors import describe_fault

log = logging.getLogger(__name__)

PAUSE_S: Final = 12 * 3600.0


class CertificateWatch(BackgroundThread):
    """Warns of certificates and revocation lists that end; the first time at once, before its thread starts."""

    def __init__(self, site: Site, clock: Callable[[], float], pause_s: float = PAUSE_S) -> None:
        super().__init__("certificates")
        self._site = site
        self._clock = clock
        self._pause_s = pause_s
        warn_of_certificates(site, clock())

    def run(self) -> None:
        """Look again and again."""
        while not self.stopping.wait(self._pause_s):
            try:
                warn_of_certificates(self._site, self._clock())
            except Exception as error:  # noqa: BLE001 - the thread's boundary: reported, and tried again
                log.error("certificates.crashed", extra=describe_fault(error))
