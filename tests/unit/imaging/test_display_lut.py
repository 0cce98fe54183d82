"""Tables of displays: equal steps of P-values look equally large on the screen that a table is made for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from openmodality.errors import UsageError
from openmodality.imaging.display_lut import UNCALIBRATED, make_display_lut, read_luminances, spread_luminances
from openmodality.imaging.gsdf import find_jnd_index


def srgb_luminance(levels: np.ndarray, least: float, greatest: float) -> np.ndarray:
    v = levels / 255
    return least + (greatest - least) * np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)


def test_srgb_is_no_table(tmp_path: Path) -> None:
    assert make_display_lut("srgb", tmp_path) is UNCALIBRATED


def test_steps_of_p_values_are_equal_steps_of_jnd(tmp_path: Path) -> None:
    made = make_display_lut("gsdf:0.8,250", tmp_path)
    assert made.levels is not None
    assert (len(made.levels), made.levels[0], made.levels[-1]) == (1024, 0, 255)
    seen = find_jnd_index(srgb_luminance(np.asarray(made.levels), 0.8, 250))
    wanted = np.linspace(seen[0], seen[-1], 1024)
    assert np.abs(seen - wanted).max() < 1.6, "half a step of a screen of eight bits"
    assert "0.8 to 250 cd/m2" in made.described


def test_a_measured_screen_by_its_file(tmp_path: Path) -> None:
    measured = srgb_luminance(np.arange(256), 0.5, 400)
    (tmp_path / "left.csv").write_text("level,cd/m2\n" + "".join(f"{n},{v:.5f}\n" for n, v in enumerate(measured)))
    assert make_display_lut("left.csv", tmp_path).levels == make_display_lut("gsdf:0.5,400", tmp_path).levels


def test_some_levels_at_equal_distances_tell_the_others(tmp_path: Path) -> None:
    some = srgb_luminance(np.arange(0, 256, 5), 0.5, 400)
    whole = srgb_luminance(np.arange(256), 0.5, 400)
    spread = spread_luminances(some.tolist())
    assert np.abs(find_jnd_index(spread) - find_jnd_index(whole)).max() < 2
    with pytest.raises(UsageError, match="256 levels"):
        spread_luminances([1.0 + n for n in range(300)])
    with pytest.raises(UsageError, match="0 cd/m2"):
        spread_luminances([0.0, 1.0])


@pytest.mark.parametrize(("text", "said"), [("1\nx\n", "line 2: 'x'"), ("1\n-2\n", "line 2"), ("1\n", "1 luminances")])
def test_a_file_that_is_none_is_told_by_its_line(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(UsageError, match=said):
        read_luminances(tmp_path / "a.csv")


def test_luminances_that_fall_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("\n".join(str(each) for each in range(256, 0, -1)))
    with pytest.raises(UsageError, match="rise"):
        make_display_lut("a.csv", tmp_path)
