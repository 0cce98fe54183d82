"""Signal of a tissue in three MR pulse sequences, from its relaxation times.

The equations are those of the steady state with ideal pulses; times in ms, flip angle in degrees. Each takes numbers
or arrays.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from openmodality.value_class import dataclass

TissueValues = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Relaxation:
    """Proton density (relative to water), T1, T2 and T2* in ms of one or more tissues."""

    proton_density: TissueValues
    t1_ms: TissueValues
    t2_ms: TissueValues
    t2_star_ms: TissueValues


def spin_echo(tissue: Relaxation, repetition_time_ms: float, echo_time_ms: float) -> TissueValues:
    """PD (1 - exp(-TR/T1)) exp(-TE/T2)."""
    recovered = 1.0 - np.exp(-repetition_time_ms / tissue.t1_ms)
    return np.asarray(tissue.proton_density * recovered * np.exp(-echo_time_ms / tissue.t2_ms))


def gradient_echo(
    tissue: Relaxation, repetition_time_ms: float, echo_time_ms: float, flip_angle_deg: float
) -> TissueValues:
    """Spoiled gradient echo: PD sin a (1 - E1) / (1 - E1 cos a) exp(-TE/T2*), with E1 = exp(-TR/T1)."""
    angle = np.deg2rad(flip_angle_deg)
    e1 = np.exp(-repetition_time_ms / tissue.t1_ms)
    steady = np.sin(angle) * (1.0 - e1) / (1.0 - e1 * np.cos(angle))
    return np.asarray(tissue.proton_density * steady * np.exp(-echo_time_ms / tissue.t2_star_ms))


def inversion_recovery(
    tissue: Relaxation, repetition_time_ms: float, echo_time_ms: float, inversion_time_ms: float
) -> TissueValues:
    """Magnitude image: PD |1 - 2 exp(-TI/T1) + exp(-TR/T1)| exp(-TE/T2)."""
    recovered = np.abs(
        1.0 - 2.0 * np.exp(-inversion_time_ms / tissue.t1_ms) + np.exp(-repetition_time_ms / tissue.t1_ms)
    )
    return np.asarray(tissue.proton_density * recovered * np.exp(-echo_time_ms / tissue.t2_ms))
