"""The mutation run: would the tests notice if one thing in the code were wrong?

Run as ``make mutate``. By a seed it takes 300 mutants of the packages that decide what a device does, and runs against
each the tests that run its line, 60 s at most: those of units first, the others only where these notice nothing. What
is done is in ``build/mutate/results.jsonl``, and a run that was stopped goes on from there. Before them come the named
faults of ``tools/named_faults.toml``, which have to be noticed. A mutant that does what the code does stands in
``tools/equivalent_mutants.toml`` with the reason, and is not tried. ``--keep`` writes ``tools/mutation_results.md``.
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tools import mutation_runs as runs
from tools.mutants import Mutant, choose, find_mutants

NAMED_FAULTS: Final = runs.ROOT / "tools" / "named_faults.toml"
EQUIVALENTS: Final = runs.ROOT / "tools" / "equivalent_mutants.toml"
KEPT: Final = runs.ROOT / "tools" / "mutation_results.md"
_RESULTS: Final = runs.FOLDER / "results.jsonl"
_KILLED: Final = ("killed", "timeout")
_LOWEST: Final = 0.85
_COLUMNS: Final = "| mutant | file | where | kind | verdict |\n|---|---|---|---|---|"


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a mutant: ``killed``, ``timeout`` (the tests take for ever), ``survived``, ``uncovered`` (no test
    runs it), ``unsure`` (the tests fail without it as well), or ``equivalent`` (``by`` is the reason).
    """

    key: str
    verdict: str
    by: str
    what: str
    seconds: float


def sample(root: Path, seed: int, count: int) -> list[Mutant]:
    """The chosen mutants of all packages."""
    source = root / "src" / "openmodality"
    files = [file for package in runs.PACKAGES for file in sorted((source / package).rglob("*.py"))]
    return choose(root, [mutant for file in files for mutant in find_mutants(root, file)], seed, count)


def named_faults(root: Path, table: Path = NAMED_FAULTS) -> list[Mutant]:
    """The faults that people thought of, as mutants. Ends the program where the code has no longer the text of one."""
    return [_named(root, **fault) for fault in tomllib.loads(table.read_text(encoding="utf-8"))["fault"]]


def _named(root: Path, *, name: str, file: str, before: str, after: str, tests: Sequence[str] = ()) -> Mutant:
    source = (root / file).read_bytes()
    if source.count(before.encode()) != 1:
        sys.exit(f"{NAMED_FAULTS.name}: {name}: {file} has its text {source.count(before.encode())} times, not once")
    start = source.index(before.encode())
    end = start + len(before.encode())
    lines = range(source.count(b"\n", 0, start) + 1, source.count(b"\n", 0, end) + 2)
    return Mutant(f"named:{name}", file, "named", name, lines, start, end, before, after, tuple(tests))


def find_equivalents(table: Path = EQUIVALENTS) -> dict[str, Result]:
    """The mutants that do what the code does, by key, each with the reason."""
    listed = tomllib.loads(table.read_text(encoding="utf-8"))["mutant"]
    return {each["key"]: Result(each["key"], "equivalent", each["reason"], each["what"], 0.0) for each in listed}


def try_mutant(mutant: Mutant, tests: Sequence[str]) -> Result:
    """Run tests against the mutant, those of units first; where they end oddly, also against the code as it is."""
    verdict, failed, seconds = "uncovered", "", 0.0
    source = mutant.apply((runs.TREE / mutant.file).read_bytes())
    for part in runs.split_by_cost(tests):
        with runs.changed(mutant.file, source):
            ended = runs.run_tests(part)
        verdict, failed, seconds = _judge(ended, part), ended.failed, seconds + ended.seconds
        if verdict != "survived":
            break
    return Result(mutant.key, verdict, failed, str(mutant), round(seconds, 1))


def _judge(ended: runs.Ended, tests: Sequence[str]) -> str:
    if ended.status == 0:
        return "survived"
    if ended.status == 1 and ended.failed.startswith("tests/unit"):
        return "killed"
    # A busy machine makes tests with sockets and clocks fail as well: what the mutant does not do is not its doing.
    if runs.run_tests([ended.failed] if ended.status == 1 else tests).status != 0:
        return "unsure"
    return "timeout" if ended.status is None else "killed"


def read_results() -> dict[str, Result]:
    """What earlier runs found, by key; the last word counts, and what is unsure is tried again."""
    if not _RESULTS.exists():
        return {}
    lines = _RESULTS.read_text(encoding="utf-8").splitlines()
    results = (Result(**json.loads(line)) for line in lines)
    return {result.key: result for result in results if result.verdict != "unsure"}


