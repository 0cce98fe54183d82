"""The words of a command line: what a command takes, and how they are read.

A :class:`CliCommand` is a function and what it takes; it reads the words and calls the function with what they say. A
:class:`Group` hands them to one of its commands. Mistakes are :class:`UsageError`, in one line.

Options may stand before, between and after the other words, and what follows ``--`` is no option. ``argparse`` does not
do that alike in all versions of Python where a command takes any number of words, so it gets them in order: options,
each with its value, then ``--``, then the others.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NoReturn

from openmodality.cli.terminal.output import say_lines
from openmodality.errors import UsageError

if TYPE_CHECKING:
    from typing import Protocol

    class Runs(Protocol):
        """What a group hands words to: a command, or another group."""

        @property
        def summary(self) -> str:
            """One line for the help page of the group."""
            ...

        def __call__(self, name: str, words: Sequence[str]) -> int:
            """Do what the words say, under the name as it was called; the exit status."""
            ...


DONE: Final = 0
WRONG_USAGE: Final = 2
_ALL_ARE_WORDS: Final = "--"
_HELP: Final = "--help"
_WIDTH: Final = 78
_NEEDED: Final = (None, argparse.ONE_OR_MORE)
"""``nargs`` of words that must be there."""
WordValues = dict[str, Any]
"""What the words say, by the names of the parameters of a command's function."""


