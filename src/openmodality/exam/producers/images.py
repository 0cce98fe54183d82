"""Makes series and images: what a source acquired becomes instances of the profile's objects, in the local store."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from fnmatch import fnmatchcase
from functools import partial

from pydicom import Dataset
from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import DataElement

from openmodality.acquisition.source import AcquiredFrame, AcquiredSeries
from openmodality.device.profile.profile import InformationObject
from openmodality.device.site.site import Site
from openmodality.dimse.reading import is_filled, values_of
from openmodality.encoding.headers import format_tag
from openmodality.errors import ObjectInvalid, UsageError
from openmodality.exam.facts import describe_exam, describe_series
from openmodality.exam.instances import keep_encoded, keep_together
from openmodality.objects.exam_facts import InstanceFacts
from openmodality.objects.image.image import ImageBuilder
from openmodality.objects.image.pixel_rules import PixelRules
from openmodality.objects.irradiation.image_attributes import merge_exposure
from openmodality.objects.rules.template import EncodedInstance
from openmodality.objects.site_objects import find_uid_maker, make_definition
from openmodality.standard.sop_classes import ENHANCED_MR_IMAGE_STORAGE
from openmodality.standard.tags import SOP_INSTANCE_UID
from openmodality.store.data_set_json import from_json, to_json
from openmodality.store.listing.exams import ExamRecord, SeriesRecord, StepRecord
from openmodality.store.local import LocalStore
from openmodality.store.rows.exams import TakesImages
from openmodality.store.rows.irradiation import add_image
from openmodality.store.transaction import Transaction
from openmodality.value_class import dataclass

_log = logging.getLogger(__name__)
UidOf = Callable[[int], str]
"""The SOP Instance UID of an image by its Instance Number; empty for a new one."""


@dataclass(frozen=True, slots=True)
class ImageSeriesPlan:
    """A series of images. Fulfils :class:`openmodality.exam.producers.producer.SeriesPlan`.

    ``series_instance_uid`` is given where the series was planned before.
    """

    description: str
    modality: str = ""
    sop_class_uid: str = ""
    images: int = 1
    attributes: Dataset | None = None
    series_instance_uid: str = ""

    @classmethod
    def of(cls, acquired: AcquiredSeries, series_instance_uid: str = "") -> ImageSeriesPlan:
        """The plan of a series that a source hands over."""
        return cls(
            acquired.description,
            acquired.modality,
            acquired.sop_class_uid,
            acquired.number_of_frames,
            acquired.attributes,
            series_instance_uid,
        )

    @classmethod
    def beside(cls, site: Site, record: SeriesRecord, what: str, series_instance_uid: str = "") -> ImageSeriesPlan:
        """The plan of a series like another, with ``what`` added to its description."""
        description = f"{record.description} {what}".strip()
        sop_class_uid = site.profile.find_object(record.object_name).sop_class_uid
        attributes = from_json(record.attributes)
        return cls(description, record.modality, sop_class_uid, record.images, attributes, series_instance_uid)

    def make_record(self, site: Site, exam: ExamRecord, step: StepRecord | None, at: float) -> SeriesRecord:
        """A series with the next free number of those with images, and with a new UID where none is given.

        Raises :class:`UsageError` where the device makes no images.
        """
        uids = find_uid_maker(site)
        chosen = choose_object(site, self)
        return SeriesRecord(
            series_instance_uid=self.series_instance_uid or uids.new(),
            number=find_next_number(site, exam),
            object_name=chosen.name,
            modality=chosen.modality,
            description=self.description,
            started=at,
            step_uid=step.sop_instance_uid if step else "",
            frame_of_reference_uid=uids.derived(f"{exam.study_instance_uid}/{exam.id}/frame of reference"),
            images=self.images,
            attributes=to_json(self.attributes or Dataset()),
        )


def find_next_number(site: Site, exam: ExamRecord) -> int:
    """The next free Series Number of those with images; documents have numbers of their own."""
    image_objects = {item.name for item in site.profile.objects if item.is_image}
    return max((series.number for series in exam.series if series.object_name in image_objects), default=0) + 1


def choose_object(site: Site, plan: ImageSeriesPlan) -> InformationObject:
    """Which object of the profile the images become.

    It is the one of the SOP class, else the one that the site has for the protocol, else the first of the modality,
    else the device's first.
    Raises :class:`UsageError` where the device makes no images.
    """
    images = [item for item in site.profile.objects if item.is_image]
    same_class = [item for item in images if item.sop_class_uid == plan.sop_class_uid]
    same_modality = [item for item in images if item.modality == plan.modality]
    found = same_class or _find_enhanced(site, plan, images) or same_modality or images
    if not found:
        raise UsageError(f"profile {site.profile.name} has no image object")
    return found[0]


def _find_enhanced(site: Site, plan: ImageSeriesPlan, images: Sequence[InformationObject]) -> list[InformationObject]:
    """The enhanced object, for a protocol whose images the site has made so."""
    stated = plan.attributes.get("ProtocolName") if plan.attributes is not None else None
    names = [str(name) for name in (stated, plan.description) if name]
    patterns = site.settings.enhanced.protocols
    if plan.modality not in ("", "MR") or not any(fnmatchcase(name, each) for name in names for each in patterns):
        return []
    return [item for item in images if item.sop_class_uid == ENHANCED_MR_IMAGE_STORAGE]


def choose_colour_object(site: Site, series: SeriesRecord) -> SeriesRecord:
    """The series with the object of the device that holds colour. Raises :class:`ObjectInvalid` where it has none."""
    for item in site.profile.objects:
        if item.is_image and PixelRules.of(make_definition(site, item.name)).has_colour:
            return replace(series, object_name=item.name, modality=item.modality)
    raise ObjectInvalid(
        f"pixels have colour, and {site.profile.title} makes grey images only", advice="hand over one value a pixel"
    )


class ImageMaker:
    """Builds the images of one series and stores them, as long as the step of the series is in progress.

    Of what was stated for the images, ``left_out`` are the keywords that their objects have no place for, and
    ``overridden`` those for which their objects have other values: of the exam, the device or the pixels. ``unstated``
    are those that the objects require and nobody has stated, so that they say 0.
    """

    def __init__(
        self, site: Site, store: LocalStore, exam: ExamRecord, step: StepRecord | None, series: SeriesRecord
    ) -> None:
        self._check = TakesImages(exam.id, series.step_uid).check
        self._site = site
        self._store = store
        self._uids = find_uid_maker(site)
        self.object_name = series.object_name
        self.left_out: list[str] = []
        self.overridden: list[str] = []
        self.unstated: list[str] = []
        self._stated = _index_by_keyword(describe_series(series).attributes)
        definition = make_definition(site, series.object_name)
        self._images = ImageBuilder(definition, describe_exam(site, exam, step), describe_series(series))

    @property
    def pixel_rules(self) -> PixelRules:
        """What the object of the series allows of its pixels."""
        return self._images.pixel_rules

    def make(self, number: int, frame: AcquiredFrame, uid: str = "") -> str:
        """Build an image and store it; its SOP Instance UID. The image is safe when this returns.

        What was stated and is not in the object as it was stated is added to ``left_out`` or ``overridden``.

        Raises :class:`ObjectInvalid` where a mandatory attribute has no value, or the pixels do not fit the object,
        :class:`StoreError` where there is no room, and :class:`UsageError` where the exam has ended meanwhile.
        """
        encoded = self.encode(number, frame, uid)
        keep_encoded(self._site, self._store, encoded, self._check)
        return encoded.read_uid(SOP_INSTANCE_UID)

    def make_exposed(self, number: int, frame: AcquiredFrame, uid: str, exposure: Dataset) -> str:
        """Build and store an image as :meth:`make` does, with what the irradiation event on record says of it.

        That goes before what its source says; the image is noted with its event.
        """
        exposed = replace(frame, attributes=merge_exposure(frame.attributes, exposure))
        encoded = self.encode(number, exposed, uid)
        made = encoded.read_uid(SOP_INSTANCE_UID)
        check = partial(self._check_exposed, str(exposure.IrradiationEventUID), made)
        keep_encoded(self._site, self._store, encoded, check)
        return made

    def make_together(self, frames: Iterable[tuple[int, AcquiredFrame]], uid_of: UidOf) -> list[str]:
        """Build and store images with these Instance Numbers, all of them or none; their UIDs in that order.

        The images of frames with an irradiation event, which is on record already, are noted with it. Raises as
        :meth:`make` does.
        """
        uids: dict[int, str] = {}
        exposed: dict[str, str] = {}

        def encode() -> Iterator[EncodedInstance]:
            for number, frame in frames:
                encoded = self.encode(number, frame, uid_of(number))
                uids[number] = encoded.read_uid(SOP_INSTANCE_UID)
                if frame.irradiation is not None:
                    exposed[uids[number]] = frame.irradiation.uid
                yield encoded

        def check(transaction: Transaction) -> None:
            self._check(transaction)
            for instance_uid, event_uid in exposed.items():
                add_image(transaction, event_uid, instance_uid)

        keep_together(self._site, self._store, encode(), check)
        return [uids[number] for number in sorted(uids)]

    def encode(self, number: int, frame: AcquiredFrame, uid: str) -> EncodedInstance:
        """An image, encoded and not stored; raises :class:`ObjectInvalid` as :meth:`make` does."""
        now = datetime.fromtimestamp(self._store.database.clock())
        instance = InstanceFacts(uid or self._uids.new(), number, now)
        encoded, data_set = self._images.encode(instance, frame.pixels, frame.attributes)
        if data_set is not None:
            self._note_lost(self._stated | _index_by_keyword(frame.stated), data_set)
        return encoded

    def _note_lost(self, stated: Mapping[str, DataElement], data_set: Dataset) -> None:
        """Note once for the series what a person or a program stated and an image does not say."""
        known = {*self.left_out, *self.overridden}
        new = [(keyword, element) for keyword, element in sorted(stated.items()) if keyword not in known]
        overridden = [keyword for keyword, element in new if element.tag in data_set and differs(element, data_set)]
        absent = [keyword for keyword, element in new if element.tag not in data_set and is_filled(element)]
        lost = [keyword for keyword in absent if not self._is_repeated(keyword, data_set)]
        self.note_left_out([*lost, *list_lost_in_items(dict(new), data_set)])
        self.note_overridden(overridden)

    def note_left_out(self, keywords: Sequence[str]) -> None:
        """Note what was stated and the object has no place for, once."""
        new = [keyword for keyword in keywords if keyword not in self.left_out]
        self.left_out += new
        self._warn("image.attributes_left_out", new)

    def note_overridden(self, keywords: Sequence[str]) -> None:
        """Note what was stated and the object says otherwise, once."""
        new = [keyword for keyword in keywords if keyword not in self.overridden]
        self.overridden += new
        self._warn("image.attributes_overridden", new)

    def note_unstated(self, keywords: Sequence[str]) -> None:
        """Note what the object says as 0 because nobody has stated it, once."""
        new = [keyword for keyword in keywords if keyword not in self.unstated]
        self.unstated += new
        self._warn("image.attributes_unstated", new)

    def _is_repeated(self, keyword: str, data_set: Dataset) -> bool:
        """Whether a private attribute says what the object has no standard attribute for."""
        return any(tag in data_set for _, tag, _ in self._images.mirrors.get(tag_for_keyword(keyword) or 0, ()))

    def _warn(self, event: str, keywords: Sequence[str]) -> None:
        if keywords:
            _log.warning(event, extra={"object": self.object_name, "keywords": ", ".join(keywords)})

    def _check_exposed(self, event_uid: str, instance_uid: str, transaction: Transaction) -> None:
        self._check(transaction)
        add_image(transaction, event_uid, instance_uid)


def _index_by_keyword(stated: Dataset) -> dict[str, DataElement]:
    """What was stated, by keyword; private attributes by their tags."""
    elements = {element.keyword or format_tag(int(element.tag)): element for element in stated}
    return {name: each for name, each in elements.items() if not each.tag.is_private_creator}


def list_lost_in_items(stated: Mapping[str, DataElement], data_set: Dataset) -> Iterator[str]:
    """The keywords that were stated in items of sequences and that the object has no place for, such as ``A.B``."""
    for keyword, element in stated.items():
        if element.VR != "SQ" or element.tag not in data_set:
            continue
        for given, made in zip(element.value, data_set[element.tag].value, strict=False):
            inner = _index_by_keyword(given)
            lost = [name for name, each in inner.items() if each.tag not in made and is_filled(each)]
            yield from dict.fromkeys(f"{keyword}.{name}" for name in (*lost, *list_lost_in_items(inner, made)))


def differs(stated: DataElement, data_set: Dataset) -> bool:
    """Whether an object has another value than the one stated, if that is not empty; items are not compared."""
    if stated.VR == "SQ" or not is_filled(stated):
        return False
    return values_of(stated) != values_of(data_set[stated.tag])
