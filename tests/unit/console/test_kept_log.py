"""The log that is kept for the page Service."""

from __future__ import annotations

import logging

from openmodality.cli.terminal.log import EventFormatter
from openmodality.console.kept_log import KeptLog


def test_the_last_lines_are_kept_newest_first_with_what_may_be_seen() -> None:
    kept = KeptLog(EventFormatter())
    logger = logging.getLogger("kept_log.test")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(kept)
    for number in range(600):
        logger.info("association.ended", extra={"peer": f"peer {number}", "patient": "Roe"})
    logger.debug("not.seen")
    try:
        raise ValueError("Roe^Ann")
    except ValueError:
        logger.exception("console.fault")
    lines = kept.list_lines()
    assert len(lines) == 500
    assert (lines[0].level, lines[0].text) == ("error", "console.fault exception=ValueError")
    assert lines[1].text == "association.ended peer='peer 599'"
    assert "Roe" not in repr(lines)
