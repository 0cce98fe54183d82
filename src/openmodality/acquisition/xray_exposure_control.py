"""Automatic control of brightness and exposure: the technique that gives the detector the dose that it needs.

What lies in the beam is measured on a coarse picture of the patient, in the middle of the collimated field.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from openmodality.acquisition.xray_phantom import TissueLayers
from openmodality.acquisition.xray_physics import air_kerma_gy
from openmodality.acquisition.xray_protocol import XRayProtocol
from openmodality.acquisition.xray_signal import find_measured
from openmodality.acquisition.xray_texture import reduce_layer

_COARSE_MATRIX: Final = 64
_UGY_OF_FLUOROSCOPY: Final = 0.03
_UGY_OF_EXPOSURES: Final = 2.5
"""Air kerma in the plane of the detector, behind patient and grid, that an image is made with."""
_KVP: Final = range(60, 111, 5)
_LONGEST_MS: Final = 2000.0
_SHORTEST_MS: Final = 1.0
_SMALLEST_MA: Final = 0.2


def regulate(protocol: XRayProtocol, still: TissueLayers) -> XRayProtocol:
    """A protocol as it is carried out with what lies in the beam, without contrast agent: with ``is_automatic`` the
    technique is set, else nothing is changed.

    Fluoroscopy takes the lowest voltage at which the tube gives enough with the current that is asked for, and then no
    more current than is needed. Of an exposure the time is set; voltage and current stay.
    """
    if not protocol.is_automatic:
        return protocol
    coarse = {
        material: reduce_layer(layer, max(protocol.matrix // _COARSE_MATRIX, 1)) for material, layer in still.items()
    }
    return (_regulate_fluoroscopy if protocol.is_fluoroscopy else _regulate_exposure)(protocol, coarse)


def _regulate_fluoroscopy(protocol: XRayProtocol, coarse: TissueLayers) -> XRayProtocol:
    for kvp in _KVP:
        tried = replace(protocol, kvp=float(kvp))
        part = _UGY_OF_FLUOROSCOPY / _find_detector_ugy(tried, coarse)
        if part <= 1.0 or kvp == _KVP[-1]:
            current = max(round(protocol.tube_current_ma * min(part, 1.0), 1), _SMALLEST_MA)
            return replace(tried, tube_current_ma=current, is_automatic=False)
    raise AssertionError("the highest voltage ends the search")


def _regulate_exposure(protocol: XRayProtocol, coarse: TissueLayers) -> XRayProtocol:
    part = _UGY_OF_EXPOSURES / _find_detector_ugy(protocol, coarse)
    longest = min(_LONGEST_MS, 1000.0 / protocol.frame_rate) if protocol.frame_rate else _LONGEST_MS
    time_ms = min(max(round(protocol.pulse_width_ms * part, 1), _SHORTEST_MS), longest)
    return replace(protocol, pulse_width_ms=time_ms, is_automatic=False)


def _find_detector_ugy(protocol: XRayProtocol, coarse: TissueLayers) -> float:
    open_beam = air_kerma_gy(protocol.frame_technique, protocol.geometry.source_to_detector_mm) * 1e6
    matrix = next(iter(coarse.values())).shape[0]
    return open_beam * find_measured(replace(protocol, matrix=matrix), coarse)
