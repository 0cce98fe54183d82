"""Print management: films for a printer. PS3.4 Annex H; RF-4.2.7, MR-4.

The SCU creates a film session, in it a film box, sets an image into each of its image boxes, which the SCP has created
with it, and has it printed with N-ACTION; deleting the film session deletes all. Film session, film box, image box and
printer go over the presentation context of the meta SOP class, Presentation LUTs over one of their own. The SCP may
report on the printer at any moment, also between a request and its response.

One association is one film session at the SCP. What it keeps of it goes with the association.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import field
from functools import partial
from typing import Final, Protocol
from weakref import WeakKeyDictionary

from pydicom import Dataset

from openmodality.dimse.attribute_names import name_of
from openmodality.dimse.channel import Channel, Message, PresentationContext, context_for, read_all, read_data_set
from openmodality.dimse.command import Command
from openmodality.dimse.data_set import decode_data_set, encode_data_set
from openmodality.dimse.normalized import NormalizedAnswer, ask_normalized
from openmodality.dimse.reading import has_value, read_items, read_number, read_text
from openmodality.dimse.service import Refuse, Response, Service
from openmodality.encoding.uid import is_valid_uid, new_uid
from openmodality.errors import NoPresentationContext
from openmodality.standard.dimse import CommandField, Status
from openmodality.standard.print_management import PRINT, PrinterEvent, PrintStatus
from openmodality.standard.sop_classes import (
    BASIC_COLOR_IMAGE_BOX,
    BASIC_COLOR_PRINT_MANAGEMENT_META,
    BASIC_FILM_BOX,
    BASIC_FILM_SESSION,
    BASIC_GRAYSCALE_IMAGE_BOX,
    BASIC_GRAYSCALE_PRINT_MANAGEMENT_META,
    PRESENTATION_LUT,
    PRINTER_SOP_CLASS,
    PRINTER_SOP_INSTANCE,
)
from openmodality.standard.tags import (
    IMAGE_BOX_POSITION,
    IMAGE_DISPLAY_FORMAT,
    REFERENCED_FILM_SESSION_SEQUENCE,
    REFERENCED_IMAGE_BOX_SEQUENCE,
    REFERENCED_PRESENTATION_LUT_SEQUENCE,
    REFERENCED_SOP_INSTANCE_UID,
)
from openmodality.value_class import dataclass

META_CLASSES: Final = (BASIC_GRAYSCALE_PRINT_MANAGEMENT_META, BASIC_COLOR_PRINT_MANAGEMENT_META)
MAX_IMAGE_BOX_BYTES: Final = 256 * 1024 * 1024
"""The longest N-SET of an image box that the SCP collects; a film of 35 x 43 cm at 600 dpi and 12 bits takes 170 MB."""

_IMAGE_BOXES: Final = {
    BASIC_GRAYSCALE_PRINT_MANAGEMENT_META: BASIC_GRAYSCALE_IMAGE_BOX,
    BASIC_COLOR_PRINT_MANAGEMENT_META: BASIC_COLOR_IMAGE_BOX,
}
"""The image box of each meta SOP class."""


# SCU


def get_printer(channel: Channel, tags: Sequence[int], *, timeout_s: float | None = None) -> NormalizedAnswer:
    """Ask for attributes of the printer with N-GET."""
    command = Command(
        CommandField=CommandField.N_GET_RQ,
        RequestedSOPClassUID=PRINTER_SOP_CLASS,
        RequestedSOPInstanceUID=PRINTER_SOP_INSTANCE,
        AttributeIdentifierList=tuple(tags),
    )
    return _send(channel, command, None, timeout_s)


def create(
    channel: Channel, sop_class_uid: str, attributes: Dataset, *, timeout_s: float | None = None
) -> NormalizedAnswer:
    """Create a film session, a film box or a Presentation LUT, under a UID of our own choice."""
    command = Command(
        CommandField=CommandField.N_CREATE_RQ, AffectedSOPClassUID=sop_class_uid, AffectedSOPInstanceUID=new_uid()
    )
    return _send(channel, command, attributes, timeout_s)


def set_image_box(
    channel: Channel, sop_instance_uid: str, attributes: Dataset, *, timeout_s: float | None = None
) -> NormalizedAnswer:
    """Put an image into an image box with N-SET."""
    command = Command(
        CommandField=CommandField.N_SET_RQ,
        RequestedSOPClassUID=_IMAGE_BOXES[_find_meta_context(channel).abstract_syntax],
        RequestedSOPInstanceUID=sop_instance_uid,
    )
    return _send(channel, command, attributes, timeout_s)


def print_instance(
    channel: Channel, sop_class_uid: str, sop_instance_uid: str, *, timeout_s: float | None = None
) -> NormalizedAnswer:
    """Print a film box, or a film session as a whole, with N-ACTION."""
    command = Command(
        CommandField=CommandField.N_ACTION_RQ,
        RequestedSOPClassUID=sop_class_uid,
        RequestedSOPInstanceUID=sop_instance_uid,
        ActionTypeID=PRINT,
    )
    return _send(channel, command, None, timeout_s)


def delete(
    channel: Channel, sop_class_uid: str, sop_instance_uid: str, *, timeout_s: float | None = None
) -> NormalizedAnswer:
    """Delete a film session, a film box or a Presentation LUT."""
    command = Command(
        CommandField=CommandField.N_DELETE_RQ,
        RequestedSOPClassUID=sop_class_uid,
        RequestedSOPInstanceUID=sop_instance_uid,
    )
    return _send(channel, command, None, timeout_s)


def list_image_boxes(answer: NormalizedAnswer) -> tuple[str, ...]:
    """The SOP Instance UIDs of a new film box's image boxes, in the order of their positions."""
    return tuple(_list_references(answer.attributes, REFERENCED_IMAGE_BOX_SEQUENCE))


