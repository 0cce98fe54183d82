"""The producers of a device: a new kind of object is one file in this folder and one entry here."""

from __future__ import annotations

from openmodality.device.site.site import Site
from openmodality.exam.producers.dose_report import DoseReportProducer
from openmodality.exam.producers.producer import Producer


def make_producers(site: Site) -> tuple[Producer, ...]:
    """The producers that add a series at the end of a step, in order. Images are made as they are acquired."""
    return (DoseReportProducer(site),)
