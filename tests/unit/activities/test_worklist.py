"""What a RIS is asked for, what of its answer is kept, and how an item stands later; both ends in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pytest
from pydicom import Dataset
from pydicom.dataelem import DataElement

from openmodality.activities.connection import Connector
from openmodality.activities.worklist import ItemStanding, Worklist, _mend_numbers
from openmodality.device.site.site_loader import load_site
from openmodality.dimse.service import Refuse
from openmodality.errors import UsageError
from openmodality.query import finding
from openmodality.services.worklist import worklist_service
from openmodality.store.local import LocalStore, open_store
from tests.in_memory import InMemoryPeer
from tests.stand_in import scheduled

PEER = '[peers.ris]\nae_title = "RIS"\nhost = "localhost"\nport = 104\nservices = ["worklist"]\n'
NOW = 1.8e9
TODAY = date.fromtimestamp(NOW).strftime("%Y%m%d")


@dataclass
class Ris:
    """Gives all its items, or refuses, and keeps what it was asked."""

    items: list[Dataset] = field(default_factory=list)
    status: int = 0
    asked: list[Dataset] = field(default_factory=list)

    def find(self, asked: Dataset) -> Iterator[Dataset]:
        self.asked.append(asked)
        if self.status:
            raise Refuse(self.status, "no")
        yield from self.items

    @property
    def step(self) -> Dataset:
        """The scheduled procedure step of the last identifier."""
        return Dataset(self.asked[-1].ScheduledProcedureStepSequence[0])


@pytest.fixture
def ris(in_memory_peer: Callable[..., InMemoryPeer]) -> Ris:
    made = Ris([scheduled(number, study=f"1.2.{number}", start_date=TODAY) for number in (1, 2)])
    in_memory_peer(worklist_service(made))
    return made


@pytest.fixture
def store(tmp_path: Path, database_url: str) -> Iterator[LocalStore]:
    with open_store(tmp_path / "data", url=database_url, durability="os", clock=lambda: NOW) as store:
        yield store


def make(store: LocalStore, folder: Path, more: str = "", profile: str = "mr") -> Worklist:
    (folder / "site.toml").write_text(f'profile = "{profile}"\n{PEER}{more}', encoding="utf-8")
    return Worklist(store, Connector(load_site(folder)))


def test_without_keys_all_of_today_is_asked_for(ris: Ris, store: LocalStore, tmp_path: Path) -> None:
    station = '[parameters.worklist]\nscheduled_station_ae_title = "OM_MR"\n'
    answer = make(store, tmp_path, station).query()
    assert (ris.step.Modality, ris.step.ScheduledProcedureStepStartDate) == ("MR", TODAY)
    assert ris.step.ScheduledStationAETitle == "OM_MR"
    assert [item["StudyInstanceUID"] for item in answer.items] == ["1.2.1", "1.2.2"]
    assert answer.notices == ()


def test_keys_go_where_the_profile_has_them(ris: Ris, store: LocalStore, tmp_path: Path) -> None:
    worklist = make(store, tmp_path)
    worklist.query({"PatientID": "47", "ScheduledProcedureStepStartDate": "20260101"})
    assert (ris.asked[-1].PatientID, ris.step.ScheduledProcedureStepStartDate) == ("47", "20260101")
    assert ris.step.Modality == "MR"
    worklist.query({"StudyInstanceUID": "1.2.2"})
    assert (ris.step.Modality, ris.step.ScheduledProcedureStepStartDate) == ("", "")
    for wrong in ("Rows", "PatientWeight"):
        with pytest.raises(UsageError, match=f"{wrong} is no matching key .* it has .*PatientID"):
            worklist.query({wrong: "1"})


@pytest.mark.parametrize(("switch", "sent"), [("send", "MR"), ("return", ""), ("omit", None)])
def test_a_site_says_which_keys_go_out(
    ris: Ris, store: LocalStore, tmp_path: Path, switch: str, sent: str | None
) -> None:
    keys = f'[peers.ris.worklist_keys]\n"ScheduledProcedureStepSequence>Modality" = "{switch}"\n'
    make(store, tmp_path, keys).query()
    assert ris.step.get("Modality") == sent


def test_no_more_than_the_parameter_says(ris: Ris, store: LocalStore, tmp_path: Path) -> None:
    answer = make(store, tmp_path, "[parameters.worklist]\nmax_items = 1\n").query()
    assert len(answer.items) == 1
    assert "more items" in answer.notices[0]


def test_an_item_that_was_not_asked_for_is_left_out(
    ris: Ris, store: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some SCPs answer an optional key with everything."""
    monkeypatch.setattr(finding, "matches", lambda *_: True)
    worklist = make(store, tmp_path)
    assert [item["StudyInstanceUID"] for item in worklist.query({"StudyInstanceUID": "1.2.2"}).items] == ["1.2.2"]
    assert [item["AccessionNumber"] for item in worklist.query({"AccessionNumber": "A0001"}).items] == ["A0001"]


def test_numbers_are_mended_or_left_out(ris: Ris, store: LocalStore, tmp_path: Path) -> None:
    item = ris.items[0]
    for tag, value in ((0x00101030, "72,5"), (0x00101020, "tall")):
        item[tag] = DataElement(tag, "DS", value, already_converted=True)
    kept = make(store, tmp_path).query().items[0].attributes
    assert (float(kept.PatientWeight), "PatientSize" in kept) == (72.5, False)
    inner = Dataset()
    for tag, text in ((0x00200013, "1.0"), (0x00200012, "many")):
        inner[tag] = DataElement(tag, "IS", text, already_converted=True)
    outer = Dataset()
    outer.ScheduledProcedureStepSequence = [inner]
    _mend_numbers(outer)
    (mended,) = outer.ScheduledProcedureStepSequence
    assert (int(mended.InstanceNumber), "AcquisitionNumber" in mended) == (1, False)


def test_how_an_item_stands_when_it_is_asked_for_again(ris: Ris, store: LocalStore, tmp_path: Path) -> None:
    worklist = make(store, tmp_path)
    assert worklist.is_checked_at_start
    first, second = worklist.query().items
    assert worklist.check(first).state is ItemStanding.SAME
    assert worklist.check(first).notice == ""
    assert ris.asked[-1].StudyInstanceUID == "1.2.1"
    ris.items[0].PatientName = "Roe^Rita"
    changed = worklist.check(first)
    assert (changed.state, changed.differences, changed.is_changed) == (ItemStanding.CHANGED, ("PatientName",), True)
    assert changed.item["PatientName"] == "Roe^Rita"
    assert changed.notice == f"worklist item {first.id} has changed: PatientName"
    del ris.items[1]
    assert worklist.check(second).notice == f"worklist item {second.id} is no longer scheduled"
    ris.status = 0xA700
    unknown = worklist.check(first)
    assert (unknown.state, unknown.item) == (ItemStanding.UNKNOWN, first)
    assert unknown.notice.startswith(f"worklist item {first.id} could not be checked: ")
    assert "A700" in unknown.notice


def test_an_item_without_a_study_is_asked_for_by_what_else_names_it(
    ris: Ris, store: LocalStore, tmp_path: Path
) -> None:
    del ris.items[0].StudyInstanceUID
    worklist = make(store, tmp_path)
    (first, _) = worklist.query().items
    assert worklist.check(first).state is ItemStanding.SAME
    assert (ris.asked[-1].PatientID, ris.asked[-1].AccessionNumber) == ("0000001", "A0001")
