"""What two statements say will fail, rule by rule."""

from __future__ import annotations

import json
from typing import Any

import pytest

from openmodality.conformance.as_json import statement_as_json
from openmodality.conformance.doctor.findings import KeyAnswer, KeyMatching, KeyReturn
from openmodality.conformance.predicting import ExaminedPeer, Prediction, predict, predict_with_peer
from openmodality.errors import UsageError
from openmodality.standard import sop_classes
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_BIG_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN
from tests.statements import make_profile_statement

Stated = dict[str, Any]


@pytest.fixture(scope="module")
def stated() -> dict[str, str]:
    return {name: json.dumps(statement_as_json(make_profile_statement(name))) for name in ("mr", "rf")}


@pytest.fixture
def mr(stated: dict[str, str]) -> Stated:
    read: Stated = json.loads(stated["mr"])
    return read


@pytest.fixture
def rf(stated: dict[str, str]) -> Stated:
    read: Stated = json.loads(stated["rf"])
    return read


def areas(found: list[Prediction], asks: str) -> set[str]:
    return {each.area for each in found if each.asks.startswith(asks)}


def texts(found: list[Prediction], area: str) -> list[str]:
    return [each.text for each in found if each.area == area]


def test_services_that_nobody_offers(mr: Stated, rf: Stated) -> None:
    found = predict(mr, rf)
    assert "Modality Worklist: the other side accepts none of its SOP classes" in texts(found, "services")
    assert "Storage: X-Ray Radiation Dose SR Storage is not accepted" in texts(found, "SOP classes")
    assert not any("Storage Commitment" in text for text in texts(found, "SOP classes"))


def test_no_transfer_syntax_in_common(mr: Stated, rf: Stated) -> None:
    for row in rf["presentation_contexts"]:
        if row["direction"] == "proposed":
            row["transfer_syntaxes"] = ["1.2.840.10008.1.2.4.90"]
    verification = next(text for text in texts(predict(mr, rf), "transfer syntaxes") if text.startswith("Verification"))
    assert "proposed: JPEG 2000 Image Compression (Lossless Only)" in verification


def test_character_sets_where_the_other_takes_objects(mr: Stated, rf: Stated) -> None:
    assert texts(predict(mr, mr), "character sets") == []
    assert any("GB18030" in text for text in texts(predict(mr, rf), "character sets"))


def test_keys_that_the_other_lacks(mr: Stated, rf: Stated) -> None:
    assert any("level STUDY lacks the keys" in text for text in texts(predict(rf, mr), "keys"))


def test_titles_addresses_limits_and_tls(mr: Stated, rf: Stated) -> None:
    peer = {"name": "x", "ae_title": "OTHER", "host": "h", "port": 1, "is_tls": False, "asked": [], "may_ask": []}
    assert texts(predict(mr, rf), "AE titles") == []  # whom it knows is not stated without a site
    mr["remote_entities"] = [peer]
    rf["remote_entities"] = [{**peer, "ae_title": "OM_MR", "port": 9}]
    mr["security"]["is_enabled"] = True
    rf["application_entities"][0]["most_initiated"] = 10_000
    found = predict(mr, rf)
    assert any("ADR_STORAGE_SCU" in text for text in texts(found, "AE titles"))
    assert texts(found, "addresses") == ["OM_MR is called at port 9, and listens on port 11112"]
    assert "MR imaging system speaks TLS, and the other side does not" in texts(found, "security")
    assert any("opens 10000 associations" in text for text in texts(found, "associations"))


def test_no_common_version_of_tls(mr: Stated, rf: Stated) -> None:
    for each, versions in ((mr, ["TLS 1.3"]), (rf, ["TLS 1.0"])):
        each["security"]["is_enabled"] = True
        each["security"]["versions"] = versions
    assert texts(predict(mr, rf), "security")[0] == "no version of TLS in common"


def test_an_examined_peer(mr: Stated) -> None:
    offered = {
        sop_classes.MODALITY_WORKLIST_FIND: (EXPLICIT_VR_BIG_ENDIAN,),
        sop_classes.VERIFICATION: (IMPLICIT_VR_LITTLE_ENDIAN,),
        sop_classes.MR_IMAGE_STORAGE: (),
    }
    for row in mr["presentation_contexts"]:
        if row["sop_class_uid"] == sop_classes.MODALITY_WORKLIST_FIND:
            row["transfer_syntaxes"] = [IMPLICIT_VR_LITTLE_ENDIAN]
    keys = (
        KeyAnswer("worklist", "", "ScheduledProcedureStepSequence>Modality", KeyReturn.VALUE, KeyMatching.IGNORED),
        KeyAnswer("worklist", "", "PatientID", KeyReturn.ABSENT, KeyMatching.UNTRIED),
    )
    found = predict_with_peer(mr, ExaminedPeer("ris", offered, keys, ("GB18030", "ISO_IR 100")))
    assert [each.fails for each in found if each.area == "services"] == [False]
    assert [each.fails for each in found if each.area == "transfer syntaxes"] == [True]
    assert "Modality Worklist: PatientID is not returned" in texts(found, "keys")
    assert any("narrowing by ScheduledProcedureStepSequence>Modality" in text for text in texts(found, "keys"))
    assert texts(found, "character sets") == [
        "Modality Worklist: items come in GB18030, which this device does not state"
    ]


def test_a_damaged_statement_is_one_line(mr: Stated) -> None:
    del mr["presentation_contexts"][0]["is_enabled"]
    with pytest.raises(UsageError, match="a statement is damaged"):
        predict(mr, mr)
    with pytest.raises(UsageError, match="a statement is damaged"):
        predict_with_peer(mr, ExaminedPeer("ris", {}))
