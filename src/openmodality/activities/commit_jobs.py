"""Makes commit jobs, and names what a commit job remembers from run to run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from openmodality.device.site.site import Peer
from openmodality.jobs.job import NewJob, RetryParameters
from openmodality.jobs.listing import get_job
from openmodality.store.rows.commitments import supersede_requests
from openmodality.store.rows.jobs import set_parameters
from openmodality.store.states import JobKind
from openmodality.store.transaction import Transaction

ROUND: Final = "round"
"""How often the instances were stored again for the job; a parameter of it."""
ASKED_AFTER_SILENCE: Final = "asked_after_silence"
"""How often the job has asked anew because no report came; a parameter of it."""
ASKED_AFTER_NOT_INDEXED: Final = "asked_after_not_indexed"
"""How often the job has asked anew because the archive had not indexed its instances; a parameter of it."""
ASKS_AT: Final = "asks_at"
"""When the job asks anew, 0 where it does not; a parameter of it."""
ASKS_BECAUSE: Final = "asks_because"
"""What the job waits for until then, in words with what the archive has said; a parameter of it."""


def make_commit_job(
    peer: Peer, instances: Sequence[tuple[str, str]], *, after: Sequence[int] = (), round_: int = 0
) -> NewJob:
    """A job that asks a peer to commit itself to these instances (SOP Class UID, SOP Instance UID)."""
    return NewJob(
        JobKind.COMMIT, peer.name, {ROUND: round_}, instances=instances, retry=make_commit_retry(peer), after=after
    )


def make_commit_retry(peer: Peer) -> RetryParameters:
    """A failed request is repeated as often as its parameter says, with the delay of send jobs (DECISIONS 10, 11)."""
    retries = peer.parameters.integer("storage_commitment.retries")
    delay_s = peer.parameters.number("storage.retry_delay_min") * 60
    return RetryParameters(retries, delay_s if retries else 0.0, permanent=True)


def ask_anew(transaction: Transaction, job_id: int) -> None:
    """Let a job that a person retries begin again, with new requests."""
    supersede_requests(transaction, job_id)
    job = get_job(transaction, job_id)
    begun = {ROUND: 0, ASKED_AFTER_SILENCE: 0, ASKED_AFTER_NOT_INDEXED: 0, ASKS_AT: 0.0}
    set_parameters(transaction, job_id, {**job.parameters, **begun})
