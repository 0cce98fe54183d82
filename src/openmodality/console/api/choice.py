"""What of the local database a request is about, by UIDs."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from openmodality.app.local_data import Chosen
from openmodality.console.api.answers import RequestBody
from openmodality.console.api.places import Uid

UidList = Annotated[list[Uid], Field(max_length=1000)]


class Choice(RequestBody):
    """What of the local database is meant."""

    studies: UidList = Field(default_factory=list, description="Study Instance UIDs.")
    series: UidList = Field(default_factory=list, description="Series Instance UIDs.")
    instances: UidList = Field(default_factory=list, description="SOP Instance UIDs.")

    def make_chosen(self) -> Chosen:
        """The value that the device takes."""
        return Chosen(self.studies, self.series, self.instances)
