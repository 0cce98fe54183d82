"""The sentences of a statement: the purpose of each service, when it begins, and how it ends.

Each sentence ends with ids in brackets: those of the sentences that it replaces in the statements that profiles follow.
They are printed with the evidence only (:mod:`openmodality.conformance.evidence_sections`).
"""

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
    " answered at once [MR-3.2-01, MR-4.2-01, RF-4.1.2.1-01, RF-4.1.2.7-01]. An instance is on disk before it is"
    " acknowledged, and a job is on disk before its work begins, so both go on after a crash"
    " [MR-3.3.4.3-04, RF-4.1.2.6-03]."
)
ABOUT_SEQUENCE: Final = (
    "An exam begins with an item of the worklist, or without one [RF-4.1.3-01, RF-4.1.3-02]. The performed procedure"
    " step is created when the exam starts or with the first image, whichever comes first"
    " [MR-2.4.1-02, MR-6.2.1.1-02, RF-4.1.1-06, RF-4.1.2.4-01]. Images are made and kept; when the step ends it is set"
    " to COMPLETED or DISCONTINUED [MR-2.4.1-04, MR-6.2.1.1-03, RF-4.1.1-07, RF-4.2.4.3.1.3-08], and what was made is"
    " sent to the archives, which are then asked to commit themselves where the site file says so"
    " [MR-3.2.4.1-01, RF-4.1.1-02, RF-4.1.2.1-04]."
)
ABOUT_ASSOCIATIONS: Final = (
    "One presentation context is proposed for each abstract syntax that an activity needs, out of those that the site"
    " file leaves for the peer [MR-3.1.1-02, RF-4.4.2-12]. One request is outstanding at a time"
    " [MR-3.1.3-01, MR-5.1.3-01, MR-6.1.3-01, RF-4.2.1.2.3-01, RF-4.2.3.2.3-01, RF-4.2.4.2.3-01, RF-4.2.7.2.3-01]."
    " Associations are accepted from the peers of the site file, each for the services that it may ask for"
    " [MR-3.1.1-03, MR-3.1.1-04, MR-3.1.1-05, RF-4.2.2.4.1.1-07]; Verification is answered for all of them"
    " [MR-3.1.1-06, MR-3.3.1.4-01, RF-4.2.2.4.1.4-01]."
)
ABOUT_SYNTAXES: Final = (
    "As acceptor the device chooses the first transfer syntax of its own order that was proposed; the tables list them"
    " in that order [MR-3.3.1.5-01, MR-3.3.2.6-01, MR-3.3.4.5-01]."
)
ABOUT_NETWORK: Final = (
    "DICOM over TCP/IP, by IPv4 or IPv6, on whatever interfaces the computer has"
    " [MR-8.1-01, MR-8.1.2.1-01, MR-8.1.2.2-01, MR-8.1.2.2-02, RF-4.3.1-01]. No other stack is there"
    " [MR-8.1.1-01, MR-8.1.3-01, RF-4.3.2-01]."
)
ABOUT_ADDRESSES: Final = (
    "AE titles, host names and ports of peers stand in the site file [MR-11.1-01, MR-11.2-02, RF-4.4.1.2-01]. A peer"
    " that is not there is rejected [MR-3.1.1-03, RF-4.2.2.4.1.1-07], except that Verification may be opened to"
    " everybody by a switch."
)
ABOUT_MEDIA: Final = (
    "A file-set is made in a folder, or as an image of a disc, with DICOMDIR; the program that burns it is named in the"
    " site file [MR-7.2.1-01, MR-7.2.5-01, RF-5.1.2.1-01, RF-5.2.1.2.1-01]. Instances of SOP classes that the"
    " application profile does not take are left out and named [MR-7.2.4-02, MR-7.2.5-02, RF-5.2.1.2.1.1.1-01]. The"
    " File Meta Information has the Implementation Class UID and Version Name of this statement"
    " [MR-2.5.4-01, RF-5.1.4-01]."
)
ABOUT_CHARACTER_SETS: Final = (
    "New objects use the first of the configured character sets that holds their text"
    " [MR-12-01, MR-12-02, MR-12-03, MR-12-04, RF-6-01, RF-6-02]. Text that comes in is read in any character set of"
    " DICOM and kept as it came."
)
ABOUT_PRIVATE: Final = "The device makes no private attributes [RF-8.2-01]."
ABOUT_PRIVATE_SYNTAXES: Final = (
    "There are no private transfer syntaxes and no private SOP classes [MR-9.2-01, RF-8.6-01]."
)
ABOUT_CODES: Final = (
    "Codes and templates are those of PS3.16. Codes of the worklist are handed on as they come. No code and no template"
    " is defined here [RF-8.3-01]."
)
ABOUT_GRAYSCALE: Final = (
    "Displays and films are judged and corrected by the Grayscale Standard Display Function (PS3.14) with the command"
    " gsdf; previews and films are made of presentation values [RF-8.4-01]."
)
ABOUT_RECEIVED: Final = (
    "A received instance is kept as it came [MR-3.3.4.3-02, RF-8.1.4-01]. Attributes are not coerced, and types 1 and 2"
    " are never invented [MR-13-02, RF-8.1.2-01]. Private attributes are kept and sent on where they are of a known"
    " private set and the switches say so [MR-3.3.4.3-06, MR-11.2-04]."
)
ABOUT_SECURITY: Final = (
    "Every AE and every peer can be reached under TLS, in both directions, as the site file says"
    " [MR-10.1.1-01, MR-10.1.1-02, RF-7-03, RF-7-04], and each service is then secured: storage, storage commitment,"
    " worklist, performed procedure step, print, query and retrieve [MR-10.1-01, MR-10.2-01, MR-10.3-01, MR-10.4-01,"
    " RF-7-01]. Suites are offered in the order of the table, as requestor and as acceptor [MR-10.1.1-07, RF-8.7-01];"
    " TLS 1.3 has suites of its own. An integrity check that fails aborts the association (provider,"
    " reason-not-specified) [MR-10.1.1-05]: TLS lets nothing more go out but its own alert, so the peer gets no"
    " A-ABORT."
)

