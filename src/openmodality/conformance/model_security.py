"""The part of a statement about TLS, as values; it belongs to :mod:`openmodality.conformance.model`."""

from __future__ import annotations

from openmodality.value_class import value_class


@value_class
class StatedCipherSuite:
    """A cipher suite of the device: its place in the order of preference, its names, the profile that it belongs to.

    ``is_legacy``: only where the site allows older TLS. ``is_used``: whether this site uses it.
    """

    order: int
    name: str
    standard_name: str
    group: str
    is_legacy: bool
    is_used: bool


@value_class
class StatedSecurity:
    """TLS as it is here. ``cipher_suites`` are those that are used here, by their OpenSSL names, the preferred one
    first; beside them TLS 1.3 has its own. ``suite_table`` are all of the device; ``passed_over`` are those that cannot
    be used on this machine, with the reasons, where TLS is used at all.
    """

    is_enabled: bool
    profile: str
    legacy_profiles: tuple[str, ...]
    versions: tuple[str, ...]
    cipher_suites: tuple[str, ...]
    asks_requestor_certificate: bool
    certificate_format: str
    services: tuple[str, ...]
    allows_legacy: bool
    suite_table: tuple[StatedCipherSuite, ...]
    passed_over: tuple[str, ...]
