"""How an association is rejected: A-ASSOCIATE-RJ by the situation (PS3.8 9.3.4, Table 9-21)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

from openmodality.standard import upper_layer as facts
from openmodality.standard.upper_layer import Situation
from openmodality.upper_layer.pdu import A_ASSOCIATE_RJ

Rejections: TypeAlias = Mapping[Situation, A_ASSOCIATE_RJ]
"""The answer to a request in each situation in which an acceptor rejects it; a device brings its own."""

PROTOCOL_VERSION_NOT_SUPPORTED: Final = A_ASSOCIATE_RJ(facts.REJECTED_PERMANENT, facts.REJECT_BY_ACSE, 2)
NO_REASON_GIVEN: Final = A_ASSOCIATE_RJ(facts.REJECTED_PERMANENT, facts.REJECT_BY_USER, 1)
APPLICATION_CONTEXT_NAME_NOT_SUPPORTED: Final = A_ASSOCIATE_RJ(facts.REJECTED_PERMANENT, facts.REJECT_BY_USER, 2)
CALLING_AE_TITLE_NOT_RECOGNIZED: Final = A_ASSOCIATE_RJ(facts.REJECTED_PERMANENT, facts.REJECT_BY_USER, 3)
CALLED_AE_TITLE_NOT_RECOGNIZED: Final = A_ASSOCIATE_RJ(facts.REJECTED_PERMANENT, facts.REJECT_BY_USER, 7)
TEMPORARY_CONGESTION: Final = A_ASSOCIATE_RJ(facts.REJECTED_TRANSIENT, facts.REJECT_BY_PRESENTATION, 1)
LOCAL_LIMIT_EXCEEDED: Final = A_ASSOCIATE_RJ(facts.REJECTED_TRANSIENT, facts.REJECT_BY_PRESENTATION, 2)
CANNOT_PARSE: Final = A_ASSOCIATE_RJ(facts.REJECTED_PERMANENT, facts.REJECT_BY_ACSE, 1)

STANDARD_REJECTIONS: Final[Rejections] = {
    "limit_reached": LOCAL_LIMIT_EXCEEDED,
    "busy": TEMPORARY_CONGESTION,
    "application_context": APPLICATION_CONTEXT_NAME_NOT_SUPPORTED,
    "called_ae_title": CALLED_AE_TITLE_NOT_RECOGNIZED,
    "calling_ae_title": CALLING_AE_TITLE_NOT_RECOGNIZED,
    "unparsable": CANNOT_PARSE,
}
"""What to answer where no device says it."""
