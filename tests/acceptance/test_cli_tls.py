"""TLS from the command line, without a site file: towards DCMTK, for DCMTK, and what is said where it does not fit."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.command_line import openmodality
from tests.interop import contents, wire
from tests.interop.certificates import KeyPair
from tests.peers import dcmtk, objects
from tests.peers.process import HOST

NOBODY = f"NOBODY@{HOST}:1"


def mutual(keys: KeyPair) -> list[str | Path]:
    """Our options where both sides show a certificate."""
    return ["--tls", "--tls-ca", keys.authority, "--tls-cert", keys.certificate, "--tls-key", keys.key]


@pytest.mark.needs("storescp")
def test_echo_to_dcmtk(tmp_path: Path, keys: KeyPair) -> None:
    with dcmtk.storescp(tmp_path / "received", *keys.dcmtk()) as peer:
        asked = openmodality("echo", peer, *mutual(keys))
        implied = openmodality("echo", peer, *mutual(keys)[1:])
    assert (asked.status, asked.err) == (0, "")
    assert asked.out.startswith(f"{peer}: 0000 Success in ")
    assert (implied.status, implied.err) == (0, "")


@pytest.mark.needs("storescp")
def test_send_to_dcmtk(tmp_path: Path, keys: KeyPair) -> None:
    path = objects.save(objects.mr_image(rows=256, columns=256), tmp_path / "files")
    with dcmtk.storescp(tmp_path / "received", *keys.dcmtk()) as peer:
        ended = openmodality("send", peer, path, *mutual(keys))
        [file] = peer.files()
    assert (ended.status, ended.err) == (0, "")
    contents.assert_same_content(path, file)


@pytest.mark.needs("storescp")
@pytest.mark.parametrize(
    "command",
    [["query", "--level", "STUDY"], ["retrieve", "--study", "1.2.3"], ["worklist"]],
    ids=lambda words: words[0],
)
def test_the_other_commands_reach_dcmtk_too(tmp_path: Path, keys: KeyPair, command: list[str]) -> None:
    with dcmtk.storescp(tmp_path / "received", *keys.dcmtk()) as peer:
        ended = openmodality(command[0], peer, *command[1:], *mutual(keys))
    assert ended.status == 1
    assert "accepted none of the presentation contexts" in ended.error_line  # said by storescp, under TLS


@pytest.mark.needs("storescp")
def test_without_a_certificate_of_our_own(tmp_path: Path, keys: KeyPair) -> None:
    trusting = ["--tls", "--tls-ca", keys.authority]
    with dcmtk.storescp(tmp_path / "any", *keys.dcmtk(), "--ignore-peer-cert") as peer:
        assert openmodality("echo", peer, *trusting).status == 0
    with dcmtk.storescp(tmp_path / "known", *keys.dcmtk()) as peer:
        ended = openmodality("echo", peer, *trusting)
    assert ended.status == 1
    told = "the other side requires a certificate, and this side showed none"
    assert ended.error_line.startswith("openmodality: TLS ")
    assert f"with {peer} failed: {told}" in ended.error_line


@pytest.mark.needs("storescp")
def test_a_peer_whose_authority_we_do_not_trust(tmp_path: Path, keys: KeyPair, strangers: KeyPair) -> None:
    with dcmtk.storescp(tmp_path / "received", *keys.dcmtk(), "--ignore-peer-cert") as peer:
        ended = openmodality("echo", peer, "--tls-ca", strangers.authority)
        of_this_machine = openmodality("echo", peer, "--tls")
        either = openmodality("echo", peer, "--tls-ca", strangers.authority, "--tls-ca", keys.authority)
    assert ended.status == of_this_machine.status == 1
    for line in (ended.error_line, of_this_machine.error_line):
        assert f"TLS handshake with {peer} failed: the certificate of the other side is " in line
        assert "that this side does not trust (CERTIFICATE_VERIFY_FAILED); name the CA of the other side's" in line
    assert either.status == 0


@pytest.mark.needs("storescp")
def test_tls_with_a_plain_peer(tmp_path: Path, keys: KeyPair) -> None:
    with dcmtk.storescp(tmp_path / "received") as peer:
        ended = openmodality("echo", peer, *mutual(keys), "--timeout", "0.5")
    assert ended.status == 1
    assert f"TLS handshake with {peer}" in ended.error_line or "waiting for the TLS handshake" in ended.error_line


@pytest.mark.needs("storescp")
def test_plain_with_a_tls_peer(tmp_path: Path, keys: KeyPair) -> None:
    with dcmtk.storescp(tmp_path / "received", *keys.dcmtk()) as peer:
        ended = openmodality("echo", peer, "--timeout", "5")
    assert ended.status == 1
    assert f"{peer} speaks TLS 1.3 on this port, and was called in the clear; call it under TLS" in ended.error_line


def test_a_plain_echo_sends_no_tls() -> None:
    def reject(connection: wire.Wire) -> None:
        connection.expect(wire.ASSOCIATE_RQ)
        connection.send(wire.rejection(1, 1, 3))

    with wire.listening(reject) as peer:
        assert "calling-AE-title-not-recognized" in openmodality("echo", peer).error_line


def test_files_that_cannot_be_used(tmp_path: Path, keys: KeyPair, strangers: KeyPair) -> None:
    lost = tmp_path / "lost.pem"
    for options, said in {
        ("--tls-ca", lost): f"--tls-ca: file '{lost}' does not exist",
        ("--tls-cert", tmp_path): f"--tls-cert: '{tmp_path}' is a folder, not a file",
        ("--tls-ca", keys.key): f"{keys.key}: there is no certificate in it; it must be a PEM file",
        ("--tls-key", keys.key): "--tls-key needs --tls-cert; name the certificate that the key belongs to",
        (
            "--tls-cert",
            keys.certificate,
        ): f"{keys.certificate}: there is no private key in it; name the private key's own",
        ("--tls-cert", keys.certificate, "--tls-key", strangers.key): f"{strangers.key}: is not the private key of",
    }.items():
        ended = openmodality("echo", NOBODY, *options)
        assert ended.status == 2
        assert said in ended.error_line


@pytest.mark.parametrize("command", ["echo", "worklist"])
def test_a_peer_of_the_site_file_has_its_own_settings(tmp_path: Path, keys: KeyPair, command: str) -> None:
    ended = openmodality(command, "pacs", "-c", tmp_path, "--tls-ca", keys.authority)
    assert ended.status == 2
    assert "AETITLE@host:port" in ended.error_line
    assert "site" in ended.error_line
