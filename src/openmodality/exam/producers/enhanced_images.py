"""Series of multi-frame images: what is handed over together becomes one Enhanced MR Image (PS3.3 A.36.2).

Where a peer of the site gets enhanced images only if it accepts them, the classic series of the same frames is made
with them, in one transaction: so both are in the performed step, and neither is made anew when a job needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from io import BytesIO
from math import ceil
from typing import Final

from pydicom.filereader import read_dataset
from pydicom.tag import Tag

import openmodality.dimse.pydicom_settings  # noqa: F401 - its import is the act
from openmodality.acquisition.source import AcquiredFrame
from openmodality.activities.enhanced_forms import name_classic_series
from openmodality.device.site.site import Site
from openmodality.dimse.reading import is_filled
from openmodality.errors import ObjectInvalid
from openmodality.exam.facts import describe_exam, describe_series
from openmodality.exam.instances import keep_together
from openmodality.exam.producers.images import ImageMaker, UidOf, differs, find_next_number
from openmodality.objects.exam_facts import InstanceFacts
from openmodality.objects.image.enhanced_mr import (
    EnhancedFrame,
    EnhancedUids,
    encode_enhanced_mr,
    find_known_tags,
    find_tags_of_whole,
    find_taken_terms,
)
from openmodality.objects.image.enhanced_values import OF_ALL_FRAMES, SAID_OTHERWISE
from openmodality.objects.image.pixel_rules import PixelRules
from openmodality.objects.image.unstated import list_unstated, read_beginning
from openmodality.objects.rules.template import EncodedInstance
from openmodality.objects.rules.terms import has_other_term
from openmodality.objects.site_objects import make_definition
from openmodality.standard.sop_classes import MR_IMAGE_STORAGE
from openmodality.standard.tags import IMAGE_TYPE, PIXEL_DATA, SOP_INSTANCE_UID, SPECIFIC_CHARACTER_SET
from openmodality.store.listing.exams import ExamRecord, SeriesRecord, StepRecord, read_exam
from openmodality.store.local import LocalStore
from openmodality.store.rows.exams import add_series
from openmodality.store.transaction import Transaction

ENHANCED_MR: Final = "Enhanced MR Image"
_BYTES_A_MEGABYTE: Final = 1_000_000


class EnhancedImageMaker(ImageMaker):
    """Builds one image of all frames that are handed over together, numbered as the images of the series are."""

    def __init__(
        self, site: Site, store: LocalStore, exam: ExamRecord, step: StepRecord | None, series: SeriesRecord
    ) -> None:
        super().__init__(site, store, exam, step, series)
        self._definition = make_definition(site, series.object_name)
        self._exam, self._series = describe_exam(site, exam, step), describe_series(series)
        self._made = 0
        self._frames_made = 0
        self._known = find_known_tags(self._definition)
        self._of_whole = find_tags_of_whole(self._definition)
        self._terms = find_taken_terms(self._definition)
        self._make_classic: Callable[[], ImageMaker] | None = None
        if needs_classic(site):
            self._make_classic = lambda: self._begin_classic(exam, step, series)
        self._classic: ImageMaker | None = None
        self._planned: SeriesRecord | None = None
        self._exam_id = exam.id

    @property
    def pixel_rules(self) -> PixelRules:
        """What the object allows of its pixels: they are scaled frame by frame, in a functional group."""
        return replace(super().pixel_rules, has_rescale=True)

    def make(self, number: int, frame: AcquiredFrame, uid: str = "") -> str:
        """Build an image of one frame. Raises what :meth:`make_together` raises."""
        return self.make_together([(number, frame)], lambda _: uid)[0]

    def make_together(self, frames: Iterable[tuple[int, AcquiredFrame]], uid_of: UidOf) -> list[str]:
        """Build one image of these frames, by their numbers, and store it; the SOP Instance UIDs of its instances.

        There are several where it is larger than the site allows, a concatenation. Raises :class:`ObjectInvalid` where
        the frames do not go into one image or a mandatory attribute has no value, :class:`StoreError` where there is no
        room, and :class:`UsageError` where the exam has ended meanwhile.
        """
        ordered = [frame for _, frame in sorted(frames, key=lambda numbered: numbered[0])]
        if not ordered:
            raise ObjectInvalid(f"{self.object_name}: there is no frame")
        uid = uid_of(1) or self._uids.new()
        made: list[str] = []
        try:
            keep_together(self._site, self._store, self._encode_all(uid, ordered, made), self._add_classic_series)
        except BaseException:
            self._classic = self._classic if self._planned is None else None  # its number may be taken meanwhile
            raise
        self._planned = None
        self._made += 1
        self._frames_made += len(ordered)
        self._note_unplaced(ordered)
        return made

    def _encode_all(self, uid: str, frames: Sequence[AcquiredFrame], made: list[str]) -> Iterator[EncodedInstance]:
        now = datetime.fromtimestamp(self._store.database.clock())
        enhanced = encode_enhanced_mr(
            self._definition,
            self._exam,
            self._series,
            InstanceFacts(uid, self._made + 1, now),
            [EnhancedFrame(frame.pixels, frame.attributes) for frame in frames],
            self._make_uids(uid, frames),
        )
        for instance in enhanced:
            if not made:
                self._note_other_values(frames[0], instance)
                self.note_unstated(list_unstated(read_beginning(instance)))
            made.append(instance.read_uid(SOP_INSTANCE_UID))
            yield instance
        if self._make_classic is not None:
            self._classic = self._classic or self._make_classic()
            for number, frame in enumerate(frames, 1):
                classic_uid = self._uids.derived(f"{uid}/classic/{number}")
                yield self._classic.encode(self._frames_made + number, frame, classic_uid)

    def _make_uids(self, uid: str, frames: Sequence[AcquiredFrame]) -> EnhancedUids:
        """The UIDs that follow from that of the image; those of the parts where it is too large."""
        size = sum(frame.pixels.nbytes for frame in frames)
        count = ceil(size / (self._site.settings.enhanced.concatenation_mb * _BYTES_A_MEGABYTE))
        parts = [self._uids.derived(f"{uid}/part {number}") for number in range(1, count + 1)] if count > 1 else []
        return EnhancedUids(
            self._uids.derived(f"{uid}/dimensions"), self._uids.derived(f"{uid}/concatenation"), tuple(parts)
        )

    def _begin_classic(self, exam: ExamRecord, step: StepRecord | None, series: SeriesRecord) -> ImageMaker:
        """What builds the images of the classic series, which goes on record with the first of them."""
        uid = name_classic_series(self._uids, series.series_instance_uid)
        with self._store.read() as snapshot:
            known = read_exam(snapshot, exam.id)
        record = next((each for each in known.series if each.series_instance_uid == uid), None)
        if record is None:
            name = next(item.name for item in self._site.profile.objects if item.sop_class_uid == MR_IMAGE_STORAGE)
            number = find_next_number(self._site, known)
            record = replace(series, series_instance_uid=uid, number=number, object_name=name)
            self._planned = record
        return ImageMaker(self._site, self._store, known, step, record)

    def _add_classic_series(self, transaction: Transaction) -> None:
        """Raises :class:`UsageError` where the exam takes no images; the classic series is on record when they are."""
        self._check(transaction)
        if self._planned is not None:
            add_series(transaction, self._exam_id, self._planned)

    def _note_other_values(self, frame: AcquiredFrame, instance: EncodedInstance) -> None:
        """Name what was stated and the image says otherwise of exam, device or pixels."""
        stated = {element.tag: element for element in (*self._series.attributes, *frame.stated) if element.VR != "SQ"}
        asked = sorted((stated.keys() & instance.tags.keys()) - SAID_OTHERWISE - _MADE_OF_FRAMES)
        tags = [tag for tag in (SPECIFIC_CHARACTER_SET, *asked) if tag in instance.tags]
        encoded = b"".join(bytes(instance.parts[instance.tags[tag]]) for tag in dict.fromkeys(sorted(tags)))
        made = read_dataset(BytesIO(encoded), is_implicit_VR=False, is_little_endian=True)
        differing = [stated[tag] for tag in asked if differs(stated[tag], made)]
        self.note_overridden([each.keyword for each in differing if not has_other_term(each, self._terms)])
        # A derived image has no module that tells how it was acquired.
        absent = sorted((stated.keys() & self._of_whole) - instance.tags.keys() - SAID_OTHERWISE)
        self.note_left_out([stated[tag].keyword for tag in absent if is_filled(stated[tag])])

    def _note_unplaced(self, frames: Sequence[AcquiredFrame]) -> None:
        """Name what was stated and has no place in the image or its functional groups, or a value that it has not."""
        names = {element.keyword for frame in frames[:1] for element in frame.stated if element.tag not in self._known}
        names |= {element.keyword for element in self._series.attributes if element.tag not in self._known}
        for stated in (self._series.attributes, *(frame.stated for frame in frames)):
            held = stated.keys() & self._terms.keys()
            names |= {stated[tag].keyword for tag in held if has_other_term(stated[tag], self._terms)}
        self.note_left_out(sorted(filter(None, names)))


_MADE_OF_FRAMES: Final = frozenset((IMAGE_TYPE, PIXEL_DATA, *map(Tag, OF_ALL_FRAMES)))
"""What an image says by what its frames say."""


def needs_classic(site: Site) -> bool:
    """Whether a peer of the site may have to get the classic series instead of enhanced images."""
    makes = any(item.sop_class_uid == MR_IMAGE_STORAGE for item in site.profile.objects)
    return makes and any(peer.settings.enhanced_or_classic for peer in site.peers_for("storage"))


def make_image_maker(
    site: Site, store: LocalStore, exam: ExamRecord, step: StepRecord | None, series: SeriesRecord
) -> ImageMaker:
    """What builds the images of a series, by its object."""
    kind = EnhancedImageMaker if series.object_name == ENHANCED_MR else ImageMaker
    return kind(site, store, exam, step, series)


def makes_one_image(maker: ImageMaker) -> bool:
    """Whether frames that are handed over together become one image."""
    return isinstance(maker, EnhancedImageMaker)
