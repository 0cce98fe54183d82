"""``openmodality key``: which images are of note, and why, as key object documents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from openmodality.app.records.documents import key_document_as_json, list_key_titles
from openmodality.cli.terminal.arguments import CliCommand, Group, Parser
from openmodality.cli.terminal.choice import add_choice
from openmodality.cli.terminal.exam import add_exam, find_exam_number
from openmodality.cli.terminal.json_output import add_json, print_document
from openmodality.cli.terminal.output import align_rows, print_fields
from openmodality.cli.terminal.site import add_site, device, open_view
from openmodality.cli.terminal.values import not_empty
from openmodality.standard.key_object_titles import REASONS, TAKES_REASON, TITLES

_OF_TITLE: Final = "key titles lists them.  [default: Of Interest]"


def _declare_make(parser: Parser) -> None:
    add_exam(parser)
    add_choice(parser, "what is of note", studies=False)
    parser.add_argument("--title", metavar="TITLE", default="Of Interest", help=f"Code or meaning; {_OF_TITLE}")
    parser.add_argument("--reason", metavar="REASON", default="", help="Code or meaning, for titles that take one.")
    parser.add_argument("--description", metavar="TEXT", default="", help="What is to be said of them.")
    parser.add_argument("--observer", metavar="NAME", default="", help="Who chose, as Doe^Jane.  [default: the device]")
    add_site(parser)
    add_json(parser)


def run_key_make(
    exam: str,
    series: Sequence[str],
    instances: Sequence[str],
    title: str,
    reason: str,
    description: str,
    observer: str,
    site_file: str,
    as_json: bool,
) -> None:
    """Note which images of a patient are of interest in an exam in progress, as a Key Object Selection Document.

    It goes to the RIS and the archives with the images. Where images of other studies are named, such as priors, each
    of these studies gets the same document.
    """
    with device(site_file) as modality:
        found = modality.find_exam(find_exam_number(modality.view, exam))
        made = found.key_objects(
            instances, series=series, title=title, reason=reason, description=description, observer=observer
        )
        if as_json:
            print_document([{"exam": found.id, "sop_instance_uid": uid} for uid in made])
        else:
            print("\n".join(made))


def _declare_show(parser: Parser) -> None:
    parser.add_argument("document", metavar="UID", type=not_empty)
    add_site(parser)
    add_json(parser)


def run_key_show(document: str, site_file: str, as_json: bool) -> None:
    """What a key object document of the local database says, whoever made it."""
    from openmodality.activities.key_documents import read_key_document  # noqa: PLC0415 - start-up time

    with open_view(site_file) as view:
        said = read_key_document(view.instance_path(document))
    if as_json:
        print_document([key_document_as_json(said)])
        return
    print_fields([
        ("title", said.title), ("reason", ", ".join(said.reasons)), ("description", said.description),
        ("observer", said.observer),
    ])  # fmt: skip
    print("\n".join(said.instances))


def run_key_titles(as_json: bool) -> None:
    """The titles that a document can have (CID 7010), with the reasons that some of them take."""
    if as_json:
        print_document(list_key_titles())
        return
    rows = [[code, meaning] for code, meaning in TITLES.items()]
    print("\n".join(align_rows(rows)))
    for code, reasons in REASONS.items():
        print(f"\nReasons of {code} {TITLES[code]}{', of which it takes one' if code in TAKES_REASON else ''}:")
        print("\n".join(align_rows([[each, words] for each, words in reasons.items()])))


command = Group(
    "Key object documents: which images are of note, and why.",
    {
        "make": CliCommand(run_key_make, _declare_make),
        "show": CliCommand(run_key_show, _declare_show),
        "titles": CliCommand(run_key_titles, add_json),
    },
)
