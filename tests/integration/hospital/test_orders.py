"""What a person may order a hospital that runs, by a line or from another terminal."""

from __future__ import annotations

import json
import socket
import stat
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from openmodality.errors import ConfigurationError, NotFound, OpenModalityError, UsageError
from openmodality.hospital.control import ControlSocket, find_socket, give_order
from openmodality.hospital.hospital import Hospital
from openmodality.hospital.orders import ORDERS, Orders
from tests import hospital_scu as scu


@pytest.fixture
def hospital(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hospital]:
    with TemporaryDirectory(prefix="om-") as run:  # the name of a socket is short, that of tmp_path is not
        monkeypatch.setenv("XDG_RUNTIME_DIR", run)
        with scu.hospital(tmp_path / "hospital") as made:
            yield made


@pytest.fixture
def stopped() -> list[bool]:
    return []


@pytest.fixture
def orders(hospital: Hospital, stopped: list[bool]) -> Orders:
    return Orders(hospital, lambda: stopped.append(True))


def test_personalities_are_switched_on_and_off(hospital: Hospital, orders: Orders) -> None:
    assert orders.obey(["misbehave", "pacs:a700@5", "ris:hang"]) == "misbehaves: pacs:a700@5 ris:hang"
    assert orders.obey(["behave", "ris:hang"]) == "misbehaves: pacs:a700@5"
    with pytest.raises(UsageError, match="'nope' is not switched on") as refused:
        orders.obey(["behave", "pacs:a700@5", "nope"])
    assert refused.value.advice == "switched on: pacs:a700@5"
    assert hospital.misbehaviour == ["pacs:a700@5"], "half of an order is not obeyed"
    assert orders.obey(["behave"]) == "behaves"


def test_devices_are_added_and_forgotten(hospital: Hospital, orders: Orders) -> None:
    hospital.peers.clear()
    assert orders.obey(["peer", "CT1=192.0.2.7:11112", "CT2=192.0.2.8:104"]) == (
        "devices: CT1=192.0.2.7:11112, CT2=192.0.2.8:104"
    )
    assert orders.obey(["forget", "CT1"]) == "devices: CT2=192.0.2.8:104"
    assert dict(hospital.peers) == {"CT2": ("192.0.2.8", 104)}


def test_devices_are_forgotten_together_or_not_at_all(hospital: Hospital, orders: Orders) -> None:
    hospital.peers.update({"CT1": ("192.0.2.7", 104), "CT2": ("192.0.2.8", 104)})
    known = dict(hospital.peers)
    for title in ("NOPE", "AN-AE-TITLE-TOO-LONG"):
        with pytest.raises((UsageError, ConfigurationError)):
            orders.obey(["forget", *known, title])
        assert dict(hospital.peers) == known
    assert orders.obey(["forget", *known, "CT1"]) == "devices: none"


def test_a_patient_is_changed_in_all_items(hospital: Hospital, orders: Orders) -> None:
    patient_id = hospital.ris.items[0].patient_id
    count = sum(item.patient_id == patient_id for item in hospital.ris.items)
    said = orders.obey(["patient", patient_id, "PatientName=New^Name", "PatientSex=O"])
    assert said == f"changed in {count} worklist item{'' if count == 1 else 's'}"
    changed = [item for item in hospital.ris.items if item.patient_id == patient_id]
    assert {(item.patient_name, item.data_set.PatientSex) for item in changed} == {("New^Name", "O")}


def test_a_wrong_value_is_refused_in_words_about_the_order(hospital: Hospital, orders: Orders) -> None:
    before = [item.data_set for item in hospital.ris.items]
    with pytest.raises(ConfigurationError) as refused:
        orders.obey(["patient", hospital.ris.items[0].patient_id, "PatientBirthDate=foo"])
    assert refused.value.message == (
        "refused, the patient stays as before: (0010,0030) PatientBirthDate: no date of the calendar"
    )
    assert [item.data_set for item in hospital.ris.items] == before


def test_a_patient_changes_in_all_items_or_in_none(hospital: Hospital, orders: Orders) -> None:
    patient_id = hospital.ris.items[0].patient_id
    first, later = deepcopy(hospital.ris.items[0].data_set), deepcopy(hospital.ris.items[0].data_set)
    first.SpecificCharacterSet = "ISO_IR 100"  # only this item can hold the first name below
    hospital.ris.schedule(first)
    later.StudyInstanceUID = "1.2.3"
    hospital.ris.schedule(later)
    for name in ("Müller^Jörg", "Doe^Jane"):
        can_be_held = name.isascii()
        with nullcontext() if can_be_held else pytest.raises(ConfigurationError, match="stays as before"):
            orders.obey(["patient", patient_id, f"PatientName={name}"])
        names = [item.patient_name for item in hospital.ris.items if item.patient_id == patient_id]
        assert (name in names, len(set(names))) == (can_be_held, 1)


