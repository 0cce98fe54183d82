"""Small grey images for the tests of the renderer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian


def grey_image(pixels: NDArray[np.generic], **values: object) -> Dataset:
    """An image of unsigned or signed 16 bit pixels, 12 of them stored, shape (rows, columns) or (frames, …)."""
    data_set = Dataset()
    data_set.file_meta = FileMetaDataset()
    data_set.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data_set.SamplesPerPixel, data_set.PhotometricInterpretation = 1, "MONOCHROME2"
    data_set.Rows, data_set.Columns = pixels.shape[-2:]
    if pixels.ndim == 3:
        data_set.NumberOfFrames = pixels.shape[0]
    data_set.BitsAllocated, data_set.BitsStored, data_set.HighBit = 16, 12, 11
    data_set.PixelRepresentation = int(pixels.dtype.kind == "i")
    data_set.add_new(0x7FE00010, "OW", pixels.astype("<i2" if pixels.dtype.kind == "i" else "<u2").tobytes())
    for keyword, value in values.items():
        setattr(data_set, keyword, value)
    return data_set


RAMP = np.array([[0, 1000], [2000, 4095]], dtype=np.uint16)


def colour_image(pixels: NDArray[np.uint8]) -> Dataset:
    """An image of RGB, shape (rows, columns, 3)."""
    data_set = grey_image(np.zeros(pixels.shape[:2], dtype=np.uint16), PixelData=b"")
    data_set.SamplesPerPixel, data_set.PhotometricInterpretation, data_set.PlanarConfiguration = 3, "RGB", 0
    data_set.BitsAllocated, data_set.BitsStored, data_set.HighBit = 8, 8, 7
    data_set.add_new(0x7FE00010, "OB", pixels.tobytes())
    return data_set
