"""Invented patients and the procedures of a day: facts only. None of these people exists."""

from __future__ import annotations

from typing import Final, NamedTuple

from openmodality.standard.character_sets import GB18030, KANJI_EXTENSION, LATIN_1

DEFAULT_REPERTOIRE: Final = ""
JAPANESE: Final = (DEFAULT_REPERTOIRE, KANJI_EXTENSION)

NameRepertoire = str | tuple[str, ...]


class Person(NamedTuple):
    """(0010,0010) Patient's Name and (0010,0040) Patient's Sex."""

    name: str
    sex: str


PEOPLE: Final[dict[NameRepertoire, tuple[Person, ...]]] = {
    DEFAULT_REPERTOIRE: (
        Person("Miller^Anna^Maria", "F"), Person("Rossi^Marco", "M"), Person("Carter^Edith^^Dr.", "F"),
        Person("Okafor^Samuel", "M"), Person("Novak^Petra", "F"), Person("de Vries^Jan", "M"),
    ),
    LATIN_1: (
        Person("Müller-Åström^Zoë", "F"), Person("Lefèvre^Hélène", "F"), Person("García Núñez^José", "M"),
        Person("Sørensen^Bjørn", "M"),
    ),
    JAPANESE: (
        Person("Tanaka^Haruka=田中^春香=たなか^はるか", "F"), Person("Kobayashi^Kenta=小林^健太=こばやし^けんた", "M"),
        Person("Matsumoto^Aoi=松本^葵=まつもと^あおい", "F"),
    ),
    GB18030: (
        Person("Wang^XiaoMing=王^小明", "M"), Person("Liu^MeiLing=刘^美玲", "F"), Person("Chen^JianGuo=陈^建国", "M"),
    ),
}  # fmt: skip
"""By Specific Character Set (0008,0005)."""


class Order(NamedTuple):
    """One requested procedure: for whom (a number within the day and a script), what, and its steps."""

    patient: int
    character_set: NameRepertoire
    modality: str
    code: str
    procedure: str
    steps: tuple[str, ...]
    is_emergency: bool = False


DAY: Final = (
    Order(1, DEFAULT_REPERTOIRE, "MR", "MRHEAD", "MR head without contrast", ("Head routine",)),
    Order(2, JAPANESE, "MR", "MRLSPINE", "MR lumbar spine", ("Lumbar spine routine",)),
    Order(3, LATIN_1, "MR", "MRKNEE", "MR knee left", ("Knee routine",)),
    # A group case: one patient, two requested procedures that one acquisition can satisfy
    Order(4, DEFAULT_REPERTOIRE, "MR", "MRHEAD", "MR head without contrast", ("Head routine",)),
    Order(4, DEFAULT_REPERTOIRE, "MR", "MRCSPINE", "MR cervical spine", ("Cervical spine routine",)),
    Order(5, DEFAULT_REPERTOIRE, "MR", "MRHEAD", "MR head, emergency", ("Head emergency",), True),
    Order(6, DEFAULT_REPERTOIRE, "RF", "RFSWALLOW", "Barium swallow", ("Esophagus",)),
    Order(7, GB18030, "RF", "RFSTOMACH", "Upper gastrointestinal series", ("Stomach double contrast",)),
    Order(8, LATIN_1, "RF", "RFENEMA", "Barium enema", ("Colon double contrast",)),
    # One requested procedure with two scheduled steps
    Order(9, DEFAULT_REPERTOIRE, "RF", "RFBOWEL", "Small bowel follow through", ("Abdomen overview", "Small bowel")),
    Order(10, DEFAULT_REPERTOIRE, "RF", "RFCHEST", "Chest fluoroscopy, emergency", ("Chest emergency",), True),
)

STATIONS: Final = {"MR": ("OM_MR", "MR1", "Room 1"), "RF": ("ADR_MWM_SCU", "RF1", "Room 2")}
"""Scheduled Station AE Title, Scheduled Station Name and location, as both profiles name themselves."""

CODING_SCHEME: Final = "99OM"
HOSPITAL_ISSUER: Final = "OM_HOSPITAL"
"""(0010,0021): an ID without issuer is not trusted by all."""
