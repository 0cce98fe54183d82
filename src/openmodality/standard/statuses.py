"""The meaning of the statuses of the service classes: PS3.7 Annex C and the annexes of PS3.4 named at each group.

A device has a table of its own in its profile. This one holds where there is no device. A code is four hexadecimal
digits with ``x`` for any digit, or ``*`` for every other status. Codes that PS3.7 9.1 and 10.1 allow to every service
are not repeated: ``*`` covers them.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, TypeAlias

ServiceName: TypeAlias = Literal[
    "verification",
    "storage",
    "storage_commitment",
    "query",
    "retrieve",
    "worklist",
    "mpps",
    "print",
]
"""How profiles, site files and this table call a service."""

CategoryName: TypeAlias = Literal["success", "warning", "pending", "cancel", "failure"]

Effect: TypeAlias = Literal["succeed", "collect", "continue", "partial", "fail", "permit_delete", "resend"]
"""What a status does to the instance or the job.

``collect`` takes a match, ``continue`` waits for the next response, ``partial`` keeps what has come. ``permit_delete``
and ``resend`` follow from the two events of storage commitment.
"""


class StatusFact(NamedTuple):
    """One row: a code in the response to an operation. ``transient``: the same request may succeed later."""

    service: ServiceName
    operation: str
    code: str
    category: CategoryName
    meaning: str
    effect: Effect
    transient: bool = False


STANDARD_STATUSES: Final = (
    # PS3.4 Annex A
    StatusFact("verification", "C-ECHO", "0000", "success", "success", "succeed"),
    StatusFact("verification", "C-ECHO", "*", "failure", "verification failed", "fail"),
    # PS3.4 Table B.2-1. An instance that the peer has already is stored (INTEROP trap 25).
    StatusFact("storage", "C-STORE", "0000", "success", "success", "succeed"),
    StatusFact("storage", "C-STORE", "0001", "warning", "stored, with a warning", "succeed"),
    StatusFact("storage", "C-STORE", "0107", "warning", "stored, attribute list error", "succeed"),
    StatusFact("storage", "C-STORE", "0116", "warning", "stored, attribute value out of range", "succeed"),
    StatusFact("storage", "C-STORE", "B000", "warning", "stored, attributes coerced", "succeed"),
    StatusFact("storage", "C-STORE", "B006", "warning", "stored, elements discarded", "succeed"),
    StatusFact("storage", "C-STORE", "B007", "warning", "stored, data set does not match its SOP class", "succeed"),
    StatusFact("storage", "C-STORE", "Bxxx", "warning", "stored, with a warning", "succeed"),
    StatusFact("storage", "C-STORE", "0111", "warning", "the peer had it already", "succeed"),
    StatusFact("storage", "C-STORE", "A7xx", "failure", "refused: out of resources", "fail", transient=True),
    StatusFact("storage", "C-STORE", "A9xx", "failure", "error: data set does not match SOP class", "fail"),
    StatusFact("storage", "C-STORE", "Cxxx", "failure", "error: cannot understand", "fail"),
    StatusFact("storage", "C-STORE", "*", "failure", "other status", "fail"),
    # PS3.4 J.3.2, PS3.7 10.1.4.1.10
    StatusFact("storage_commitment", "N-ACTION", "0000", "success", "request taken", "succeed"),
    StatusFact("storage_commitment", "N-ACTION", "*", "failure", "request not taken", "fail"),
    # PS3.4 Table C.4-1
    StatusFact("query", "C-FIND", "0000", "success", "all matches received", "succeed"),
    StatusFact("query", "C-FIND", "FF00", "pending", "one match", "collect"),
    StatusFact("query", "C-FIND", "FF01", "pending", "one match; optional keys not supported", "collect"),
    StatusFact("query", "C-FIND", "FE00", "cancel", "cancelled", "partial"),
    StatusFact("query", "C-FIND", "A700", "failure", "out of resources", "fail", transient=True),
    StatusFact("query", "C-FIND", "A900", "failure", "identifier does not match SOP class", "fail"),
    StatusFact("query", "C-FIND", "Cxxx", "failure", "unable to process", "fail"),
    StatusFact("query", "C-FIND", "*", "failure", "query failed", "fail"),
    # PS3.4 Table C.4-2
    StatusFact("retrieve", "C-MOVE", "0000", "success", "all instances moved", "succeed"),
    StatusFact("retrieve", "C-MOVE", "FF00", "pending", "moving", "continue"),
    StatusFact("retrieve", "C-MOVE", "B000", "warning", "some instances failed", "partial"),
    StatusFact("retrieve", "C-MOVE", "FE00", "cancel", "cancelled", "partial"),
    StatusFact("retrieve", "C-MOVE", "A701", "failure", "out of resources: cannot count the matches", "fail", True),
    StatusFact("retrieve", "C-MOVE", "A702", "failure", "out of resources: cannot do sub-operations", "fail", True),
    StatusFact("retrieve", "C-MOVE", "A801", "failure", "move destination unknown", "fail"),
    StatusFact("retrieve", "C-MOVE", "A900", "failure", "identifier does not match SOP class", "fail"),
    StatusFact("retrieve", "C-MOVE", "Cxxx", "failure", "unable to process", "fail"),
    StatusFact("retrieve", "C-MOVE", "*", "failure", "retrieve failed", "fail"),
    # PS3.4 Table K.4-1
    StatusFact("worklist", "C-FIND", "0000", "success", "all items received", "succeed"),
    StatusFact("worklist", "C-FIND", "FF00", "pending", "one item", "collect"),
    StatusFact("worklist", "C-FIND", "FF01", "pending", "one item; optional keys not supported", "collect"),
    StatusFact("worklist", "C-FIND", "FE00", "cancel", "cancelled", "partial"),
    StatusFact("worklist", "C-FIND", "A700", "failure", "out of resources", "fail", transient=True),
    StatusFact("worklist", "C-FIND", "A900", "failure", "identifier does not match SOP class", "fail"),
    StatusFact("worklist", "C-FIND", "Cxxx", "failure", "unable to process", "fail"),
    StatusFact("worklist", "C-FIND", "*", "failure", "worklist failed", "fail"),
    # PS3.4 F.7.2, PS3.7 10.1.3.1.9 and 10.1.5.1.6
    StatusFact("mpps", "N-CREATE", "0000", "success", "done", "succeed"),
    StatusFact("mpps", "N-CREATE", "0001", "warning", "done", "succeed"),
    StatusFact("mpps", "N-CREATE", "0107", "warning", "attribute list error", "succeed"),
    StatusFact("mpps", "N-CREATE", "0116", "warning", "attribute value out of range", "succeed"),
    StatusFact("mpps", "N-CREATE", "*", "failure", "not done", "fail"),
    StatusFact("mpps", "N-SET", "0000", "success", "done", "succeed"),
    StatusFact("mpps", "N-SET", "0001", "warning", "done", "succeed"),
    StatusFact("mpps", "N-SET", "0107", "warning", "attribute list error", "succeed"),
    StatusFact("mpps", "N-SET", "0116", "warning", "attribute value out of range", "succeed"),
    StatusFact("mpps", "N-SET", "*", "failure", "not done", "fail"),
)
