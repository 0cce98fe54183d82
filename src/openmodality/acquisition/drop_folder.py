"""Watches a folder: each file that is put there becomes an image, and each folder what is in it.

Rules. A file is taken only when it is complete:
* a name that starts with a dot or ends in ``.part`` or ``.tmp`` is still being written; renaming it makes it complete
  in one step;
* ``name.done`` next to ``name`` says that ``name`` is complete;
* otherwise a file is complete when its size and time have not changed for ``settle_s``, and a folder, which is taken as
  one, when none of its files has for ``FOLDER_SETTLE_S`` and none is still being written by its name.

A file that was delivered is moved to ``done/``. One that cannot be used is moved to ``failed/``, with a text that says
why. One that names another patient than the exam is moved to ``held/``, with a text that shows both identities and that
only its owner may read. A file without ``name.done`` that cannot be used may not be complete yet, because its writer
pauses: it stays, and is tried again when it has changed, or once more after ``patience_s``. When delivering fails for
another reason, such as a full disk, the file stays and is tried again. No file that comes is ever deleted or replaced,
and none ends the watch, whatever it holds. One whose companion lies in ``held/`` or ``failed/`` without it is refused.
A crash between delivering and moving delivers a file twice; ``DroppedFile.key`` is the same both times, so UIDs derived
from it are too.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from pathlib import Path

from openmodality.acquisition.natural_order import make_natural_key
from openmodality.acquisition.readers.companion import BESIDE, SUFFIXES, find_stem, list_files_beside
from openmodality.errors import ObjectInvalid, OpenModalityError, OtherIdentity, describe_fault
from openmodality.store.private_files import open_private
from openmodality.value_class import dataclass

log = logging.getLogger(__name__)

UNFINISHED = (".part", ".tmp")
MARKER = ".done"
DONE, FAILED, HELD = "done", "failed", "held"
MAY_GROW_S = 30.0
"""How long a file that cannot be used may rest before it counts as whole: writers over a network pause."""

FOLDER_SETTLE_S = 10.0
"""How long nothing in a folder may change before it counts as whole: a scanner writes one file after the other."""

Deliver = Callable[["DroppedFile"], None]
WaitSeconds = Callable[[float], bool]
MonotonicClock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class FileStatus:
    """Size and time of a file, or of all files of a folder together: where they change, somebody is still writing."""

    size_bytes: int
    modified_ns: int
    files: int = -1
    """How many a folder holds; -1 of a file."""

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder, which is taken as a whole."""
        return self.files >= 0


