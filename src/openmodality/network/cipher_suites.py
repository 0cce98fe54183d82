"""Cipher suites that a site names, each looked for in the installed OpenSSL (PS3.15 B.9 to B.12, BCP 195).

OpenSSL passes over names that it does not know as long as one is left, and the preference of a site would change
without a word. So each name is looked up here, and what cannot be used is named with the reason.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from openmodality.errors import ConfigurationError

_NO_MINIMUM: Final = "@SECLEVEL=0"
"""TLS 1.0 and 1.1 sign with SHA-1, which every higher security level of OpenSSL forbids."""
EVERY_SUITE: Final = f"ALL:COMPLEMENTOFALL:{_NO_MINIMUM}"
"""All that the installed OpenSSL has, for whoever looks at it or at a peer."""
_NUMBER_BITS: Final = 0xFFFF
"""OpenSSL puts bits of its own in front of the number of RFC 5246 A.5."""
_OLD_DIGESTS: Final = frozenset({"sha1", "md5"})
_SECRETS: Final = ("psk", "srp")


def use_cipher_suites(context: ssl.SSLContext, names: Sequence[str], *, legacy: bool, where: str) -> None:
    """Let the context use these suites alone, the preferred one first; without names those of OpenSSL.

    Suites of TLS 1.3 are always there and in OpenSSL's own order; where nothing else is named, nothing else is spoken.
    ``legacy`` allows TLS 1.0 and 1.1 and their suites. ``where`` names site file and key. Raises
    :class:`ConfigurationError` where a suite cannot be used; it names each of them.
    """
    known = _list_installed()
    wrong = list(_find_problems(names, known, legacy=legacy))
    if wrong:
        raise ConfigurationError(
            f"{where}: {'; '.join(wrong)}",
            advice="`openssl ciphers -s ALL` lists what is installed; leave the list empty for the recommended suites",
        )
    older = [name for name in names if known[name]["protocol"] != "TLSv1.3"]
    if names and not older:
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        return
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED if legacy else ssl.TLSVersion.TLSv1_2
    if older or legacy:
        context.set_ciphers(":".join([*(older or ["DEFAULT"]), *([_NO_MINIMUM] if legacy else [])]))


def _list_installed() -> dict[str, Mapping[str, Any]]:
    """All suites of the installed OpenSSL by their names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers(EVERY_SUITE)
    return {str(suite["name"]): suite for suite in context.get_ciphers()}


def find_suite_name(number: int) -> str:
    """The OpenSSL name of a suite by its number (RFC 5246 A.5); the number where the installed OpenSSL has it not."""
    names = {int(suite["id"]) & _NUMBER_BITS: name for name, suite in _list_installed().items()}
    return names.get(number, f"suite {number:04X}")


def _find_problems(names: Sequence[str], known: Mapping[str, Mapping[str, Any]], *, legacy: bool) -> Iterator[str]:
    found = {name: known[name] for name in names if name in known}
    if missing := [name for name in names if name not in known]:
        yield f"the installed {ssl.OPENSSL_VERSION} has no {', '.join(missing)}"
    if secret := [name for name, suite in found.items() if _needs_secret(suite)]:
        yield f"needs a shared key or password, where this device has certificates: {', '.join(secret)}"
    if unnamed := [name for name, suite in found.items() if suite["auth"] == "auth-null"]:
        yield f"does not say who the other side is: {', '.join(unnamed)}"
    old = [name for name, suite in found.items() if suite["digest"] in _OLD_DIGESTS or not suite["strength_bits"]]
    if old and not legacy:
        yield f"needs tls.allow_legacy_tls = true: {', '.join(old)}"


def _needs_secret(suite: Mapping[str, Any]) -> bool:
    return any(secret in str(suite["kea"]) or secret in str(suite["auth"]) for secret in _SECRETS)
