"""The parts of the API, in the order in which their routes are tried."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter

from openmodality.console import health, metrics
from openmodality.console.api import (
    accounts,
    audit,
    conformance,
    entities,
    exams,
    films,
    instance_problems,
    jobs,
    media,
    openapi_document,
    peers,
    pictures,
    site,
    uploads,
    worklist,
)
from openmodality.console.live import stream

API_PARTS: Final[tuple[APIRouter, ...]] = (
    worklist.router,
    exams.router,
    uploads.router,
    entities.router,
    pictures.router,
    instance_problems.router,
    jobs.router,
    peers.router,
    films.router,
    media.router,
    site.router,
    conformance.router,
    accounts.router,
    audit.router,
    stream.router,
    openapi_document.router,
    health.router,
    metrics.router,
)
