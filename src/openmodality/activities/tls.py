"""TLS contexts from the ``[tls]`` table of a site file (PS3.15 B.9 to B.12: TLS 1.2 and 1.3, older if allowed)."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path

from openmodality.device.site.permissions import warn_readable_by_all
from openmodality.device.site.site import Site
from openmodality.errors import ConfigurationError
from openmodality.network import tls
from openmodality.network.cipher_suites import use_cipher_suites
from openmodality.network.tls import TlsFiles


def calls_under_tls(site: Site) -> bool:
    """Whether any peer is reached under TLS."""
    return any(peer.tls for peer in site.peers.values())


def make_client_context(site: Site) -> ssl.SSLContext | None:
    """For associations that this device opens; ``None`` where no peer is reached under TLS.

    It warns of a private key that anybody on this machine may read: most programs that call peers never listen.
    """
    if not calls_under_tls(site):
        return None
    context = _make_context(site, tls.client_context)
    warn_readable_by_all([find_private_key(site)])
    return context


def make_audit_context(site: Site) -> ssl.SSLContext:
    """For the connection to an audit repository: both sides show certificates (RFC 5425 4.2)."""
    return _make_context(site, tls.client_context)


def find_private_key(site: Site) -> Path:
    """The file of the private key of a site with TLS."""
    return site.folder / site.settings.tls.private_key


def make_server_context(site: Site) -> ssl.SSLContext:
    """For local AEs that take TLS."""
    context = _make_context(site, tls.server_context)
    if not site.settings.tls.require_client_certificate:
        context.verify_mode = ssl.CERT_OPTIONAL
    return context


def _make_context(site: Site, make: Callable[[TlsFiles], ssl.SSLContext]) -> ssl.SSLContext:
    settings, folder = site.settings.tls, site.folder
    files = TlsFiles(folder / settings.certificate, find_private_key(site), (folder / settings.ca_certificates,))
    try:
        context = make(files)
    except ConfigurationError as error:
        raise ConfigurationError(f"{site.path}: [tls]: {error.message}", advice=error.advice) from error
    where = f"{site.path}: tls.cipher_suites"
    use_cipher_suites(context, settings.cipher_suites, legacy=settings.allow_legacy_tls, where=where)
    return context
