from __future__ import annotations

from pathlib import Path

from openmodality.device.site.site_loader import load_site
from openmodality.exam.producers.producer import StepWork
from openmodality.exam.producers.registry import make_producers
from tests.exam_records import exam_of, step_of


def test_nothing_is_added_to_a_step_that_gives_no_reason(tmp_path: Path) -> None:
    for profile in ("mr", "rf"):
        (tmp_path / "site.toml").write_text(f'profile = "{profile}"\n', "utf-8")
        work = StepWork(exam_of(), step_of(), ())
        producers = make_producers(load_site(tmp_path))
        assert producers
        assert [producer.plan_series_at_end(work, 1.7e9) for producer in producers] == [None] * len(producers)
        assert [len(producer.describe_step(work)) for producer in producers] == [0] * len(producers)
