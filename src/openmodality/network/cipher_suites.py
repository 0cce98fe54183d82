"""Cipher suites of a device, each looked for in the installed OpenSSL (PS3.15 B.9 to B.12, BCP 195).

OpenSSL passes over names that it does not know as long as one is left, and the preference of a site would change
without a word. So each name is looked up here, and what cannot be used is named with the reason.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from functools import cache
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
_ADVICE: Final = (
    "`openssl ciphers -s ALL` lists what is installed; leave the list empty for the suites of the device's profile"
)

NOT_INSTALLED: Final = f"the installed {ssl.OPENSSL_VERSION} has no"
NEEDS_SECRET: Final = "needs a shared key or password, where this device has certificates:"
ANONYMOUS: Final = "does not say who the other side is:"
NEEDS_LEGACY: Final = "needs tls.allow_legacy_tls = true:"


def use_cipher_suites(context: ssl.SSLContext, names: Sequence[str], *, legacy: bool, where: str) -> None:
    """Let the context use these suites alone, the preferred one first; without names those of OpenSSL.

    Suites of TLS 1.3 are always there and in OpenSSL's own order; where nothing else is named, nothing else is spoken.
    ``legacy`` allows TLS 1.0 and 1.1 and their suites. ``where`` names site file and key. Raises
    :class:`ConfigurationError` where a suite cannot be used; it names each of them.
    """
    unusable = find_unusable(names, legacy=legacy)
    if unusable:
        raise ConfigurationError(f"{where}: {describe_unusable(unusable)}", advice=_ADVICE)
    _set_suites(context, names, legacy=legacy)


def use_those_installed(context: ssl.SSLContext, names: Sequence[str], *, legacy: bool, where: str) -> None:
    """As :func:`use_cipher_suites`, but pass over suites that cannot be used here, as the table of a device may have.

    Raises :class:`ConfigurationError` where none is left.
    """
    unusable = find_unusable(names, legacy=legacy)
    passed_over = {name for each in unusable.values() for name in each}
    usable = [name for name in names if name not in passed_over]
    if names and not usable:
        raise ConfigurationError(f"{where}: no cipher suite is left: {describe_unusable(unusable)}", advice=_ADVICE)
    _set_suites(context, usable, legacy=legacy)


def find_unusable(names: Sequence[str], *, legacy: bool) -> dict[str, tuple[str, ...]]:
    """The suites that cannot be used here, by the reason; empty where all can."""
    found: dict[str, tuple[str, ...]] = {}
    for name in names:
        if reason := _find_problem(name, legacy=legacy):
            found[reason] = (*found.get(reason, ()), name)
    return found


def describe_unusable(unusable: Mapping[str, Sequence[str]]) -> str:
    """The suites that cannot be used, each named, in one line."""
    return "; ".join(f"{reason} {', '.join(names)}" for reason, names in unusable.items())


def find_suite_name(number: int) -> str:
    """The OpenSSL name of a suite by its number (RFC 5246 A.5); the number where the installed OpenSSL has it not."""
    names = {int(suite["id"]) & _NUMBER_BITS: name for name, suite in _list_installed().items()}
    return names.get(number, f"suite {number:04X}")


def _set_suites(context: ssl.SSLContext, names: Sequence[str], *, legacy: bool) -> None:
    known = _list_installed()
    older = [name for name in names if known[name]["protocol"] != "TLSv1.3"]
    if names and not older:
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        return
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED if legacy else ssl.TLSVersion.TLSv1_2
    if older or legacy:
        context.set_ciphers(":".join([*(older or ["DEFAULT"]), *([_NO_MINIMUM] if legacy else [])]))


@cache  # what is installed does not change while a process runs
def _list_installed() -> Mapping[str, Mapping[str, Any]]:
    """All suites of the installed OpenSSL by their names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers(EVERY_SUITE)
    return {str(suite["name"]): suite for suite in context.get_ciphers()}


def _find_problem(name: str, *, legacy: bool) -> str:
    suite = _list_installed().get(name)
    if suite is None:
        return NOT_INSTALLED
    if any(secret in str(suite[part]) for secret in _SECRETS for part in ("kea", "auth")):
        return NEEDS_SECRET
    if suite["auth"] == "auth-null":
        return ANONYMOUS
    is_old = suite["digest"] in _OLD_DIGESTS or not suite["strength_bits"]
    return NEEDS_LEGACY if is_old and not legacy else ""
