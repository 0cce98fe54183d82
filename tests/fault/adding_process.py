"""A program that puts files into a store; ``tests.peers.forked`` starts it.

``DATA FOLDER``: adds the files of FOLDER to the store in DATA, and prints a line for each that says what it was.
"""

from __future__ import annotations

import sys
from pathlib import Path

from openmodality.store.local import open_store


def main() -> None:
    data, folder = map(Path, sys.argv[1:])
    with open_store(data, durability="os") as store:
        store.recover()
        for path in sorted(folder.iterdir()):
            sys.stdout.write(f"{store.add_file(path).name}\n")


if __name__ == "__main__":
    main()
