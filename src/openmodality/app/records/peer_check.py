"""The check of a peer as JSON values: what was found, what the peer offers, and what two statements predict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openmodality.conformance.doctor.doctor import PeerProfile
    from openmodality.conformance.predicting import Prediction


def findings_as_json(profile: PeerProfile | None) -> list[dict[str, Any]]:
    """The findings; none where no peer was examined."""
    if profile is None:
        return []
    return [{**asdict(finding), "verdict": finding.verdict.value} for finding in profile.findings]


def peer_profile_as_json(peer: str, profile: PeerProfile | None, predictions: Sequence[Prediction]) -> dict[str, Any]:
    """The members of the whole document beside the findings."""
    facts = profile.facts if profile else {}
    return {
        "peer": peer or None,
        "implementation_class_uid": facts.get("implementation_class_uid"),
        "implementation_version_name": facts.get("implementation_version_name"),
        "max_pdu_length": facts.get("max_pdu_length"),
        "sop_classes": [{**asdict(each), "refusal": each.refusal or None} for each in profile.offered]
        if profile
        else [],
        "keys": [{**asdict(each), "level": each.level or None} for each in profile.keys] if profile else [],
        "personalities": [asdict(each) for each in profile.likenesses] if profile else [],
        "site_lines": list(profile.advice) if profile else [],
        "written": [asdict(each) for each in profile.written] if profile else [],
        "predictions": [asdict(each) for each in predictions],
        "seconds": round(profile.seconds, 1) if profile else None,
    }
