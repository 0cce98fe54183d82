"""The console's server: a thread with an event loop of its own, beside the threads of the device.

Handlers are plain functions, which run in a pool of threads: the device is synchronous, and nothing of it waits for a
browser. Only streams of events are coroutines.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from contextlib import ExitStack
from types import TracebackType
from typing import Final, Self

import uvicorn

from openmodality.app.modality import Modality
from openmodality.console.acquisitions import Acquisitions
from openmodality.console.address import is_this_machine, list_hosts, make_link_url, make_url
from openmodality.console.app import make_application
from openmodality.console.context import ConsoleContext
from openmodality.console.display import load_display
from openmodality.console.kept_log import KeptLog
from openmodality.console.live.feed import Feed
from openmodality.console.live_settings import LiveSettings
from openmodality.console.ohif import check_ohif
from openmodality.console.pixel_sources import remove_uploads
from openmodality.console.security.accounts import Accounts
from openmodality.console.security.login_limits import LoginLimits
from openmodality.console.serving import ServingLock
from openmodality.console.template_files import StaticFiles, Templates
from openmodality.console.uploads import UPLOAD_FOLDER, UploadPlace
from openmodality.device.site.site import Site
from openmodality.device.site.site_loader import read_site_text
from openmodality.errors import ConfigurationError, TransportError, describe_fault
from openmodality.hospital.hospital import Hospital
from openmodality.network.tls import TlsFiles, server_context

GRACE_S: Final = 2
"""How long requests that are being answered may take when the console stops."""
_START_S: Final = 30.0
_BACKLOG: Final = 128

_log = logging.getLogger(__name__)


class _Server(uvicorn.Server):
    """Tells when it listens; signals are the command's, and a server in a thread takes none."""

    def __init__(self, config: uvicorn.Config, ready: threading.Event) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        for connection in list(self.server_state.connections):  # of a request that took longer than its moment
            connection.transport.abort()
        await asyncio.sleep(0)  # the loop closes them


class _Forward(logging.Handler):
    """The server's own log as events of ours, without its texts: they may hold what a browser sent."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno < logging.WARNING:
            return
        error = record.exc_info[1] if record.exc_info else None
        fields = describe_fault(error) if error is not None else {"place": f"{record.filename}:{record.lineno}"}
        _log.log(record.levelno, "console.server", extra=fields)


class ConsoleServer:
    """Serves the console of a device until the block ends; a context manager. ``hospital``: that of a demonstration."""

    def __init__(self, modality: Modality, log: KeptLog | None = None, hospital: Hospital | None = None) -> None:
        settings = modality.site.settings.console
        check_exposure(modality.site)
        check_ohif(modality.site)
        display = load_display(modality.site)
        self._socket = _listen(settings.host, settings.port)
        port = self._socket.getsockname()[1]
        self.is_secure = bool(settings.certificate)
        self.url = make_url(settings, port)
        self._feed = Feed(modality.database)
        live = LiveSettings(modality.site, read_site_text(modality.site.path))
        self._accounts = Accounts(modality.database, live.find_limits(), modality.audit.trail)
        self.context = ConsoleContext(
            modality,
            self._accounts,
            LoginLimits(modality.clock),
            self._feed,
            Templates(StaticFiles()),
            self.is_secure,
            port,
            live,
            LoginLimits(modality.clock),
            Acquisitions(modality.clock),
            UploadPlace(modality.site.data_folder / UPLOAD_FOLDER),
            log,
            display=display,
            hospital=hospital,
        )
        self._lock: ServingLock | None = None
        self._ready = threading.Event()
        application = make_application(self.context, list_hosts(modality.site))
        self._server = _Server(_configure(modality.site, application), self._ready)
        self._thread = threading.Thread(target=self._run, name="console", daemon=True)

    def __enter__(self) -> Self:
        remove_uploads(self.context.modality)
        self.context.uploads.remove_left()
        self._feed.start()
        self._lock = ServingLock(self.context.modality.site.data_folder).acquire()
        self._thread.start()
        if not self._ready.wait(_START_S) or not self._server.started:
            self.close()
            raise TransportError("the console did not start", advice="the log says why")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def make_setup_url(self) -> str:
        """Where the first user is made; empty where there are users. It works once, for an hour, and is in no log."""
        return "" if self._accounts.has_users else make_link_url(self.url, self._accounts.make_link())

    def close(self) -> None:
        """Stop: streams end at once, other requests have a moment."""
        self._feed.close()
        self.context.acquisitions.close()
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join()
        self._feed.join()
        self._socket.close()
        if self._lock is not None:
            self._lock.release()

    def _run(self) -> None:
        try:
            self._server.run(sockets=[self._socket])
        except Exception as error:  # noqa: BLE001 - the end of the thread, which says what went wrong
            _log.error("console.ended", extra=describe_fault(error))
        finally:
            self._ready.set()


def _configure(site: Site, application: object) -> uvicorn.Config:
    logger = logging.getLogger("uvicorn.error")
    logger.handlers[:] = [_Forward()]
    logger.propagate = False
    logging.getLogger("uvicorn.access").disabled = True  # whoever configures logging may have switched it on
    settings = site.settings.console
    return uvicorn.Config(
        application,  # type: ignore[arg-type]
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,  # addresses of pages have numbers of exams in them, and links that let somebody in
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
        ssl_certfile=str(site.folder / settings.certificate) if settings.certificate else None,
        ssl_keyfile=str(site.folder / settings.private_key) if settings.private_key else None,
    )


def _listen(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises :class:`TransportError` where the port is taken."""
    with ExitStack() as opened:
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            listening = opened.enter_context(socket.socket(family, kind, protocol))
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            listening.listen(_BACKLOG)
        except OSError as error:
            raise TransportError(
                f"the console cannot listen on {host} port {port}: {error.strerror}",
                advice="choose another console.port in the site file, or stop what listens there",
            ) from error
        opened.pop_all()
        return listening


def check_exposure(site: Site) -> None:
    """Raises :class:`ConfigurationError` where the console would be served beyond this machine in the clear."""
    settings = site.settings.console
    if settings.certificate:
        key = site.folder / settings.private_key if settings.private_key else None
        try:
            server_context(TlsFiles(site.folder / settings.certificate, key))
        except ConfigurationError as error:
            raise ConfigurationError(f"{site.path}: [console]: {error.message}", advice=error.advice) from error
    elif not is_this_machine(settings.host) and not settings.insecure:
        raise ConfigurationError(
            f"{site.path}: console.host {settings.host} is beyond this machine, and passwords would go in the clear",
            advice="give console.certificate and console.private_key, or say console.insecure = true",
        )
