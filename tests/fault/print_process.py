"""Works the print jobs of a device until somebody kills it; argument: the site."""

from __future__ import annotations

import sys
from pathlib import Path

from openmodality import Modality


def main(site: Path) -> None:
    with Modality(site) as modality:
        sys.stdout.write("works\n")
        sys.stdout.flush()
        modality.wait_until_idle(60)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
