"""TLS contexts from the ``[tls]`` table of a site file (PS3.15 B.9 to B.12: TLS 1.2 and 1.3, older if allowed).

The suites are those of the site file, else those of the device's profile, in its order. A device that runs for months
gets new certificates and revocation lists meanwhile: :class:`RenewedContext` reads files that have changed anew.
"""

from __future__ import annotations

import logging
import os
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Final

from openmodality.device.site.permissions import warn_readable_by_all
from openmodality.device.site.site import Site
from openmodality.errors import ConfigurationError
from openmodality.network import tls
from openmodality.network.cipher_suites import (
    describe_unusable,
    find_unusable,
    use_cipher_suites,
    use_those_installed,
)
from openmodality.network.tls import TlsFiles

log = logging.getLogger(__name__)

CREDENTIALS: Final = "CREDENTIALS_DIRECTORY"
"""Where systemd puts the credentials of a service (systemd.exec(5))."""


def calls_under_tls(site: Site) -> bool:
    """Whether any peer is reached under TLS."""
    return any(peer.tls for peer in site.peers.values())


def uses_tls(site: Site) -> bool:
    """Whether any peer is reached under TLS, or any local AE takes it."""
    return calls_under_tls(site) or any(entity.tls for entity in site.application_entities.values())


def make_client_context(site: Site) -> ssl.SSLContext | None:
    """For associations that this device opens; ``None`` where no peer is reached under TLS.

    Warns of a private key that every user of this machine may read: here too, as most programs that call never listen.
    """
    if not calls_under_tls(site):
        return None
    context = _make_context(site, tls.client_context)
    warn_readable_by_all(list_secret_files(site))
    return context


def renew_client_context(site: Site) -> RenewedContext | None:
    """As :func:`make_client_context`, for a device that runs for a long time."""
    if not calls_under_tls(site):
        return None
    warn_readable_by_all(list_secret_files(site))
    return RenewedContext(site, partial(_make_context, make=tls.client_context))


def make_audit_context(site: Site) -> ssl.SSLContext:
    """For the connection to an audit repository: both sides show certificates (RFC 5425 4.2)."""
    return _make_context(site, tls.client_context)


def list_secret_files(site: Site) -> list[Path]:
    """The files of the private key and of its passphrase."""
    settings = site.settings.tls
    return [site.folder / file for file in (settings.private_key, settings.passphrase_file) if file]


def make_server_context(site: Site) -> ssl.SSLContext:
    """For local AEs that take TLS."""
    context = _make_context(site, tls.server_context)
    if not site.settings.tls.require_client_certificate:
        context.verify_mode = ssl.CERT_OPTIONAL
    return context


def make_web_context(site: Site) -> ssl.SSLContext:
    """For peers of DICOMweb: their certificates name their hosts, and are of CAs of the system or of the site."""
    files, context = find_tls_files(site), ssl.create_default_context()
    try:
        tls.load_our_own(context, files)
        for path in files.authorities:
            tls.load_authorities(context, path)
        for path in files.revocation_lists:
            tls.load_revocation_lists(context, path)
    except ConfigurationError as error:
        raise _name_place(site, error) from error
    return context


class RenewedContext:
    """The context of a device that runs: called before each connection, it gives one of the files as they are now.

    Where a file that has changed cannot be used, the log says so once, and the context before it stays.
    """

    def __init__(self, site: Site, make: Callable[[Site], ssl.SSLContext]) -> None:
        self._site = site
        self._make = make
        self._seen = dict(_look_at_files(site))
        self._context = make(site)
        self._renewing = threading.Lock()

    def __call__(self) -> ssl.SSLContext:
        """The context to use now."""
        with self._renewing:
            now = dict(_look_at_files(self._site))
            if now != self._seen:
                self._seen = now
                self._renew()
            return self._context

    def _renew(self) -> None:
        try:
            self._context = self._make(self._site)
        except ConfigurationError as error:
            log.error("tls.not_renewed", extra={"reason": error.message})
        else:
            log.info("tls.renewed", extra={"file": str(self._site.path)})


def warn_of_suites(site: Site) -> None:
    """Name the cipher suites of the device's profile that cannot be used here."""
    if uses_tls(site) and (unusable := find_unusable_suites(site)):
        log.warning("tls.suites_not_used", extra={"reason": describe_unusable(unusable)})


def list_suites(site: Site) -> tuple[str, ...]:
    """The cipher suites that are asked for, the preferred one first: of the site file, else of the profile."""
    settings = site.settings.tls
    allowed = (each.name for each in site.profile.cipher_suites if settings.allow_legacy_tls or not each.is_legacy)
    return settings.cipher_suites or tuple(allowed)


def find_unusable_suites(site: Site) -> Mapping[str, tuple[str, ...]]:
    """The suites asked for that cannot be used here, by the reason."""
    return find_unusable(list_suites(site), legacy=site.settings.tls.allow_legacy_tls)


def find_tls_files(site: Site) -> TlsFiles:
    """The files of ``[tls]``; raises :class:`ConfigurationError` where the passphrase cannot be read."""
    settings = site.settings.tls

    def find(file: str) -> tuple[Path, ...]:
        return (site.folder / file,) if file else ()

    return TlsFiles(
        next(iter(find(settings.certificate)), None),
        next(iter(find(settings.private_key)), None),
        find(settings.ca_certificates),
        find(settings.revocation_lists),
        _read_passphrase(site),
    )


def _read_passphrase(site: Site) -> str | None:
    settings = site.settings.tls
    if settings.passphrase_file:
        key, file = "passphrase_file", site.folder / settings.passphrase_file
    elif settings.passphrase_credential:
        key, file = "passphrase_credential", _find_credential(site, settings.passphrase_credential)
    else:
        return None
    try:
        return tls.read_passphrase(file)
    except ConfigurationError as error:
        raise ConfigurationError(f"{site.path}: tls.{key}: {error.message}") from error


def _find_credential(site: Site, name: str) -> Path:
    folder = os.environ.get(CREDENTIALS)
    if not folder:
        raise ConfigurationError(
            f"{site.path}: tls.passphrase_credential: systemd has given this process no credentials (${CREDENTIALS})",
            advice=f"LoadCredential={name}:FILE in the unit of the service gives them",
        )
    return Path(folder, name)


def _look_at_files(site: Site) -> Iterator[tuple[str, tuple[int, int]]]:
    """Each file of ``[tls]`` with what changes when it is replaced; whoever opens a missing one raises the error."""
    settings = site.settings.tls
    for name in (
        settings.certificate, settings.private_key, settings.ca_certificates, settings.revocation_lists,
        settings.passphrase_file,
    ):  # fmt: skip
        if not name:  # else it would be the folder, which changes with each file that comes or goes
            continue
        try:
            status = (site.folder / name).stat()
        except OSError:
            continue
        yield name, (status.st_mtime_ns, status.st_ino)


def _make_context(site: Site, make: Callable[[TlsFiles], ssl.SSLContext]) -> ssl.SSLContext:
    settings = site.settings.tls
    try:
        context = make(find_tls_files(site))
    except ConfigurationError as error:
        raise _name_place(site, error) from error
    where, legacy = f"{site.path}: tls.cipher_suites", settings.allow_legacy_tls
    use = use_cipher_suites if settings.cipher_suites else use_those_installed
    use(context, list_suites(site), legacy=legacy, where=where)
    return context


def _name_place(site: Site, error: ConfigurationError) -> ConfigurationError:
    if error.message.startswith(str(site.path)):
        return error
    return ConfigurationError(f"{site.path}: [tls]: {error.message}", advice=error.advice)
