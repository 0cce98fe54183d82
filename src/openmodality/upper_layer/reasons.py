"""Words for the numbers of A-ASSOCIATE-RJ, A-ABORT and rejected presentation contexts.

A number that the standard reserves is no error: peers send them, and a person must still see what came.
"""

from __future__ import annotations

from openmodality.standard import upper_layer as facts


def name_reserved(number: int) -> str:
    """What a number is called that the standard gives no meaning."""
    return f"reserved ({number})"


def reject_text(result: int, source: int, reason: int) -> str:
    """An A-ASSOCIATE-RJ in words: result, source, reason (PS3.8 9.3.4)."""
    return ", ".join(
        (
            facts.REJECT_RESULTS.get(result) or name_reserved(result),
            facts.REJECT_SOURCES.get(source) or name_reserved(source),
            facts.REJECT_REASONS.get((source, reason)) or name_reserved(reason),
        )
    )


def abort_text(source: int, reason: int) -> str:
    """An A-ABORT in words: source and, where it is significant, reason (PS3.8 9.3.8)."""
    name = facts.ABORT_SOURCES.get(source) or name_reserved(source)
    if source == facts.ABORT_BY_USER:
        return name
    return f"{name}, {facts.ABORT_REASONS.get(reason) or name_reserved(reason)}"


def context_result_text(result: int) -> str:
    """Result/Reason of a presentation context in words (PS3.8 9.3.3.2)."""
    return facts.CONTEXT_RESULTS.get(result) or name_reserved(result)