def work(mutants: Iterable[Mutant], done: dict[str, Result], named_tests: Sequence[str] = ()) -> None:
    """Try each mutant that has no result yet, against the tests that are named or else those that cover its line."""
    covering = runs.Covering()
    runs.import_foreign()
    for mutant in mutants:
        if mutant.key in done:
            continue
        tests = named_tests or mutant.tests or covering.select(mutant.file, mutant.lines)
        result = done[mutant.key] = try_mutant(mutant, tests)
        with _RESULTS.open("a", encoding="utf-8") as lines:
            lines.write(_line(result))
        print(f"{result.verdict:<9} {result.seconds:5.1f} s  {result.what}", flush=True)


def summarise(mutants: Sequence[Mutant], done: dict[str, Result]) -> tuple[str, bool]:
    """The survivors and the share of the killed; and whether that is enough."""
    tried = [done[mutant.key] for mutant in mutants if mutant.key in done]
    named = [result for result in tried if result.key.startswith("named:")]
    seeded = [result for result in tried if not result.key.startswith("named:") and result.verdict != "equivalent"]
    alive = [result for result in tried if result.verdict not in (*_KILLED, "equivalent")]
    killed = sum(result.verdict in _KILLED for result in seeded)
    missed = [result for result in named if result in alive]
    equivalents = len(tried) - len(named) - len(seeded)
    lines = ["", f"{len(alive)} survivors", *(f"{each.key} {each.verdict:<9} {each.what}" for each in alive), ""]
    lines += [f"named faults noticed: {len(named) - len(missed)} of {len(named)}"]
    lines += [f"mutants killed: {killed} of {len(seeded)}, {100 * killed / max(len(seeded), 1):.1f} %"]
    lines += [f"equivalent mutants, not counted: {equivalents}"]
    return "\n".join(lines), not missed and killed >= _LOWEST * len(seeded)


def make_table(mutants: Sequence[Mutant], done: dict[str, Result], summary: str) -> str:
    """What became of each mutant, for the repository."""
    rows = [(mutant, done[mutant.key]) for mutant in mutants if mutant.key in done]
    table = [f"| {' | '.join(_describe_result(*row))} |" for row in rows]
    counted = [line for line in summary.splitlines() if line.startswith(("named", "mutants", "equivalent"))]
    head = ["# The last mutation run", "", 'Written by `make mutate ARGS="--report --keep"`.', ""]
    return "\n".join([*head, *(f"- {line}" for line in counted), "", _COLUMNS, *table, ""])


def _describe_result(mutant: Mutant, result: Result) -> tuple[str, ...]:
    is_named = mutant.key.startswith("named:")
    where = "" if is_named else f"`{mutant.scope}`"
    name = mutant.key.removeprefix("named:")
    return name, f"`{mutant.file.removeprefix('src/openmodality/')}`", where, mutant.operator, result.verdict


def prepare(options: argparse.Namespace) -> None:
    """Make the copy and collect the contexts, where that has not been done or is asked for."""
    runs.restore()
    if not (options.fresh or options.survivors or options.tests) and runs.has_contexts():
        return
    runs.FOLDER.mkdir(parents=True, exist_ok=True)
    runs.copy_project()
    if not options.tests:
        runs.collect_contexts()
    kept = () if options.fresh else read_results().values()
    _RESULTS.write_text("".join(map(_line, (each for each in kept if each.verdict in _KILLED))), encoding="utf-8")


def _line(result: Result) -> str:
    return json.dumps({name: getattr(result, name) for name in Result.__slots__}) + "\n"


def main(arguments: Sequence[str]) -> None:
    """Run the mutants and print what survived; exit status 1 where too many did."""
    parser = argparse.ArgumentParser(prog="mutate", description="Mutants of the code, and the tests that notice them")
    parser.add_argument("--seed", type=int, default=9, help="which mutants (default 9)")
    parser.add_argument("--count", type=int, default=300, help="how many of them (default 300)")
    parser.add_argument("--fresh", action="store_true", help="begin anew, with a new copy of the project")
    parser.add_argument("--survivors", action="store_true", help="copy and collect anew, and try the survivors again")
    parser.add_argument("--tests", nargs="+", default=[], help="with a new copy, try the survivors against these alone")
    parser.add_argument("--keep", action="store_true", help=f"write what is known to {KEPT.name} in tools")
    parser.add_argument("--report", action="store_true", help="say what is known, run nothing")
    options = parser.parse_args(arguments)
    if not options.report:
        prepare(options)
    mutants = [*named_faults(runs.TREE), *sample(runs.TREE, options.seed, options.count)]
    done = read_results() | find_equivalents()
    if not options.report:
        work(mutants, done, options.tests)
    text, is_enough = summarise(mutants, done)
    print(text)
    if options.keep:
        KEPT.write_text(make_table(mutants, done, text), encoding="utf-8")
    sys.exit(not is_enough)


if __name__ == "__main__":
    main(sys.argv[1:])
