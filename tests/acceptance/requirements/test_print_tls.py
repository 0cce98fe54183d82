"""Print under TLS, switched on or off for a printer; and one association at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from openmodality import Modality
from openmodality.activities.film_order import FilmOrder
from openmodality.app.local_data import Chosen
from tests.acceptance.requirements.print_device import make_print_device
from tests.interop.certificates import KeyPair
from tests.peers.process import Address
from tests.peers.pynetdicom_ae import serving
from tests.peers.pynetdicom_printer import GRAYSCALE, PynetdicomPrinter


@pytest.mark.requirement("RF-7-01", "MR-10.2.1-01", "MR-10.2.1-03")
@pytest.mark.parametrize("profile", ["mr", "rf"])
@pytest.mark.parametrize("is_secure", [True, False])
def test_films_are_printed_under_tls_where_it_is_switched_on(
    tmp_path: Path, keys: KeyPair, profile: str, is_secure: bool
) -> None:
    printer = PynetdicomPrinter()
    head = (
        f'[tls]\ncertificate = "{keys.certificate}"\nprivate_key = "{keys.key}"\nca_certificates = "{keys.authority}"\n'
    )
    tls = keys.server() if is_secure else None
    with serving([GRAYSCALE], printer.handlers(), aet="PRINTER", tls=tls) as address:
        peer = f"tls = {str(is_secure).lower()}\n"
        device = make_print_device(tmp_path / "device", profile, Address("PRINTER", address.port), head=head, peer=peer)
        assert device.print()[0] == 0
        other = make_print_device(
            tmp_path / "other", profile, Address("PRINTER", address.port), head=head,
            peer=f"tls = {str(not is_secure).lower()}\n",
        )  # fmt: skip
        assert other.print()[0] == 1
    assert printer.names.count("N-ACTION Film Box") == 1


@pytest.mark.requirement("RF-4.2.7.2.2-01", "RF-4.4.2-31")
@pytest.mark.parametrize("profile", ["mr", "rf"])
def test_one_association_at_a_time(tmp_path: Path, profile: str) -> None:
    printer = PynetdicomPrinter()
    with serving([GRAYSCALE], printer.handlers(), aet="PRINTER") as address:
        more = (
            f'\n[peers.second]\nae_title = "PRINTER"\nhost = "127.0.0.1"\nport = {address.port}\nservices = ["print"]\n'
        )
        if profile == "rf":
            more += '\n[printers.second]\nsmoothing_types = ["MEDIUM"]\nconfiguration_information = ["CS000"]\n'
        device = make_print_device(tmp_path / "device", profile, Address("PRINTER", address.port), more=more)
        with Modality(device.folder / "site.toml", works=False) as modality:
            for name in ("film", "second"):
                modality.films.order(Chosen([device.study]), name, FilmOrder())
        assert device.work()
    begins = [number for number, name in enumerate(printer.names) if name == "A-ASSOCIATE"]
    assert len(begins) == 2
    assert printer.names[begins[1] - 1] == "N-DELETE Film Session"
