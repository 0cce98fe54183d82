"""Asks a peer what it does under TLS, and explains in words why this side does not get through (PS3.15 B.9 to B.12).

One failed handshake tells half of it: an alert 'handshake failure' is a suite that is missing or a certificate, a
closed connection may be a peer without TLS. So the peer is called several times: with our own settings, with each
version alone and every suite, without a certificate, and in the clear. Nothing but verification is proposed, and
nothing is sent on an association that stands.
"""

from __future__ import annotations

import ssl
from dataclasses import replace
from typing import Final, NamedTuple

from openmodality.errors import (
    ConfigurationError,
    NotTrusted,
    OpenModalityError,
    PeerTimeout,
    ProtocolError,
    TransportError,
    UsageError,
)
from openmodality.network.certificates import CertificateFacts, read_certificate
from openmodality.network.cipher_suites import find_suite_name
from openmodality.network.connecting import open_socket
from openmodality.network.entity import LocalAE, RemoteAE
from openmodality.network.requestor import associate
from openmodality.network.server_hello import ServerHello
from openmodality.network.timeouts import Timeouts
from openmodality.network.tls_failures import (
    ABOUT_THEIR_CERTIFICATE,
    CERTIFICATE_MISSING,
    CERTIFICATE_REFUSED,
    CLOSED,
    NO_COMMON_VERSION,
    NO_SUITE,
    NO_TLS,
    NO_VERSION,
    NONE_OF_OURS,
    OTHER,
    SILENT,
    SUITE_OR_CERTIFICATE,
    TlsFault,
    make_not_trusted,
)
from openmodality.network.tls_look import look_at_server, make_open_context
from openmodality.standard.sop_classes import VERIFICATION
from openmodality.standard.transfer_syntaxes import IMPLICIT_VR_LITTLE_ENDIAN
from openmodality.upper_layer.negotiation import ContextProposal
from openmodality.value_class import dataclass

MOST_WAIT_S: Final = 5.0
"""How long each step may take at most: a peer that says nothing is found in less than a minute."""
_VERSIONS: Final = {
    "TLS 1.3": ssl.TLSVersion.TLSv1_3,
    "TLS 1.2": ssl.TLSVersion.TLSv1_2,
    "TLS 1.1": ssl.TLSVersion.TLSv1_1,
    "TLS 1.0": ssl.TLSVersion.TLSv1,
}
_UNCLEAR: Final = frozenset({CLOSED, OTHER, SUITE_OR_CERTIFICATE, NO_COMMON_VERSION, NO_TLS.kind, CERTIFICATE_REFUSED})
"""Faults of which more can be said after another look."""
_NO_CERTIFICATE_TAKEN: Final = frozenset(
    {CERTIFICATE_MISSING, CERTIFICATE_REFUSED, SUITE_OR_CERTIFICATE, CLOSED, OTHER}
)
_CALL_UNDER_TLS: Final = "call it under TLS: tls = true for this peer of the site file, --tls for an address"


@dataclass(frozen=True, slots=True)
class TlsReport:
    """What a peer does under TLS.

    ``fault`` is ``None`` where our own settings get through to DICOM; else its ``kind``, ``reason`` and ``advice`` say
    why they do not. ``version`` and ``cipher_suite`` are what the peer chooses; ``versions`` all that it speaks, the
    newest first. ``requires_certificate`` is ``None`` where it could not be found out. ``certificate`` is that of the
    peer, whether it is trusted or not. ``is_plain``: it answers DICOM in the clear on this port.
    """

    fault: TlsFault | None
    version: str = ""
    cipher_suite: str = ""
    versions: tuple[str, ...] = ()
    requires_certificate: bool | None = None
    certificate: CertificateFacts | None = None
    is_plain: bool = False

    def describe(self) -> list[str]:
        """The report in lines for people, the verdict first."""
        fault, lines = self.fault, ["TLS works with the settings of this side"]
        if fault is not None:
            lines = [fault.reason, f"what to do: {fault.advice}"]
        if self.version:
            lines.append(f"it chooses {self.version} with {self.cipher_suite}; it speaks {', '.join(self.versions)}")
        if self.certificate is not None:
            lines.append(f"its certificate: {self.certificate}")
        if self.requires_certificate is not None:
            lines.append(f"it requires {'a' if self.requires_certificate else 'no'} certificate of the other side")
        return lines


class _Looks(NamedTuple):
    """What was seen with every suite, by version, and with our own settings; ``None`` where no ServerHello came."""

    by_version: dict[str, ServerHello]
    ours: ServerHello | None


def probe_tls(remote: RemoteAE, local: LocalAE) -> TlsReport:
    """Ask a peer what it does under TLS; ``remote.ssl_context`` is what this side uses for it.

    Raises :class:`TransportError` or :class:`PeerTimeout` where nothing listens at its address.
    """
    context = remote.ssl_context
    if context is None:
        raise UsageError(f"{remote} is asked about TLS without settings of this side")
    local = replace(local, timeouts=_shorten(local))
    open_socket(remote.host, remote.port, local.timeouts.connect_s).close()  # raises where nobody listens
    fault = _call(remote, local)
    looks = _look_all(remote, context, local)
    seen = looks.ours or next(iter(looks.by_version.values()), None)
    without_ours = _call(replace(remote, ssl_context=make_open_context()), local) if looks.by_version else None
    requires = _find_requirement(looks, without_ours)
    is_plain = not looks.by_version and fault is not None and _call(replace(remote, ssl_context=None), local) is None
    if fault is not None and fault.kind in _UNCLEAR:
        fault = _explain_more(fault, looks, context, requires=requires, is_plain=is_plain)
    certificate = _find_certificate(looks)
    return TlsReport(
        fault and _name_certificate(fault, certificate),
        seen.version if seen else "",
        find_suite_name(seen.suite) if seen else "",
        tuple(looks.by_version),
        requires,
        certificate,
        is_plain,
    )


