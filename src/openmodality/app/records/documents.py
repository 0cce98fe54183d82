"""Key object documents as JSON values: what they say, and the titles that there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openmodality.standard.key_object_titles import REASONS, TAKES_REASON, TITLES

if TYPE_CHECKING:
    from openmodality.activities.key_documents import KeyDocument


def key_document_as_json(said: KeyDocument) -> dict[str, Any]:
    """What a key object document says, for a program."""
    return {
        "title": said.title,
        "reasons": list(said.reasons),
        "description": said.description,
        "observer": said.observer,
        "sop_instance_uids": list(said.instances),
    }


def list_key_titles() -> list[dict[str, Any]]:
    """The titles of CID 7010 for a program, with the reasons that some of them take."""
    return [
        {
            "code": code,
            "meaning": meaning,
            "requires_reason": code in TAKES_REASON,
            "reasons": [{"code": each, "meaning": words} for each, words in REASONS.get(code, {}).items()],
        }
        for code, meaning in TITLES.items()
    ]
