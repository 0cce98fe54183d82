"""Series of multi-frame images: what is handed over together becomes one Enhanced MR Image (PS3.3 A.36.2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Final

from openmodality.acquisition.source import AcquiredFrame
from openmodality.device.site.site import Site
from openmodality.errors import ObjectInvalid
from openmodality.exam.facts import describe_exam, describe_series
from openmodality.exam.instances import keep_instance
from openmodality.exam.producers.images import ImageMaker, UidOf
from openmodality.objects.exam_facts import InstanceFacts
from openmodality.objects.image.enhanced_mr import EnhancedFrame, build_enhanced_mr
from openmodality.objects.image.pixel_rules import PixelRules
from openmodality.objects.site_objects import make_definition
from openmodality.store.listing.exams import ExamRecord, SeriesRecord, StepRecord
from openmodality.store.local import LocalStore

ENHANCED_MR: Final = "Enhanced MR Image"


class EnhancedImageMaker(ImageMaker):
    """Builds one image of all frames that are handed over together, numbered as the images of the series are."""

    def __init__(
        self, site: Site, store: LocalStore, exam: ExamRecord, step: StepRecord | None, series: SeriesRecord
    ) -> None:
        super().__init__(site, store, exam, step, series)
        self._definition = make_definition(site, series.object_name)
        self._exam, self._series = describe_exam(site, exam, step), describe_series(series)
        self._made = 0

    @property
    def pixel_rules(self) -> PixelRules:
        """What the object allows of its pixels: they are scaled frame by frame, in a functional group."""
        return replace(super().pixel_rules, has_rescale=True)

    def make(self, number: int, frame: AcquiredFrame, uid: str = "") -> str:
        """Build an image of one frame. Raises what :meth:`make_together` raises."""
        [made] = self.make_together([(number, frame)], lambda _: uid)
        return made

    def make_together(self, frames: Iterable[tuple[int, AcquiredFrame]], uid_of: UidOf) -> list[str]:
        """Build one image of these frames, by their numbers, and store it; its SOP Instance UID, alone.

        Raises :class:`ObjectInvalid` where the frames do not go into one image or a mandatory attribute has no value,
        :class:`StoreError` where there is no room, and :class:`UsageError` where the exam has ended meanwhile.
        """
        ordered = sorted(frames, key=lambda numbered: numbered[0])
        if not ordered:
            raise ObjectInvalid(f"{self.object_name}: there is no frame")
        uid = uid_of(ordered[0][0]) or self._uids.new()
        now = datetime.fromtimestamp(self._store.database.clock())
        image = build_enhanced_mr(
            self._definition,
            self._exam,
            self._series,
            InstanceFacts(uid, self._made + 1, now),
            [EnhancedFrame(frame.pixels, frame.attributes) for _, frame in ordered],
            self._uids.derived(f"{uid}/dimensions"),
        )
        keep_instance(self._site, self._store, image, self._check)
        self._made += 1
        return [uid]


def make_image_maker(
    site: Site, store: LocalStore, exam: ExamRecord, step: StepRecord | None, series: SeriesRecord
) -> ImageMaker:
    """What builds the images of a series, by its object."""
    kind = EnhancedImageMaker if series.object_name == ENHANCED_MR else ImageMaker
    return kind(site, store, exam, step, series)


def makes_one_image(maker: ImageMaker) -> bool:
    """Whether frames that are handed over together become one image."""
    return isinstance(maker, EnhancedImageMaker)
