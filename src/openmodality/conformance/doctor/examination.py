"""One examination of one peer: the time that is left for it, the way to the peer, and what was found.

Each probe has a verdict of its own. Whatever the peer does to one, the next begins on a new association, as long as
there is time. No wait is longer than the patience, and all of them end with the examination.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Final

from openmodality.activities.ends import Ends
from openmodality.conformance.doctor.findings import (
    NO_CONTEXT,
    REJECTED,
    KeyAnswer,
    OfferedClass,
    PeerFinding,
    Severity,
    Written,
    classify,
)
from openmodality.dimse.service import Service
from openmodality.errors import OpenModalityError
from openmodality.network.association import Association
from openmodality.network.requestor import Negotiation, explain_refusal, negotiate
from openmodality.network.timeouts import Timeouts
from openmodality.standard.statuses import ServiceName
from openmodality.upper_layer.negotiation import ContextProposal, LocalSide, propose
from openmodality.value_class import replace

if TYPE_CHECKING:
    import ssl

STEP_PATIENCE_S: Final = 5.0
"""How long the peer gets for each step. The virtual hospital's ``slow`` takes 2 s."""
PROBING_S: Final = 45.0
"""When no further request is begun. With the last ones, and a report that is waited for, it is a minute at most."""
_LEAST_S: Final = 0.5
_SLOW_S: Final = 0.4
"""An echo that takes longer, twice: time is short, and fewer instances and keys are tried."""

HearProgress = Callable[[str], object]


class Examination:
    """The findings on a peer so far, the time that is left, and the way to the peer.

    ``ends_of`` gives both ends for a service, ``tell`` hears what is done now. ``report_context`` is for results of
    commitment that come in under TLS.
    """

    def __init__(
        self,
        ends_of: Callable[[ServiceName], Ends],
        *,
        writes: bool = False,
        patience_s: float = STEP_PATIENCE_S,
        tell: HearProgress = lambda text: None,
        report_context: ssl.SSLContext | None = None,
    ) -> None:
        self.writes = writes
        self.tell = tell
        self.report_context = report_context
        self.findings: list[PeerFinding] = []
        self.observed: list[tuple[str, str]] = []
        self.offered: dict[str, OfferedClass] = {}
        self.keys: list[KeyAnswer] = []
        self.written: list[Written] = []
        self.facts: dict[str, object] = {}
        self.patience_s = patience_s
        self._ends_of = ends_of
        self._start = monotonic()

    # Time

    @property
    def seconds(self) -> float:
        """How long the examination has taken so far."""
        return monotonic() - self._start

    @property
    def has_time(self) -> bool:
        """Whether another request may begin."""
        return self.seconds < PROBING_S

    @property
    def is_slow(self) -> bool:
        """Whether the peer takes its time for an echo already."""
        return float(str(self.facts.get("echo_s", 0.0))) >= _SLOW_S

    def limit_s(self) -> float:
        """How long the next step may take."""
        return max(_LEAST_S, min(self.patience_s, PROBING_S - self.seconds))

    # What was found

    def note(self, area: str, subject: str, text: str, verdict: Severity = Severity.FACT) -> None:
        """Put a finding on record."""
        self.findings.append(PeerFinding(area, subject, verdict, text))

    def observe(self, operation: str, outcome: str) -> None:
        """Remember what the peer did, by the words of ``personalities.csv``.

        A refused association is one whatever it was for.
        """
        is_refused = outcome == NO_CONTEXT or outcome.startswith(REJECTED)
        self.observed.append(("association" if is_refused else operation, outcome))

    def note_failure(self, area: str, subject: str, operation: str, error: OpenModalityError) -> str:
        """Put on record that a request failed; its outcome."""
        outcome = classify(error)
        self.observe(operation, outcome)
        self.note(area, subject, error.message, Severity.PROBLEM)
        return outcome

    def accepts(self, *sop_class_uids: str) -> bool:
        """Whether the peer has accepted all of these SOP classes."""
        return all(uid in self.offered and self.offered[uid].is_accepted for uid in sop_class_uids)

    # The way to the peer

    def ends(self, service: ServiceName) -> Ends:
        """Both ends for a service, with the time-outs of the examination."""
        ends = self._ends_of(service)
        return replace(ends, local=replace(ends.local, timeouts=Timeouts(*[self.limit_s()] * 6)))

    @contextmanager
    def talk(
        self, service: ServiceName, *sop_class_uids: str, services: Sequence[Service] = ()
    ) -> Iterator[Association]:
        """An association with these SOP classes, which ends with the block. Raises the errors of an association."""
        ends = self.ends(service)
        with ends.take_turn(), ends.open(*sop_class_uids, services=services) as association:
            yield association

    def negotiate(
        self,
        proposals: Sequence[ContextProposal],
        *,
        calling: str = "",
        called: str = "",
        max_pdu_length: int | None = None,
    ) -> Negotiation:
        """Propose these contexts, perhaps under other titles or with another longest PDU; the caller ends it."""
        ends = self.ends("verification")
        local = ends.local
        length = local.max_pdu_length if max_pdu_length is None else max_pdu_length
        side = LocalSide(local.implementation_class_uid, local.implementation_version_name, length)
        title = called or ends.remote.ae_title
        (request,) = propose(side, calling or local.ae_title, title, proposals)
        remote = replace(ends.remote, ae_title=title)
        with ends.take_turn():
            return negotiate(remote, local, request)

    def explain(self, outcome: Negotiation) -> OpenModalityError | None:
        """Why the peer has not accepted an association; ``None`` where it has."""
        if outcome.negotiated is not None:
            return None
        return explain_refusal(self.ends("verification").remote, outcome.answer)
