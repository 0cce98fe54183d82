"""Options that say how files of pixels are to be taken, for one parameter ``options`` of a command's function."""

from __future__ import annotations

from typing import Final

from openmodality.acquisition.readers.companion import read_exposure
from openmodality.cli.terminal.arguments import Parser, WordValues
from openmodality.cli.terminal.options import parse_attributes
from openmodality.cli.terminal.values import existing_file
from openmodality.exam.ingest import IngestOptions

_NAMES: Final = IngestOptions.__match_args__


def add_ingest(parser: Parser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--object",
        dest="object_name",
        metavar="OBJECT",
        default="",
        help='What pixels become that do not say it themselves, such as "MR Image".',
    )
    parser.add_argument(
        "--derive",
        metavar="OBJECT",
        default="",
        help="What all pixels become, DICOM files of other objects too: images derived of them.",
    )
    parser.add_argument(
        "--assume-affine",
        action="store_true",
        help="Take the axes of a NIfTI file without a place for the patient's right, front and head.",
    )
    parser.add_argument(
        "--mrd-position",
        choices=("centre", "corner"),
        default="",
        help="What the position of MRD images is: their middle, or their first voxel.  [default: as the file says]",
    )
    parser.add_argument(
        "--format",
        dest="raw_format",
        metavar="FORMAT",
        default="",
        help="The format of raw pixels: raw:ROWSxCOLS:uint16:le:OFFSET.",
    )
    _declare_origin(parser)
    parser.add_argument(
        "-k",
        "--key",
        dest="keywords",
        metavar="KEYWORD=VALUE",
        action="append",
        default=[],
        help="What is said of all images, in place of what their files say, such as EchoTime=30, or a private attribute"
        " by name or tag. Items of sequences and lists are JSON. May be repeated.",
    )
    parser.change_after(_make_options)


def _declare_origin(parser: Parser) -> None:
    """What made the pixels, and of whom."""
    parser.add_argument(
        "--detector",
        metavar="NAME",
        default="",
        help="The detector of the site whose maps correct raw pixels, or none.  [default: the one of that size]",
    )
    parser.add_argument(
        "--exposure",
        dest="irradiation",
        metavar="FILE",
        type=existing_file,
        help="The X-ray exposure that made the pixels, in JSON or TOML: KVP, XRayTubeCurrent, ExposureTime and others.",
    )
    parser.add_argument(
        "--accept-identity",
        action="store_true",
        help="Take pixels that name another patient or accession number than the exam's.",
    )


def _make_options(values: WordValues) -> None:
    if values.get("irradiation") is not None:
        values["irradiation"] = read_exposure(values["irradiation"])
    values["keywords"] = parse_attributes(values["keywords"])
    values["options"] = IngestOptions(**{name: values.pop(name) for name in _NAMES if name in values})
