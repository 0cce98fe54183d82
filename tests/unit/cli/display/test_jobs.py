"""Why a job is where it is, and what became of its instances, in words."""

from __future__ import annotations

import pytest

from openmodality.cli.display.jobs import JOB_COLUMNS, ListedJob, describe_answer, describe_results
from openmodality.jobs.job import Job, JobInstance, RetryParameters
from openmodality.store.states import InstanceResult, JobKind, JobState

JOB = Job(
    7, JobKind.SEND, JobState.TODO, "pacs", {}, RetryParameters(), None, 0, 0.0, "", "queued", False, 0.0, None, None
)


def test_results_are_counted_and_a_column_is_declared_once() -> None:
    results = dict.fromkeys(InstanceResult, 0) | {InstanceResult.SUCCESS: 3, InstanceResult.WARNING: 1}
    assert describe_results(results) == "4 of 4, 1 warning"
    results[InstanceResult.FAILURE] = 2
    assert describe_results(results) == "4 of 6, 1 warning, 2 failed"
    row = {column.heading: column.value(ListedJob(JOB, results)) for column in JOB_COLUMNS}
    assert list(row) == ["job", "kind", "peer", "state", "instances", "queued", "reason"]
    assert (row["job"], row["instances"]) == (7, "4 of 6, 1 warning, 2 failed")


@pytest.mark.parametrize(
    ("status", "comment", "said"),
    [
        (None, "not sent", "not sent"),
        (0, "", "0000 Success"),
        (0xA900, "status A900: data set does not match its SOP class", "A900: data set does not match its SOP class"),
        (0xA900, "A900 it is wrong", "A900 it is wrong"),
        (0xA700, "disk full", "A700 Failure (disk full)"),
        (
            0x0112,
            "ris answered N-SET with 0112 No such SOP Instance",
            "ris answered N-SET with 0112 No such SOP Instance",
        ),
    ],
)
def test_an_answer_names_its_status_once(status: int | None, comment: str, said: str) -> None:
    assert describe_answer(JobInstance("1.2", "1.2.3", InstanceResult.FAILURE, status, comment)) == said