def explain_failure(remote: RemoteAE, local: LocalAE, error: TransportError) -> TransportError:
    """Why a peer that listens was not reached, after a closer look at it; the same error where that finds no more.

    Where the error says it all, the peer is left in peace: each further call is a line in its log.
    """
    if isinstance(error, NotTrusted) and error.kind not in _UNCLEAR - {NO_TLS.kind}:
        return error
    try:
        if remote.ssl_context is None:
            return _explain_in_the_clear(remote, replace(local, timeouts=_shorten(local))) or error
        fault = probe_tls(remote, local).fault
    except TransportError:
        return error
    return make_not_trusted(f"TLS handshake with {remote}", fault) if fault is not None else error


def _explain_in_the_clear(remote: RemoteAE, local: LocalAE) -> TransportError | None:
    """Whether a peer that was called without TLS speaks it."""
    hello = look_at_server(remote, make_open_context(), local)
    if hello is None:
        return None
    return TransportError(
        f"{remote} speaks {hello.version} on this port, and was called in the clear", advice=_CALL_UNDER_TLS
    )


def _shorten(local: LocalAE) -> Timeouts:
    times = local.timeouts
    connect_s, association_s, release_s = (
        min(each or MOST_WAIT_S, MOST_WAIT_S) for each in (times.connect_s, times.association_s, times.release_s)
    )
    return replace(times, connect_s=connect_s, association_s=association_s, release_s=release_s)


def _call(remote: RemoteAE, local: LocalAE) -> TlsFault | None:
    """Why no association request is answered; ``None`` where it is, by whatever answer of DICOM."""
    try:
        with associate(remote, local, [ContextProposal(VERIFICATION, (IMPLICIT_VR_LITTLE_ENDIAN,))]):
            return None
    except NotTrusted as error:
        return TlsFault(error.kind or OTHER, error.reason, error.advice)
    except PeerTimeout as error:
        return TlsFault(SILENT, error.message, error.advice)
    except TransportError as error:
        return TlsFault(CLOSED, error.message, error.advice)
    except ProtocolError as error:
        return TlsFault(OTHER, error.message, error.advice)
    except OpenModalityError:  # rejected, aborted, nothing accepted: DICOM all the same
        return None


def _look_all(remote: RemoteAE, context: ssl.SSLContext, local: LocalAE) -> _Looks:
    seen = {name: look_at_server(remote, make_open_context(version), local) for name, version in _VERSIONS.items()}
    by_version = {name: hello for name, hello in seen.items() if hello is not None and hello.version == name}
    return _Looks(by_version, look_at_server(remote, context, local) if by_version else None)


def _find_requirement(looks: _Looks, without_ours: TlsFault | None) -> bool | None:
    """Whether the peer requires a certificate, from what it did to a caller that showed none."""
    if not looks.by_version:
        return None
    if without_ours is None:
        return False
    if without_ours.kind in (CERTIFICATE_MISSING, CERTIFICATE_REFUSED):
        return True
    asked = any(hello.asks_certificate for hello in looks.by_version.values())
    return True if asked and without_ours.kind in _NO_CERTIFICATE_TAKEN else None


def _explain_more(
    fault: TlsFault, looks: _Looks, context: ssl.SSLContext, *, requires: bool | None, is_plain: bool
) -> TlsFault:
    if not looks.by_version:
        if is_plain:
            return replace(NO_TLS, reason="the other side speaks DICOM in the clear on this port, and no TLS")
        return fault
    if looks.ours is None:
        return _explain_no_hello(looks, context)
    if requires and fault.kind in (SUITE_OR_CERTIFICATE, CLOSED, OTHER):
        return NONE_OF_OURS
    return fault


def _explain_no_hello(looks: _Looks, context: ssl.SSLContext) -> TlsFault:
    """With every suite and version the peer answers, with ours it does not: which of the two it is."""
    ours = [name for name, version in _VERSIONS.items() if _allows(context, version)]
    theirs = list(looks.by_version)
    if not set(ours) & set(theirs):
        reason = f"the other side speaks {', '.join(theirs)}, and this side {', '.join(ours)}"
        return replace(NO_VERSION, reason=f"{NO_VERSION.reason}: {reason}")
    chosen = ", ".join(dict.fromkeys(find_suite_name(each.suite) for each in looks.by_version.values()))
    return replace(NO_SUITE, reason=f"{NO_SUITE.reason}: the other side chooses {chosen} where it may")


def _allows(context: ssl.SSLContext, version: ssl.TLSVersion) -> bool:
    least, most = context.minimum_version, context.maximum_version
    is_new_enough = least is ssl.TLSVersion.MINIMUM_SUPPORTED or version >= least
    return is_new_enough and (most is ssl.TLSVersion.MAXIMUM_SUPPORTED or version <= most)


def _find_certificate(looks: _Looks) -> CertificateFacts | None:
    seen = (looks.ours, *looks.by_version.values())
    der = next((hello.certificate for hello in seen if hello is not None and hello.certificate), b"")
    try:
        return read_certificate(der) if der else None
    except ConfigurationError:
        return None


def _name_certificate(fault: TlsFault, certificate: CertificateFacts | None) -> TlsFault:
    """The fault with whose certificate it is about."""
    if certificate is None or fault.kind not in ABOUT_THEIR_CERTIFICATE:
        return fault
    return replace(fault, reason=f"{fault.reason}: {certificate}")
