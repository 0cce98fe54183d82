"""The doctor at a peer, for tests: an examination with a short way of calling it."""

from __future__ import annotations

import csv
from datetime import datetime
from importlib.resources import files

from openmodality.activities.ends import Ends
from openmodality.conformance.doctor.advice import AdvisedDevice
from openmodality.conformance.doctor.doctor import PeerProfile, examine
from openmodality.conformance.doctor.examination import STEP_PATIENCE_S, Examination
from openmodality.network.entity import LocalAE, RemoteAE

CALLING = "OPENMODALITY"


def examine_peer(
    peer: RemoteAE, *, writes: bool = False, report_port: int = 0, patience_s: float = STEP_PATIENCE_S
) -> PeerProfile:
    """What the doctor says of a peer, which knows us at ``report_port`` of this machine."""
    ends = Ends(peer, LocalAE(CALLING))
    examination = Examination(lambda service: ends, writes=writes, patience_s=patience_s)
    return examine(examination, report_port=report_port, device=AdvisedDevice(), now=datetime.now)


def list_texts(profile: PeerProfile, area: str) -> list[str]:
    """What is said of an area."""
    return [finding.text for finding in profile.findings if finding.area == area]


def list_known_names() -> list[str]:
    """All personalities that the doctor can tell, by its table."""
    text = files("openmodality.conformance.doctor").joinpath("personalities.csv").read_text(encoding="utf-8")
    return [row["name"] for row in csv.DictReader(text.splitlines())]


def list_names(profile: PeerProfile) -> list[str]:
    """The personalities that were told."""
    return [each.name for each in profile.likenesses]
