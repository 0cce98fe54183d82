"""The device as one object: builds and connects all parts from a site file."""

from __future__ import annotations

from openmodality.app.modality import Modality

__all__ = ["Modality"]
