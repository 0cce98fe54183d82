"""Compressed files made uncompressed, for a peer that takes nothing else (PS3.5 Annex A)."""

from __future__ import annotations

import warnings
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from pydicom.uid import ExplicitVRLittleEndian

from openmodality.dimse.file_reading import read_bounded_file
from openmodality.errors import ObjectInvalid
from openmodality.imaging.decoded_size import check_decoded_size
from openmodality.imaging.frames import count_frames


def decompress_file(path: Path) -> BinaryIO:
    """A Part 10 file in Explicit VR Little Endian, in memory.

    The SOP Instance UID stays: decompression of what was compressed changes no pixel (PS3.4 B.4.1 forbids a new UID
    for a mere change of transfer syntax). Raises :class:`ObjectInvalid` naming the file where no decoder can read it.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pydicom's quote values
            return _open_decompressed(path)
    except ObjectInvalid as error:
        raise ObjectInvalid(f"{path}: {error.message}", advice=error.advice) from error
    except Exception as error:
        raise ObjectInvalid(
            f"{path}: cannot be decompressed for a peer that takes only uncompressed data: {type(error).__name__}",
            advice="let the peer accept the transfer syntax of the file, or convert the file first",
        ) from error


def _open_decompressed(path: Path) -> BinaryIO:
    data_set = read_bounded_file(path)
    if data_set.file_meta.TransferSyntaxUID.is_deflated or "PixelData" not in data_set:
        data_set.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian  # else the data set is in it as it is (PS3.5 A.4)
    else:
        check_decoded_size(data_set, frames=count_frames(data_set))
        data_set.decompress(generate_instance_uid=False)
    buffer = BytesIO()
    data_set.save_as(buffer, enforce_file_format=True)
    buffer.seek(0)
    return buffer
