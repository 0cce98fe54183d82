"""Transfer syntaxes: PS3.6 Table A-1, with the encoding that PS3.5 Annex A gives each of them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from openmodality.value_class import value_class


@value_class
class TransferSyntax:
    """How a data set is encoded (PS3.5 10): ``deflated`` all of it, ``encapsulated`` the pixel data only."""

    uid: str
    name: str
    explicit: bool = True
    big_endian: bool = False
    encapsulated: bool = True
    deflated: bool = False


IMPLICIT_VR_LITTLE_ENDIAN: Final = "1.2.840.10008.1.2"
EXPLICIT_VR_LITTLE_ENDIAN: Final = "1.2.840.10008.1.2.1"
ENCAPSULATED_UNCOMPRESSED_EXPLICIT_VR_LITTLE_ENDIAN: Final = "1.2.840.10008.1.2.1.98"
DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN: Final = "1.2.840.10008.1.2.1.99"
EXPLICIT_VR_BIG_ENDIAN: Final = "1.2.840.10008.1.2.2"
JPEG_BASELINE_8BIT: Final = "1.2.840.10008.1.2.4.50"
JPEG_EXTENDED_12BIT: Final = "1.2.840.10008.1.2.4.51"
JPEG_LOSSLESS: Final = "1.2.840.10008.1.2.4.57"
JPEG_LOSSLESS_SV1: Final = "1.2.840.10008.1.2.4.70"
JPEG_LS_LOSSLESS: Final = "1.2.840.10008.1.2.4.80"
JPEG_LS_NEAR_LOSSLESS: Final = "1.2.840.10008.1.2.4.81"
JPEG_2000_LOSSLESS: Final = "1.2.840.10008.1.2.4.90"
JPEG_2000: Final = "1.2.840.10008.1.2.4.91"
JPEG_2000_MC_LOSSLESS: Final = "1.2.840.10008.1.2.4.92"
JPEG_2000_MC: Final = "1.2.840.10008.1.2.4.93"
JPIP_REFERENCED: Final = "1.2.840.10008.1.2.4.94"
JPIP_REFERENCED_DEFLATE: Final = "1.2.840.10008.1.2.4.95"
MPEG2_MPML: Final = "1.2.840.10008.1.2.4.100"
MPEG2_MPHL: Final = "1.2.840.10008.1.2.4.101"
MPEG4_HP41: Final = "1.2.840.10008.1.2.4.102"
MPEG4_HP41_BD: Final = "1.2.840.10008.1.2.4.103"
MPEG4_HP42_2D: Final = "1.2.840.10008.1.2.4.104"
MPEG4_HP42_3D: Final = "1.2.840.10008.1.2.4.105"
MPEG4_HP42_STEREO: Final = "1.2.840.10008.1.2.4.106"
HEVC_MP51: Final = "1.2.840.10008.1.2.4.107"
HEVC_M10P51: Final = "1.2.840.10008.1.2.4.108"
JPEG_XL_LOSSLESS: Final = "1.2.840.10008.1.2.4.110"
JPEG_XL_JPEG_RECOMPRESSION: Final = "1.2.840.10008.1.2.4.111"
JPEG_XL: Final = "1.2.840.10008.1.2.4.112"
HTJ2K_LOSSLESS: Final = "1.2.840.10008.1.2.4.201"
HTJ2K_LOSSLESS_RPCL: Final = "1.2.840.10008.1.2.4.202"
HTJ2K: Final = "1.2.840.10008.1.2.4.203"
JPIP_HTJ2K_REFERENCED: Final = "1.2.840.10008.1.2.4.204"
JPIP_HTJ2K_REFERENCED_DEFLATE: Final = "1.2.840.10008.1.2.4.205"
RLE_LOSSLESS: Final = "1.2.840.10008.1.2.5"
DEFLATED_IMAGE_FRAME_COMPRESSION: Final = "1.2.840.10008.1.2.8.1"

_ALL: Final = (
    TransferSyntax(IMPLICIT_VR_LITTLE_ENDIAN, "Implicit VR Little Endian", explicit=False, encapsulated=False),
    TransferSyntax(EXPLICIT_VR_LITTLE_ENDIAN, "Explicit VR Little Endian", encapsulated=False),
    TransferSyntax(
        ENCAPSULATED_UNCOMPRESSED_EXPLICIT_VR_LITTLE_ENDIAN, "Encapsulated Uncompressed Explicit VR Little Endian"
    ),
    TransferSyntax(
        DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, "Deflated Explicit VR Little Endian", encapsulated=False, deflated=True
    ),
    TransferSyntax(EXPLICIT_VR_BIG_ENDIAN, "Explicit VR Big Endian", big_endian=True, encapsulated=False),
    TransferSyntax(JPEG_BASELINE_8BIT, "JPEG Baseline (Process 1)"),
    TransferSyntax(JPEG_EXTENDED_12BIT, "JPEG Extended (Process 2 and 4)"),
    TransferSyntax("1.2.840.10008.1.2.4.52", "JPEG Extended (Process 3 and 5)"),
    TransferSyntax("1.2.840.10008.1.2.4.53", "JPEG Spectral Selection, Non-Hierarchical (Process 6 and 8)"),
    TransferSyntax("1.2.840.10008.1.2.4.54", "JPEG Spectral Selection, Non-Hierarchical (Process 7 and 9)"),
    TransferSyntax("1.2.840.10008.1.2.4.55", "JPEG Full Progression, Non-Hierarchical (Process 10 and 12)"),
    TransferSyntax("1.2.840.10008.1.2.4.56", "JPEG Full Progression, Non-Hierarchical (Process 11 and 13)"),
    TransferSyntax(JPEG_LOSSLESS, "JPEG Lossless, Non-Hierarchical (Process 14)"),
    TransferSyntax("1.2.840.10008.1.2.4.58", "JPEG Lossless, Non-Hierarchical (Process 15)"),
    TransferSyntax("1.2.840.10008.1.2.4.59", "JPEG Extended, Hierarchical (Process 16 and 18)"),
    TransferSyntax("1.2.840.10008.1.2.4.60", "JPEG Extended, Hierarchical (Process 17 and 19)"),
    TransferSyntax("1.2.840.10008.1.2.4.61", "JPEG Spectral Selection, Hierarchical (Process 20 and 22)"),
    TransferSyntax("1.2.840.10008.1.2.4.62", "JPEG Spectral Selection, Hierarchical (Process 21 and 23)"),
    TransferSyntax("1.2.840.10008.1.2.4.63", "JPEG Full Progression, Hierarchical (Process 24 and 26)"),
    TransferSyntax("1.2.840.10008.1.2.4.64", "JPEG Full Progression, Hierarchical (Process 25 and 27)"),
    TransferSyntax("1.2.840.10008.1.2.4.65", "JPEG Lossless, Hierarchical (Process 28)"),
    TransferSyntax("1.2.840.10008.1.2.4.66", "JPEG Lossless, Hierarchical (Process 29)"),
    TransferSyntax(
        JPEG_LOSSLESS_SV1, "JPEG Lossless, Non-Hierarchical, First-Order Prediction (Process 14 [Selection Value 1])"
    ),
    TransferSyntax(JPEG_LS_LOSSLESS, "JPEG-LS Lossless Image Compression"),
    TransferSyntax(JPEG_LS_NEAR_LOSSLESS, "JPEG-LS Lossy (Near-Lossless) Image Compression"),
    TransferSyntax(JPEG_2000_LOSSLESS, "JPEG 2000 Image Compression (Lossless Only)"),
    TransferSyntax(JPEG_2000, "JPEG 2000 Image Compression"),
    TransferSyntax(JPEG_2000_MC_LOSSLESS, "JPEG 2000 Part 2 Multi-component Image Compression (Lossless Only)"),
    TransferSyntax(JPEG_2000_MC, "JPEG 2000 Part 2 Multi-component Image Compression"),
    TransferSyntax(JPIP_REFERENCED, "JPIP Referenced", encapsulated=False),
    TransferSyntax(JPIP_REFERENCED_DEFLATE, "JPIP Referenced Deflate", encapsulated=False, deflated=True),
    TransferSyntax(MPEG2_MPML, "MPEG2 Main Profile / Main Level"),
    TransferSyntax("1.2.840.10008.1.2.4.100.1", "Fragmentable MPEG2 Main Profile / Main Level"),
    TransferSyntax(MPEG2_MPHL, "MPEG2 Main Profile / High Level"),
    TransferSyntax("1.2.840.10008.1.2.4.101.1", "Fragmentable MPEG2 Main Profile / High Level"),
    TransferSyntax(MPEG4_HP41, "MPEG-4 AVC/H.264 High Profile / Level 4.1"),
    TransferSyntax("1.2.840.10008.1.2.4.102.1", "Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.1"),
    TransferSyntax(MPEG4_HP41_BD, "MPEG-4 AVC/H.264 BD-compatible High Profile / Level 4.1"),
    TransferSyntax("1.2.840.10008.1.2.4.103.1", "Fragmentable MPEG-4 AVC/H.264 BD-compatible High Profile / Level 4.1"),
    TransferSyntax(MPEG4_HP42_2D, "MPEG-4 AVC/H.264 High Profile / Level 4.2 For 2D Video"),
    TransferSyntax("1.2.840.10008.1.2.4.104.1", "Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.2 For 2D Video"),
    TransferSyntax(MPEG4_HP42_3D, "MPEG-4 AVC/H.264 High Profile / Level 4.2 For 3D Video"),
    TransferSyntax("1.2.840.10008.1.2.4.105.1", "Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.2 For 3D Video"),
    TransferSyntax(MPEG4_HP42_STEREO, "MPEG-4 AVC/H.264 Stereo High Profile / Level 4.2"),
    TransferSyntax("1.2.840.10008.1.2.4.106.1", "Fragmentable MPEG-4 AVC/H.264 Stereo High Profile / Level 4.2"),
    TransferSyntax(HEVC_MP51, "HEVC/H.265 Main Profile / Level 5.1"),
    TransferSyntax(HEVC_M10P51, "HEVC/H.265 Main 10 Profile / Level 5.1"),
    TransferSyntax(JPEG_XL_LOSSLESS, "JPEG XL Lossless"),
    TransferSyntax(JPEG_XL_JPEG_RECOMPRESSION, "JPEG XL JPEG Recompression"),
    TransferSyntax(JPEG_XL, "JPEG XL"),
    TransferSyntax(HTJ2K_LOSSLESS, "High-Throughput JPEG 2000 Image Compression (Lossless Only)"),
    TransferSyntax(
        HTJ2K_LOSSLESS_RPCL, "High-Throughput JPEG 2000 with RPCL Options Image Compression (Lossless Only)"
    ),
    TransferSyntax(HTJ2K, "High-Throughput JPEG 2000 Image Compression"),
    TransferSyntax(JPIP_HTJ2K_REFERENCED, "JPIP HTJ2K Referenced", encapsulated=False),
    TransferSyntax(JPIP_HTJ2K_REFERENCED_DEFLATE, "JPIP HTJ2K Referenced Deflate", encapsulated=False, deflated=True),
    TransferSyntax(RLE_LOSSLESS, "RLE Lossless"),
    TransferSyntax("1.2.840.10008.1.2.6.1", "RFC 2557 MIME encapsulation", encapsulated=False),
    TransferSyntax("1.2.840.10008.1.2.6.2", "XML Encoding", encapsulated=False),
    TransferSyntax(
        "1.2.840.10008.1.2.7.1", "SMPTE ST 2110-20 Uncompressed Progressive Active Video", encapsulated=False
    ),
    TransferSyntax(
        "1.2.840.10008.1.2.7.2", "SMPTE ST 2110-20 Uncompressed Interlaced Active Video", encapsulated=False
    ),
    TransferSyntax("1.2.840.10008.1.2.7.3", "SMPTE ST 2110-30 PCM Digital Audio", encapsulated=False),
    TransferSyntax(DEFLATED_IMAGE_FRAME_COMPRESSION, "Deflated Image Frame Compression"),
    TransferSyntax("1.2.840.10008.1.20", "Papyrus 3 Implicit VR Little Endian", explicit=False, encapsulated=False),
)

TRANSFER_SYNTAXES: Final[Mapping[str, TransferSyntax]] = MappingProxyType({syntax.uid: syntax for syntax in _ALL})

UNCOMPRESSED: Final = (EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_BIG_ENDIAN)
"""The three that every data set without encapsulated pixel data can be converted among (PS3.5 A.1, A.2, A.3)."""
