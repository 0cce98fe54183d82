"""Why TLS failed, in words: what OpenSSL found, and what to do about it (RFC 8446 6.2; PS3.15 B.9).

OpenSSL names a fault by a constant, and a certificate that it does not trust by a sentence of its own beside it. An
alert is what the *other* side found wrong with us; everything else is what this side found wrong with the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import ssl

TLS_ADVICE: Final = "check that both sides use TLS on this port, and that each trusts the other's certificate"
_RENEW: Final = "a new certificate is needed, or the clock of one side is wrong"
_TRUST: Final = "name the CA of the other side's certificate among the CA certificates of this side"
_TRUST_US: Final = "the other side must trust the CA of our certificate"
_SUITES: Final = "let both sides allow one cipher suite in common; BCP 195 names those to use"
_VERSIONS: Final = "let both sides allow TLS 1.2 or 1.3"

_EXPIRED, _NOT_YET, _SELF_SIGNED, _SELF_SIGNED_IN_CHAIN, _REVOKED = 10, 9, 18, 19, 23
_NO_ISSUER, _NO_LEAF_ISSUER, _HOST, _ADDRESS = 20, 21, 62, 64
_DISTRUST: Final = {
    _EXPIRED: ("the certificate of the other side has expired", _RENEW),
    _NOT_YET: ("the certificate of the other side is not valid yet", _RENEW),
    _SELF_SIGNED: ("the certificate of the other side is signed by itself, and this side does not trust it", _TRUST),
    _SELF_SIGNED_IN_CHAIN: ("the certificate of the other side is of a CA that this side does not trust", _TRUST),
    _NO_ISSUER: ("the certificate of the other side is of a CA that this side does not trust", _TRUST),
    _NO_LEAF_ISSUER: ("the certificate of the other side is of a CA that this side does not trust", _TRUST),
    _REVOKED: ("the certificate of the other side is revoked", "a new certificate is needed"),
    _HOST: ("the certificate of the other side is for another host", "call it by a name that its certificate has"),
    _ADDRESS: ("the certificate of the other side is for another host", "call it by a name that its certificate has"),
}
"""By the number of X509_verify_cert_error_string(3)."""
_NO_TLS: Final = ("the other side does not speak TLS", "use TLS on both sides of this port, or on neither")
_NO_SUITE: Final = ("the two sides allow no cipher suite in common", _SUITES)
_NO_VERSION: Final = ("the two sides allow no version of TLS in common", _VERSIONS)
_NO_CERTIFICATE: Final = ("the other side showed no certificate, and this side requires one", "give it one")
_NONE_OF_OURS: Final = (
    "the other side requires a certificate, and this side showed none",
    "name our certificate and its private key",
)
_BAD: Final = ("the other side does not take our certificate", _TRUST_US)
_FAULTS: Final = {
    "WRONG_VERSION_NUMBER": _NO_TLS,
    "HTTP_REQUEST": ("this looks like HTTP, not DICOM under TLS", "check who calls this port"),
    "HTTPS_PROXY_REQUEST": ("this looks like HTTP, not DICOM under TLS", "check who calls this port"),
    "UNEXPECTED_EOF_WHILE_READING": ("the other side closed the connection", TLS_ADVICE),
    "NO_SHARED_CIPHER": _NO_SUITE,
    "NO_SHARED_SIGNATURE_ALGORITHMS": ("the two sides allow no signature algorithm in common", _SUITES),
    "UNSUPPORTED_PROTOCOL": _NO_VERSION,
    "NO_PROTOCOLS_AVAILABLE": _NO_VERSION,
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": _NO_CERTIFICATE,
    "TLSV1_ALERT_PROTOCOL_VERSION": ("the other side allows no version of TLS that this side allows", _VERSIONS),
    "SSLV3_ALERT_HANDSHAKE_FAILURE": (
        "the other side ended the handshake: no cipher suite in common, or it requires a certificate",
        _SUITES,
    ),
    "TLSV1_ALERT_INSUFFICIENT_SECURITY": ("our cipher suites are too weak for the other side", _SUITES),
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": _NONE_OF_OURS,
    "SSLV3_ALERT_NO_CERTIFICATE": _NONE_OF_OURS,
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": ("the other side says that our certificate has expired", _RENEW),
    "SSLV3_ALERT_CERTIFICATE_REVOKED": (
        "the other side says that our certificate is revoked",
        "a new certificate is needed",
    ),
    "TLSV1_ALERT_UNKNOWN_CA": ("the other side does not trust the CA of our certificate", _TRUST_US),
    "SSLV3_ALERT_BAD_CERTIFICATE": _BAD,
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": _BAD,
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE": _BAD,
    "TLSV1_ALERT_ACCESS_DENIED": _BAD,
}
"""By the reason of an error of OpenSSL."""


def explain_tls(error: ssl.SSLError) -> tuple[str, str]:
    """What failed, with the constant of OpenSSL behind it, and what to do."""
    constant = error.reason or "no TLS"
    found = _FAULTS.get(constant)
    verify_code = getattr(error, "verify_code", 0)  # of an ssl.SSLCertVerificationError; to import ssl takes 8 ms
    if verify_code:
        found = _DISTRUST.get(verify_code) or (getattr(error, "verify_message", ""), TLS_ADVICE)
    if found is None:
        return constant, TLS_ADVICE
    return f"{found[0]} ({constant})", found[1]
