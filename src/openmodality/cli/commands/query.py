"""``openmodality query``: what an archive has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from pydicom import Dataset
from pydicom.datadict import dictionary_has_tag, dictionary_VR

from openmodality.activities.query import (
    Model,
    choose_model,
    describe_match_limits,
    find_missing_keys,
    query_peer,
)
from openmodality.app.records.data_sets import data_set_as_json
from openmodality.cli.terminal.arguments import CliCommand, Parser
from openmodality.cli.terminal.attributes import cell, parse_keys, say_odd_keys
from openmodality.cli.terminal.json_output import add_json, print_document
from openmodality.cli.terminal.options import add_keys, add_limit
from openmodality.cli.terminal.output import date_and_time, say
from openmodality.cli.terminal.peer import add_calling, add_peer, add_timeout, resolve
from openmodality.cli.terminal.site import add_site
from openmodality.cli.terminal.table import Column, add_wide, print_rows
from openmodality.cli.terminal.tls import add_tls
from openmodality.device.paths import TagPath, format_keywords, parse_path
from openmodality.services.query_retrieve import QueryFailed
from openmodality.standard.query_retrieve import Level

if TYPE_CHECKING:
    import ssl

_HEADINGS: Final[Mapping[str, Mapping[str, str]]] = {
    Level.PATIENT: {
        "PatientName": "patient",
        "PatientID": "patient ID",
        "PatientBirthDate": "born",
        "PatientSex": "sex",
        "NumberOfPatientRelatedStudies": "studies",
    },
    Level.STUDY: {
        "StudyDate": "date",
        "PatientName": "patient",
        "PatientID": "patient ID",
        "AccessionNumber": "accession",
        "StudyDescription": "description",
        "ModalitiesInStudy": "modalities",
        "NumberOfStudyRelatedInstances": "instances",
        "StudyInstanceUID": "Study Instance UID",
    },
    Level.SERIES: {
        "SeriesNumber": "number",
        "Modality": "modality",
        "SeriesDescription": "description",
        "NumberOfSeriesRelatedInstances": "instances",
        "SeriesInstanceUID": "Series Instance UID",
    },
    Level.IMAGE: {
        "InstanceNumber": "number",
        "SOPClassUID": "SOP Class UID",
        "SOPInstanceUID": "SOP Instance UID",
    },
}


def add_model(parser: Parser) -> None:
    """Declare the option for the information model."""
    parser.add_argument(
        "--model",
        choices=["study", "patient"],
        help="The information model.  [default: the site's for a peer of the site file, else study]",
    )


_OF_WORDS: Final = ("description", "patient")
_LEAVE_OUT: Final = {
    "NumberOfStudyRelatedInstances": 1,
    "PatientID": 2,
    "AccessionNumber": 3,
    "ModalitiesInStudy": 4,
    "StudyDescription": 5,
    "SOPClassUID": 1,
}
"""What goes where there is no room, the highest first."""


def _declare(parser: Parser) -> None:
    add_peer(parser)
    parser.add_argument(
        "--level",
        type=str.upper,
        choices=tuple(Level),
        default=Level.STUDY,
        help="What to look for.  [default: STUDY]",
    )
    for add in (add_keys, add_model, add_limit, add_site, add_calling, add_timeout, add_tls, add_wide, add_json):
        add(parser)


def run(
    peer: str,
    level: str,
    keys: tuple[str, ...],
    model: Model | None,
    limit: int | None,
    site_file: str,
    calling: str | None,
    timeout: float | None,
    tls: ssl.SSLContext | None,
    wide: bool,
    as_json: bool,
) -> None:
    """Ask PEER for patients, studies, series or images (Query/Retrieve, C-FIND).

    PEER is AETITLE@host:port, or a peer's name in the site file. The unique keys of the levels above are needed: at
    level SERIES the study, -k StudyInstanceUID=UID; at level IMAGE the series as well.
    """
    ends = resolve(peer, "query", site_file, calling, timeout, tls)
    values = parse_keys(keys)
    say_odd_keys(keys)
    try:
        answer = query_peer(ends, level, values, model=model, limit=limit)
    except QueryFailed as error:
        missing = find_missing_keys(choose_model(model, ends, level), level, values)
        if missing:
            needed = " ".join(f"-k {format_keywords((tag,))}=..." for tag in missing)
            error.advice = f"level {level} of this model needs {needed}"
        raise
    if as_json:
        found = [data_set_as_json(item) for item in answer.items]
        print_document(found, peer=str(ends.remote), level=level, more_available=answer.more_available)
    else:
        further = [path for path in values if format_keywords(path) not in _HEADINGS[level]]
        print_rows(_list_columns(level, further), answer.items, empty="nothing matches", wide=wide)
    for notice in describe_match_limits(answer, str(ends.remote), "--limit"):
        say(notice)


command = CliCommand(run, _declare)


def _list_columns(level: str, further: Sequence[TagPath]) -> list[Column[Dataset]]:
    """Those of the level, then what was asked for besides."""
    usual = [
        _make_column(heading, parse_path(keyword), _LEAVE_OUT.get(keyword, 0))
        for keyword, heading in _HEADINGS[level].items()
    ]
    return [*usual, *(_make_column(format_keywords(path), path) for path in further)]


def _make_column(heading: str, path: TagPath, leave_out: int = 0) -> Column[Dataset]:
    is_date = dictionary_VR(path[-1]) == "DA" if dictionary_has_tag(path[-1]) else False

    def show(item: Dataset) -> str:
        return date_and_time(cell(item, path), "") if is_date else cell(item, path)

    return Column(heading, show, leave_out=leave_out, words=heading in _OF_WORDS)
