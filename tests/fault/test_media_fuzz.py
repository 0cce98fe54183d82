"""Mutated DICOMDIRs find nothing."""

from __future__ import annotations

from collections import Counter
from random import Random
from time import process_time

import pytest

from fuzz.media import directories, read_medium
from fuzz.mutation import Mutator
from fuzz.outcomes import ACCEPTED, REJECTED

STREAMS = {False: 1_000, True: 100_000}
"""In the suite, in a soak."""
LONGEST_S = 5.0


@pytest.mark.timeout(3600)
@pytest.mark.filterwarnings("ignore")  # pydicom's, of values that no standard allows
def test_mutated_directories_are_read_or_refused(soak: bool) -> None:
    mutator, became = Mutator(directories()), Counter[str]()
    for number in range(STREAMS[soak]):
        chance = Random(f"media/{number}")
        data = mutator.stream(chance)
        started = process_time()
        became[read_medium(data, "", chance)] += 1
        assert process_time() - started < LONGEST_S, number
    assert became[ACCEPTED] > became[REJECTED] > 0
