"""Whether a scheduled step is for a device like this one: its Modality (0008,0060) against what the device makes.

A RIS that does not match the modality of a query sends the items of all devices. An exam for one of another modality is
started all the same, since codes differ between hospitals (CR, DX and RF for one room), and the person is told.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from typing import Final

from pydicom.dataset import Dataset

from openmodality.device.profile.profile import Profile
from openmodality.dimse.reading import read_items, read_text
from openmodality.errors import UsageError
from openmodality.standard.sop_classes import describe_storage
from openmodality.standard.tags import MODALITY, SCHEDULED_PROCEDURE_STEP_SEQUENCE

_log: Final = logging.getLogger(__name__)


def list_modalities(profile: Profile) -> tuple[str, ...]:
    """The modalities of the images that the device makes, in the order of its profile."""
    return tuple(dict.fromkeys(each.modality for each in profile.objects if each.is_image))


def check_asked_for(profile: Profile, modality: str, sop_class_uid: str) -> None:
    """Raises :class:`UsageError` where a program asks for a modality that the device does not make; empty means any."""
    made = {str(each.sop_class_uid) for each in profile.objects if each.is_image}
    if sop_class_uid and sop_class_uid not in made:
        raise UsageError(
            f"this device makes no {describe_storage(sop_class_uid)}",
            advice=f"it makes {', '.join(describe_storage(uid) for uid in sorted(made)) or 'no images'}",
        )
    own = list_modalities(profile)
    if modality and modality not in own:
        raise UsageError(
            f"this device makes no images of modality {modality}", advice=f"it makes {', '.join(own) or 'no images'}"
        )


def warn_of_other_modality(asked: str, made: str) -> None:
    """Log that images are made of another modality than their source states; empty where it states none."""
    if asked and asked != made:
        _log.warning("series.other_modality", extra={"kind": asked, "result": made})


def describe_other_modalities(profile: Profile, items: Iterable[tuple[int, Dataset]]) -> Iterator[str]:
    """What the operator is told of items that are scheduled for a device of another kind; items with their numbers."""
    own = list_modalities(profile)
    for number, item in items:
        scheduled = {read_text(step, MODALITY) for step in read_items(item, SCHEDULED_PROCEDURE_STEP_SEQUENCE)}
        for modality in sorted(scheduled - {"", *own} if own else ()):
            yield (
                f"worklist item {number} is scheduled for modality {modality}, and this device makes"
                f" {', '.join(own)}: is it the right item?"
            )