PURPOSES: Final = {
    "verification": (
        "An operator asks whether a peer is there; the answer or the reason of a failure is shown"
        " [MR-3-14, RF-4.1.1-12, RF-4.1.2.8-01, RF-4.2.8.3.1.1-01].",
        "Answers every peer that asks [MR-3.1.1-06, MR-3.3.1.3-03, MR-3.3.1.3-04, RF-4.2.2.4.1.4-01].",
    ),
    "storage": (
        "A send job hands instances to a peer over one association, with a presentation context for each SOP class and"
        " transfer syntax that is needed [MR-3.2.3.1-02, RF-4.2.1.3.1.1-01, RF-4.2.1.3.1.1-02]. It begins when a step"
        " ends, when an operator sends, or for a C-MOVE [MR-3.2.3.1-01, RF-4.1.1-01, RF-4.1.2.1-01]. A job that fails"
        " for a reason that may pass is tried again as the parameters say"
        " [RF-4.1.2.1-03, RF-4.2.1.3.1.1-03, RF-4.2.1.3.1.3-09].",
        "Takes the instances of peers that may store here [MR-2.1.2-05, MR-3.3.4.1-01, RF-4.1.2.6-02]. Success is"
        " answered once an instance is safe on disk [MR-3.3.4.3-11, RF-4.2.6.4.1.3-01].",
    ),
    "storage_commitment": (
        "After a send job, or when an operator asks, the archive is asked to commit itself to keep the instances"
        " (N-ACTION) [MR-3.2.4.1-01, MR-3.2.4.1-02, RF-4.1.2.2-01, RF-4.2.2.3.1.1-01]. What it has not committed is"
        " sent again [RF-4.2.2.4.1.3.1-02].",
        "The result is taken (N-EVENT-REPORT), on the association of the request or on one that the archive opens"
        " [MR-3-04, MR-3.3.5.1-01, RF-4.2.2.3.1.1-03, RF-4.2.2.4.1.1-01].",
    ),
    "query": (
        "An operator asks an archive for patients, studies, series or images"
        " [MR-2.1.1-04, MR-3.2.1.1-01, MR-3.2.1.1-02, RF-4.1.1-08, RF-4.1.2.5-01].",
        "Answers what the local database has [MR-2.1.1-01, MR-2.1.2-11, MR-3.3.2.1-01]. The keys of the table and every"
        " other attribute that the index keeps are matched and returned; others are looked for in the files"
        " [MR-3.3.2.3-02, MR-3.3.2.4-02].",
    ),
    "retrieve": (
        "An operator has an archive send what it has to this device (C-MOVE)"
        " [MR-2.1.1-05, MR-3.2.2.1-02, MR-3.2.2.1-03, RF-4.1.1-09, RF-4.2.5.3.1.1-05].",
        "Sends the instances that a C-MOVE names to the destination, which must be a peer of the site file"
        " [MR-2.1.1-03, MR-3.3.3.1-01, MR-3.3.3.1-02, MR-3.3.3.3-04].",
    ),
    "worklist": (
        "The RIS is asked for what is scheduled, when an operator asks, when a patient is registered or when an exam"
        " starts, as the parameters say [MR-2.3.1-01, MR-2.3.1-03, MR-5.2.1.1-02, RF-4.1.1-04, RF-4.2.3.3.1.1-01]. When"
        " more items come than are allowed, a C-CANCEL stops the rest [MR-2.3.2-06, RF-4.4.2-23].",
        "",
    ),
    "mpps": (
        "The RIS is told of the performed procedure step: N-CREATE when it begins, N-SET when it ends"
        " [MR-2.4.2-01, MR-2.4.2-07, MR-2.4.2-08, RF-4.2.4.3.1.1-03, RF-4.2.4.3.1.1-05].",
        "",
    ),
    "print": (
        "A print job composes the sheets and sends them: the printer's state is asked for (N-GET), then come film"
        " session, film boxes, image boxes and the order to print [MR-2.2.1-01, RF-4.1.2.7-02, RF-4.2.7.3.1.1-01]. The"
        " film session is deleted at the end [RF-4.2.7.3.1.1-06].",
        "Reports of the printer (N-EVENT-REPORT) are taken on the association that is open"
        " [MR-4.2.1.3-11, RF-4.2.7.3.1.1-05, RF-4.2.7.3.1.4.2-03].",
    ),
}
"""By service: what it does as the one that asks, and as the one that is asked."""
