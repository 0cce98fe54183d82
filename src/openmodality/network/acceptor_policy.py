"""Ready-made acceptor policies for scripts and commands that have no site file."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Set
from functools import lru_cache, partial

from openmodality.encoding.uid import is_valid_uid
from openmodality.network.acceptor import Decide
from openmodality.network.entity import LocalAE
from openmodality.standard.sop_classes import NOT_STORAGE, STORAGE_ELSEWHERE, STORAGE_ROOT, VERIFICATION
from openmodality.standard.transfer_syntaxes import (
    EXPLICIT_VR_BIG_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
    TRANSFER_SYNTAXES,
)
from openmodality.upper_layer.acceptance import AcceptorPolicy, Load, PeerPolicy, SyntaxPolicy, decide_answer
from openmodality.upper_layer.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RJ, A_ASSOCIATE_RQ

UNCOMPRESSED_ORDER = (EXPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_BIG_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN)
EVERY_TRANSFER_SYNTAX = (*UNCOMPRESSED_ORDER, *(uid for uid in TRANSFER_SYNTAXES if uid not in UNCOMPRESSED_ORDER))
"""Our order where a context offers several: uncompressed ones first, because every reader can read them."""

MAX_OPERATIONS_PERFORMED = 16
"""How many requests a peer may have open at once. They are performed in order; the others wait in the connection."""

_DICOM_ROOT = "1.2.840.10008."


class StorageClasses(Mapping[str, SyntaxPolicy], Container[str]):
    """Every storage SOP Class, known or to come, and private ones: as the keys of a policy and as a set of syntaxes."""

    def __init__(self, transfer_syntaxes: tuple[str, ...] = EVERY_TRANSFER_SYNTAX) -> None:
        self._storage = SyntaxPolicy(transfer_syntaxes)
        self._verification = SyntaxPolicy(UNCOMPRESSED_ORDER)

    def __getitem__(self, uid: str) -> SyntaxPolicy:
        if uid == VERIFICATION:
            return self._verification
        if is_storage(uid):
            return self._storage
        raise KeyError(uid)

    def __iter__(self) -> Iterator[str]:
        return iter((VERIFICATION,))

    def __len__(self) -> int:
        return 1


@lru_cache(maxsize=1024)
def is_storage(uid: str) -> bool:
    """Whether a UID is, or may be, that of a storage SOP Class; remembered, as each message asks for it."""
    if not is_valid_uid(uid, strict=False) or uid in NOT_STORAGE:
        return False
    return uid.startswith(STORAGE_ROOT) or uid in STORAGE_ELSEWHERE or not uid.startswith(_DICOM_ROOT)


def storage_policy(
    local: LocalAE,
    *,
    called_ae_titles: Set[str] | None = None,
    transfer_syntaxes: Iterable[str] = EVERY_TRANSFER_SYNTAX,
) -> Decide:
    """Take storage and verification from anybody; called titles only those given, where some are given."""
    peer = PeerPolicy(StorageClasses(tuple(transfer_syntaxes)))
    return decide_by(
        AcceptorPolicy(local.side, lambda _: peer, called_ae_titles, max_operations_performed=MAX_OPERATIONS_PERFORMED)
    )


def decide_by(policy: AcceptorPolicy) -> Callable[[A_ASSOCIATE_RQ, Load], A_ASSOCIATE_AC | A_ASSOCIATE_RJ]:
    """The function that an acceptor asks, for a policy."""
    return partial(_decide, policy)


def _decide(policy: AcceptorPolicy, request: A_ASSOCIATE_RQ, load: Load) -> A_ASSOCIATE_AC | A_ASSOCIATE_RJ:
    return decide_answer(request, policy, load)
