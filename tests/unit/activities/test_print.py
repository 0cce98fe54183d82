"""What a print job remembers of a sheet that may have been printed; the printing itself needs a device that works."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from openmodality.activities.film_order import FilmOrder
from openmodality.activities.print import make_print_job
from openmodality.activities.print_record import find_uncertain_sheet, settle_sheet
from openmodality.device.site.site_loader import load_site
from openmodality.jobs.listing import get_job
from openmodality.jobs.queue import Queue
from openmodality.store.local import open_store
from openmodality.store.states import JobKind

PEER = '[peers.film]\nae_title = "FILM"\nhost = "localhost"\nport = 104\nservices = ["print"]\n'


def test_a_sheet_is_uncertain_until_somebody_says_what_became_of_it(tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text(f'profile = "mr"\n{PEER}', encoding="utf-8")
    site = load_site(tmp_path)
    new = make_print_job(site.printer("film"), FilmOrder("2x3"), [("1.2", "1.2.3")])
    assert (new.kind, new.destination, new.parameters["layout"]) == (JobKind.PRINT, "film", "2x3")
    with open_store(site.data_folder, durability="os") as store:
        with store.write() as transaction:
            job = Queue(store.database).enqueue(transaction, new)
        with store.read() as snapshot:
            job = get_job(snapshot, job.id)
    assert find_uncertain_sheet(job) == 0
    (name,) = settle_sheet(3, is_printed=False)
    asked = replace(job, parameters={**job.parameters, name: 3})
    assert find_uncertain_sheet(asked) == 3
    assert find_uncertain_sheet(replace(asked, kind=JobKind.SEND)) == 0


@pytest.mark.parametrize("is_printed", [True, False])
def test_what_a_person_says_of_a_sheet_settles_it(is_printed: bool) -> None:
    settled = settle_sheet(3, is_printed=is_printed)
    assert sorted(settled.values()) == ([0, 3] if is_printed else [0])
