"""Pictures of instances for people to look at."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from openmodality.dimse.file_reading import read_bounded_file
from openmodality.errors import StoreError
from openmodality.imaging.preview import draw_preview
from openmodality.store.listing.entities import Found

if TYPE_CHECKING:
    from openmodality.app.modality import Modality

LONGEST_SIDE: Final = 512


def write_previews(
    modality: Modality, study: str, folder: Path, progress: Callable[[int, int], None] = lambda done, total: None
) -> list[Path]:
    """A PNG of each image of a study, named by series, series description and instance number; what has no picture is
    left out.
    """
    found = modality.instances(StudyInstanceUID=study)
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number, each in enumerate(found, 1):
            data_set = read_bounded_file(modality.instance_path(each["SOPInstanceUID"]))
            if "PixelData" in data_set:  # a dose report has no picture
                path = folder / f"{_name(each)}.png"
                path.write_bytes(draw_preview(data_set, longest_side=LONGEST_SIDE))
                written.append(path)
            progress(number, len(found))
    except OSError as error:
        raise StoreError(f"cannot write pictures to {folder}: {error.strerror}") from error
    return written


def _name(image: Found) -> str:
    series = re.sub(r"[^A-Za-z0-9]+", "-", image["SeriesDescription"]).strip("-") or "series"
    return f"{image['SeriesNumber'].zfill(3)}_{series}_{image['InstanceNumber'].zfill(3)}"