@dataclass(frozen=True, slots=True)
class FolderState:
    """Files that were seen, and since when each looks as it does; and those that could not be used, since when."""

    seen: Mapping[str, tuple[FileStatus, float]] = field(default_factory=dict)
    refused: Mapping[str, tuple[FileStatus, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DroppedFile:
    """A complete file. ``key`` is made of its name and content.

    ``may_grow`` says that it is tried again later where it cannot be used, because somebody may still be writing it.
    """

    path: Path
    key: str
    may_grow: bool = False


def choose_settled(
    listing: Mapping[str, FileStatus], state: FolderState, now_s: float, settle_s: float
) -> tuple[FolderState, list[str]]:
    """Which of the files in ``listing`` are complete at ``now_s``, in the natural order of their names; and what is
    known from now on.
    """
    seen: dict[str, tuple[FileStatus, float]] = {}
    complete: list[str] = []
    for name in sorted(listing, key=make_natural_key):
        if not _is_candidate(name, listing):
            continue
        status = listing[name]
        earlier = state.seen.get(name)
        since = earlier[1] if earlier is not None and earlier[0] == status else now_s
        seen[name] = (status, since)
        quiet_s = max(settle_s, FOLDER_SETTLE_S) if status.is_folder else settle_s
        if name + MARKER in listing or (earlier is not None and now_s - since >= quiet_s):
            complete.append(name)
    return replace(state, seen=seen), complete


def _is_candidate(name: str, listing: Mapping[str, FileStatus]) -> bool:
    if name.startswith(".") or name.casefold().endswith((*UNFINISHED, *BESIDE)):
        return False
    return not (name.endswith(MARKER) and name.removesuffix(MARKER) in listing)


def list_folder(folder: Path) -> dict[str, FileStatus]:
    """The files and folders directly in ``folder``; one that vanishes meanwhile is left out."""
    listing: dict[str, FileStatus] = {}
    for entry in folder.iterdir():
        try:
            if entry.is_file() and not entry.is_symlink():
                status = entry.stat()
                listing[entry.name] = FileStatus(status.st_size, status.st_mtime_ns)
            elif whole := _measure_folder(entry):
                listing[entry.name] = whole
        except FileNotFoundError:
            continue
    return listing


def _measure_folder(folder: Path) -> FileStatus | None:
    """All files of a folder as one; None where it is none, or ours, or empty, or one is still being written."""
    if not folder.is_dir() or folder.is_symlink() or folder.name in (DONE, FAILED, HELD):
        return None
    files = _list_files_below(folder)
    if not files or any(file.name.casefold().endswith(UNFINISHED) for file in files):
        return None
    statuses = [file.stat() for file in files]
    newest = max(status.st_mtime_ns for status in statuses)
    return FileStatus(sum(status.st_size for status in statuses), newest, len(files))


def _list_files_below(folder: Path) -> list[Path]:
    """All files of a folder and of those in it, in the order of their names; links are not followed."""
    found: list[Path] = []
    for place, folders, names in os.walk(folder):
        folders.sort()
        found += [path for name in sorted(names) if not (path := Path(place, name)).is_symlink()]
    return found


def scan(folder: Path, state: FolderState, *, now_s: float, settle_s: float = 2.0) -> tuple[FolderState, list[Path]]:
    """Look once: the new state, and the files that are complete."""
    state, names = choose_settled(list_folder(folder), state, now_s, settle_s)
    return state, [folder / name for name in names]


@dataclass(frozen=True, slots=True)
class DropFolder:
    """Takes complete files out of ``folder`` and hands each to ``deliver``."""

    folder: Path
    deliver: Deliver
    settle_s: float = 2.0
    patience_s: float = MAY_GROW_S

    def step(self, state: FolderState, now_s: float) -> FolderState:
        """Look once and deliver what is complete. A folder that cannot be looked into is looked at again."""
        try:
            state, complete = scan(self.folder, state, now_s=now_s, settle_s=self.settle_s)
        except OSError as error:
            log.error("drop folder: cannot be looked into", extra={"error": type(error).__name__})
            return state
        refused = {name: each for name, each in state.refused.items() if state.seen.get(name, each)[0] == each[0]}
        for path in complete:
            was_refused = refused.get(path.name)
            is_told_complete = path.with_name(path.name + MARKER).exists()
            if was_refused and not is_told_complete and now_s - was_refused[1] < self.patience_s:
                continue
            if not self._take(path, may_grow=not (was_refused or is_told_complete)):
                refused[path.name] = (state.seen[path.name][0], now_s)
        return replace(state, refused={name: each for name, each in refused.items() if name in state.seen})

    def watch(self, wait: WaitSeconds, clock: MonotonicClock, interval_s: float = 1.0) -> None:
        """Look every ``interval_s`` until ``wait`` returns True (as the ``wait`` of a threading event does when it is
        set).
        """
        state = FolderState()
        while not wait(interval_s):
            state = self.step(state, clock())

    def _take(self, path: Path, *, may_grow: bool) -> bool:
        """Deliver a file and move it aside; ``False`` where it cannot be used as it is now, and may still grow."""
        try:
            try:
                key = make_arrival_key(path)
            except FileNotFoundError:
                return True  # somebody took it away
            except OSError as error:
                raise ObjectInvalid(f"{path}: cannot be read: {error.strerror}") from error
            refuse_without_companion(path)
            self.deliver(DroppedFile(path, key, may_grow))
        except OtherIdentity as error:
            log.warning("drop folder: file held", extra={"error": type(error).__name__})
            _try_to_move(path, HELD, f"{error}\n")
        except ObjectInvalid as error:
            if may_grow:
                log.info("drop folder: file refused, it may still grow", extra={"error": type(error).__name__})
                return False
            self._refuse(path, error)
        except (OpenModalityError, OSError) as error:
            log.error("drop folder: file not delivered, it stays", extra={"error": type(error).__name__})
        except Exception as error:  # noqa: BLE001 - the boundary of one file: the next one is taken all the same
            log.error("drop folder: fault at a file", extra=describe_fault(error))
            self._refuse(path, ObjectInvalid(f"{path}: cannot be used ({type(error).__name__})"))
        else:
            log.info("drop folder: file delivered")
            _try_to_move(path, DONE)
        return True

    def _refuse(self, path: Path, error: ObjectInvalid) -> None:
        log.warning("drop folder: file refused", extra={"error": type(error).__name__})
        _try_to_move(path, FAILED, f"{error.message}\n{error.advice}\n")


def _try_to_move(path: Path, into: str, reason: str = "") -> None:
    """Move a file aside, with a text beside it; where that fails the file comes again, which does no harm."""
    try:
        target = move_aside(path, into)
        if reason:
            _write_reason(target.with_name(target.name + ".txt"), reason)
    except OSError as error:
        log.error("drop folder: file cannot be moved, it stays", extra={"error": type(error).__name__})


def _write_reason(file: Path, reason: str) -> None:
    """Write a text that only its owner may read, since the names of files may be those of patients.

    A text of that name from earlier goes, because its permissions may be others.
    """
    file.unlink(missing_ok=True)
    with open(file, "x", encoding="utf-8", opener=open_private) as stream:
        stream.write(reason)


def make_arrival_key(path: Path) -> str:
    """A text that is the same whenever the same file, or the same folder of files, arrives."""
    if path.is_dir():
        digests = hashlib.sha256()
        for file in _list_files_below(path):
            digests.update(f"{file.relative_to(path)}/{_digest(file)}\n".encode("utf-8", "surrogateescape"))
        return f"{path.name}/{digests.hexdigest()}"
    return f"{path.name}/{_digest(path)}"


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def move_aside(path: Path, into: str) -> Path:
    """Move a file and its companions to the subfolder ``into``, under a new name where one of that name is there; its
    new place.

    The file goes first, since without its companion it would be taken for whatever patient the exam is of. All come
    back where one cannot be moved.
    """
    folder = path.parent / into
    folder.mkdir(exist_ok=True)
    files = [path, *list_files_beside(path)]
    moved: list[tuple[Path, Path]] = []
    try:
        for file, target in zip(files, _find_free_names(folder, files), strict=True):
            file.rename(target)
            moved.append((file, target))
    except OSError:
        for file, target in reversed(moved):
            target.rename(file)  # where this fails the file of pixels, which is the last, stays aside
        raise
    path.with_name(path.name + MARKER).unlink(missing_ok=True)
    return moved[0][1]


def _find_free_names(folder: Path, files: Sequence[Path]) -> list[Path]:
    """Where files of one stem, that of the first, can stand in ``folder`` together."""
    stem, number = find_stem(files[0]).name, 0
    while True:
        name = f"{stem}-{number}" if number else stem
        places = [folder / (name + file.name.removeprefix(stem)) for file in files]
        if not any(place.exists() for place in places):
            return places
        number += 1


def refuse_without_companion(path: Path) -> None:
    """Raises :class:`ObjectInvalid` where a companion of a file was moved aside without it, as by a crash: it may name
    another patient.
    """
    beside = {each.suffix for each in list_files_beside(path)}
    for folder in (path.parent / HELD, path.parent / FAILED):
        for companion in _list_left_alone(folder, find_stem(path).name):
            if companion.suffix not in beside:
                raise ObjectInvalid(
                    f"{path}: its companion lies in {companion}",
                    advice="put both into the drop folder again, or remove the companion where it is of another file",
                )


def _list_left_alone(folder: Path, stem: str) -> list[Path]:
    """The companions in ``folder`` of files with this stem, or this one with a number, that are not there."""
    names = [Path(name) for name in list_folder(folder)] if folder.is_dir() else []
    whole = {find_stem(name).name for name in names if name.suffix not in BESIDE}
    is_wanted = re.compile(rf"{re.escape(stem)}(-\d+)?").fullmatch
    return [
        folder / each for each in names if each.suffix in SUFFIXES and is_wanted(each.stem) and each.stem not in whole
    ]
