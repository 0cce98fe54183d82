"""TLS contexts from the ``[tls]`` table of a site file (PS3.15 B.9 to B.12: TLS 1.2 and 1.3, older if allowed)."""

from __future__ import annotations

import ssl

from openmodality.app.cipher_suites import use_cipher_suites
from openmodality.device.site import Site
from openmodality.errors import ConfigurationError


def client_context(site: Site) -> ssl.SSLContext | None:
    """For associations that this device opens; ``None`` where no peer is reached under TLS."""
    if not any(peer.tls for peer in site.peers.values()):
        return None
    context = _context(site, ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # DICOM peers are known by AE title and address; their certificate by its CA
    return context


def server_context(site: Site) -> ssl.SSLContext:
    """For local AEs that take TLS."""
    context = _context(site, ssl.PROTOCOL_TLS_SERVER)
    required = site.settings.tls.require_client_certificate
    context.verify_mode = ssl.CERT_REQUIRED if required else ssl.CERT_OPTIONAL
    return context


def _context(site: Site, protocol: int) -> ssl.SSLContext:
    settings = site.settings.tls
    context = ssl.SSLContext(protocol)
    try:
        context.load_cert_chain(site.folder / settings.certificate, site.folder / settings.private_key)
        context.load_verify_locations(site.folder / settings.ca_certificates)
    except (OSError, ssl.SSLError) as error:
        reason = getattr(error, "reason", None) or error.strerror or type(error).__name__
        raise ConfigurationError(f"{site.path}: the files of [tls] cannot be used: {reason}") from error
    where = f"{site.path}: tls.cipher_suites"
    use_cipher_suites(context, settings.cipher_suites, legacy=settings.allow_legacy_tls, where=where)
    return context
