"""Delivers the audit trail to the audit repository of the site (PS3.15 A.6 and A.7): jobs of kind ``audit``.

Rows go in their order, some hundred in a connection. A row counts as delivered when its connection was closed cleanly
by both sides (``network.syslog_sender``); else all rows of the connection are sent again. So a repository may get a row
twice; it can tell, because moment and content of a row do not change. A repository that cannot be reached holds up
nothing but these deliveries.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from openmodality.activities.audit import AuditTrail
from openmodality.activities.tls import RenewedContext, make_audit_context
from openmodality.audit.syslog import SyslogHeader, encode_syslog, frame_octets
from openmodality.device.site.site import Site
from openmodality.errors import NotTrusted, OpenModalityError, StoreError
from openmodality.jobs.job import Job
from openmodality.jobs.outcome import Continue, Done, JobOutcome, Retry
from openmodality.jobs.report import JobReport
from openmodality.network.syslog_sender import SyslogReceiver, send_datagrams, send_stream
from openmodality.store.listing.audit import AuditRow, read_audit_state, read_undelivered
from openmodality.store.rows.audit import note_delivered

log = logging.getLogger(__name__)

ROWS_AT_ONCE: Final = 500
"""Rows in one connection, which are sent again together where it is not closed cleanly."""
_FIRST_PAUSE_S: Final = 5.0


class AuditExecutor:
    """Does the jobs that deliver."""

    def __init__(self, site: Site, trail: AuditTrail) -> None:
        self._site = site
        self._trail = trail
        self._context: RenewedContext | None = None

    def run(self, job: Job, report: JobReport) -> JobOutcome:
        """Deliver all rows that are left."""
        delivered = 0
        try:
            while rows := self._read_next():
                self._deliver(rows)
                with self._trail.database.write() as transaction:
                    note_delivered(transaction, rows[-1].number, rows[-1].digest)
                delivered += len(rows)
                if report.stop_requested:
                    return Continue()
        except StoreError:
            raise
        except OpenModalityError as error:
            return self._explain(job, error)
        return Done(f"{delivered} rows")

    def _read_next(self) -> list[AuditRow]:
        with self._trail.database.read() as snapshot:
            return read_undelivered(snapshot, read_audit_state(snapshot).delivered, ROWS_AT_ONCE)

    def _deliver(self, rows: Sequence[AuditRow]) -> None:
        settings, messages = self._site.settings.audit, [self._encode(row) for row in rows]
        receiver = SyslogReceiver(settings.host, settings.port, self._find_context(), float(settings.timeout_s))
        if settings.transport != "udp":
            send_stream(receiver, [frame_octets(message) for message in messages])
            return
        for place in send_datagrams(receiver, messages):
            log.error("audit.too_long_for_udp", extra={"row": rows[place].number})

    def _encode(self, row: AuditRow) -> bytes:
        moment = datetime.fromtimestamp(row.entry.at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        node = self._trail.node
        header = SyslogHeader(moment, node.host, node.process_id, self._site.settings.audit.message_id)
        return encode_syslog(header, row.entry.message)

    def _find_context(self) -> ssl.SSLContext | None:
        if self._site.settings.audit.transport == "tls" and self._context is None:
            self._context = RenewedContext(self._site, make_audit_context)
        return self._context() if self._context is not None else None

    def _explain(self, job: Job, error: OpenModalityError) -> Retry:
        """What is left, since when, and why; a repository that this side does not trust is an event of its own."""
        settings = self._site.settings.audit
        if isinstance(error, NotTrusted) and not job.attempts:
            self._trail.tell_untrusted(f"{settings.host}:{settings.port}", error.message)
        with self._trail.database.read() as snapshot:
            state = read_audit_state(snapshot)
        since = datetime.fromtimestamp(state.oldest_left or 0).strftime("%Y-%m-%d %H:%M:%S")
        pause_s = min(float(settings.retry_s), _FIRST_PAUSE_S * 2.0 ** min(job.attempts, 10))
        left = "1 row waits" if state.backlog == 1 else f"{state.backlog} rows wait"
        return Retry(f"{error.message}; {left} since {since}", delay_s=pause_s)
