"""Why an instance is not committed, PS3.3 C.14.1.1, PS3.4 J.3.3."""

from __future__ import annotations

from enum import IntEnum
from typing import Final


class FailureReason(IntEnum):
    """Failure Reason (0008,1197), PS3.3 C.14.1.1; others may come."""

    PROCESSING_FAILURE = 0x0110
    NO_SUCH_OBJECT_INSTANCE = 0x0112
    CLASS_INSTANCE_CONFLICT = 0x0119
    SOP_CLASS_NOT_SUPPORTED = 0x0122
    DUPLICATE_TRANSACTION_UID = 0x0131
    RESOURCE_LIMITATION = 0x0213


REASON_MEANINGS: Final = {
    FailureReason.PROCESSING_FAILURE: "a general failure",
    FailureReason.NO_SUCH_OBJECT_INSTANCE: "the peer does not have the instance; it may not be indexed yet",
    FailureReason.CLASS_INSTANCE_CONFLICT: "the instance is of another SOP Class than was said",
    FailureReason.SOP_CLASS_NOT_SUPPORTED: "the peer does not commit instances of this SOP Class",
    FailureReason.DUPLICATE_TRANSACTION_UID: "the Transaction UID is in use already",
    FailureReason.RESOURCE_LIMITATION: "the peer has no room",
}