PrinterListener = Callable[[int, Dataset], None]
"""Gets the Event Type ID and the attributes of each report on the printer."""


def printer_event_service(listener: PrinterListener) -> Service:
    """The service of the SCU: it takes what the SCP reports on the printer, whatever its event type."""

    def answer_report(message: Message) -> Response:
        if message.command.AffectedSOPClassUID != PRINTER_SOP_CLASS:
            raise Refuse(Status.NO_SUCH_SOP_CLASS, "Affected SOP Class is not Printer")
        listener(message.command.EventTypeID or 0, read_data_set(message))
        return Response(Status.SUCCESS)

    handlers = {CommandField.N_EVENT_REPORT_RQ: answer_report}
    return Service("Printer", frozenset(META_CLASSES), handlers, as_scp=False)


def _send(channel: Channel, command: Command, attributes: Dataset | None, timeout_s: float | None) -> NormalizedAnswer:
    sop_class_uid = command.AffectedSOPClassUID or command.RequestedSOPClassUID
    is_lut = sop_class_uid == PRESENTATION_LUT
    context = context_for(channel, PRESENTATION_LUT) if is_lut else _find_meta_context(channel)
    return ask_normalized(channel, context, command, attributes or None, timeout_s=timeout_s)


def _find_meta_context(channel: Channel) -> PresentationContext:
    for context in channel.contexts:
        if context.abstract_syntax in META_CLASSES:
            return context
    raise NoPresentationContext(
        f"{channel.peer.called_ae_title} accepted no presentation context for print management",
        advice="check that the printer prints in grayscale or in color as print_color says, and knows this AE title",
    )


# SCP


@dataclass(slots=True)
class ImageBox:
    """An image box at the SCP; ``attributes`` are what N-SET has put into it, none for an empty one."""

    sop_class_uid: str
    position: int
    attributes: Dataset = field(default_factory=Dataset)


@dataclass(slots=True)
class FilmBox:
    """A film box at the SCP, its image boxes by their UIDs, and the attributes of the Presentation LUT it refers to."""

    attributes: Dataset
    image_boxes: dict[str, ImageBox]
    presentation_lut: Dataset | None = None


class PrintEngine(Protocol):
    """What an SCP prints with. Each method may raise :class:`Refuse`."""

    def get_attributes(self) -> Dataset:
        """The attributes of the printer: status, name, maker."""
        ...

    def count_boxes(self, attributes: Dataset) -> int:
        """How many image boxes a film box with these attributes has."""
        ...

    def check(self, sop_class_uid: str, attributes: Dataset, channel: Channel) -> int:
        """Look at what is to be created or set; the status with which it is answered, Success or a warning."""
        ...

    def print_films(self, session: Dataset, films: Sequence[FilmBox], channel: Channel) -> None:
        """Print these films of a session."""
        ...


@dataclass(slots=True)
class _Tree:
    """What one association has created."""

    session_uid: str = ""
    session: Dataset = field(default_factory=Dataset)
    films: dict[str, FilmBox] = field(default_factory=dict)
    luts: dict[str, Dataset] = field(default_factory=dict)

    def find_box(self, uid: str) -> ImageBox:
        for film in self.films.values():
            if uid in film.image_boxes:
                return film.image_boxes[uid]
        raise Refuse(Status.NO_SUCH_SOP_INSTANCE)


def print_service(engine: PrintEngine) -> Service:
    """The SCP of both meta SOP classes and of Presentation LUT."""
    trees: MutableMapping[Channel, _Tree] = WeakKeyDictionary()
    answers: Mapping[CommandField, Callable[[Message, _Tree, PrintEngine], Response]] = {
        CommandField.N_GET_RQ: _get,
        CommandField.N_CREATE_RQ: _create,
        CommandField.N_SET_RQ: _set,
        CommandField.N_ACTION_RQ: _print,
        CommandField.N_DELETE_RQ: _delete,
    }

    def handle(answer: Callable[[Message, _Tree, PrintEngine], Response], message: Message) -> Response:
        return answer(message, trees.setdefault(message.channel, _Tree()), engine)

    handlers = {command: partial(handle, answer) for command, answer in answers.items()}
    return Service("Print Management", frozenset({*META_CLASSES, PRESENTATION_LUT}), handlers)


