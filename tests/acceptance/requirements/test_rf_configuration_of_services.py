"""R/F Tables 4.4-1 and 4.4-2: transfer syntaxes, keys, titles and ports of a site, and what its peers see of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.requirements.pynetdicom_hospital import EXPLICIT, IMPLICIT, listening, recorded_device
from tests.acceptance.requirements.test_rf_configuration import VERIFICATION, Settings, image_sent, write
from tests.devices import today
from tests.peers.pynetdicom_ae import associated

# Transfer syntaxes and the worklist query


@pytest.mark.parametrize(
    ("key", "name"),
    [
        pytest.param("worklist", "C-FIND-RQ", marks=pytest.mark.requirement("RF-4.4.2-21")),
        pytest.param("mpps", "N-CREATE-RQ", marks=pytest.mark.requirement("RF-4.4.2-29")),
        pytest.param("storage", "C-STORE-RQ", marks=pytest.mark.requirement("RF-4.4.2-12")),
    ],
)
@pytest.mark.parametrize(
    "syntaxes", [None, ["ImplicitVRLittleEndian"], ["ImplicitVRLittleEndian", "ExplicitVRLittleEndian"]]
)
def test_transfer_syntaxes(tmp_path: Path, key: str, name: str, syntaxes: list[str] | None) -> None:
    by_name = {"ImplicitVRLittleEndian": IMPLICIT, "ExplicitVRLittleEndian": EXPLICIT}
    settings: Settings = {f"{key}.transfer_syntaxes": syntaxes} if syntaxes else {}
    with recorded_device(tmp_path, "rf", more=write(settings)) as recorded, recorded.modality() as modality:
        modality.worklist()
        image_sent(modality)
        assert modality.wait_until_idle(10)
        recorded.recorder.closed()
        proposed = {contexts for call in recorded.recorder.of(name=name) for contexts in call.contexts.values()}
        assert proposed == {tuple(by_name[each] for each in syntaxes or ["ExplicitVRLittleEndian"])}


@pytest.mark.requirement("RF-4.4.2-12")
def test_transfer_syntaxes_of_one_peer(tmp_path: Path) -> None:
    peer = 'transfer_syntaxes = ["ImplicitVRLittleEndian"]'
    settings: Settings = {"storage.transfer_syntaxes": ["ExplicitVRLittleEndian"]}
    with recorded_device(tmp_path, "rf", peer=peer, more=write(settings)) as recorded, recorded.modality() as modality:
        image_sent(modality)
        assert modality.wait_until_idle(10)
        recorded.recorder.closed()
        (call,) = recorded.recorder.of(name="C-STORE-RQ")
        assert set(call.contexts.values()) == {(IMPLICIT,)}


@pytest.mark.requirement("RF-4.4.2-23", "RF-4.2.3.3.1.3-03")
@pytest.mark.parametrize(("most", "taken"), [(3, 3), (None, 47)])
def test_most_worklist_items(tmp_path: Path, most: int | None, taken: int) -> None:
    settings: Settings = {"worklist.max_items": most} if most else {}
    with recorded_device(tmp_path, "rf", items=today("rf", 60), more=write(settings)) as recorded:
        with recorded.modality() as modality:
            assert len(modality.worklist()) == taken
        (call,) = recorded.recorder.closed()
        assert call.names == ["C-FIND-RQ", "C-CANCEL-RQ"]


@pytest.mark.parametrize(
    ("key", "keyword", "default"),
    [
        pytest.param(
            "worklist.scheduled_station_ae_title", "ScheduledStationAETitle", "ADR_MWM_SCU",
            marks=pytest.mark.requirement("RF-4.4.2-24"),
        ),
        pytest.param("worklist.modality", "Modality", "RF", marks=pytest.mark.requirement("RF-4.4.2-25")),
    ],
)  # fmt: skip
@pytest.mark.parametrize("value", [None, "", "XA"])
def test_keys_of_the_worklist(tmp_path: Path, key: str, keyword: str, default: str, value: str | None) -> None:
    settings: Settings = {} if value is None else {key: value}
    with recorded_device(tmp_path, "rf", more=write(settings)) as recorded, recorded.modality() as modality:
        modality.worklist()
        (request,) = recorded.recorder.requests("C-FIND-RQ")
        (step,) = request.data.ScheduledProcedureStepSequence
        assert step[keyword].value == (default if value is None else value)


# Titles and ports


@pytest.mark.requirement("RF-4.4.1.1-01", "RF-4.4.1.2-01", "RF-4.4.2-01")
def test_titles_and_ports(tmp_path: Path) -> None:
    with recorded_device(tmp_path, "rf") as recorded:
        text = recorded.site.read_text(encoding="utf-8")
        named = '[application_entities.{}]\nae_title = "{}"\n'
        for role, title in (("verification", "OWN_VER"), ("worklist", "OWN_MWM"), ("storage", "OWN_STORE")):
            text += named.format(role, title)
        text = text.replace("[application_entities.storage_commitment]", named.format("storage_commitment", "OWN_COMM"))
        recorded.site.write_text(text.replace('ae_title = "HOSPITAL"', 'ae_title = "ELSEWHERE"'), encoding="utf-8")
        with recorded.modality() as modality:
            modality.serve()
            modality.echo("hospital")
            modality.worklist()
            image_sent(modality)
            assert modality.wait_until_idle(10)
            titles = {call.names[0]: call.calling for call in recorded.recorder.closed()}
            assert titles["C-ECHO-RQ"] == "OWN_VER"
            assert titles["C-FIND-RQ"] == "OWN_MWM"
            assert titles["C-STORE-RQ"] == "OWN_STORE"
            assert {call.called for call in recorded.recorder.calls} == {"ELSEWHERE"}
            device = listening(recorded, "storage_commitment", "OWN_COMM")
            with associated(device, [VERIFICATION], calling="ELSEWHERE") as association:
                assert association.send_c_echo().Status == 0
