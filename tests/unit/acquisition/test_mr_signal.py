"""The signal equations against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from openmodality.acquisition.mr_signal import (
    Relaxation,
    gradient_echo,
    inversion_recovery,
    spin_echo,
)

# Proton density 0.8, T1 = 1000 ms, T2 = 100 ms, T2* = 50 ms.
TISSUE = Relaxation(np.array([0.8]), np.array([1000.0]), np.array([100.0]), np.array([50.0]))


def test_spin_echo_follows_its_equation() -> None:
    # 0.8 (1 - e^-1) e^-0.2 = 0.8 x 0.632121 x 0.818731
    assert spin_echo(TISSUE, 1000.0, 20.0)[0] == pytest.approx(0.414030, abs=1e-6)


def test_gradient_echo_follows_its_equation() -> None:
    # E1 = e^-0.1 = 0.904837; at 90 degrees the signal is 0.8 (1 - E1) e^-0.2 = 0.8 x 0.0951626 x 0.818731
    assert gradient_echo(TISSUE, 100.0, 10.0, 90.0)[0] == pytest.approx(0.0623299, abs=1e-6)
    # At 30 degrees: 0.8 x 0.5 x 0.0951626 / (1 - 0.904837 x 0.866025) x 0.818731
    assert gradient_echo(TISSUE, 100.0, 10.0, 30.0)[0] == pytest.approx(0.144024, abs=2e-6)


def test_ernst_angle_gives_the_strongest_signal() -> None:
    best = np.degrees(np.arccos(np.exp(-0.1)))  # T1 1000 ms, TR 100 ms
    signal = {angle: gradient_echo(TISSUE, 100.0, 10.0, angle)[0] for angle in (best - 2, best, best + 2)}
    assert max(signal, key=lambda angle: signal[angle]) == best


def test_inversion_recovery_follows_its_equation() -> None:
    # 0.8 |1 - 2 e^-0.3 + e^-3| e^-0.1 = 0.8 |1 - 1.481636 + 0.049787| 0.904837
    assert inversion_recovery(TISSUE, 3000.0, 10.0, 300.0)[0] == pytest.approx(0.312602, abs=1e-6)


def test_inversion_recovery_vanishes_at_the_null_time() -> None:
    null = 1000.0 * np.log(2.0 / (1.0 + np.exp(-3.0)))
    assert inversion_recovery(TISSUE, 3000.0, 10.0, float(null))[0] == pytest.approx(0.0, abs=1e-12)
