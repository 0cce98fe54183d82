"""``openmodality receive`` under TLS: for DCMTK and for ``openmodality send``, with and without client certificates."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.command_line import openmodality, receiving
from tests.interop import contents
from tests.interop.certificates import KeyPair, key_pair
from tests.peers import dcmtk, objects


def ours(keys: KeyPair) -> list[str | Path]:
    """Our certificate, for either side."""
    return ["--tls", "--tls-cert", keys.certificate, "--tls-key", keys.key]


def mutual(keys: KeyPair) -> list[str | Path]:
    """The same, and the other side must show one too."""
    return [*ours(keys), "--tls-ca", keys.authority]


@pytest.mark.needs("storescu", "echoscu")
def test_dcmtk_with_a_certificate(tmp_path: Path, keys: KeyPair) -> None:
    path = objects.save(objects.mr_image(rows=256, columns=256), tmp_path / "files")
    with receiving(tmp_path / "received", *mutual(keys)) as here:
        echoed = dcmtk.scu("echoscu", here.address, *keys.dcmtk())
        stored = dcmtk.scu("storescu", here.address, *keys.dcmtk(), path)
        ended = here.stop()
    assert (echoed.status, stored.status) == (0, 0), echoed.output + stored.output
    assert (ended.status, ended.error_line) == (0, "received 1 file")
    [file] = here.files()
    contents.assert_same_content(path, file)


@pytest.mark.needs("echoscu")
def test_anonymous_dcmtk(tmp_path: Path, keys: KeyPair) -> None:
    anonymous: list[str | Path] = ["--anonymous-tls", "--add-cert-file", keys.authority]
    with receiving(tmp_path / "any", *ours(keys)) as here:
        taken = dcmtk.scu("echoscu", here.address, *anonymous)
        untrusting = dcmtk.scu("echoscu", here.address, "--anonymous-tls")
    with receiving(tmp_path / "known", *mutual(keys)) as here:
        refused = dcmtk.scu("echoscu", here.address, *anonymous)
        ended = here.stop()
    assert taken.status == 0, taken.output
    assert untrusting.status != 0
    assert refused.status != 0
    warning, _ = ended.err.splitlines()
    assert "PEER_DID_NOT_RETURN_A_CERTIFICATE" in warning


def test_send_under_tls(tmp_path: Path, keys: KeyPair) -> None:
    paths = objects.mr_series(tmp_path / "files", 3, rows=256, columns=256)
    with receiving(tmp_path / "received", *mutual(keys)) as here:
        sent = openmodality("send", here.address, tmp_path / "files", *mutual(keys), "--json")
        assert here.stop().status == 0
    assert (sent.status, sent.err, sent.item["stored"]) == (0, "", 3)
    for path in paths:
        contents.assert_same_content(path, here.folder / path.name)


def test_a_peer_known_by_its_own_certificate_alone(tmp_path: Path, keys: KeyPair) -> None:
    own = key_pair(tmp_path / "own", "own", signs_itself=True)
    with receiving(tmp_path / "received", *ours(own)) as here:
        assert openmodality("echo", here.address, "--tls-ca", own.certificate).status == 0
        assert openmodality("echo", here.address, "--tls-ca", keys.authority).status == 1


def test_who_does_not_fit_is_told_in_one_line(tmp_path: Path, keys: KeyPair, strangers: KeyPair) -> None:
    [path] = objects.mr_series(tmp_path / "files", 1)
    with receiving(tmp_path / "received", *mutual(keys)) as here:
        plain = openmodality("echo", here.address)
        anonymous = openmodality("echo", here.address, "--tls-ca", keys.authority)
        stranger = openmodality("echo", here.address, *ours(strangers), "--tls-ca", keys.authority)
        wrong_authority = openmodality("send", here.address, path, *mutual(strangers))
        assert not here.files()
        ended = here.stop()
    assert [each.status for each in (plain, anonymous, stranger, wrong_authority)] == [1, 1, 1, 1]
    assert "a TLS alert came: the other side expects TLS here, and this side speaks none" in plain.error_line
    assert "the other side requires a certificate, and this side showed none" in anonymous.error_line
    assert "the other side does not trust the CA of our certificate" in stranger.error_line
    assert "CERTIFICATE_VERIFY_FAILED" in wrong_authority.error_line
    *warnings, received = ended.err.splitlines()
    assert received == "received 0 files"
    assert len(warnings) == 4
    assert all("TLS handshake with the peer failed: " in warning for warning in warnings)


def test_tls_towards_a_plain_receiver(tmp_path: Path, keys: KeyPair) -> None:
    with receiving(tmp_path) as here:
        ended = openmodality("echo", here.address, *mutual(keys))
    assert ended.status == 1
    assert f"TLS handshake with {here.address} failed: " in ended.error_line


def test_what_cannot_be_is_wrong_usage(tmp_path: Path, keys: KeyPair, strangers: KeyPair) -> None:
    for options, said in {
        ("--tls",): "to listen under TLS needs --tls-cert",
        ("--tls-ca", keys.authority): "to listen under TLS needs --tls-cert",
        ("--tls-key", keys.key): "to listen under TLS needs --tls-cert",
        ("--tls-cert", keys.certificate): f"{keys.certificate}: there is no private key in it",
        ("--tls-cert", keys.certificate, "--tls-key", strangers.key): f"{strangers.key}: is not the private key of",
    }.items():
        ended = openmodality("receive", tmp_path / "received", "--port", 0, *options)
        assert ended.status == 2
        assert said in ended.error_line
    assert not (tmp_path / "received").exists()
