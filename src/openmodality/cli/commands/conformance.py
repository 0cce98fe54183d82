"""``openmodality conformance``: the conformance statement of the device, what has changed in it, and other devices."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from openmodality.cli.commands.conformance_check import declare_peer_check, run_peer_check
from openmodality.cli.terminal.arguments import CliCommand, Group, Parser
from openmodality.cli.terminal.json_output import add_json, print_document
from openmodality.cli.terminal.output import clean
from openmodality.cli.terminal.result_file import write_result
from openmodality.cli.terminal.site import add_site, load
from openmodality.cli.terminal.values import any_path, existing_file
from openmodality.counted import format_count

if TYPE_CHECKING:
    from openmodality.device.site.site import Site

_FORMATS: Final = ("html", "markdown", "json")
_LAYOUTS: Final = ("annex-n", "mr", "rf")
_SUFFIXES: Final = {".html": "html", ".htm": "html", ".json": "json"}
"""What a file is that no --format is given for; any other is Markdown."""


def _declare_print(parser: Parser) -> None:
    parser.add_argument(
        "--format",
        choices=_FORMATS,
        default="",
        help="What is written.  [default: by the end of FILE, else markdown]",
    )
    parser.add_argument("--layout", choices=_LAYOUTS, default="annex-n", help="Its order.  [default: annex-n]")
    parser.add_argument(
        "--profile", metavar="NAME", default="", help="The device without a site file: mr, rf, or a profile folder."
    )
    parser.add_argument(
        "--evidence",
        nargs="?",
        const="",
        default=None,
        metavar="FILE",
        help="Say which test shows which sentence, and before whom; without FILE by the profile's own evidence.",
    )
    parser.add_argument("-o", "--output", metavar="FILE", type=any_path, default=None, help="Write it to FILE.")
    add_site(parser)
    add_json(parser)


def run_print_statement(
    format: str, layout: str, profile: str, evidence: str | None, output: Path | None, site_file: str, as_json: bool
) -> int:
    """Print the conformance statement of the device, as it is configured here.

    It is made of the tables and settings that the device runs by. The order is that of PS3.2 Annex N, or that of the
    statement of the MR or R/F device. As JSON it is for programs and for 'openmodality conformance diff', and has the
    device description of PS3.15 Annex H. With --evidence each sentence of the statement that the profile follows says
    which tests show it, how they ended in the last run, and before whom: an independent peer, a wire tap, our own other
    side, or nobody. A FILE is one that 'make trace ARGS=--write' has written.
    """
    from openmodality.app.conformance import DeviceStatement  # noqa: PLC0415 - start-up time

    site = _find_site(profile, site_file)
    statement = DeviceStatement(site)
    proofs = None if evidence is None else statement.read_evidence(Path(evidence) if evidence else None)
    chosen = format or (_SUFFIXES.get(output.suffix.lower(), "markdown") if output else "markdown")
    device = {"profile": site.profile.name, "layout": layout, "format": chosen}
    if output is None and as_json:
        print_document([{**device, "file": None, "statement": statement.describe(proofs)}])
        return 0
    text = statement.write(chosen, layout, proofs)
    if output is None:
        print(text, end="")
        return 0
    write_result(output, text)
    if as_json:
        print_document([{**device, "file": str(output), "statement": None}])
    else:
        print(clean(f"{output}: the conformance statement of {site.profile.title}"))
    return 0


def _find_site(profile: str, site_file: str) -> Site:
    if not profile:
        return load(site_file)
    from openmodality.device.profile.loader import load_profile  # noqa: PLC0415 - start-up time
    from openmodality.device.site.site_loader import load_default_site  # noqa: PLC0415 - start-up time

    load_profile(profile)  # says what is wrong with it
    return load_default_site(profile)


def _declare_diff(parser: Parser) -> None:
    parser.add_argument("before", metavar="A.json", type=existing_file)
    parser.add_argument("after", metavar="B.json", type=existing_file)
    parser.add_argument(
        "--exit-code", dest="has_exit_code", action="store_true", help="End with status 1 where there is a difference."
    )
    add_json(parser)


def run_diff(before: Path, after: Path, has_exit_code: bool, as_json: bool) -> int:
    """Say what a peer would notice if the statement B.json took the place of A.json, a line for each difference.

    Both are files that 'openmodality conformance print --format json' has written. What only the device itself
    notices, such as whether a key of the worklist is displayed, is left out.
    """
    from openmodality.conformance.as_json import read_statement_file  # noqa: PLC0415 - start-up time
    from openmodality.conformance.comparing import find_differences  # noqa: PLC0415 - start-up time

    found = find_differences(read_statement_file(before), read_statement_file(after))
    if as_json:
        items: list[dict[str, Any]] = [{"area": each.area, "change": each.change, "text": each.text} for each in found]
        print_document(items, before=str(before), after=str(after))
    else:
        for each in found:
            print(clean(f"{each.area}: {each.text}"))
        if not found:
            print("a peer would notice nothing")
        elif len(found) > 1:
            print(f"{format_count(len(found), 'difference')} that a peer may notice")
    return 1 if found and has_exit_code else 0


command = Group(
    "The conformance statement of the device: print it, say what has changed in it, and check a peer.",
    {
        "print": CliCommand(run_print_statement, _declare_print),
        "diff": CliCommand(run_diff, _declare_diff),
        "check": CliCommand(run_peer_check, declare_peer_check),
    },
)
