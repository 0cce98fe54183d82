"""Query/Retrieve: asks what an archive has, and lets it send that. PS3.4 Annex C; RF-4.2.5, MR-3.2.1, MR-3.2.2,
MR-3.3.2, MR-3.3.3.

A query (C-FIND) looks on one level of the model, below entities that the unique keys of the levels above name;
relational queries are not negotiated. A retrieve (C-MOVE) makes the SCP open an association to the destination and
send each instance as a sub-operation. The SCP counts them in every pending response. A C-GET brings them on the
association on which it was asked for, in the roles that were negotiated for the storage SOP Classes. The SCUs of a
retrieve are :func:`openmodality.query.moving.move` and ``get``.

A judge (:mod:`openmodality.dimse.verdict`) says what a status means, by default that of the standard.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, Protocol

from pydicom import Dataset

from openmodality.dimse.channel import Channel, Message, PeerInfo, read_data_set
from openmodality.dimse.reading import read_text, read_texts
from openmodality.dimse.service import Refuse, Response, Service
from openmodality.dimse.verdict import Judge, standard_judge
from openmodality.encoding.headers import format_tag
from openmodality.errors import OpenModalityError, StoreError
from openmodality.query.finding import (
    IDENTIFIER_DOES_NOT_MATCH,
    FindAnswer,
    HandOver,
    Taking,
    answer_matches,
    send_find,
)
from openmodality.query.matching import Supported
from openmodality.query.moving import Transfer, answer_transfer
from openmodality.standard.dimse import CommandField, Priority
from openmodality.standard.query_retrieve import LEVELS, ONLINE, UNIQUE_KEYS, Level
from openmodality.standard.sop_classes import (
    PATIENT_ROOT_FIND,
    PATIENT_ROOT_GET,
    PATIENT_ROOT_MOVE,
    STUDY_ROOT_FIND,
    STUDY_ROOT_GET,
    STUDY_ROOT_MOVE,
)
from openmodality.standard.tags import INSTANCE_AVAILABILITY, QUERY_RETRIEVE_LEVEL
from openmodality.value_class import dataclass

CANNOT_COUNT_MATCHES: Final = 0xA701
MOVE_DESTINATION_UNKNOWN: Final = 0xA801
CANNOT_PROCESS_RETRIEVE: Final = 0xC000

QUERY_JUDGE: Final = standard_judge("query", "C-FIND")
"""What a C-FIND status means where there is no device with a table of its own."""


class QueryFailed(OpenModalityError):
    """The SCP answered a query with a failure ``status``; ``must_abort`` says that the association is to be aborted."""

    def __init__(
        self, status: int, comment: str = "", *, peer: str = "", advice: str | None = None, must_abort: bool = True
    ) -> None:
        of_peer = f"{peer}: " if peer else ""
        super().__init__(f"{of_peer}the query was refused: {QUERY_JUDGE(status).describe(comment)}", advice=advice)
        self.status, self.comment, self.must_abort = status, comment, must_abort


# SCU


def query_archive(
    channel: Channel,
    sop_class_uid: str,
    identifier: Dataset,
    *,
    judge: Judge = QUERY_JUDGE,
    limit: int | None = None,
    hand_over: HandOver | None = None,
) -> FindAnswer:
    """Ask for the entities of one level. A ``limit`` works as for the worklist.

    ``hand_over`` is given each match as it comes, which is not in the answer then; where it says that no more are
    wanted, C-CANCEL is sent.

    Raises :class:`QueryFailed` where ``judge`` calls the status a failure.
    """
    answer = send_find(channel, sop_class_uid, identifier, judge=judge, taking=Taking(limit, hand_over))
    if not answer.is_usable:
        raise QueryFailed(answer.status, answer.comment, must_abort=answer.must_abort)
    return answer


# SCP


@dataclass(frozen=True, slots=True)
class FindRequest:
    """What is asked for on one level; ``added`` is what each match carries besides.

    ``is_cancelled`` is for a source that may look long for its next match: whether the peer has sent C-CANCEL.
    """

    level: Level
    identifier: Dataset
    added: Dataset
    transfer_syntax: str
    is_cancelled: Callable[[], bool] = lambda: False
    sop_class_uid: str = ""
    peer: PeerInfo | None = None


class QuerySource(Protocol):
    """Where the entities of an SCP come from."""

    def list_supported(self, level: Level, identifier: Dataset) -> Supported:
        """Those keys of an identifier, or all, that are matched and returned on a level."""
        ...

    def find(self, request: FindRequest) -> Iterable[Dataset | Sequence[bytes]]:
        """Entities that may match, with the unique keys of the levels above; or some matches, as they are answered.

        Raises :class:`Refuse` where it turns the query down, :class:`StoreError` where it is out of resources.
        """
        ...


def query_service(source: QuerySource, retrieve_ae_title: str) -> Service:
    """The C-FIND SCP of both models; ``retrieve_ae_title`` is where matches can be retrieved from."""

    def answer_find(message: Message) -> Iterable[Response]:
        identifier = read_data_set(message)
        level = _check_level(message, identifier, is_query=True)
        added = Dataset()
        added.QueryRetrieveLevel, added.RetrieveAETitle = level, retrieve_ae_title
        if INSTANCE_AVAILABILITY in identifier:
            added.InstanceAvailability = ONLINE
        context = message.context
        request = FindRequest(
            level,
            identifier,
            added,
            context.transfer_syntax,
            message.cancelled,
            context.abstract_syntax,
            message.peer,
        )
        supported = source.list_supported(level, identifier)
        candidates = _find_candidates(source, request)
        return answer_matches(message, identifier, candidates, supported=supported, added=added)

    syntaxes = frozenset({PATIENT_ROOT_FIND, STUDY_ROOT_FIND})
    return Service("Query", syntaxes, {CommandField.C_FIND_RQ: answer_find})


def _find_candidates(source: QuerySource, request: FindRequest) -> Iterator[Dataset | Sequence[bytes]]:
    yield from source.find(request)


def _check_level(message: Message, identifier: Dataset, *, is_query: bool) -> Level:
    """The level of an identifier that names one entity on each level above (PS3.4 C.4.1.2.1, C.4.2.1.4.1)."""
    levels = LEVELS[message.context.abstract_syntax]
    stated = read_text(identifier, QUERY_RETRIEVE_LEVEL).upper()
    if stated not in levels:
        raise Refuse(
            IDENTIFIER_DOES_NOT_MATCH,
            "Query/Retrieve Level is missing or not one of this model",
            (QUERY_RETRIEVE_LEVEL,),
        )
    place = levels.index(stated)
    level = levels[place]
    for above in levels[:place]:
        key = UNIQUE_KEYS[above]
        value = read_text(identifier, key)
        if not value or set(value) & set("*?"):
            raise Refuse(IDENTIFIER_DOES_NOT_MATCH, f"{format_tag(key)} of {above} must have one value", (key,))
    for below in levels[place + 1 :]:
        key = UNIQUE_KEYS[below]
        if read_texts(identifier, key):
            raise Refuse(IDENTIFIER_DOES_NOT_MATCH, f"{format_tag(key)} belongs to a lower level", (key,))
    key = UNIQUE_KEYS[level]
    named = read_text(identifier, key) if level is Level.PATIENT else read_texts(identifier, key)
    if not is_query and not named:
        raise Refuse(IDENTIFIER_DOES_NOT_MATCH, f"{format_tag(key)} must have a value", (key,))
    return level


@dataclass(frozen=True, slots=True)
class MoveRequest:
    """What is to be sent where; ``keys`` are the values of the unique key on ``level`` and of those above."""

    level: Level
    keys: dict[int, tuple[str, ...]]
    destination: str
    peer: PeerInfo
    message_id: int
    """With the peer's AE title, what the C-STORE requests name as Move Originator."""
    priority: int = Priority.MEDIUM


