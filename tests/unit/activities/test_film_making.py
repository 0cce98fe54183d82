"""Images as a printer takes them; composing and printing are tried with the device."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from openmodality.activities.film_making import _fit_printer
from openmodality.device.site.site_loader import load_site
from openmodality.objects.film import FilmImage

PEER = '[peers.film]\nae_title = "FILM"\nhost = "h"\nport = 104\nservices = ["print"]\n[printers.film]\n'
GREY = np.array([[0, 100, 255]], np.uint8)


@pytest.mark.parametrize(
    ("takes", "image", "pixels", "photometric"),
    [
        ("MONOCHROME2", FilmImage(1, GREY), GREY, "MONOCHROME2"),
        ("MONOCHROME1", FilmImage(1, GREY), 255 - GREY, "MONOCHROME1"),
        ("MONOCHROME1", FilmImage(1, GREY.astype(np.uint16), 12), 4095 - GREY.astype(np.uint16), "MONOCHROME1"),
        ("MONOCHROME1", FilmImage(1, np.stack([GREY] * 3, -1), 8, "RGB"), np.stack([GREY] * 3, -1), "RGB"),
    ],
)
def test_black_and_white_are_turned_for_a_printer_that_takes_it_so(
    tmp_path: Path, takes: str, image: FilmImage, pixels: np.ndarray, photometric: str
) -> None:
    (tmp_path / "site.toml").write_text(
        f'profile = "mr"\n{PEER}photometric_interpretation = "{takes}"\n', encoding="utf-8"
    )
    made = _fit_printer(image, load_site(tmp_path).printer("film"))
    assert made.photometric_interpretation == photometric
    assert np.array_equal(made.pixels, pixels)
    assert made.pixels.dtype == image.pixels.dtype
