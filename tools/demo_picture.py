"""Makes pictures for the README and the documents from a real run: what ``openmodality demo`` and ``exam check`` print,
and some of the images.

Run as ``python -m tools.demo_picture`` where the usual ports are free; it writes ``docs/images/``.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from PIL import Image
from rich.console import Console
from rich.terminal_theme import SVG_EXPORT_THEME
from rich.text import Text

IMAGES: Final = Path(__file__).parent.parent / "docs" / "images"
COLUMNS: Final = 104
LINES: Final = 12
"""Of a check: the first series."""
TILE: Final = 240
GAP: Final = 4
SHOWN: Final = (
    "mr/pictures/exam-1/001_*_005.png",
    "mr/pictures/exam-1/002_*_005.png",
    "mr/pictures/exam-1/003_*_005.png",
    "mr/pictures/exam-1/004_*_005.png",
    "rf/pictures/exam-1/001_*_006.png",
    "rf/pictures/exam-1/002_*_012.png",
    "rf/pictures/exam-1/003_*_001.png",
    "rf/pictures/exam-1/004_*_001.png",
)

# Rich's own template loads a font from the Internet, which a picture in a document should not.
TEMPLATE: Final = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: {char_height}px; \
line-height: {line_height}px; font-variant-east-asian: full-width; }}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: arial, sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def run(folder: Path, *arguments: str) -> list[str]:
    """What a command prints; what the demonstration makes is in ``folder / "demo"``."""
    program = "from openmodality.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=folder, stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout.splitlines()


def terminal(title: str, typed: str, lines: Sequence[str]) -> str:
    """The lines in a terminal's window, as SVG."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), legacy_windows=False)
    console.print(Text(f"$ {typed}", style="bold"))
    for line in lines:
        text = Text(line)
        if line[2:3] == ":":
            text.stylize("dim", 0, 8)  # the time, as on a terminal
        console.print(text, highlight=False)
    unique_id = title.replace(" ", "-")
    return console.export_svg(title=title, theme=SVG_EXPORT_THEME, code_format=TEMPLATE, unique_id=unique_id)


def tiles(paths: Sequence[Path]) -> Image.Image:
    """Pictures side by side, four in a row, each as large as a tile lets it be."""
    side, rows = TILE + GAP, (len(paths) + 3) // 4
    sheet = Image.new("L", (4 * side - GAP, rows * side - GAP))
    for number, path in enumerate(paths):
        with Image.open(path) as picture:
            grey = picture.convert("L")
            grey.thumbnail((TILE, TILE), Image.Resampling.LANCZOS)
            left = number % 4 * side + (TILE - grey.width) // 2
            sheet.paste(grey, (left, number // 4 * side + (TILE - grey.height) // 2))
    return sheet


def main() -> None:
    """Run the demonstration and the check of its exam, and write the pictures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shown = terminal("make demo", "make demo ARGS='--data demo'", run(folder, "demo", "--data", "demo"))
        (IMAGES / "demo.svg").write_text(shown, encoding="utf-8")
        checked = run(folder / "demo" / "mr", "exam", "check", "1")
        shown = terminal("exam check", "openmodality exam check 1", checked[:LINES])
        (IMAGES / "exam-check.svg").write_text(shown, encoding="utf-8")
        [*found] = [next(iter(sorted((folder / "demo").glob(pattern)))) for pattern in SHOWN]
        tiles(found).save(IMAGES / "phantoms.png", optimize=True)


if __name__ == "__main__":
    main()
