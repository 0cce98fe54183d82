"""Misbehaviour of the virtual printer, each effect by itself, around an honest handler."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pydicom import Dataset

from openmodality.dimse.data_set import decode_data_set, encode_data_set
from openmodality.dimse.service import Response
from openmodality.hospital.effects import Call, HandlerEffect
from openmodality.services.print_management import report_event
from openmodality.standard.dimse import Status
from openmodality.standard.print_management import PrinterEvent, PrinterStatus

_EVENT_TIMEOUT_S: Final = 30.0


def printer_is(status: PrinterStatus, info: str) -> HandlerEffect:
    """Answer N-GET with this Printer Status and Printer Status Info."""

    def effect(call: Call) -> Iterator[Response]:
        syntax = call.message.context.transfer_syntax
        for response in call.honest():
            attributes = decode_data_set(bytes(response.data), syntax)  # type: ignore[arg-type]  # made as bytes
            attributes.PrinterStatus, attributes.PrinterStatusInfo = status.value, info
            yield response._replace(data=encode_data_set(attributes, syntax))

    return effect


def reports_within(event: PrinterEvent, info: str) -> HandlerEffect:
    """Do what was asked for, and report on the printer before answering."""

    def effect(call: Call) -> Iterator[Response]:
        for response in call.honest():
            _report(call, event, info)
            yield response

    return effect


def out_of_film(call: Call) -> Iterator[Response]:
    """Report that the film is used up, and refuse the sheet."""
    _report(call, PrinterEvent.FAILURE, "SUPPLY EMPTY")
    yield Response(Status.PROCESSING_FAILURE, comment="SUPPLY EMPTY")


def _report(call: Call, event: PrinterEvent, info: str) -> None:
    attributes = Dataset()
    attributes.PrinterStatusInfo = info
    report_event(call.message.channel, event, attributes, timeout_s=_EVENT_TIMEOUT_S)
