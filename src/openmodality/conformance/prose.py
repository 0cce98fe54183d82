"""What a statement says in sentences: what each service is for, when it begins, and what becomes of it."""

from __future__ import annotations

from typing import Final

ABOUT_STATEMENT: Final = (
    "This statement is made by OpenModality from the tables and settings that the device runs by. Where a table and the"
    " device differed, the device would be wrong. It is written by the program itself and holds no text of the maker"
    " whose device the profile follows."
)
ABOUT_READERS: Final = (
    "It is for those who connect the device: hospital staff, system integrators and makers of other systems. It is no"
    " substitute for a test with the systems that will be used."
)
ABOUT_TERMS: Final = (
    "The terms are those of the DICOM standard. Types and presence: 1 with a value; 2 may be empty; 3 may be absent; 1C"
    " and 2C under a condition; ALWAYS with a value; VNAP empty where there is no value; ANAP absent where there is no"
    " value; EMPTY without a value. Usage of modules: M mandatory, C conditional, U user option. Matching: S single"
    " value, L list of UID, W wild card, R range, U universal. Query keys: U unique, R required, O optional."
)
ABOUT_MODEL: Final = (
    "Everything that the device does with a peer is a job in a durable queue, or is asked for by an operator and"
    " answered at once. An instance is on disk before it is acknowledged, and a job is on disk before its work begins,"
    " so both go on after a crash."
)
ABOUT_SEQUENCE: Final = (
    "An exam begins with an item of the worklist, or without one. The performed procedure step is created when the exam"
    " starts or with the first image, whichever comes first. Images are made and kept; when the step ends it is set to"
    " COMPLETED or DISCONTINUED, and what was made is sent to the archives, which are then asked to commit themselves"
    " where the site file says so."
)
ABOUT_ASSOCIATIONS: Final = (
    "One presentation context is proposed for each abstract syntax that an activity needs, out of those that the site"
    " file leaves for the peer. One request is outstanding at a time. Associations are accepted from the peers of the"
    " site file, each for the services that it may ask for; Verification is answered for all of them."
)
ABOUT_SYNTAXES: Final = (
    "As acceptor the device chooses the first transfer syntax of its own order that was proposed; the tables list them"
    " in that order."
)
ABOUT_NETWORK: Final = (
    "DICOM over TCP/IP, by IPv4 or IPv6, on whatever interfaces the computer has. No other stack is there."
)
ABOUT_ADDRESSES: Final = (
    "AE titles, host names and ports of peers stand in the site file. A peer that is not there is rejected, except that"
    " Verification may be opened to everybody by a switch."
)
ABOUT_MEDIA: Final = (
    "A file-set is made in a folder, or as an image of a disc, with DICOMDIR; the program that burns it is named in the"
    " site file. Instances of SOP classes that the application profile does not take are left out and named. The File"
    " Meta Information has the Implementation Class UID and Version Name of this statement."
)
ABOUT_CHARACTER_SETS: Final = (
    "New objects use the first of the configured character sets that holds their text. Text that comes in is read in"
    " any character set of DICOM and kept as it came."
)
ABOUT_PRIVATE: Final = "The device makes no private attributes."
ABOUT_PRIVATE_SYNTAXES: Final = "There are no private transfer syntaxes and no private SOP classes."
ABOUT_CODES: Final = (
    "Codes and templates are those of PS3.16. Codes of the worklist are handed on as they come. No code and no template"
    " is defined here."
)
ABOUT_GRAYSCALE: Final = (
    "Displays and films are judged and corrected by the Grayscale Standard Display Function (PS3.14) with the command"
    " gsdf; previews and films are made of presentation values."
)
ABOUT_RECEIVED: Final = (
    "A received instance is kept as it came. Attributes are not coerced, and types 1 and 2 are never invented. Private"
    " attributes are kept and sent on where they are of a known private set and the switches say so."
)
ABOUT_SECURITY: Final = (
    "Every AE and every peer can be reached under TLS, in both directions, as the site file says. An integrity check"
    " that fails ends the connection."
)

PURPOSES: Final = {
    "verification": (
        "An operator asks whether a peer is there; the answer or the reason of a failure is shown.",
        "Answers every peer that asks.",
    ),
    "storage": (
        "A send job hands instances to a peer over one association, with a presentation context for each SOP class and"
        " transfer syntax that is needed. It begins when a step ends, when an operator sends, or for a C-MOVE. A job"
        " that fails for a reason that may pass is tried again as the parameters say.",
        "Takes the instances of peers that may store here. Success is answered once an instance is safe on disk.",
    ),
    "storage_commitment": (
        "After a send job, or when an operator asks, the archive is asked to commit itself to keep the instances"
        " (N-ACTION). What it has not committed is sent again.",
        "The result is taken (N-EVENT-REPORT), on the association of the request or on one that the archive opens.",
    ),
    "query": (
        "An operator asks an archive for patients, studies, series or images.",
        "Answers what the local database has. The keys of the table and every other attribute that the index keeps are"
        " matched and returned; others are looked for in the files.",
    ),
    "retrieve": (
        "An operator has an archive send what it has to this device (C-MOVE).",
        "Sends the instances that a C-MOVE names to the destination, which must be a peer of the site file.",
    ),
    "worklist": (
        "The RIS is asked for what is scheduled, when an operator asks, when a patient is registered or when an exam"
        " starts, as the parameters say. When more items come than are allowed, a C-CANCEL stops the rest.",
        "",
    ),
    "mpps": (
        "The RIS is told of the performed procedure step: N-CREATE when it begins, N-SET when it ends.",
        "",
    ),
    "print": (
        "A print job composes the sheets and sends them: the printer's state is asked for (N-GET), then come film"
        " session, film boxes, image boxes and the order to print. The film session is deleted at the end.",
        "Reports of the printer (N-EVENT-REPORT) are taken on the association that is open.",
    ),
}
"""By service: what it does as the one that asks, and as the one that is asked."""
