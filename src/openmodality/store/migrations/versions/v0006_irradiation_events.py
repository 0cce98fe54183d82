"""Irradiation events of exams, and the images that each made.

Events stood in the JSON of their series before, in fields of their own; they move, so that an exam that goes on over
the upgrade ends with all its dose.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op

from openmodality.objects.irradiation.stating import round_dose

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "irradiation_events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("exam_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("IrradiationEventUID", sa.String(length=64), nullable=False),
        sa.Column("step_uid", sa.String(length=64), server_default="", nullable=False),
        sa.Column("SeriesInstanceUID", sa.String(length=64), server_default="", nullable=False),
        sa.Column("event", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["exam_id"], ["exams.id"], name=op.f("fk_irradiation_events_exam_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_irradiation_events")),
        sa.UniqueConstraint("IrradiationEventUID", name=op.f("uq_irradiation_events_IrradiationEventUID")),
    )
    op.create_index(op.f("ix_irradiation_events_exam_id"), "irradiation_events", ["exam_id"], unique=False)
    op.create_table(
        "irradiation_images",
        sa.Column("SOPInstanceUID", sa.String(length=64), nullable=False),
        sa.Column("event_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"],
            ["irradiation_events.id"],
            name=op.f("fk_irradiation_images_event_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("SOPInstanceUID", name=op.f("pk_irradiation_images")),
    )
    op.create_index(op.f("ix_irradiation_images_event_id"), "irradiation_images", ["event_id"], unique=False)
    _move_events()


_EVENTS = sa.table(
    "irradiation_events",
    sa.column("exam_id", sa.Integer()),
    sa.column("IrradiationEventUID", sa.String()),
    sa.column("step_uid", sa.String()),
    sa.column("SeriesInstanceUID", sa.String()),
    sa.column("event", sa.JSON()),
)
_EXAMS = sa.table("exams", sa.column("id", sa.Integer()), sa.column("data", sa.JSON()))
_ADD_IMAGES = """
    INSERT INTO irradiation_images ("SOPInstanceUID", event_id)
    SELECT DISTINCT instances."SOPInstanceUID", irradiation_events.id
    FROM irradiation_events
    JOIN series ON series."SeriesInstanceUID" = irradiation_events."SeriesInstanceUID"
    JOIN instances ON instances.series_id = series.id
    WHERE irradiation_events."SeriesInstanceUID" IN (
        SELECT "SeriesInstanceUID" FROM irradiation_events GROUP BY "SeriesInstanceUID" HAVING count(*) = 1
    )
"""
"""Where a series had several events, nothing says which of them made an image."""


def _move_events() -> None:
    exams = op.get_bind().execute(sa.select(_EXAMS.c.id, _EXAMS.c.data).order_by(_EXAMS.c.id)).all()
    moved: dict[str, dict[str, Any]] = {}
    for exam_id, data in exams:
        for row in _read_events(data or {}):
            moved.setdefault(row["IrradiationEventUID"], {"exam_id": exam_id, **row})
    if moved:
        op.bulk_insert(_EVENTS, list(moved.values()))
        op.execute(_ADD_IMAGES)


def _read_events(data: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for series in data.get("series", ()):
        for event in series.get("events", ()):
            yield {
                "IrradiationEventUID": event["uid"],
                "step_uid": series["step_uid"],
                "SeriesInstanceUID": series["series_instance_uid"],
                "event": _convert(event),
            }


def _convert(event: Mapping[str, Any]) -> dict[str, Any]:
    numbers = {name: round_dose(name, value) for name, value in _list_numbers(event).items() if value}
    thickness = event["technique"]["filter_thickness_mm_al"]
    return {
        "uid": event["uid"],
        "started": event["started"],
        "numbers": {"DoseAreaProduct": 0.0, "DoseRP": 0.0, "NumberOfFrames": 0.0, **numbers},
        "terms": {
            "IrradiationEventType": event["event_type"].replace("_", " ").title(),
            "AcquisitionProtocol": event["protocol"],
        },
        "filters": [["Strip filter", "Aluminum", thickness, thickness]] if thickness else [],
    }


def _list_numbers(event: Mapping[str, Any]) -> dict[str, float]:
    technique, geometry, table = event["technique"], event["geometry"], event["table"]
    return {
        "KVP": technique["kvp"],
        "XRayTubeCurrent": technique["tube_current_ma"],
        "ExposureTime": technique["exposure_time_ms"],
        "Exposure": technique["tube_current_ma"] * technique["exposure_time_ms"] / 1000,
        "PulseWidth": technique["pulse_width_ms"],
        "NumberOfPulses": technique["number_of_pulses"],
        "PulseRate": technique["pulse_rate"],
        "FocalSpotSize": technique["focal_spot_mm"],
        "IrradiationDuration": event["duration_s"],
        "DoseAreaProduct": event["dose_area_product_gy_m2"],
        "DoseRP": event["dose_rp_gy"],
        "EntranceDoseInmGy": event["entrance_dose_gy"] * 1000,
        "DistanceSourceToDetector": geometry["source_to_detector_mm"],
        "DistanceSourceToIsocenter": geometry["source_to_isocenter_mm"],
        "DistanceSourceToReferencePoint": geometry["source_to_reference_point_mm"],
        "DistanceSourceToEntrance": geometry["source_to_entrance_mm"],
        "CollimatedFieldWidth": geometry["field_width_mm"],
        "CollimatedFieldHeight": geometry["field_height_mm"],
        "CollimatedFieldArea": geometry["field_width_mm"] * geometry["field_height_mm"] * 1e-6,
        "TableLongitudinalPosition": table["longitudinal_mm"],
        "TableLateralPosition": table["lateral_mm"],
        "TableHeightPosition": table["height_mm"],
        "NumberOfFrames": event["number_of_frames"],
    }
