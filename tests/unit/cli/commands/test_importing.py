from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from openmodality.cli.commands import importing
from openmodality.cli.commands.importing import format_refusal
from openmodality.errors import StoreError


@pytest.mark.parametrize(
    ("why", "said"),
    [
        ("a.dcm is not a readable PS3.10 file", "in/a.dcm is not a readable PS3.10 file"),
        ("in/a.dcm: cannot be opened", "in/a.dcm: cannot be opened"),
        ("no SOP Instance UID", "in/a.dcm: no SOP Instance UID"),
    ],
)
def test_a_refused_file_is_named_once(why: str, said: str) -> None:
    assert format_refusal(Path("in/a.dcm"), why) == said


class _Stopped:
    def __init__(self, error: BaseException, done: int) -> None:
        self._error, self._done = error, done

    def import_files(self, paths: Sequence[Path], progress: Callable[[int, int], None]) -> None:
        for number in range(1, self._done + 1):
            progress(number, 10)
        raise self._error


@pytest.mark.parametrize("error", [KeyboardInterrupt(), StoreError("no space is left")])
@pytest.mark.parametrize(("done", "said"), [(0, ""), (3, "stopped after 3 of 10 files; what is imported stays")])
def test_an_import_that_is_stopped_says_how_far_it_came(
    error: BaseException,
    done: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    @contextmanager
    def give(site_file: str) -> Iterator[_Stopped]:
        yield _Stopped(error, done)

    monkeypatch.setattr(importing, "device", give)
    with pytest.raises(type(error)):
        importing.run((Path("files"),), "site.toml", as_json=False)
    told = capsys.readouterr().err
    assert told.startswith(said)
    assert bool(told) == bool(said)
