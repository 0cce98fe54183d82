"""Why TLS failed, in words: what OpenSSL found, and what to do about it (RFC 8446 6.2; PS3.15 B.9).

OpenSSL names a fault by a constant, and a certificate that it does not trust by a number beside it. An alert is what
the *other* side found wrong with us; everything else is what this side found wrong with the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from openmodality.errors import NotTrusted
from openmodality.value_class import value_class

if TYPE_CHECKING:
    import ssl

TLS_ADVICE: Final = "check that both sides use TLS on this port, and that each trusts the other's certificate"


@value_class
class TlsFault:
    """What is wrong, as a word for programs (``kind``), in a sentence, and what to do about it."""

    kind: str
    reason: str
    advice: str = TLS_ADVICE

    @property
    def is_of_trust(self) -> bool:
        """Whether the two sides have been found not to fit; else the connection has just ended."""
        return self.kind not in (CLOSED, OTHER)


CLOSED: Final = "closed"
OTHER: Final = "other"
SILENT: Final = "silent"
PLAIN_PEER: Final = "plain_peer"
NO_COMMON_SUITE: Final = "no_common_suite"
NO_COMMON_VERSION: Final = "no_common_version"
SUITE_OR_CERTIFICATE: Final = "no_common_suite_or_certificate"
CERTIFICATE_MISSING: Final = "our_certificate_missing"
CERTIFICATE_REFUSED: Final = "our_certificate_refused"
TAMPERED: Final = "tampered"

_RENEW: Final = "a new certificate is needed, or the clock of one side is wrong"
_TRUST: Final = "name the CA of the other side's certificate among the CA certificates of this side"
_TRUST_US: Final = "the other side must trust the CA of our certificate"
_SUITES: Final = "let both sides allow one cipher suite in common; BCP 195 names those to use"
_VERSIONS: Final = "let both sides allow TLS 1.2 or 1.3"
_NEW_ONE: Final = "a new certificate is needed"
_LIST: Final = "get the list that the CA publishes now; tls.revocation_lists names its file"
_STRONGER: Final = "a certificate with a key of RSA 2048 or EC 256 bits, signed with SHA-256, is needed"
_NAME: Final = "call it by a name that its certificate has"

_UNKNOWN_CA: Final = TlsFault(
    "wrong_ca", "the certificate of the other side is of a CA that this side does not trust", _TRUST
)
_OTHER_HOST: Final = TlsFault("wrong_host", "the certificate of the other side is for another host", _NAME)
_TOO_WEAK: Final = TlsFault(
    "too_weak", "the key or the signature of the other side's certificate is too weak", _STRONGER
)
_OLD_LIST: Final = TlsFault(
    "revocation_list_out_of_date",
    "whether the certificate of the other side is revoked is not known: the revocation list of its CA is out of date",
    _LIST,
)
_DISTRUST: Final = {
    3: TlsFault(
        "no_revocation_list",
        "whether the certificate of the other side is revoked is not known: there is no revocation list of its CA",
        _LIST,
    ),
    8: TlsFault("bad_revocation_list", "the revocation list is not signed by the CA that it is of", _LIST),
    9: TlsFault("not_yet_valid", "the certificate of the other side is not valid yet", _RENEW),
    10: TlsFault("expired", "the certificate of the other side has expired", _RENEW),
    11: _OLD_LIST,
    12: _OLD_LIST,
    18: TlsFault(
        "self_signed", "the certificate of the other side is signed by itself, and this side does not trust it", _TRUST
    ),
    19: _UNKNOWN_CA,
    20: _UNKNOWN_CA,
    21: _UNKNOWN_CA,
    23: TlsFault("revoked", "the certificate of the other side is revoked", _NEW_ONE),
    26: TlsFault(
        "wrong_purpose",
        "the certificate of the other side is not for this use",
        "its Extended Key Usage must allow server authentication where it listens, client authentication else",
    ),
    62: _OTHER_HOST,
    64: _OTHER_HOST,
    66: _TOO_WEAK,
    67: _TOO_WEAK,
    68: _TOO_WEAK,
}
"""By the number of X509_verify_cert_error_string(3)."""

ABOUT_THEIR_CERTIFICATE: Final = frozenset({*(fault.kind for fault in _DISTRUST.values()), "not_trusted"})
"""Kinds of faults that lie in the certificate of the other side."""
NO_TLS: Final = TlsFault(
    PLAIN_PEER, "the other side does not speak TLS", "use TLS on both sides of this port, or on neither"
)
NO_SUITE: Final = TlsFault(NO_COMMON_SUITE, "the two sides allow no cipher suite in common", _SUITES)
NO_VERSION: Final = TlsFault(NO_COMMON_VERSION, "the two sides allow no version of TLS in common", _VERSIONS)
NONE_OF_OURS: Final = TlsFault(
    CERTIFICATE_MISSING,
    "the other side requires a certificate, and this side showed none",
    "name our certificate and its private key",
)
REFUSED: Final = TlsFault(CERTIFICATE_REFUSED, "the other side does not take our certificate", _TRUST_US)
_NO_CERTIFICATE: Final = TlsFault(
    "peer_certificate_missing", "the other side showed no certificate, and this side requires one", "give it one"
)
_HTTP: Final = TlsFault("http", "this looks like HTTP, not DICOM under TLS", "check who calls this port")
_CHANGED: Final = TlsFault(
    TAMPERED,
    "the integrity check of what came from the other side failed, it was changed on its way: the association is aborted"
    " (provider, reason-not-specified)",
    "look at what stands between the two sides; what was not acknowledged counts as not sent",
)
_CHANGED_THERE: Final = TlsFault(
    TAMPERED,
    "the other side says that the integrity check of what this side sent failed: it was changed on its way",
    _CHANGED.advice,
)
_FAULTS: Final = {
    "WRONG_VERSION_NUMBER": NO_TLS,
    "RECORD_LAYER_FAILURE": NO_TLS,
    "HTTP_REQUEST": _HTTP,
    "HTTPS_PROXY_REQUEST": _HTTP,
    "UNEXPECTED_EOF_WHILE_READING": TlsFault(CLOSED, "the other side closed the connection"),
    "NO_SHARED_CIPHER": NO_SUITE,
    "NO_CIPHERS_AVAILABLE": NO_SUITE,
    "NO_SHARED_SIGNATURE_ALGORITHMS": TlsFault(
        NO_COMMON_SUITE, "the two sides allow no signature algorithm in common", _SUITES
    ),
    "UNSUPPORTED_PROTOCOL": NO_VERSION,
    "NO_PROTOCOLS_AVAILABLE": NO_VERSION,
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": _NO_CERTIFICATE,
    "TLSV1_ALERT_PROTOCOL_VERSION": TlsFault(
        NO_COMMON_VERSION, "the other side allows no version of TLS that this side allows", _VERSIONS
    ),
    "SSLV3_ALERT_HANDSHAKE_FAILURE": TlsFault(
        SUITE_OR_CERTIFICATE,
        "the other side ended the handshake: no cipher suite in common, or it requires a certificate",
        _SUITES,
    ),
    "TLSV1_ALERT_INSUFFICIENT_SECURITY": TlsFault(
        NO_COMMON_SUITE, "our cipher suites are too weak for the other side", _SUITES
    ),
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": NONE_OF_OURS,
    "SSLV3_ALERT_NO_CERTIFICATE": NONE_OF_OURS,
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": TlsFault(
        "our_certificate_expired", "the other side says that our certificate has expired", _RENEW
    ),
    "SSLV3_ALERT_CERTIFICATE_REVOKED": TlsFault(
        "our_certificate_revoked", "the other side says that our certificate is revoked", _NEW_ONE
    ),
    "TLSV1_ALERT_UNKNOWN_CA": TlsFault(
        "our_ca_unknown", "the other side does not trust the CA of our certificate", _TRUST_US
    ),
    "SSLV3_ALERT_BAD_CERTIFICATE": REFUSED,
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": REFUSED,
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE": REFUSED,
    "TLSV1_ALERT_ACCESS_DENIED": REFUSED,
    "DECRYPTION_FAILED_OR_BAD_RECORD_MAC": _CHANGED,
    "SSLV3_ALERT_BAD_RECORD_MAC": _CHANGED_THERE,
    "TLSV1_ALERT_DECRYPTION_FAILED": _CHANGED_THERE,
}
"""By the reason of an error of OpenSSL."""
_BROKEN_RECORDS: Final = frozenset(
    (
        "WRONG_VERSION_NUMBER", "HTTP_REQUEST", "HTTPS_PROXY_REQUEST", "RECORD_LAYER_FAILURE", "BAD_RECORD_TYPE",
        "BAD_LENGTH", "PACKET_LENGTH_TOO_LONG", "ENCRYPTED_LENGTH_TOO_LONG", "DATA_LENGTH_TOO_LONG", "LENGTH_TOO_SHORT",
        "UNEXPECTED_RECORD", "UNEXPECTED_MESSAGE", "DIGEST_CHECK_FAILED", "BLOCK_CIPHER_PAD_IS_WRONG",
    )
)  # fmt: skip
"""After a handshake these say that a record was changed; before it they say that the other side speaks no TLS."""


def make_not_trusted(what: str, fault: TlsFault) -> NotTrusted:
    """The error of a fault; ``what`` has failed, such as the TLS handshake with a peer."""
    return NotTrusted(f"{what} failed: {fault.reason}", advice=fault.advice, kind=fault.kind, reason=fault.reason)


def explain_tls(error: ssl.SSLError) -> TlsFault:
    """What failed, with the constant of OpenSSL behind it, and what to do."""
    constant = error.reason or "no TLS"
    found = _FAULTS.get(constant)
    verify_code = getattr(error, "verify_code", 0)  # of an ssl.SSLCertVerificationError; to import ssl takes 8 ms
    if verify_code:
        found = _DISTRUST.get(verify_code) or TlsFault("not_trusted", getattr(error, "verify_message", ""))
    if found is None:
        return TlsFault(OTHER, constant)
    return TlsFault(found.kind, f"{found.reason} ({constant})", found.advice)


def explain_tls_break(error: ssl.SSLError) -> TlsFault:
    """As :func:`explain_tls`, for a connection whose handshake had ended well: what cannot be read was changed."""
    if error.reason in _BROKEN_RECORDS:
        return TlsFault(TAMPERED, f"{_CHANGED.reason} ({error.reason})", _CHANGED.advice)
    return explain_tls(error)