def test_status_and_quit(orders: Orders, stopped: list[bool]) -> None:
    assert orders.obey(["status"]).startswith("behaves; devices: ")
    assert orders.obey(["quit"]) == "stops"
    assert stopped == [True]


@pytest.mark.parametrize(
    ("order", "said"),
    [
        ("", "'' is no order"),
        ("dance", "'dance' is no order"),
        ("misbehave", "misbehave needs a personality"),
        ("misbehave pacs:nope", "there is no personality 'nope'"),
        ("behave nope", "'nope' is not switched on"),
        ("peer", "peer needs an address"),
        ("peer CT1", "'CT1' is not an address"),
        ("forget", "forget needs an AE title"),
        ("forget NOBODY", "the address book has no NOBODY"),
        ("status x", "status takes no words"),
        ("quit now", "quit takes no words"),
        ("patient 1", "patient needs a Patient ID and values"),
        ("patient nobody PatientName=A", "the worklist has no patient with this ID"),
        ("patient nobody Patientname=A", "patient: 'Patientname' is not a keyword of PS3.6"),
    ],
)
def test_what_cannot_be_obeyed_is_said(orders: Orders, order: str, said: str) -> None:
    with pytest.raises((UsageError, ConfigurationError)) as refused:
        orders.obey(order.split(" "))
    assert refused.value.message == said


def test_each_order_is_known(orders: Orders) -> None:
    assert set(orders._obey) == set(ORDERS)


def test_orders_come_through_a_socket_of_the_user_alone(hospital: Hospital, orders: Orders) -> None:
    port = hospital.ris_peer.port
    path = find_socket(port)
    with ControlSocket(port, orders.obey):
        assert give_order(port, ["misbehave", "pacs:a700"]) == "misbehaves: pacs:a700"
        with pytest.raises(UsageError, match="'nope' is not switched on") as refused:
            give_order(port, ["behave", "nope"])
        assert refused.value.advice == "switched on: pacs:a700"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert not path.exists()
    with pytest.raises(NotFound, match=f"no hospital of yours answers whose RIS has port {port}"):
        give_order(port, ["status"])


def test_a_fault_of_an_order_is_answered_and_ends_nothing(hospital: Hospital, caplog: pytest.LogCaptureFixture) -> None:
    def obey(words: Sequence[str]) -> str:
        if words[0] == "crash":
            raise TypeError(words[1])
        return "done"

    port = hospital.ris_peer.port
    with ControlSocket(port, obey):
        with pytest.raises(UsageError, match="internal error: TypeError"):
            give_order(port, ["crash", "DOE^JOHN"])
        assert give_order(port, ["next"]) == "done"
    (told,) = [record for record in caplog.records if record.message == "hospital.order_crashed"]
    assert "in obey" in told.__dict__["trace"]
    assert "DOE" not in str(told.__dict__["trace"]) + str(told.__dict__["error"])


@pytest.mark.parametrize("data", [b"", b"status", b"{}\n", b"[1]\n", b"[" * 70_000 + b"\n", b"x" * 70_000])
def test_what_is_no_order_harms_nothing(
    hospital: Hospital, orders: Orders, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openmodality.hospital.control.TIMEOUT_S", 0.2)
    port = hospital.ris_peer.port
    with ControlSocket(port, orders.obey), socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(find_socket(port)))
        connection.sendall(data)
        with pytest.raises((OSError, ValueError)):
            json.loads(connection.recv(100))
        monkeypatch.setattr("openmodality.hospital.control.TIMEOUT_S", 10.0)
        assert give_order(port, ["behave"]) == "behaves"


def test_a_folder_for_sockets_of_somebody_else_is_not_used(hospital: Hospital, orders: Orders, tmp_path: Path) -> None:
    folder = find_socket(1).parent
    (tmp_path / "elsewhere").mkdir()
    folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OpenModalityError, match="cannot take orders"), ControlSocket(1, orders.obey):
        pass


def test_the_socket_of_a_hospital_that_was_killed_is_taken_over(hospital: Hospital, orders: Orders) -> None:
    port = hospital.ris_peer.port
    find_socket(port).parent.mkdir(mode=0o700)
    find_socket(port).touch()
    with ControlSocket(port, orders.obey):
        assert give_order(port, ["behave"]) == "behaves"