def report_event(
    channel: Channel, event: PrinterEvent, attributes: Dataset, *, timeout_s: float | None = None
) -> NormalizedAnswer:
    """Report on the printer with N-EVENT-REPORT."""
    command = Command(
        CommandField=CommandField.N_EVENT_REPORT_RQ,
        AffectedSOPClassUID=PRINTER_SOP_CLASS,
        AffectedSOPInstanceUID=PRINTER_SOP_INSTANCE,
        EventTypeID=event,
    )
    return _send(channel, command, attributes, timeout_s)


def _get(message: Message, tree: _Tree, engine: PrintEngine) -> Response:
    command = message.command
    if command.RequestedSOPClassUID != PRINTER_SOP_CLASS:
        raise Refuse(Status.NO_SUCH_SOP_CLASS, "only the printer answers N-GET")
    if command.RequestedSOPInstanceUID != PRINTER_SOP_INSTANCE:
        raise Refuse(Status.NO_SUCH_SOP_INSTANCE, "Requested SOP Instance is not the well-known printer")
    known = engine.get_attributes()
    wanted = command.AttributeIdentifierList or tuple(known.keys())
    answer = Dataset()
    for tag in wanted:
        if tag in known:
            answer[tag] = known[tag]
    lacks = any(tag not in known for tag in wanted)
    data = encode_data_set(answer, message.context.transfer_syntax)
    return Response(Status.ATTRIBUTE_LIST_ERROR if lacks else Status.SUCCESS, data)


def _create(message: Message, tree: _Tree, engine: PrintEngine) -> Response:
    command = message.command
    sop_class_uid, uid = command.AffectedSOPClassUID or "", command.AffectedSOPInstanceUID or new_uid()
    if not is_valid_uid(uid, strict=False):
        raise Refuse(Status.INVALID_SOP_INSTANCE, "Affected SOP Instance UID is no UID")
    create_instance = _CREATED.get(sop_class_uid)
    if create_instance is None:
        raise Refuse(Status.NO_SUCH_SOP_CLASS, "this SOP Class is not created with N-CREATE")
    attributes = read_data_set(message)
    status = engine.check(sop_class_uid, attributes, message.channel)
    create_instance(_New(uid, attributes, message.context.abstract_syntax), tree, engine)
    data = encode_data_set(attributes, message.context.transfer_syntax) if len(attributes) else None
    return Response(status, data, fields={"AffectedSOPInstanceUID": uid})


@dataclass(frozen=True, slots=True)
class _New:
    """What an N-CREATE on a presentation context asks for."""

    uid: str
    attributes: Dataset
    abstract_syntax: str


def _create_session(new: _New, tree: _Tree, engine: PrintEngine) -> None:
    if tree.session_uid:
        raise Refuse(Status.DUPLICATE_SOP_INSTANCE, "this association has a film session already")
    tree.session_uid, tree.session = new.uid, new.attributes


def _create_film(new: _New, tree: _Tree, engine: PrintEngine) -> None:
    """Create a film box with its image boxes, which its attributes refer to from now on."""
    attributes = new.attributes
    for tag in (IMAGE_DISPLAY_FORMAT, REFERENCED_FILM_SESSION_SEQUENCE):
        if not has_value(attributes, tag):
            raise Refuse(Status.MISSING_ATTRIBUTE, f"missing: {name_of(tag)}", (tag,))
    if not tree.session_uid or _list_references(attributes, REFERENCED_FILM_SESSION_SEQUENCE) != [tree.session_uid]:
        raise Refuse(Status.INVALID_ATTRIBUTE_VALUE, "no such film session", (REFERENCED_FILM_SESSION_SEQUENCE,))
    if new.uid in tree.films:
        raise Refuse(Status.DUPLICATE_SOP_INSTANCE)
    luts = _list_references(attributes, REFERENCED_PRESENTATION_LUT_SEQUENCE)
    if any(uid not in tree.luts for uid in luts):
        tag = REFERENCED_PRESENTATION_LUT_SEQUENCE
        raise Refuse(Status.INVALID_ATTRIBUTE_VALUE, "no such Presentation LUT", (tag,))
    box_class = _IMAGE_BOXES[new.abstract_syntax]
    count = engine.count_boxes(attributes)
    boxes = {new_uid(): ImageBox(box_class, position) for position in range(1, count + 1)}
    attributes.ReferencedImageBoxSequence = [_refer_to(box_class, uid) for uid in boxes]
    tree.films[new.uid] = FilmBox(attributes, boxes, tree.luts[luts[0]] if luts else None)