class _Formatter(argparse.HelpFormatter):
    """Of a known width: argparse makes one for each option, and would look for the terminal's each time."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_WIDTH)


class Parser(argparse.ArgumentParser):
    """What one command takes, declared by :meth:`add_argument`.

    ``help`` and ``metavar`` are as for argparse. Options that may be repeated have ``action="append"`` and
    ``default=[]``; the function gets a tuple.
    """

    def __init__(self, name: str) -> None:
        super().__init__(
            name, add_help=False, allow_abbrev=False, exit_on_error=False, formatter_class=_Formatter, usage=""
        )
        self.declared: list[argparse.Action] = []
        self._options: dict[str, argparse.Action] = {}
        self._changes: list[Callable[[WordValues], None]] = []

    def add_argument(self, *names: Any, **settings: Any) -> argparse.Action:
        """Declare an option or a word."""
        action = super().add_argument(*names, **settings)
        self.declared.append(action)
        self._options |= dict.fromkeys(action.option_strings, action)
        return action

    def change_after(self, change: Callable[[WordValues], None]) -> None:
        """Let ``change`` make one parameter of what several options say."""
        self._changes.append(change)

    def read(self, words: Sequence[str]) -> WordValues:
        """What the words say. Raises :class:`UsageError` where they are wrong."""
        values = self.parse(words)
        for change in self._changes:
            change(values)
        return values

    def parse(self, words: Sequence[str]) -> WordValues:
        """The same, option by option."""
        try:
            namespace, left = self.parse_known_args(self._parse_in_order(words))
        except argparse.ArgumentError as error:
            self.error(f"{error.argument_name}: {error.message}")
        if left:
            words_left = [word for word in left if word != _ALL_ARE_WORDS]
            self.error(f"unexpected argument {' '.join(map(repr, words_left))}{self._hint_at_key(words_left)}")
        return {name: tuple(value) if isinstance(value, list) else value for name, value in vars(namespace).items()}

    def error(self, message: str) -> NoReturn:
        """Raises :class:`UsageError` with this message."""
        raise UsageError(message, advice=see_help(self.prog))

    def _hint_at_key(self, words: Sequence[str]) -> str:
        """Say that an attribute is given with ``-k``, where the command takes some and this was meant as one."""
        takes_keys = any("--key" in action.option_strings for action in self._actions)
        return ", which is given with -k" if takes_keys and len(words) == 1 and "=" in words[0] else ""

    def _parse_in_order(self, words: Sequence[str]) -> list[str]:
        options: list[str] = []
        others: list[str] = []
        left = list(reversed(words))
        while left:
            word = left.pop()
            if word == _ALL_ARE_WORDS:
                others += reversed(left)
                break
            if word.startswith("-") and word != "-":
                options.append(self._take_value(word, left))
            else:
                others.append(word)
        if _ALL_ARE_WORDS in others:  # argparse would drop it
            self.error("-- may be given once")
        self._check_required(options, len(others))
        return [*options, _ALL_ARE_WORDS, *others] if others else options

    def _take_value(self, word: str, left: list[str]) -> str:
        """An option by its long name with its value, which is taken from the words that are ``left`` if need be."""
        action, value = self._split(word)
        name = action.option_strings[-1]
        if action.nargs == 0:
            if value is not None:
                self.error(f"{name} takes no value")
            return name
        if value is None and left and self._is_value(left[-1], action):
            value = left.pop()
        if value is None and action.nargs == argparse.OPTIONAL:
            return name
        if value is None or value == _ALL_ARE_WORDS:
            self.error(f"{name} needs a value")
        return f"{name}={value}"

    def _split(self, word: str) -> tuple[argparse.Action, str | None]:
        """``--option``, ``--option=value``, ``-o``, ``-o=value`` or ``-ovalue``."""
        name, equals, value = word.partition("=")
        if name in self._options:
            return self._options[name], value if equals else None
        if word[:2] not in self._options:
            self.error(unknown("option", name, [*self._options, _HELP]))
        return self._options[word[:2]], word[2:]

    def _is_value(self, word: str, action: argparse.Action) -> bool:
        """A value that must be there may begin with a dash, such as -5."""
        if action.nargs == argparse.OPTIONAL:
            return not word.startswith("-") or word == "-"
        return word != _ALL_ARE_WORDS and word.partition("=")[0] not in self._options

    def _check_required(self, options: Iterable[str], others: int) -> None:
        given = {option.partition("=")[0] for option in options}
        words = [each for each in self.declared if not each.option_strings and each.nargs in _NEEDED]
        missing = [each for each in self._options.values() if each.required and each.option_strings[-1] not in given]
        for action in (*words[others:], *missing):
            name = action.option_strings[-1] if action.option_strings else action.metavar
            listed = f" (one of {', '.join(action.choices)})" if action.choices else ""
            self.error(f"{name} is missing{listed}")


class CliCommand:
    """A function with what it takes; its docstring, or ``text``, is the help page.

    The function returns the exit status; ``None`` is 0. ``commands`` are called where their name is the first word.
    ``more`` tells at the end of the page shown what holds here and
    now, such as values of the site file; manual pages do not have it.
    """

    def __init__(
        self,
        run: Callable[..., int | None],
        declare: Callable[[Parser], object],
        *,
        text: str | None = None,
        commands: Mapping[str, Runs] | None = None,
        more: Callable[[], str] = lambda: "",
    ) -> None:
        self.text = (run.__doc__ if text is None else text) or ""
        self.run = run
        self.commands = commands or {}
        self._declare = declare
        self._more = more

    @property
    def summary(self) -> str:
        """The first sentence of its text."""
        return _first_sentence(self.text)

    def parser(self, name: str) -> Parser:
        """What it takes."""
        parser = Parser(name)
        self._declare(parser)
        return parser

    def page(self, name: str) -> str:
        """Its help page."""
        from openmodality.cli.terminal.help_page import make_command_page  # noqa: PLC0415 - start-up time

        summaries = {each: command.summary for each, command in self.commands.items()}
        return make_command_page(name, self.text, self.parser(name).declared, summaries)

    def __call__(self, name: str, words: Sequence[str]) -> int:
        """Read the words and run the function, or show the help page; the exit status."""
        if words and words[0] in self.commands:
            return self.commands[words[0]](f"{name} {words[0]}", words[1:])
        end = words.index(_ALL_ARE_WORDS) if _ALL_ARE_WORDS in words else len(words)
        if _HELP in words[:end]:
            print("\n\n".join(filter(None, (self.page(name), self._more()))))
            return DONE
        return self.run(**self.parser(name).read(words)) or DONE


class Group:
    """Commands under one name; without words it shows its help page as an error.

    ``options`` are those beside ``--help``, with what they mean; who makes the group reads them.
    """

    def __init__(
        self, text: str, commands: Mapping[str, Runs], *, options: Mapping[str, str] | None = None, epilog: str = ""
    ) -> None:
        self.text = text
        self.commands = commands
        self._options = options or {}
        self._epilog = epilog

    @property
    def summary(self) -> str:
        """The first sentence of its text."""
        return _first_sentence(self.text)

    def page(self, name: str) -> str:
        """Its help page."""
        from openmodality.cli.terminal.help_page import make_group_page  # noqa: PLC0415 - start-up time

        summaries = {each: command.summary for each, command in self.commands.items()}
        return make_group_page(name, self.text, self._options, summaries, self._epilog)

    def __call__(self, name: str, words: Sequence[str]) -> int:
        """Run one of the commands; the exit status."""
        if not words:
            say_lines(self.page(name))
            return WRONG_USAGE
        first, *others = words
        if first == _HELP:
            print(self.page(name))
            return DONE
        if first in self.commands:
            return self.commands[first](f"{name} {first}", others)
        kind, known = ("option", [*self._options, _HELP]) if first.startswith("-") else ("command", list(self.commands))
        raise UsageError(unknown(kind, first, known), advice=see_help(name))


def _first_sentence(text: str) -> str:
    paragraph = " ".join(text.strip().partition("\n\n")[0].split())
    return paragraph.partition(". ")[0].rstrip(".") + "."


def see_help(name: str) -> str:
    """Where a mistake in the words of a command is explained."""
    return f"see '{name} --help'"


def unknown(kind: str, word: str, known: Iterable[str]) -> str:
    """That there is no such option or command, and the one that may be meant."""
    from difflib import get_close_matches  # noqa: PLC0415 - start-up time, and only for mistakes

    near = get_close_matches(word, known, n=1)
    return f"no such {kind} {word!r}" + "".join(f" (did you mean {each!r}?)" for each in near)
