"""Makes the picture of ``docs/objects-mr.md`` from a real run: images of the MR device as they are rendered.

Run as ``python -m tools.objects_picture``; it writes ``docs/images/objects-mr.png``.
"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image
from pydicom import Dataset, dcmread

from openmodality import Modality
from openmodality.acquisition.mr_protocol import SURVEY
from openmodality.acquisition.mr_simulator import MrSimulator
from openmodality.imaging.presented import draw_presented
from openmodality.imaging.preview import draw_preview
from openmodality.objects.state.marks import Graphic, Words
from openmodality.objects.state.presentation_state import Look
from openmodality.standard.sop_classes import ENHANCED_MR_IMAGE_STORAGE
from tools.demo_picture import GAP, IMAGES, TILE

_SITE: Final = 'profile = "mr"\n[network]\nbind_address = "127.0.0.1"\n'
_SECONDARY: Final = "1.2.840.10008.5.1.4.1.1.7"
_PATIENT: Final = {"PatientID": "1", "PatientName": "Doe^Jane"}


def make_pictures(folder: Path) -> list[Image.Image]:
    """An MR Image, the same under a presentation state, a Secondary Capture in colour, a frame of an enhanced image."""
    (folder / "site.toml").write_text(_SITE, encoding="utf-8")
    with Modality(folder / "site.toml", works=False) as modality:
        exam = modality.register(_PATIENT)
        exam.acquire(MrSimulator(SURVEY[1:2]))
        classic = [each.SOPInstanceUID for each in exam.instances()]
        middle = classic[len(classic) // 2]
        image = dcmread(modality.instance_path(middle))
        side = int(image.Columns) // 2
        marks = (
            Graphic("CIRCLE", ((side, side), (side * 1.4, side))),
            Words("ventricles", (side * 0.1, side * 0.2)),
        )
        window = (float(image.WindowCenter) * 0.8, float(image.WindowWidth) * 0.6)
        state = dcmread(modality.instance_path(exam.present([middle], Look(window=window, marks=marks))))
        grey = np.asarray(Image.open(io.BytesIO(draw_preview(image))).convert("L"))
        colour = np.stack([grey, (grey.astype(int) ** 2) // 255, grey // 3], axis=-1).astype(np.uint8)
        [captured] = exam.series("colour", sop_class_uid=_SECONDARY).add(colour)
        exam.acquire(MrSimulator(SURVEY[2:3], sop_class_uid=ENHANCED_MR_IMAGE_STORAGE))
        made = (dcmread(modality.instance_path(each.SOPInstanceUID)) for each in exam.instances())
        [enhanced] = [each for each in made if each.SOPClassUID == ENHANCED_MR_IMAGE_STORAGE]
        shown = draw_presented(state, image)
        return [
            _open(image),
            Image.fromarray(shown),
            _open(dcmread(modality.instance_path(captured))),
            _open(enhanced, int(enhanced.NumberOfFrames) // 2),
        ]


def _open(data_set: Dataset, number: int = 1) -> Image.Image:
    return Image.open(io.BytesIO(draw_preview(data_set, number=number)))


def main() -> None:
    """Put the pictures side by side and write them."""
    with tempfile.TemporaryDirectory() as name:
        pictures = make_pictures(Path(name))
    sheet = Image.new("RGB", (len(pictures) * (TILE + GAP) - GAP, TILE))
    for number, picture in enumerate(pictures):
        tile = picture.convert("RGB")
        tile.thumbnail((TILE, TILE), Image.Resampling.LANCZOS)
        sheet.paste(tile, (number * (TILE + GAP) + (TILE - tile.width) // 2, (TILE - tile.height) // 2))
    sheet.save(IMAGES / "objects-mr.png", optimize=True)


if __name__ == "__main__":
    main()
