"""Probe of TLS: versions and suites of the peer, and in words why a handshake with it fails (PS3.15 B.9 to B.12)."""

from __future__ import annotations

from typing import Final

from openmodality.conformance.doctor.examination import Examination
from openmodality.conformance.doctor.findings import Severity
from openmodality.network.tls_probe import probe_tls

_AREA: Final = "TLS"


def probe_security(examination: Examination) -> bool:
    """Look at TLS where the peer is reached under it; whether associations are possible.

    Raises :class:`TransportError` where nobody listens at its address.
    """
    ends = examination.ends("verification")
    if ends.remote.ssl_context is None:
        return True
    report = probe_tls(ends.remote, ends.local)
    verdict, *more = report.describe()
    fault = report.fault
    examination.facts["tls_fault"] = fault.kind if fault else None
    if fault is not None:
        examination.observe("tls", fault.kind)
        verdict, *more = f"{fault.reason}; {fault.advice}", *more[1:]
    examination.note(_AREA, "handshake", verdict, Severity.PROBLEM if fault else Severity.FACT)
    for text in more:
        examination.note(_AREA, "handshake", text)
    return fault is None
