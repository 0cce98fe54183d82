"""What is asked for: nothing where there is nothing, and what is missing only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from pydicom import Dataset

from openmodality.activities.retrieve import RetrievePart, Wanted
from openmodality.activities.retrieve_plan import NothingToRetrieve, plan_retrieve
from openmodality.services.query_retrieve import FindRequest, query_service
from openmodality.standard.query_retrieve import Level
from tests.in_memory import InMemoryPeer

MakePeer = Callable[..., InMemoryPeer]
STUDY, SERIES, IMAGE = (0x0020000D,), (0x0020000E,), (0x00080018,)


@dataclass
class Archive:
    """One study of two series, of two images each."""

    asked: list[str] = field(default_factory=list)

    def list_supported(self, level: Level, identifier: Dataset) -> None:
        """All of them."""

    def find(self, request: FindRequest) -> Iterator[Dataset]:
        self.asked.append(request.level)
        for series, image in (("1.1", "1.1.1"), ("1.1", "1.1.2"), ("1.2", "1.2.1"), ("1.2", "1.2.2")):
            if request.level == "IMAGE" or image.endswith(".1"):
                found = Dataset()
                found.PatientID, found.StudyInstanceUID = "P1", "1"
                found.SeriesInstanceUID, found.SOPInstanceUID = series, image
                yield found


def test_what_there_is_is_asked_for_as_it_was_named(in_memory_peer: MakePeer) -> None:
    archive = Archive()
    ends = in_memory_peer(query_service(archive, "ARCHIVE")).make_ends()
    assert plan_retrieve(ends, Wanted("1"), "study") == [RetrievePart(Level.STUDY, {STUDY: "1"})]
    assert plan_retrieve(ends, Wanted("1", "1.2"), "study") == [RetrievePart(Level.SERIES, {STUDY: "1", SERIES: "1.2"})]
    assert archive.asked == [Level.SERIES, Level.IMAGE]


@pytest.mark.parametrize("wanted", [Wanted("2"), Wanted("1", "1.3"), Wanted("1", "1.1", "1.1.9")])
@pytest.mark.parametrize("here", [None, {"1.1.1"}])
def test_where_there_is_nothing_nothing_is_asked_for(
    in_memory_peer: MakePeer, wanted: Wanted, here: set[str] | None
) -> None:
    ends = in_memory_peer(query_service(Archive(), "ARCHIVE")).make_ends()
    with pytest.raises(NothingToRetrieve, match="no such images"):
        plan_retrieve(ends, wanted, "study", here)


@pytest.mark.parametrize(
    ("here", "parts"),
    [
        (set(), [("SERIES", "1.1", None), ("SERIES", "1.2", None)]),
        ({"1.1.2"}, [("IMAGE", "1.1", "1.1.1"), ("SERIES", "1.2", None)]),
        ({"1.1.1", "1.1.2"}, [("SERIES", "1.2", None)]),
        ({"1.1.1", "1.1.2", "1.2.1", "1.2.2"}, []),
    ],
)
def test_a_retrieve_that_is_resumed_asks_for_what_is_missing(
    in_memory_peer: MakePeer, here: set[str], parts: list[tuple[str, str, str | None]]
) -> None:
    ends = in_memory_peer(query_service(Archive(), "ARCHIVE")).make_ends()
    planned = plan_retrieve(ends, Wanted("1"), "study", here)
    assert [(part.level, part.values[SERIES], part.values.get(IMAGE)) for part in planned] == parts
