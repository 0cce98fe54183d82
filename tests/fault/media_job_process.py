"""Ends the media jobs of a device, then makes one more until somebody kills it; arguments: site, study, a new disc."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from openmodality import Modality
from openmodality.activities.media_job import MediumOrder
from openmodality.app.local_data import Chosen


def main(site: Path, study: str, disc: Path) -> None:
    with Modality(site) as modality:
        _say("idle" if modality.wait_until_idle(60) else "busy")
        order = MediumOrder("create", str(disc), image=str(disc.with_suffix(".iso")))
        modality.media.put(Chosen(studies=[study]), order)
        _say("queued")
        threading.Event().wait(60)


def _say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
