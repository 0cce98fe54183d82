"""The cipher suites of a site file: what is used, and how each that cannot be used is named."""

from __future__ import annotations

import ssl

import pytest

from openmodality.errors import ConfigurationError
from openmodality.network.cipher_suites import (
    NOT_INSTALLED,
    describe_unusable,
    find_suite_name,
    find_unusable,
    use_cipher_suites,
    use_those_installed,
)

GOOD = ("ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384")


def used(*names: str, legacy: bool = False) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    use_cipher_suites(context, names, legacy=legacy, where="site.toml: tls.cipher_suites")
    return context


def older(context: ssl.SSLContext) -> list[str]:
    """The suites of a context but those of TLS 1.3."""
    return [str(suite["name"]) for suite in context.get_ciphers() if suite["protocol"] != "TLSv1.3"]


def test_named_suites_are_used_in_their_order() -> None:
    assert older(used(*GOOD)) == list(GOOD)
    assert older(used(*reversed(GOOD))) == list(reversed(GOOD))
    assert used(*GOOD).minimum_version is ssl.TLSVersion.TLSv1_2


def test_without_names_nothing_old_is_spoken() -> None:
    context = used()
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert set(GOOD) <= set(older(context))


def test_suites_of_tls_1_3_alone_end_older_versions() -> None:
    assert used("TLS_AES_256_GCM_SHA384").minimum_version is ssl.TLSVersion.TLSv1_3


def test_each_missing_suite_is_named() -> None:
    with pytest.raises(ConfigurationError) as caught:
        used(*GOOD, "NO-SUCH-SUITE", "TLS_RSA_WITH_AES_128_CBC_SHA", legacy=True)
    text = str(caught.value)
    assert text.startswith("site.toml: tls.cipher_suites: the installed OpenSSL")
    assert "NO-SUCH-SUITE, TLS_RSA_WITH_AES_128_CBC_SHA" in text
    assert GOOD[0] not in text


def test_a_group_of_suites_is_no_name() -> None:
    with pytest.raises(ConfigurationError, match="HIGH"):
        used(*GOOD, "HIGH")


def test_old_suites_need_the_switch() -> None:
    with pytest.raises(ConfigurationError, match=r"allow_legacy_tls = true: AES128-SHA; "):
        used(*GOOD, "AES128-SHA")
    context = used("AES128-SHA", *GOOD, legacy=True)
    assert older(context) == ["AES128-SHA", *GOOD]
    assert context.minimum_version is ssl.TLSVersion.MINIMUM_SUPPORTED


def test_suites_without_certificates_are_named() -> None:
    have = {str(suite["name"]) for suite in every_suite()}
    for name in {"PSK-AES128-CBC-SHA", "SRP-RSA-AES-128-CBC-SHA"} & have:
        with pytest.raises(ConfigurationError, match=f"shared key or password.*: {name}"):
            used(*GOOD, name, legacy=True)
    for name in {"ADH-AES128-SHA"} & have:
        with pytest.raises(ConfigurationError, match=f"who the other side is: {name}"):
            used(*GOOD, name, legacy=True)


def test_a_table_of_a_device_may_have_what_is_not_installed() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    names = ("NO-SUCH-SUITE", GOOD[0], "AES128-SHA", GOOD[1])
    use_those_installed(context, names, legacy=False, where="the profile")
    assert older(context) == list(GOOD)
    assert find_unusable(names, legacy=False) == {
        NOT_INSTALLED: ("NO-SUCH-SUITE",),
        "needs tls.allow_legacy_tls = true:": ("AES128-SHA",),
    }
    assert describe_unusable(find_unusable(names, legacy=True)) == f"{NOT_INSTALLED} NO-SUCH-SUITE"
    with pytest.raises(ConfigurationError, match=r"the profile: no cipher suite is left: .*NO-SUCH-SUITE; "):
        use_those_installed(context, names[:1], legacy=True, where="the profile")


@pytest.mark.parametrize(("number", "name"), [(0xC02F, GOOD[0]), (0x1301, "TLS_AES_128_GCM_SHA256"), (7, "suite 0007")])
def test_a_suite_by_its_number(number: int, name: str) -> None:
    assert find_suite_name(number) == name


def every_suite() -> list[dict[str, object]]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers("ALL:COMPLEMENTOFALL:@SECLEVEL=0")
    return [dict(suite) for suite in context.get_ciphers()]
