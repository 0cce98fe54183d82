"""``/metrics``: figures of the device in Prometheus' text format; peers by their names, and never a patient.

They are given to programs on this machine, or to one that shows a token. Counts are read from the database when they
are asked for; those that take long are kept for a minute.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from typing import Final

from cryptography import x509
from fastapi import APIRouter, Request
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from openmodality.app.figures import Figures
from openmodality.app.modality import Modality
from openmodality.console.address import is_asked_from_here
from openmodality.console.context import ConsoleContext
from openmodality.console.security.access import At, NotAllowed, find_principal
from openmodality.console.security.roles import Permission
from openmodality.device.site.site import Site

FIGURE_PREFIX: Final = "openmodality_"
_SECONDS: Final = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14400.0, 86400.0)

router = APIRouter(tags=["operation"])


@router.get(
    "/metrics",
    response_class=Response,
    summary="Get figures for Prometheus",
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def _send_metrics(request: Request, context: At) -> Response:
    """Figures of the device, for this machine or for whoever shows a token of scope view."""
    if not is_asked_from_here(request) and not find_principal(request, context).may(Permission.VIEW):
        raise NotAllowed("this token may not see figures", advice="give it the scope view")
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(context))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class _Figures(Collector):
    """Reads all figures once."""

    def __init__(self, context: ConsoleContext) -> None:
        self._context = context

    def collect(self) -> Iterator[Metric]:
        """The families, one after the other."""
        figures = self._context.modality.supervision.read_figures()
        yield from _tell_jobs(figures)
        yield from _tell_instances(figures)
        yield from _tell_peers(self._context, figures)
        yield from _tell_associations(self._context.modality)
        yield from _tell_machine(self._context)


def _gauge(name: str, what: str, labels: tuple[str, ...], values: Iterable[tuple[tuple[str, ...], float]]) -> Metric:
    family = GaugeMetricFamily(FIGURE_PREFIX + name, what, labels=labels)
    for names, value in values:
        family.add_metric(names, value)
    return family


def _counter(name: str, what: str, labels: tuple[str, ...], values: Iterable[tuple[tuple[str, ...], float]]) -> Metric:
    family = CounterMetricFamily(FIGURE_PREFIX + name, what, labels=labels)
    for names, value in values:
        family.add_metric(names, value)
    return family


def _histogram(name: str, what: str, values: Iterable[tuple[str, float]]) -> Metric:
    family = HistogramMetricFamily(FIGURE_PREFIX + name, what, labels=("peer",))
    by_peer: dict[str, list[float]] = {}
    for peer, seconds in values:
        by_peer.setdefault(peer, []).append(seconds)
    for peer, times in sorted(by_peer.items()):
        buckets = [(str(limit), float(sum(each <= limit for each in times))) for limit in _SECONDS]
        family.add_metric((peer,), [*buckets, ("+Inf", float(len(times)))], sum(times))
    return family


def _tell_jobs(figures: Figures) -> Iterator[Metric]:
    jobs = [((kind, state), count) for kind, state, count in figures.jobs]
    yield _gauge("jobs", "Jobs by what they do and their state.", ("kind", "state"), jobs)
    ages = [((kind,), figures.now - since) for kind, since in figures.oldest_jobs]
    yield _gauge("jobs_oldest_seconds", "How long the oldest job has not been finished.", ("kind",), ages)
    attempts = [
        ((kind, peer, outcome), count)
        for kind, peer, failed, done in figures.attempts
        for outcome, count in (("failed", failed), ("done", done))
    ]
    yield _counter("job_attempts_total", "Attempts of jobs.", ("kind", "peer", "outcome"), attempts)
    yield _histogram("send_seconds", "How long send jobs took that are done.", figures.send_seconds)
    yield _histogram("commitment_latency_seconds", "How long peers took to commit.", figures.commitment_seconds)


def _tell_instances(figures: Figures) -> Iterator[Metric]:
    origins = [((origin,), count) for origin, count in figures.instances]
    yield _gauge("instances_total", "Instances by where they came from.", ("origin",), origins)
    yield _gauge("instances_unsent", "Instances made here that no peer has stored.", (), [((), figures.unsent)])
    uncommitted = [((), figures.uncommitted)]
    yield _gauge("instances_uncommitted", "Instances made here that no peer has committed to keep.", (), uncommitted)
    yield _gauge("exams", "Exams by state.", ("state",), [((state,), count) for state, count in figures.exams])


def _tell_peers(context: ConsoleContext, figures: Figures) -> Iterator[Metric]:
    contacts = {name: context.memory.find_contact(name) for name in context.modality.site.peers}
    up = [((name,), float(contact.is_success)) for name, contact in contacts.items() if contact]
    yield _gauge("peer_up", "Whether a peer answered when this console asked last.", ("peer",), up)
    asked = context.memory.asked
    ages = [((asked.peer,), figures.now - asked.at)] if asked and not asked.failed else []
    yield _gauge("worklist_age_seconds", "Since when the worklist is as it is.", ("peer",), ages)
    yield _gauge("worklist_items", "Worklist items that are kept.", (), [((), figures.worklist_items)])


def _tell_associations(modality: Modality) -> Iterator[Metric]:
    """The associations that peers opened, direction ``in``, and those that this device opened, ``out``."""
    traffic, asked = modality.supervision.read_traffic(), modality.supervision.read_asked()
    are_open = [(("in", role), float(count)) for role, count in modality.supervision.count_open().items()]
    are_open += [(("out", service), float(count)) for service, count in sorted(traffic.open.items())]
    directed = ("direction", "service")
    yield _gauge("associations_open", "Associations that are open: in by local AE, out by service.", directed, are_open)
    associations = [(("in", peer, outcome), float(count)) for (peer, outcome, _), count in sorted(asked.items())]
    associations += [(("out", *who), float(count)) for who, count in sorted(traffic.associations.items())]
    yield _counter(
        "associations_total", "Associations that were asked for.", ("direction", "peer", "outcome"), _sum(associations)
    )
    rejections = [((reason,), float(count)) for (_, _, reason), count in asked.items() if reason]
    yield _counter("rejections_total", "Associations of peers that were rejected.", ("reason",), _sum(rejections))
    labels = ("service", "peer", "status_class")
    yield _counter("dimse_status_total", "Answers of peers by their status.", labels, sorted(traffic.answers.items()))
    sent = [((peer,), float(length)) for peer, length in sorted(traffic.sent_bytes.items())]
    yield _counter("sent_bytes_total", "Bytes of data sets that peers have stored.", ("peer",), sent)


def _sum(values: Iterable[tuple[tuple[str, ...], float]]) -> Iterable[tuple[tuple[str, ...], float]]:
    sums: dict[tuple[str, ...], float] = {}
    for labels, value in values:
        sums[labels] = sums.get(labels, 0.0) + value
    return sums.items()


def _tell_machine(context: ConsoleContext) -> Iterator[Metric]:
    site = context.modality.site
    free = [((), float(shutil.disk_usage(site.data_folder).free))]
    yield _gauge("disk_free_bytes", "Free space on the disk of the data.", (), free)
    backlog = float(context.modality.audit.read_state().backlog)
    yield _gauge("audit_backlog", "Events of the audit trail that its repository has not got.", (), [((), backlog)])
    yield _gauge("sse_clients", "Browsers and programs that listen to events.", (), [((), float(context.feed.count))])
    requests = [((route, str(code)), float(count)) for (route, code), count in context.http.read().items()]
    yield _counter("http_requests_total", "Requests by route and status.", ("route", "code"), requests)
    now = context.modality.clock()
    expiries = [((name,), until - now) for name, until in _list_certificates(site)]
    yield _gauge("certificate_expiry_seconds", "How long a certificate is good.", ("name",), expiries)
    labels = ("version", "profile")
    yield _gauge("build_info", "What runs.", labels, [((version("openmodality"), site.profile.name), 1.0)])


def _list_certificates(site: Site) -> Iterator[tuple[str, float]]:
    """Name and end of the certificates that the site names; one that cannot be read is left out."""
    for name, file in (("console", site.settings.console.certificate), ("dicom", site.settings.tls.certificate)):
        try:
            found = x509.load_pem_x509_certificates((site.folder / file).read_bytes()) if file else []
        except (OSError, ValueError):
            continue
        if found:
            yield name, found[0].not_valid_after_utc.timestamp()
