"""Adds images to a file-set, one update each, until somebody kills it; arguments: the set, the images."""

from __future__ import annotations

import sys
from pathlib import Path

from openmodality.media.application_profile import USB
from openmodality.media.file_set import FileSetOptions, create_file_set, update_file_set

OPTIONS = FileSetOptions(USB, ("1.2.826.0.1.3680043.10.999", "TEST"))


def main(root: Path, source: Path) -> None:
    for path in sorted(source.iterdir()):
        add = update_file_set if (root / "DICOMDIR").exists() else create_file_set
        _say("adding")
        if add(root, [path], OPTIONS).written:
            _say("added")


def _say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
