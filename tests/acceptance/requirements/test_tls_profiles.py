"""MR 10 and R/F 7, 8.7: the secure transport connection profiles of the statements, service by service, before
pynetdicom; which suites the device offers and in which order, read off the wire.
"""

from __future__ import annotations

import csv
import socket
import ssl
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from pynetdicom import evt

from openmodality import Modality
from openmodality.errors import TransportError
from openmodality.network.cipher_suites import EVERY_SUITE
from tests.acceptance.requirements.print_device import make_print_device
from tests.acceptance.requirements.pynetdicom_hospital import TITLE, listening, recorded_device
from tests.devices import LISTENS, add_image, today
from tests.interop.certificates import KeyPair
from tests.interop.sites import PeerTable, write_site
from tests.peers.process import HOST, Address, wait_until
from tests.peers.pynetdicom_ae import associated, serving
from tests.peers.pynetdicom_printer import GRAYSCALE, PynetdicomPrinter

TABLE = Path(__file__).parents[2] / "data" / "spec" / "rf" / "tls_ciphers.csv"
V = ssl.TLSVersion
VERIFICATION = "1.2.840.10008.1.1"
BCP_195 = "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256"
LEGACY = "allow_legacy_tls = true"


def limit(context: ssl.SSLContext, suites: str, least: V, most: V) -> ssl.SSLContext:
    """The context with these suites and versions alone."""
    context.set_ciphers(f"{suites}:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version, context.maximum_version = least, most
    return context


def write_tls(keys: KeyPair, *more: str) -> str:
    lines = (
        "[tls]", f'certificate = "{keys.certificate}"', f'private_key = "{keys.key}"',
        f'ca_certificates = "{keys.authority}"', *more,
    )  # fmt: skip
    return "\n".join(lines) + "\n"


BASIC = [("mr", "AES128-SHA", V.TLSv1), ("mr", "NULL-SHA", V.TLSv1)]
MODERN = [("rf", BCP_195, V.TLSv1_2)]
BASIC_IDS = (
    "MR-10.1-01", "MR-10.1.1-07", "MR-10.3-01", "MR-10.3.1-02", "MR-10.4-01", "MR-10.4.1-02",
)  # fmt: skip


@pytest.mark.parametrize(
    ("profile", "suites", "version"),
    [
        *(pytest.param(*each, marks=pytest.mark.requirement(*BASIC_IDS)) for each in BASIC),
        *(pytest.param(*each, marks=pytest.mark.requirement("RF-7-01")) for each in MODERN),
    ],
)
def test_each_service_speaks_the_profile(tmp_path: Path, keys: KeyPair, profile: str, suites: str, version: V) -> None:
    """The peer takes nothing but the suites of the profile: what it got proves that the device speaks them."""
    theirs = limit(keys.server(), suites, version, version)
    tls = write_tls(keys, "enabled = true", *([LEGACY] if version < V.TLSv1_2 else []))
    peer = "automatic_commitment = true"
    with recorded_device(tmp_path, profile, items=today(profile, 1), peer=peer, more=tls, tls=theirs) as recorded:
        recorder = recorded.recorder
        with recorded.modality() as modality:
            modality.serve()
            item = modality.worklist()[0]
            with modality.exam(item) as exam:
                add_image(exam.series("T1", ProtocolName="T1"), 1)
            wait_until(lambda: all(map(recorder.requests, ("N-ACTION-RQ", "N-SET-RQ"))), timeout_s=20)
            role, title = LISTENS[profile]
            ours = limit(keys.client(), suites, version, version)
            with associated(
                listening(recorded, role, title), [VERIFICATION], calling=TITLE, tls_args=(ours, HOST)
            ) as at:
                assert at.send_c_echo().Status == 0
        asked = {name for call in recorder.closed() for name in call.names}
    assert asked >= {"C-FIND-RQ", "N-CREATE-RQ", "C-STORE-RQ", "N-SET-RQ", "N-ACTION-RQ"}


@pytest.mark.requirement("MR-10.2-01", "MR-10.2.1-02")
@pytest.mark.parametrize("suite", ["AES128-SHA", "NULL-SHA"])
def test_films_are_printed_under_basic_tls(tmp_path: Path, keys: KeyPair, suite: str) -> None:
    printer = PynetdicomPrinter()
    theirs = limit(keys.server(), suite, V.TLSv1, V.TLSv1)
    with serving([GRAYSCALE], printer.handlers(), aet="PRINTER", tls=theirs) as address:
        head = write_tls(keys, LEGACY)
        at = Address("PRINTER", address.port)
        device = make_print_device(tmp_path / "device", "mr", at, head=head, peer="tls = true\n")
        assert device.print()[0] == 0
    assert printer.names.count("N-ACTION Film Box") == 1


@pytest.mark.requirement("MR-10.1.1-07", "MR-10.2.1-02", "MR-10.3.1-02", "MR-10.4.1-02")
def test_what_openssl_lacks_of_basic_tls_is_named(
    tmp_path: Path, keys: KeyPair, caplog: pytest.LogCaptureFixture
) -> None:
    more = write_tls(keys, "enabled = true", LEGACY)
    with recorded_device(tmp_path, "mr", more=more) as recorded, recorded.modality():
        pass
    told = [vars(each)["reason"] for each in caplog.records if each.message == "tls.suites_not_used"]
    missing = sorted({"DES-CBC3-SHA", "AES128-SHA", "NULL-SHA"} - installed().keys())
    assert told == ([f"the installed {ssl.OPENSSL_VERSION} has no {', '.join(missing)}"] if missing else [])


def installed() -> dict[str, Any]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers(EVERY_SUITE)
    return {str(suite["name"]): suite for suite in context.get_ciphers()}


@contextmanager
def hello_reader() -> Iterator[tuple[int, list[bytes]]]:
    """A port that reads what a TLS client says first, and hangs up."""
    hellos: list[bytes] = []

    def read(listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                sock = listener.accept()[0]
                sock.settimeout(10)
                head = sock.recv(5, socket.MSG_WAITALL)
                hellos.append(sock.recv(int.from_bytes(head[3:5]), socket.MSG_WAITALL))
                sock.close()

    with socket.create_server((HOST, 0)) as listener:
        thread = threading.Thread(target=read, args=(listener,))
        thread.start()
        yield listener.getsockname()[1], hellos
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def read_suites(hello: bytes) -> list[str]:
    """The suites of a ClientHello (RFC 5246 7.4.1.2) by their OpenSSL names, without those of TLS 1.3 and signals."""
    names = {int(suite["id"]) & 0xFFFF: name for name, suite in installed().items()}
    at = 4 + 2 + 32
    at += 1 + hello[at]
    length = int.from_bytes(hello[at : at + 2])
    numbers = [int.from_bytes(hello[at + 2 + i : at + 4 + i]) for i in range(0, length, 2)]
    return [names[number] for number in numbers if number in names and number >> 8 != 0x13]


def read_table(group: str = "") -> list[str]:
    """The suites of Table 8.7-1 that this OpenSSL has and that need no shared key or password, in their order."""
    known = installed()
    with TABLE.open(encoding="utf-8") as file:
        rows = [row["openssl_name"] for row in csv.DictReader(file) if row["group"] == group or not group]
    return [name for name in rows if name in known and not {"PSK", "SRP"} & set(name.split("-"))]


@pytest.mark.requirement("RF-8.7-01")
@pytest.mark.parametrize("legacy", [True, False])
def test_suites_are_offered_in_the_order_of_the_statement(tmp_path: Path, keys: KeyPair, legacy: bool) -> None:
    more = write_tls(keys, "enabled = true", *([LEGACY] if legacy else []))
    with recorded_device(tmp_path, "rf", more=more) as recorded, hello_reader() as (port, hellos):
        text = recorded.site.read_text("utf-8").replace(f"port = {recorded.recorder.address.port}", f"port = {port}")
        recorded.site.write_text(text, "utf-8")
        with recorded.modality() as modality, pytest.raises(TransportError):
            modality.echo("hospital")
    offered = read_suites(hellos[0])
    if legacy:
        assert offered == read_table()
        assert len(offered) >= 71
    else:
        assert offered == [name for name in read_table("TLS1.2") if name in offered]
        assert set(BCP_195.split(":")) < set(offered)
        assert not [name for name in offered if not name.startswith(("ECDHE-", "DHE-RSA-"))]


@pytest.mark.requirement("RF-8.7-01")
def test_the_device_prefers_the_suites_of_the_statement_as_acceptor_too(tmp_path: Path, keys: KeyPair) -> None:
    """A caller offers suites the wrong way round; those of RSA, since the device has such a certificate."""
    names = [name for name in read_table() if "ECDSA" not in name and "DSS" not in name]
    more = write_tls(keys, "enabled = true", LEGACY)
    with recorded_device(tmp_path, "rf", more=more) as recorded, recorded.modality() as modality:
        modality.serve()
        place = listening(recorded, *LISTENS["rf"])
        while names:
            ours = limit(keys.client(), ":".join(reversed(names)), V.MINIMUM_SUPPORTED, V.TLSv1_2)
            sock = socket.create_connection((place.host, place.port), 10)
            with ours.wrap_socket(sock, server_hostname=HOST) as secured:
                assert (secured.cipher() or ("",))[0] == names[0]
            names = names[9:]


@pytest.mark.requirement("RF-7-02")
def test_versions_before_tls_1_2_are_spoken_and_1_2_is_preferred(tmp_path: Path, keys: KeyPair) -> None:
    chosen: list[str] = []
    note = (evt.EVT_CONN_OPEN, lambda event: chosen.append(event.assoc.dul.socket.socket.version()))
    tls = {"allow_legacy_tls": True}
    for number, (least, most) in enumerate([(V.TLSv1, V.TLSv1), (V.TLSv1_1, V.TLSv1_1), (V.TLSv1, V.TLSv1_2)]):
        theirs = limit(keys.server(), "ALL", least, most)
        with serving([VERIFICATION], [note], tls=theirs) as address:
            peers = [PeerTable("pacs", address, ["verification"])]
            site = write_site(tmp_path / str(number), "rf", peers, keys=keys, tls=tls)
            with Modality(site.path, works=False) as modality:
                assert modality.echo("pacs") == 0
    assert chosen == ["TLSv1", "TLSv1.1", "TLSv1.2"]


@pytest.mark.requirement("RF-7-04")
def test_the_device_of_the_statement_sends_under_tls_and_receives_without(tmp_path: Path, keys: KeyPair) -> None:
    """As the site file has it: TLS towards the peer, none for what listens; more is an extension (DECISIONS R/F 49)."""
    device = recorded_device(tmp_path, "rf", peer="tls = true", more=write_tls(keys), tls=keys.server())
    with device as recorded, recorded.modality() as modality:
        modality.serve()
        assert modality.echo("hospital") == 0
        place = listening(recorded, *LISTENS["rf"])
        with associated(place, [VERIFICATION], calling=TITLE) as association:
            assert association.send_c_echo().Status == 0
        with (
            socket.create_connection((place.host, place.port), 10) as sock,
            pytest.raises(OSError, match=r"SSL|TLS|EOF"),
        ):
            keys.client().wrap_socket(sock, server_hostname=HOST)
