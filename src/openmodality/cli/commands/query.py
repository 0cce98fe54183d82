"""``openmodality query``: what an archive has."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, Literal

from pydicom import Dataset

from openmodality.cli.terminal.arguments import Command, Parser
from openmodality.cli.terminal.attributes import as_json as attributes_as_json
from openmodality.cli.terminal.attributes import cell, parse_keys
from openmodality.cli.terminal.options import add_json, add_keys, add_limit
from openmodality.cli.terminal.output import counted, print_json, print_table, say
from openmodality.cli.terminal.peer import Ends, add_calling, add_peer, add_timeout, resolve
from openmodality.cli.terminal.site import add_site
from openmodality.cli.terminal.tls import add_tls
from openmodality.device.paths import TagPath, format_keywords, parse_path
from openmodality.dimse.status import describe
from openmodality.errors import OpenModalityError, UsageError
from openmodality.network.requestor import associate
from openmodality.query.finding import FindAnswer
from openmodality.query.identifier import Key, identifier
from openmodality.services.query_retrieve import QueryFailed
from openmodality.services.query_retrieve import query as find
from openmodality.standard.query_retrieve import LEVELS, UNIQUE_KEYS
from openmodality.standard.sop_classes import PATIENT_ROOT_FIND, STUDY_ROOT_FIND
from openmodality.standard.tags import QUERY_RETRIEVE_LEVEL

if TYPE_CHECKING:
    import ssl

log = logging.getLogger(__name__)

Model = Literal["study", "patient"]
_FIND: Final[Mapping[str, str]] = {"study": STUDY_ROOT_FIND, "patient": PATIENT_ROOT_FIND}
_PATIENT: Final = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex")
_KEYWORDS: Final[Mapping[str, Sequence[str]]] = {
    "PATIENT": (*_PATIENT, "NumberOfPatientRelatedStudies"),
    "STUDY": (
        "StudyDate",
        "StudyTime",
        *_PATIENT,
        "AccessionNumber",
        "StudyID",
        "StudyDescription",
        "ModalitiesInStudy",
        "NumberOfStudyRelatedSeries",
        "NumberOfStudyRelatedInstances",
        "StudyInstanceUID",
    ),
    "SERIES": (
        "Modality",
        "SeriesNumber",
        "SeriesDescription",
        "BodyPartExamined",
        "NumberOfSeriesRelatedInstances",
        "SeriesInstanceUID",
    ),
    "IMAGE": ("InstanceNumber", "SOPClassUID", "SOPInstanceUID"),
}
_HEADINGS: Final[Mapping[str, Mapping[str, str]]] = {
    "PATIENT": {
        "PatientName": "patient",
        "PatientID": "patient ID",
        "PatientBirthDate": "born",
        "PatientSex": "sex",
        "NumberOfPatientRelatedStudies": "studies",
    },
    "STUDY": {
        "StudyDate": "date",
        "PatientName": "patient",
        "PatientID": "patient ID",
        "AccessionNumber": "accession",
        "StudyDescription": "description",
        "ModalitiesInStudy": "modalities",
        "NumberOfStudyRelatedInstances": "instances",
        "StudyInstanceUID": "Study Instance UID",
    },
    "SERIES": {
        "SeriesNumber": "number",
        "Modality": "modality",
        "SeriesDescription": "description",
        "NumberOfSeriesRelatedInstances": "instances",
        "SeriesInstanceUID": "Series Instance UID",
    },
    "IMAGE": {
        "InstanceNumber": "number",
        "SOPClassUID": "SOP Class UID",
        "SOPInstanceUID": "SOP Instance UID",
    },
}


def add_model(parser: Parser) -> None:
    """The option for the information model."""
    parser.add_argument(
        "--model",
        choices=["study", "patient"],
        help="The information model.  [default: the site's for a peer of the site file, else study]",
    )


def _declare(parser: Parser) -> None:
    add_peer(parser)
    parser.add_argument(
        "--level",
        type=str.upper,
        choices=["PATIENT", "STUDY", "SERIES", "IMAGE"],
        required=True,
        help="What to look for.",
    )
    for add in (add_keys, add_model, add_limit, add_site, add_calling, add_timeout, add_tls, add_json):
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
    as_json: bool,
) -> None:
    """Ask PEER for patients, studies, series or images (Query/Retrieve, C-FIND).

    PEER is AETITLE@host:port, or a peer's name in the site file. The unique keys of the levels above are needed: at
    level SERIES the study, -k StudyInstanceUID=UID; at level IMAGE the series as well.
    """
    ends = resolve(peer, "query", site_file, calling, timeout, tls)
    sop_class_uid = _FIND[chosen_model(model, ends, level)]
    values = parse_keys(keys)
    asked = identifier(
        [Key(parse_path(keyword)) for keyword in _KEYWORDS[level]], {(QUERY_RETRIEVE_LEVEL,): level, **values}
    )
    try:
        answer = _ask(ends, sop_class_uid, asked, limit)
    except QueryFailed as error:
        log.info("query.failed", extra={"peer": ends.name, "reason": describe(error.status)})
        raise OpenModalityError(f"{ends.remote}: {error}", advice=_advice(sop_class_uid, level, values)) from error
    except OpenModalityError as error:
        log.info("query.failed", extra={"peer": ends.name, "reason": str(error)})
        raise
    if as_json:
        print_json({
            "peer": str(ends.remote),
            "level": level,
            "matches": [attributes_as_json(item) for item in answer.items],
            "more_available": answer.more_available,
        })  # fmt: skip
    else:
        _print(answer, level, [path for path in values if format_keywords(path) not in _HEADINGS[level]])
    for notice in _notices(answer, ends):
        say(notice)


command = Command(run, _declare)


def chosen_model(model: Model | None, ends: Ends, level: str) -> Model:
    """The information model: the one asked for, else that of the site, else that which has the level."""
    if model is None:
        return "patient" if ends.patient_root or level == "PATIENT" else "study"
    if model == "study" and level == "PATIENT":
        raise UsageError("the study root model has no level PATIENT", advice="use --model patient")
    return model


def _ask(ends: Ends, sop_class_uid: str, asked: Dataset, limit: int | None) -> FindAnswer:
    proposals = [ends.proposal(sop_class_uid)]
    with associate(ends.remote, ends.local, proposals) as association:
        answer = find(association, sop_class_uid, asked, limit=limit)
        if answer.must_abort:
            association.abort()
    return answer


def _advice(sop_class_uid: str, level: str, values: Mapping[TagPath, str]) -> str:
    levels = LEVELS[sop_class_uid]
    above = [UNIQUE_KEYS[upper] for upper in levels[: levels.index(level)]]
    missing = [tag for tag in above if not values.get((tag,))]
    if missing:
        needed = " ".join(f"-k {format_keywords((tag,))}=..." for tag in missing)
        return f"level {level} of this model needs {needed}"
    return "look at the peer's own log"


def _print(answer: FindAnswer, level: str, further: Sequence[TagPath]) -> None:
    columns = {heading: parse_path(keyword) for keyword, heading in _HEADINGS[level].items()}
    columns |= {format_keywords(path): path for path in further}
    rows = [[cell(item, path) for path in columns.values()] for item in answer.items]
    print_table(list(columns), rows, empty="nothing matches")


def _notices(answer: FindAnswer, ends: Ends) -> list[str]:
    notices = ["there are more matches; narrow the query or raise --limit"] * answer.more_available
    if answer.unreadable:
        notices.append(f"{counted(answer.unreadable, 'response')} could not be read")
    if answer.optional_keys_unsupported:
        notices.append(f"{ends.remote} does not support some of the keys")
    return notices
