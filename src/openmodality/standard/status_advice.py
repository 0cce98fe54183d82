"""What a person can do about a status that counts as a failure; whether it does, a device and a site decide.

PS3.7 Annex C says what the general codes mean, the tables of PS3.4 what those of a service do.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from openmodality.standard.statuses import ServiceName


class StatusAdvice(NamedTuple):
    """One row; ``code`` as in :class:`StatusFact`. Empty ``service`` and ``operation`` stand for every one."""

    service: ServiceName | None
    operation: str
    code: str
    advice: str


_NO_RESOURCES: Final = "the peer has no space or memory left for it: free some there or wait, then try again"
_ASK_LESS: Final = "the peer has no memory or time left for it: ask for less, or wait and try again"
_LOOK_AT_FILE: Final = "look into the file, and ask those who run the archive: its own log may say"
_WRONG_VALUE: Final = "the peer's own log may say which attribute it objects to, and why"
_DONE: Final = "the peer says that it did this: let the code count as a warning in its statuses in the site file"
_STORED: Final = "the peer has the instance: set store_warnings_are_success of [parameters.behaviour] to let that count"
_OTHER_SERVICE: Final = "the peer has no such service at this address: look whether host, port and AE title are right"

STATUS_ADVICE: Final = (
    StatusAdvice(None, "", "0001", _DONE),
    StatusAdvice(None, "", "0107", _DONE),
    StatusAdvice(None, "", "0116", _DONE),
    StatusAdvice(None, "", "Bxxx", _DONE),
    StatusAdvice(None, "", "0105", _WRONG_VALUE),
    StatusAdvice(None, "", "0106", _WRONG_VALUE),
    StatusAdvice(None, "", "0110", "the peer's own log may say what went wrong there; try again when that is mended"),
    StatusAdvice(None, "", "0111", "the peer has something else under this UID: look at it there"),
    StatusAdvice(None, "", "0112", "the peer does not know what this is about: look whether it is still there"),
    StatusAdvice(None, "", "0114", _WRONG_VALUE),
    StatusAdvice(None, "", "0115", _WRONG_VALUE),
    StatusAdvice(None, "", "0117", "the peer does not take this SOP Instance UID: look whether it is a valid UID"),
    StatusAdvice(None, "", "0118", "let the peer take this SOP Class, or choose another peer"),
    StatusAdvice(None, "", "0119", "the peer has this UID with another SOP Class: look at it there"),
    StatusAdvice(None, "", "0120", _WRONG_VALUE),
    StatusAdvice(None, "", "0121", _WRONG_VALUE),
    StatusAdvice(None, "", "0122", "let the peer take this SOP Class, or choose another peer"),
    StatusAdvice(None, "", "0123", _OTHER_SERVICE),
    StatusAdvice(None, "", "0124", "let the peer permit this to the AE title that called it"),
    StatusAdvice(None, "", "0210", "try again: the peer takes the message ID for one that is still in use"),
    StatusAdvice(None, "", "0211", _OTHER_SERVICE),
    StatusAdvice(None, "", "0212", "the peer takes this for another service: its own log may say why"),
    StatusAdvice(None, "", "0213", _NO_RESOURCES),
    StatusAdvice(None, "", "*", "the peer's own log may say why"),
    StatusAdvice("storage", "", "B000", _STORED),
    StatusAdvice("storage", "", "B006", _STORED),
    StatusAdvice("storage", "", "B007", _STORED),
    StatusAdvice("storage", "", "0112", "the peer's own log may say why"),
    StatusAdvice("storage", "", "A7xx", _NO_RESOURCES),
    StatusAdvice("storage", "", "A9xx", _LOOK_AT_FILE),
    StatusAdvice("storage", "", "Cxxx", _LOOK_AT_FILE),
    StatusAdvice("storage_commitment", "", "0112", _OTHER_SERVICE),
    StatusAdvice("query", "", "A7xx", _ASK_LESS),
    StatusAdvice("query", "", "A900", "the peer does not take these keys: ask with fewer, or at another level"),
    StatusAdvice("query", "", "Cxxx", "the peer cannot work with these keys or values: its own log may say which"),
    StatusAdvice("retrieve", "", "A7xx", _ASK_LESS),
    StatusAdvice("retrieve", "", "A801", "let the peer know the AE title that is to get the images, and its address"),
    StatusAdvice("retrieve", "", "A900", "the peer does not retrieve at this level: ask for the whole study"),
    StatusAdvice("worklist", "", "A7xx", _ASK_LESS),
    StatusAdvice("worklist", "", "A900", "switch off worklist keys of this peer one by one, and look at its own log"),
    StatusAdvice("worklist", "", "Cxxx", "look at the worklist keys of this peer, and at its own log"),
    StatusAdvice("mpps", "N-CREATE", "0111", "the peer has this step already: look whether it is this one"),
    StatusAdvice("mpps", "N-SET", "0110", "the peer may have ended the step already: its own log may say"),
    StatusAdvice("mpps", "N-SET", "0112", "the peer has no such step: it did not take the N-CREATE, or forgot it"),
    StatusAdvice("print", "", "C600", "the sheet is lost at the printer: print it again"),
    StatusAdvice("print", "", "C601", "wait until the printer has printed what it has, then print again"),
    StatusAdvice("print", "", "C602", "wait until the printer has printed what it has, then print again"),
    StatusAdvice("print", "", "C603", "choose a layout with larger boxes, or let the printer scale the image"),
    StatusAdvice("print", "", "C605", "print fewer images on a sheet, or wait and print again"),
    StatusAdvice("print", "", "C613", "choose a layout with larger boxes, or let the printer scale the image"),
)
