"""Print management, SCU joined to SCP in memory (PS3.4 Annex H)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest
from pydicom import Dataset

from openmodality.dimse.channel import Channel, PresentationContext
from openmodality.dimse.command import Command
from openmodality.dimse.normalized import NormalizedAnswer
from openmodality.dimse.request_response import send_and_await
from openmodality.dimse.service import Refuse
from openmodality.errors import NoPresentationContext
from openmodality.services.print_management import (
    FilmBox,
    create,
    delete,
    get_printer,
    list_image_boxes,
    print_instance,
    print_service,
    printer_event_service,
    report_event,
    set_image_box,
)
from openmodality.standard.dimse import CommandField, Status
from openmodality.standard.print_management import PrinterEvent, PrintStatus
from openmodality.standard.sop_classes import (
    BASIC_COLOR_IMAGE_BOX,
    BASIC_COLOR_PRINT_MANAGEMENT_META,
    BASIC_FILM_BOX,
    BASIC_FILM_SESSION,
    BASIC_GRAYSCALE_IMAGE_BOX,
    BASIC_GRAYSCALE_PRINT_MANAGEMENT_META,
    PRESENTATION_LUT,
)
from openmodality.standard.tags import PRINTER_STATUS, PRINTER_STATUS_INFO
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN
from tests.loopback import Loopback, loopback_pair


@dataclass
class Engine:
    """Prints into a list; ``refused`` are the SOP classes that it refuses, ``warned`` those that it warns of."""

    printed: list[tuple[Dataset, list[FilmBox]]] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)
    warned: dict[str, int] = field(default_factory=dict)
    before: Callable[[Channel], object] = lambda channel: None

    def get_attributes(self) -> Dataset:
        attributes = Dataset()
        attributes.PrinterStatus = attributes.PrinterStatusInfo = "NORMAL"
        return attributes

    def count_boxes(self, attributes: Dataset) -> int:
        return int(attributes.ImageDisplayFormat[-1])

    def check(self, sop_class_uid: str, attributes: Dataset, channel: Channel) -> int:
        self.before(channel)
        if sop_class_uid in self.refused:
            raise Refuse(self.refused[sop_class_uid], "refused")
        return self.warned.get(sop_class_uid, 0)

    def print_films(self, session: Dataset, films: Sequence[FilmBox], channel: Channel) -> None:
        self.printed.append((session, list(films)))


@dataclass
class Dialogue:
    """Both ends; ``events`` are the reports that the SCU got."""

    engine: Engine
    scu: Loopback
    scp: Loopback
    events: list[tuple[int, str]]


def begin(*abstract_syntaxes: str) -> Dialogue:
    engine, events = Engine(), list[tuple[int, str]]()
    contexts = [
        PresentationContext(2 * number + 1, uid, EXPLICIT_VR_LITTLE_ENDIAN)
        for number, uid in enumerate(abstract_syntaxes or (BASIC_GRAYSCALE_PRINT_MANAGEMENT_META,))
    ]
    taking = printer_event_service(lambda event, said: events.append((event, str(said.get("PrinterStatusInfo", "")))))
    scu, scp = loopback_pair(contexts, [print_service(engine)], [taking])
    return Dialogue(engine, scu, scp, events)


@pytest.fixture
def at() -> Dialogue:
    return begin()


def make_film(session_uid: str, display_format: str = "STANDARD\\1,2", **values: object) -> Dataset:
    film, reference = Dataset(), Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = BASIC_FILM_SESSION, session_uid
    film.ImageDisplayFormat, film.ReferencedFilmSessionSequence = display_format, [reference]
    for keyword, value in values.items():
        setattr(film, keyword, value)
    return film


def make_box(position: int) -> Dataset:
    box = Dataset()
    box.ImageBoxPosition = position
    return box


def begin_film(at: Dialogue) -> tuple[str, NormalizedAnswer]:
    session = create(at.scu, BASIC_FILM_SESSION, Dataset()).sop_instance_uid
    return session, create(at.scu, BASIC_FILM_BOX, make_film(session))


def test_the_printer_answers_with_what_was_asked_for(at: Dialogue) -> None:
    answer = get_printer(at.scu, (PRINTER_STATUS,))
    assert answer.status == Status.SUCCESS
    assert list(answer.attributes.keys()) == [PRINTER_STATUS]
    assert get_printer(at.scu, (PRINTER_STATUS, 0x21100030)).status == Status.ATTRIBUTE_LIST_ERROR
    assert len(get_printer(at.scu, ()).attributes) == 2


@pytest.mark.parametrize(
    ("meta", "box_class"),
    [
        (BASIC_GRAYSCALE_PRINT_MANAGEMENT_META, BASIC_GRAYSCALE_IMAGE_BOX),
        (BASIC_COLOR_PRINT_MANAGEMENT_META, BASIC_COLOR_IMAGE_BOX),
    ],
)
def test_a_film_is_printed(meta: str, box_class: str) -> None:
    at = begin(meta)
    label = Dataset()
    label.FilmSessionLabel = "one"
    session = create(at.scu, BASIC_FILM_SESSION, label).sop_instance_uid
    film = create(at.scu, BASIC_FILM_BOX, make_film(session))
    assert [str(each.ReferencedSOPClassUID) for each in film.attributes.ReferencedImageBoxSequence] == [box_class] * 2
    for position, uid in enumerate(list_image_boxes(film), start=1):
        assert set_image_box(at.scu, uid, make_box(position)).status == Status.SUCCESS
    assert print_instance(at.scu, BASIC_FILM_BOX, film.sop_instance_uid).status == Status.SUCCESS
    ((printed, (sheet,)),) = at.engine.printed
    assert printed.FilmSessionLabel == "one"
    assert [box.attributes.ImageBoxPosition for box in sheet.image_boxes.values()] == [1, 2]
    assert delete(at.scu, BASIC_FILM_SESSION, session).status == Status.SUCCESS
    assert print_instance(at.scu, BASIC_FILM_BOX, film.sop_instance_uid).status == Status.NO_SUCH_SOP_INSTANCE


def test_a_session_is_printed_as_a_whole(at: Dialogue) -> None:
    session, film = begin_film(at)
    create(at.scu, BASIC_FILM_BOX, make_film(session))
    set_image_box(at.scu, list_image_boxes(film)[0], make_box(1))
    answer = print_instance(at.scu, BASIC_FILM_SESSION, session)
    assert answer.status == PrintStatus.SESSION_HAS_EMPTY_PAGE
    assert len(at.engine.printed[0][1]) == 2


def test_an_empty_page_is_a_warning_and_an_empty_session_a_failure(at: Dialogue) -> None:
    session, film = begin_film(at)
    assert print_instance(at.scu, BASIC_FILM_BOX, film.sop_instance_uid).status == PrintStatus.EMPTY_PAGE
    assert delete(at.scu, BASIC_FILM_BOX, film.sop_instance_uid).status == Status.SUCCESS
    assert print_instance(at.scu, BASIC_FILM_SESSION, session).status == PrintStatus.NO_FILM_BOX


def test_what_names_no_instance_means_the_last_one(at: Dialogue) -> None:
    begin_film(at)
    context = at.scu.contexts[0].context_id
    action = Command(CommandField.N_ACTION_RQ, RequestedSOPClassUID=BASIC_FILM_BOX, ActionTypeID=1)
    assert send_and_await(at.scu, context, action).command.Status == PrintStatus.EMPTY_PAGE
    for sop_class in (BASIC_FILM_BOX, BASIC_FILM_SESSION):
        removal = Command(CommandField.N_DELETE_RQ, RequestedSOPClassUID=sop_class)
        assert send_and_await(at.scu, context, removal).command.Status == Status.SUCCESS


def test_what_breaks_the_hierarchy_is_refused(at: Dialogue) -> None:
    assert create(at.scu, BASIC_FILM_BOX, make_film("1.2")).status == Status.INVALID_ATTRIBUTE_VALUE
    _, film = begin_film(at)
    assert create(at.scu, BASIC_FILM_SESSION, Dataset()).status == Status.DUPLICATE_SOP_INSTANCE
    assert create(at.scu, BASIC_FILM_BOX, Dataset()).status == Status.MISSING_ATTRIBUTE
    assert set_image_box(at.scu, list_image_boxes(film)[0], make_box(2)).status == Status.INVALID_ATTRIBUTE_VALUE
    assert set_image_box(at.scu, "1.2.3", make_box(1)).status == Status.NO_SUCH_SOP_INSTANCE
    assert create(at.scu, BASIC_GRAYSCALE_IMAGE_BOX, make_box(1)).status == Status.NO_SUCH_SOP_CLASS
    assert delete(at.scu, BASIC_FILM_SESSION, "1.2.3").status == Status.NO_SUCH_SOP_INSTANCE
    assert not at.engine.printed


def test_the_engine_decides_on_values(at: Dialogue) -> None:
    at.engine.refused[BASIC_FILM_SESSION] = Status.INVALID_ATTRIBUTE_VALUE
    assert create(at.scu, BASIC_FILM_SESSION, Dataset()).status == Status.INVALID_ATTRIBUTE_VALUE
    at.engine.refused.clear()
    at.engine.warned[BASIC_FILM_BOX] = PrintStatus.DENSITY_OUT_OF_RANGE
    _, film = begin_film(at)
    assert (film.status, len(list_image_boxes(film))) == (PrintStatus.DENSITY_OUT_OF_RANGE, 2)


def test_a_presentation_lut_belongs_to_films_that_refer_to_it() -> None:
    at = begin(BASIC_GRAYSCALE_PRINT_MANAGEMENT_META, PRESENTATION_LUT)
    shape, reference = Dataset(), Dataset()
    shape.PresentationLUTShape = "IDENTITY"
    lut = create(at.scu, PRESENTATION_LUT, shape).sop_instance_uid
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = PRESENTATION_LUT, lut
    session = create(at.scu, BASIC_FILM_SESSION, Dataset()).sop_instance_uid
    film = create(at.scu, BASIC_FILM_BOX, make_film(session, ReferencedPresentationLUTSequence=[reference]))
    print_instance(at.scu, BASIC_FILM_BOX, film.sop_instance_uid)
    sheet = at.engine.printed[0][1][0]
    assert sheet.presentation_lut is not None
    assert sheet.presentation_lut.PresentationLUTShape == "IDENTITY"
    assert delete(at.scu, PRESENTATION_LUT, "1.2.3").status == Status.NO_SUCH_SOP_INSTANCE
    assert delete(at.scu, BASIC_GRAYSCALE_IMAGE_BOX, lut).status == Status.NO_SUCH_SOP_INSTANCE
    assert delete(at.scu, PRESENTATION_LUT, lut).status == Status.SUCCESS
    again = create(at.scu, BASIC_FILM_BOX, make_film(session, ReferencedPresentationLUTSequence=[reference]))
    assert again.status == Status.INVALID_ATTRIBUTE_VALUE


@pytest.mark.parametrize("event", [*PrinterEvent, 77])
def test_a_report_is_taken_between_request_and_response(at: Dialogue, event: int) -> None:
    info = Dataset()
    info.PrinterStatusInfo = "SUPPLY LOW"
    at.engine.before = lambda channel: report_event(channel, PrinterEvent(event) if event < 4 else event, info)  # type: ignore[arg-type]
    assert create(at.scu, BASIC_FILM_SESSION, Dataset()).status == Status.SUCCESS
    assert at.events == [(event, "SUPPLY LOW")]


def test_two_associations_do_not_see_each_other() -> None:
    engine = Engine()
    contexts = [PresentationContext(1, BASIC_GRAYSCALE_PRINT_MANAGEMENT_META, EXPLICIT_VR_LITTLE_ENDIAN)]
    service = print_service(engine)
    first, _ = loopback_pair(contexts, [service])
    second, _ = loopback_pair(contexts, [service])
    session = create(first, BASIC_FILM_SESSION, Dataset()).sop_instance_uid
    assert create(second, BASIC_FILM_BOX, make_film(session)).status == Status.INVALID_ATTRIBUTE_VALUE
    assert create(second, BASIC_FILM_SESSION, Dataset()).status == Status.SUCCESS


def test_without_a_context_for_print_management_nothing_is_sent() -> None:
    scu, _ = loopback_pair([], [])
    with pytest.raises(NoPresentationContext, match="print management"):
        get_printer(scu, (PRINTER_STATUS, PRINTER_STATUS_INFO))
