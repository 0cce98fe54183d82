"""Whatever is typed after a command either is understood or is one usage error."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from openmodality.cli.terminal.arguments import Parser
from openmodality.errors import UsageError
from tests.command_tree import LEAVES

_TEXTS: Final = st.one_of(
    st.text(max_size=8), st.sampled_from(["", "-", "--", "-5", "1", "A@h:1", "X=Y", "nan", ".", "--help", "-x y"])
)


def _words(parser: Parser) -> st.SearchStrategy[list[str]]:
    names = [name for each in parser.declared for name in each.option_strings] or ["--nothing"]
    options = st.sampled_from(names)
    joined = st.builds("{}{}{}".format, options, st.sampled_from(["", "="]), _TEXTS)
    return st.lists(st.one_of(options, joined, _TEXTS), max_size=8)


@settings(max_examples=settings().max_examples * 3)
@given(name=st.sampled_from(sorted(LEAVES)), data=st.data())
def test_any_words_are_understood_or_a_usage_error(name: str, data: st.DataObject) -> None:
    parser = LEAVES[name].parser(name)
    words = data.draw(_words(parser))
    with contextlib.suppress(UsageError):
        assert set(parser.parse(words)) == {each.dest for each in parser.declared}


def _parser() -> Parser:
    parser = Parser("om")
    parser.add_argument("peer")
    parser.add_argument("paths", nargs="*")
    parser.add_argument("-k", "--key", dest="keys", action="append", default=[])
    parser.add_argument("--name")
    parser.add_argument("--json", action="store_true")
    return parser


_VALUES: Final = st.text(max_size=8).filter(lambda text: text != "--")
_PLAIN: Final = _VALUES.filter(lambda text: text == "-" or not text.startswith("-"))


@given(
    others=st.lists(_PLAIN, min_size=1, max_size=4),
    keys=st.lists(_VALUES, max_size=4),
    name=st.none() | _VALUES,
    is_json=st.booleans(),
    data=st.data(),
)
def test_what_is_said_comes_through_in_any_order(
    others: list[str], keys: list[str], name: str | None, is_json: bool, data: st.DataObject
) -> None:
    spelled = data.draw(st.sampled_from(["--key={}", "-k={}"]))
    options = (
        [spelled.format(key) for key in keys] + ([] if name is None else [f"--name={name}"]) + ["--json"] * is_json
    )
    assert _parser().read(_mixed(others, options, data)) == {
        "peer": others[0], "paths": tuple(others[1:]), "keys": tuple(keys), "name": name, "json": is_json,
    }  # fmt: skip


def _mixed(others: Sequence[str], options: Sequence[str], data: st.DataObject) -> list[str]:
    """Both in their own order, the one among the other."""
    words, left, right = [], list(others), list(options)
    while left and right:
        words.append((left if data.draw(st.booleans()) else right).pop(0))
    return words + left + right
