"""The films that were used in a performed step, as it tells the RIS (PS3.3 C.4.17, R/F Table 4.2-39)."""

from __future__ import annotations

from collections.abc import Sequence

from pydicom.dataset import Dataset

from openmodality.objects.rules.elements import data_set_of
from openmodality.value_class import dataclass


@dataclass(frozen=True, slots=True)
class UsedFilms:
    """Films of one kind that were printed; what is not known of the kind is empty."""

    number: int
    medium_type: str
    film_size_id: str


def describe_films(films: Sequence[UsedFilms]) -> Dataset:
    """The attributes of the performed step for these films; none where there are none."""
    if not films:
        return Dataset()
    return data_set_of(FilmConsumptionSequence=[_make_item(each) for each in films])


def _make_item(films: UsedFilms) -> Dataset:
    known = {"MediumType": films.medium_type, "FilmSizeID": films.film_size_id}
    return data_set_of(NumberOfFilms=films.number, **{keyword: value for keyword, value in known.items() if value})
