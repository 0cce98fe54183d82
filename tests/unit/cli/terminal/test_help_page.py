from __future__ import annotations

import pytest

from openmodality.cli.terminal.arguments import Parser
from openmodality.cli.terminal.help_page import make_command_page, make_group_page
from openmodality.cli.terminal.values import parse_integer

TEXT = """Send something.

    The docstring of a function, with a long --option-name that is not to be broken where the line ends in the middle.
    """


def _declared() -> Parser:
    parser = Parser("om")
    parser.add_argument("peer", metavar="PEER")
    parser.add_argument("paths", metavar="PATH", nargs="+")
    parser.add_argument(
        "-c", "--config", metavar="FILE", default="site.toml", help="A file.  [default: $SITE, else it]"
    )
    parser.add_argument("--port", metavar="N", type=parse_integer(0, 9), required=True, help="A port.")
    parser.add_argument("--limit", metavar="N", type=parse_integer(1), default=50, help="At most so many.")
    parser.add_argument("--seed", metavar="N", type=parse_integer(), help="Any.")
    parser.add_argument("--timeout", metavar="N", type=parse_integer(1), help="Time.  [default: the site's]")
    parser.add_argument("--state", choices=["todo", "doing", "waiting", "done", "failed"], help="Only these.")
    parser.add_argument("--simulate", metavar="PROTOCOL", nargs="?", help="Scan.")
    parser.add_argument("--flag", action="store_true", help=f"{'word ' * 15}end.")
    return parser


PAGE = """\
Usage: om [OPTIONS] PEER PATH...

  Send something.

  The docstring of a function, with a long --option-name that is not to be
  broken where the line ends in the middle.

Options:
  -c, --config FILE               A file.  [default: $SITE, else it]
  --port N                        A port.  [0 to 9; required]
  --limit N                       At most so many.  [default: 50; 1 or more]
  --seed N                        Any.
  --timeout N                     Time.  [default: the site's]  [1 or more]
  --state [todo|doing|waiting|done|failed]
                                  Only these.
  --simulate [PROTOCOL]           Scan.
  --flag                          word word word word word word word word word
                                  word word word word word word end.
  --help                          Show this message and exit."""


def test_the_page_of_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert make_command_page("om", TEXT, _declared().declared) == PAGE


@pytest.mark.parametrize(("nargs", "usage"), [(None, "JOB"), ("?", "[JOB]"), ("*", "[JOB]..."), ("+", "JOB...")])
def test_how_many_words(nargs: str | None, usage: str) -> None:
    parser = Parser("om")
    parser.add_argument("jobs", metavar="JOB", nargs=nargs)
    assert make_command_page("om", "", parser.declared).startswith(f"Usage: om [OPTIONS] {usage}\n")


@pytest.mark.parametrize(("columns", "widest"), [("60", 58), ("20", 50), ("200", 78)])
def test_it_fits_the_terminal(columns: str, widest: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    page = make_group_page("om", "word " * 100, {}, {"run": "short " * 50}, "end " * 100)
    assert widest - 6 < max(map(len, page.splitlines())) <= widest
