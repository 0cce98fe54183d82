"""The media types of compressed frames (PS3.18 Tables 8.7.3-2 and 8.7.3-5), by transfer syntax."""

from __future__ import annotations

from typing import Final

from openmodality.standard.transfer_syntaxes import (
    HTJ2K,
    HTJ2K_LOSSLESS,
    HTJ2K_LOSSLESS_RPCL,
    JPEG_2000,
    JPEG_2000_LOSSLESS,
    JPEG_2000_MC,
    JPEG_2000_MC_LOSSLESS,
    JPEG_BASELINE_8BIT,
    JPEG_EXTENDED_12BIT,
    JPEG_LOSSLESS,
    JPEG_LOSSLESS_SV1,
    JPEG_LS_LOSSLESS,
    JPEG_LS_NEAR_LOSSLESS,
    JPEG_XL,
    JPEG_XL_JPEG_RECOMPRESSION,
    JPEG_XL_LOSSLESS,
    RLE_LOSSLESS,
)

OCTET_STREAM: Final = "application/octet-stream"
"""What has no media type of its own."""

MEDIA_TYPES: Final = {
    "image/jpeg": (JPEG_BASELINE_8BIT, JPEG_EXTENDED_12BIT, JPEG_LOSSLESS, JPEG_LOSSLESS_SV1),
    "image/jls": (JPEG_LS_LOSSLESS, JPEG_LS_NEAR_LOSSLESS),
    "image/jp2": (JPEG_2000_LOSSLESS, JPEG_2000),
    "image/jpx": (JPEG_2000_MC_LOSSLESS, JPEG_2000_MC),
    "image/jphc": (HTJ2K_LOSSLESS, HTJ2K_LOSSLESS_RPCL, HTJ2K),
    "image/jxl": (JPEG_XL_LOSSLESS, JPEG_XL_JPEG_RECOMPRESSION, JPEG_XL),
    "image/dicom-rle": (RLE_LOSSLESS,),
}

_BY_SYNTAX: Final = {uid: name for name, uids in MEDIA_TYPES.items() for uid in uids}


def find_media_type(transfer_syntax: str) -> str:
    """The media type of a frame as it is stored."""
    return _BY_SYNTAX.get(transfer_syntax, OCTET_STREAM)