def _create_lut(new: _New, tree: _Tree, engine: PrintEngine) -> None:
    tree.luts[new.uid] = new.attributes


_CREATED: Final = {
    BASIC_FILM_SESSION: _create_session,
    BASIC_FILM_BOX: _create_film,
    PRESENTATION_LUT: _create_lut,
}


def _list_references(attributes: Dataset, sequence: int) -> list[str]:
    return [read_text(item, REFERENCED_SOP_INSTANCE_UID) for item in read_items(attributes, sequence)]


def _refer_to(sop_class_uid: str, sop_instance_uid: str) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = sop_class_uid
    item.ReferencedSOPInstanceUID = sop_instance_uid
    return item


def _set(message: Message, tree: _Tree, engine: PrintEngine) -> Response:
    sop_class_uid, uid = message.command.RequestedSOPClassUID or "", message.command.RequestedSOPInstanceUID or ""
    changes = decode_data_set(read_all(message, MAX_IMAGE_BOX_BYTES), message.context.transfer_syntax)
    target = _find_target(sop_class_uid, uid, changes, tree)
    status = engine.check(sop_class_uid, changes, message.channel)
    target.update(changes)
    return Response(status)


def _find_target(sop_class_uid: str, uid: str, changes: Dataset, tree: _Tree) -> Dataset:
    """What N-SET is to change; Image Box Position must be that of the image box."""
    if sop_class_uid == BASIC_FILM_SESSION and uid == tree.session_uid:
        return tree.session
    if sop_class_uid == BASIC_FILM_BOX and uid in tree.films:
        return tree.films[uid].attributes
    box = tree.find_box(uid)
    if sop_class_uid != box.sop_class_uid:
        raise Refuse(Status.CLASS_INSTANCE_CONFLICT)
    if read_number(changes, IMAGE_BOX_POSITION) != box.position:
        raise Refuse(Status.INVALID_ATTRIBUTE_VALUE, "another Image Box Position", (IMAGE_BOX_POSITION,))
    return box.attributes


def _print(message: Message, tree: _Tree, engine: PrintEngine) -> Response:
    command = message.command
    if command.ActionTypeID != PRINT:
        raise Refuse(Status.NO_SUCH_ACTION_TYPE)
    films = list(_choose_films(command, tree))
    engine.print_films(tree.session, films, message.channel)
    return Response(_find_emptiness(command.RequestedSOPClassUID, films))


def _find_emptiness(sop_class_uid: str | None, films: Sequence[FilmBox]) -> int:
    """The status where image boxes are empty: a warning only where a whole sheet is."""
    is_empty = any(not any(box.attributes for box in film.image_boxes.values()) for film in films)
    warning = PrintStatus.SESSION_HAS_EMPTY_PAGE if sop_class_uid == BASIC_FILM_SESSION else PrintStatus.EMPTY_PAGE
    return warning if is_empty else Status.SUCCESS


def _choose_films(command: Command, tree: _Tree) -> Iterator[FilmBox]:
    """The films to print; without Requested SOP Instance UID the last one (INTEROP trap 48)."""
    uid = command.RequestedSOPInstanceUID
    if command.RequestedSOPClassUID == BASIC_FILM_SESSION:
        if uid not in (None, tree.session_uid):
            raise Refuse(Status.NO_SUCH_SOP_INSTANCE)
        if not tree.films:
            raise Refuse(PrintStatus.NO_FILM_BOX, "the film session has no film box")
        yield from tree.films.values()
    elif command.RequestedSOPClassUID == BASIC_FILM_BOX:
        named = uid or next(reversed(tree.films), "")
        if named not in tree.films:
            raise Refuse(Status.NO_SUCH_SOP_INSTANCE)
        yield tree.films[named]
    else:
        raise Refuse(Status.NO_SUCH_SOP_CLASS, "only film sessions and film boxes are printed")


def _delete(message: Message, tree: _Tree, engine: PrintEngine) -> Response:
    sop_class_uid, uid = message.command.RequestedSOPClassUID, message.command.RequestedSOPInstanceUID
    if sop_class_uid == BASIC_FILM_SESSION and tree.session_uid and uid in (None, tree.session_uid):
        tree.session_uid, tree.session = "", Dataset()
        tree.films.clear()
    elif sop_class_uid == BASIC_FILM_BOX and (named := uid or next(reversed(tree.films), "")) in tree.films:
        del tree.films[named]
    elif sop_class_uid == PRESENTATION_LUT and uid in tree.luts:
        del tree.luts[uid]
    else:
        raise Refuse(Status.NO_SUCH_SOP_INSTANCE)
    return Response(Status.SUCCESS)