class MoveSource(Protocol):
    """Finds instances and sends them."""

    def open(self, request: MoveRequest) -> Transfer:
        """Find the instances. Raises :class:`Refuse` (A801) where it does not know the destination, :class:`StoreError`
        where it is out of resources.
        """
        ...


def move_service(source: MoveSource) -> Service:
    """The C-MOVE SCP of both models."""

    def answer_move(message: Message) -> Iterator[Response]:
        request = _read_move_request(message)
        try:
            transfer = source.open(request)
        except StoreError as error:
            raise Refuse(CANNOT_COUNT_MATCHES, error.message) from error
        return answer_transfer(message, transfer)

    return Service("Retrieve", frozenset({PATIENT_ROOT_MOVE, STUDY_ROOT_MOVE}), {CommandField.C_MOVE_RQ: answer_move})


class GetSource(Protocol):
    """Finds instances and sends them over the association on which they were asked for."""

    def open_on(self, channel: Channel, request: MoveRequest) -> Transfer:
        """As :meth:`MoveSource.open`; the request has no destination."""
        ...


def get_service(source: GetSource) -> Service:
    """The C-GET SCP of both models (PS3.4 C.4.3)."""

    def answer_get(message: Message) -> Iterator[Response]:
        request = _read_retrieve_request(message, "")
        try:
            transfer = source.open_on(message.channel, request)
        except StoreError as error:
            raise Refuse(CANNOT_COUNT_MATCHES, error.message) from error
        return answer_transfer(message, transfer)

    return Service("Get", frozenset({PATIENT_ROOT_GET, STUDY_ROOT_GET}), {CommandField.C_GET_RQ: answer_get})


def _read_move_request(message: Message) -> MoveRequest:
    request = _read_retrieve_request(message, (message.command.MoveDestination or "").strip())
    if not request.destination:
        raise Refuse(MOVE_DESTINATION_UNKNOWN, "Move Destination is missing")
    return request


def _read_retrieve_request(message: Message, destination: str) -> MoveRequest:
    command = message.command
    identifier = read_data_set(message)
    level = _check_level(message, identifier, is_query=False)
    levels = LEVELS[message.context.abstract_syntax]
    tags = [UNIQUE_KEYS[each] for each in levels[: levels.index(level) + 1]]
    keys = {tag: read_texts(identifier, tag) for tag in tags}
    priority = command.Priority if command.Priority is not None else Priority.MEDIUM
    return MoveRequest(level, keys, destination, message.peer, command.MessageID or 0, priority)
