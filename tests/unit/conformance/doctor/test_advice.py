"""The lines for the site file are what a site file takes, whatever was found."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from openmodality.activities.ends import Ends
from openmodality.conformance.doctor.advice import AdvisedDevice, make_advice
from openmodality.conformance.doctor.associations import PROPOSED_SERVICES
from openmodality.conformance.doctor.examination import Examination
from openmodality.conformance.doctor.findings import KeyAnswer, KeyMatching, KeyReturn, OfferedClass
from openmodality.device.site.site import Site
from openmodality.device.site.site_loader import make_site
from openmodality.network.entity import LocalAE, RemoteAE
from openmodality.standard import sop_classes
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN, UNCOMPRESSED

REMOTE: Final = RemoteAE("THEIR PACS", "pacs.example", 104)


def examination(*accepted: str, syntaxes: tuple[str, ...] = UNCOMPRESSED) -> Examination:
    made = Examination(lambda service: Ends(REMOTE, LocalAE()))
    for uid in (*PROPOSED_SERVICES, sop_classes.MR_IMAGE_STORAGE):
        is_accepted = uid in accepted
        refusal = "" if is_accepted else "abstract-syntax-not-supported"
        made.offered[uid] = OfferedClass(
            uid, uid, PROPOSED_SERVICES.get(uid, "storage"), refusal, syntaxes if is_accepted else ()
        )
    return made


def load(profile: str, lines: list[str]) -> Site:
    return make_site(Path("site.toml"), "\n".join((f'profile = "{profile}"', *lines)))


EVERYTHING: Final = (*PROPOSED_SERVICES, sop_classes.MR_IMAGE_STORAGE)


@pytest.mark.parametrize("profile", ["mr", "rf"])
def test_a_site_takes_the_lines(profile: str) -> None:
    found = examination(*EVERYTHING, syntaxes=(IMPLICIT_VR_LITTLE_ENDIAN,))
    found.observed += [("storage", "status B000"), ("step", "status 0107")]
    found.facts["commitment_route"] = "same"
    found.keys.append(
        KeyAnswer("worklist", "", "ScheduledProcedureStepSequence>Modality", KeyReturn.VALUE, KeyMatching.REFUSED)
    )
    site = load(profile, make_advice(found, REMOTE, AdvisedDevice()))
    peer = site.peers["their_pacs"]
    assert (peer.ae_title, peer.host, peer.port) == ("THEIR PACS", "pacs.example", 104)
    assert peer.services == {
        "verification",
        "storage",
        "storage_commitment",
        "query_retrieve",
        "worklist",
        "mpps",
        "print",
    }
    assert peer.settings.commitment_same_association
    assert [str(uid) for uid in peer.transfer_syntaxes] == [IMPLICIT_VR_LITTLE_ENDIAN]
    assert peer.parameters.boolean("behaviour.mpps_warning_is_success")
    assert peer.parameters.boolean("behaviour.store_warnings_are_success")


def test_keys_are_switched_for_a_device_that_has_them() -> None:
    site = load("mr", [])
    paths = frozenset(key.path for key in site.profile.worklist_keys)
    found = examination(*EVERYTHING)
    found.keys += [
        KeyAnswer("worklist", "", "ScheduledProcedureStepSequence>Modality", KeyReturn.VALUE, KeyMatching.WRONG),
        KeyAnswer("worklist", "", "PatientID", KeyReturn.VALUE, KeyMatching.HONOURED),
        KeyAnswer("worklist", "", "PregnancyStatus", KeyReturn.VALUE, KeyMatching.REFUSED),
    ]
    lines = make_advice(found, REMOTE, AdvisedDevice("pacs", frozenset({"worklist"}), paths))
    peer = load("mr", lines).peers["pacs"]
    assert peer.services == {"worklist"}
    assert next(iter(peer.worklist_keys.values())) == "return"


def test_what_the_peer_does_not_offer_is_not_advised() -> None:
    found = examination(
        sop_classes.VERIFICATION, sop_classes.PATIENT_ROOT_FIND, sop_classes.BASIC_COLOR_PRINT_MANAGEMENT_META
    )
    lines = make_advice(found, REMOTE, AdvisedDevice())
    assert 'services = ["verification", "query_retrieve", "print"]' in lines
    assert 'query_model = "patient"' in lines
    assert 'print_color = "color"' in lines
    assert not any(line.startswith("transfer_syntaxes") for line in lines)  # all three: nothing to set


def test_commitment_that_never_comes_is_not_asked_for() -> None:
    found = examination(sop_classes.STORAGE_COMMITMENT_PUSH_MODEL, syntaxes=(EXPLICIT_VR_LITTLE_ENDIAN,))
    assert "automatic_commitment = true" in make_advice(found, REMOTE, AdvisedDevice())
    found.observe("commitment result", "never")
    assert "automatic_commitment = true" not in make_advice(found, REMOTE, AdvisedDevice())
