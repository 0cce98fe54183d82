"""The certificates and revocation lists of a site: their purpose, their validity, and warnings before they end."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, Literal, NamedTuple

from openmodality.device.site.site import Site
from openmodality.errors import ConfigurationError
from openmodality.network.certificates import CertificateFacts, read_certificates, read_revocation_lists

log = logging.getLogger(__name__)

_DAY_S: Final = 86_400

Validity = Literal["good", "soon", "over", "not_yet"]


class CertificateFile(NamedTuple):
    """A file of certificates, or of revocation lists, that the site file names."""

    used_for: str
    name: str
    path: Path
    read: Callable[[Path], Sequence[CertificateFacts]]


def list_certificate_files(site: Site) -> Iterator[CertificateFile]:
    """The files that the site file names, those of the device first."""
    settings = site.settings
    for used_for, name, read in (
        ("this device, to peers", settings.tls.certificate, read_certificates),
        ("authorities that vouch for peers", settings.tls.ca_certificates, read_certificates),
        ("certificates that are refused", settings.tls.revocation_lists, read_revocation_lists),
        ("the console", settings.console.certificate, read_certificates),
    ):
        if name:
            yield CertificateFile(used_for, name, site.folder / name, read)


def judge_validity(facts: CertificateFacts, now: float, warning_days: int) -> Validity:
    """Whether a certificate is good at a moment, and for longer than the site requires."""
    if now < facts.begins_at:
        return "not_yet"
    if now >= facts.ends_at:
        return "over"
    return "soon" if facts.ends_at - now < warning_days * _DAY_S else "good"


def count_days_left(facts: CertificateFacts, now: float) -> float:
    """Days until the end; below 0 after it."""
    return (facts.ends_at - now) / _DAY_S


def warn_of_certificates(site: Site, now: float) -> None:
    """Warn of what is not valid yet, no longer, or not for much longer; what cannot be read is told by its user."""
    days = site.settings.tls.expiry_warning_days
    for file in list_certificate_files(site):
        try:
            found = file.read(file.path)
        except ConfigurationError as error:
            log.warning("certificate.unreadable", extra={"reason": error.message})
            continue
        for facts in found:
            if (validity := judge_validity(facts, now, days)) != "good":
                extra = {"file": str(file.path), "reason": _describe(facts, now, validity)}
                log.warning(_EVENTS[validity], extra=extra)


_EVENTS: Final = {
    "soon": "certificate.ends_soon",
    "over": "certificate.has_ended",
    "not_yet": "certificate.not_valid_yet",
}


def _describe(facts: CertificateFacts, now: float, validity: Validity) -> str:
    end = datetime.fromtimestamp(facts.ends_at).strftime("%Y-%m-%d") if facts.ends_at < _FOR_EVER_S else "never"
    whose = f"{facts.subject} of {facts.issuer}"
    if validity == "soon":
        return f"{whose} ends on {end}, in {count_days_left(facts, now):.0f} days"
    if validity == "over":
        return f"{whose} ended on {end}: peers are refused, or refuse it"
    return f"{whose} is good from {datetime.fromtimestamp(facts.begins_at).strftime('%Y-%m-%d')} on"


_FOR_EVER_S: Final = 253_402_300_800.0
"""The end of the year 9999: a certificate that names no end has this one (RFC 5280 4.1.2.5)."""
