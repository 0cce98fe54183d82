"""The values that every page of one console works with, such as the device, the accounts and the templates."""

from __future__ import annotations

import secrets
from dataclasses import field
from functools import cached_property

from fastapi import Request

from openmodality.app.conformance import DeviceStatement
from openmodality.app.modality import Modality
from openmodality.console.acquisitions import Acquisitions
from openmodality.console.kept_log import KeptLog
from openmodality.console.live.feed import Feed
from openmodality.console.live_settings import LiveSettings
from openmodality.console.memory import Memory
from openmodality.console.metrics_counts import HttpCounts
from openmodality.console.security.accounts import Accounts
from openmodality.console.security.login_limits import LoginLimits
from openmodality.console.template_files import Templates
from openmodality.console.uploads import UploadPlace
from openmodality.hospital.hospital import Hospital
from openmodality.imaging.display_lut import UNCALIBRATED, DisplayLut
from openmodality.imaging.stored_pixels import StoredPixelsCache
from openmodality.value_class import dataclass


@dataclass(frozen=True)
class ConsoleContext:
    """The device, who may operate it, and how pages are made. ``is_secure``: the console is served under TLS.

    ``log`` keeps the last lines of the log; ``None`` where whoever started the console keeps none. ``hospital`` is the
    virtual one of a demonstration.
    """

    modality: Modality
    accounts: Accounts
    login_limits: LoginLimits
    feed: Feed
    templates: Templates
    is_secure: bool
    port: int
    live: LiveSettings
    override_limits: LoginLimits
    acquisitions: Acquisitions
    uploads: UploadPlace
    log: KeptLog | None = None
    display: DisplayLut = UNCALIBRATED
    hospital: Hospital | None = None
    memory: Memory = field(default_factory=Memory)
    pixels: StoredPixelsCache = field(default_factory=StoredPixelsCache)
    http: HttpCounts = field(default_factory=HttpCounts)
    boot: str = field(default_factory=lambda: secrets.token_hex(8))
    """Differs at each start, so that a browser knows that the server is another one."""

    @cached_property
    def statement(self) -> DeviceStatement:
        """The conformance statement of the device as it runs."""
        return DeviceStatement(self.modality.site)

    @property
    def cookie(self) -> str:
        """The name of the session's cookie; cookies know no ports, and two devices may be on one machine."""
        return f"__Host-openmodality-{self.port}" if self.is_secure else f"openmodality-{self.port}"


def find_context(request: Request) -> ConsoleContext:
    """The context of the console that a request came to."""
    found: ConsoleContext = request.app.state.context
    return found
