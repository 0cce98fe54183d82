"""``openmodality init``: a site file to start with."""

from __future__ import annotations

import shlex
from pathlib import Path

from openmodality.cli.terminal.arguments import CliCommand, Parser
from openmodality.cli.terminal.json_output import add_json, print_document
from openmodality.cli.terminal.output import clean
from openmodality.cli.terminal.site import DEFAULT
from openmodality.cli.terminal.values import any_path


def _declare(parser: Parser) -> None:
    parser.add_argument("folder", metavar="DIR", type=any_path)
    parser.add_argument(
        "--profile",
        metavar="NAME",
        required=True,
        help="The device: mr, rf, or a folder with a profile.toml.",
    )
    add_json(parser)


def run(folder: Path, profile: str, as_json: bool) -> None:
    """Write DIR/site.toml: every setting of the device with its meaning, ready to edit.

    As it is, it works with the virtual hospital of the same machine (openmodality hospital). A site file that is there
    already stays as it is.
    """
    from openmodality.device.site.new_site import write_site  # noqa: PLC0415 - start-up time of the help page

    file = write_site(folder, profile)
    if as_json:
        print_document([{"site_file": str(file)}])
        return
    shown = clean(str(file))
    option = "" if file == Path(DEFAULT) else f" -c {shlex.quote(shown)}"
    print(f"{shown} is written. What to do next:")
    print("  1. Edit it: AE titles and ports of this device, and the addresses of your RIS and PACS under [peers].")
    print("     To try it out leave it as it is and start the virtual hospital in another shell: openmodality hospital")
    print(f"  2. Check the peers:      openmodality echo{option} ris; openmodality echo{option} pacs")
    print(f"  3. Start the device:     openmodality serve{option}")
    print(f"  4. See what is planned:  openmodality worklist{option}")


command = CliCommand(run, _declare)
