"""What addresses and bodies of the API name: numbers, UIDs, texts, peers; checked before anything is looked up."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import Path, Request
from pydantic import StringConstraints

from openmodality.console.context import ConsoleContext
from openmodality.device.site.site import Printer
from openmodality.errors import ConfigurationError, NotFound
from openmodality.standard.statuses import ServiceName

LARGEST_NUMBER: Final = 2**63 - 1
"""The largest number of a database."""
_UID: Final = r"^[0-9.]{1,64}$"

ItemNumber = Annotated[int, Path(ge=1, le=LARGEST_NUMBER, description="The number of a worklist item.")]
ExamNumber = Annotated[int, Path(ge=1, le=LARGEST_NUMBER, description="The number of an exam.")]
RowNumber = Annotated[int, Path(ge=1, le=LARGEST_NUMBER, description="The number of an event.")]
JobNumber = Annotated[int, Path(ge=1, le=LARGEST_NUMBER, description="The number of a job.")]
ProblemNumber = Annotated[int, Path(ge=1, le=LARGEST_NUMBER, description="The number of a problem.")]
SeriesNumber = Annotated[int, Path(ge=1, le=LARGEST_NUMBER, description="The number of a series in its exam.")]
FrameNumber = Annotated[int, Path(ge=1, le=2**31, description="The number of a frame, from 1.")]
PathUid = Annotated[str, Path(pattern=_UID, description="A UID.")]
PathName = Annotated[str, Path(min_length=1, max_length=64, description="A name.")]
Uid = Annotated[str, StringConstraints(pattern=_UID)]
OptionalUid = Annotated[str, StringConstraints(pattern=r"^[0-9.]{0,64}$")]
WireText = Annotated[str, StringConstraints(max_length=10240, pattern=r"^[^\x00]*$")]
WireName = Annotated[str, StringConstraints(max_length=64, pattern=r"^[^\x00-\x1f]*$")]
WireKeyword = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1fa-z_][^\x00-\x1f]*$")]
"""A keyword of PS3.6, which begins with a capital letter, or a tag."""
KeywordValues = dict[WireKeyword, Any]
"""Values by DICOM keyword."""
MatchingKeys = dict[WireKeyword, WireText]
"""Matching keys by DICOM keyword."""


def name_peer(context: ConsoleContext, request: Request, name: str) -> str:
    """A peer of the site, whom the request is about. Raises :class:`NotFound` where there is none of this name."""
    if name not in context.modality.site.peers:
        known = ", ".join(context.modality.site.peers) or "none"
        raise NotFound(f"the site has no peer {name}", advice=f"its peers are: {known}")
    request.state.peer = name
    return name


def choose_named_peer(context: ConsoleContext, request: Request, service: ServiceName, name: str) -> str:
    """The peer of this name, by default the first with a service, whom the request is about.

    Raises :class:`NotFound` where there is none of this name, :class:`ConfigurationError` where none has the service.
    """
    return name_peer(context, request, name or context.modality.site.choose_peer(service).name)


def find_printer(context: ConsoleContext, request: Request, name: str) -> Printer:
    """A printer of the site, by default its first one. Raises :class:`NotFound` where there is none of this name."""
    try:
        printer = context.modality.site.printer(name)
    except ConfigurationError as error:
        raise NotFound(f"the site has no printer {name}", advice=error.message) from error
    request.state.peer = printer.peer.name if printer.peer else printer.name
    return printer
