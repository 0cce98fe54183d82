"""Sequences that have one item at most, by keyword (PS3.3: "Only a single Item shall be included in this Sequence").

Those of the modules and macros that the devices have, and of the codes and references inside their items.
"""

from __future__ import annotations

from typing import Final

SINGLE_ITEM: Final = frozenset((
    # codes and references
    "AnatomicRegionSequence", "ConceptCodeSequence", "ConceptNameCodeSequence",
    "ContrastBolusAdministrationRouteSequence", "InstitutionCodeSequence", "IssuerOfAccessionNumberSequence",
    "IssuerOfAdmissionIDSequence", "IssuerOfPatientIDQualifiersSequence", "IssuerOfServiceEpisodeIDSequence",
    "MeasurementUnitsCodeSequence", "MetaboliteMapCodeSequence", "NumericValueQualifierCodeSequence",
    "OrderFillerIdentifierSequence", "OrderPlacerIdentifierSequence", "PatientSpeciesCodeSequence",
    "PurposeOfReferenceCodeSequence", "ReferencedPatientSequence", "ReferencedPerformedProcedureStepSequence",
    "RequestedProcedureCodeSequence", "ContentTemplateSequence",
    # how the patient lies
    "PatientGantryRelationshipCodeSequence", "PatientOrientationCodeSequence",
    "PatientOrientationModifierCodeSequence",
    # pixels
    "IconImageSequence", "ModalityLUTSequence", "PresentationLUTSequence",
    # functional groups (C.7.6.16.2, C.8.13.5)
    "CardiacSynchronizationSequence", "DiffusionBMatrixSequence", "FrameAnatomySequence", "FrameContentSequence",
    "FrameVOILUTSequence", "MRAveragesSequence", "MRDiffusionSequence", "MREchoSequence", "MRFOVGeometrySequence",
    "MRImageFrameTypeSequence", "MRImagingModifierSequence", "MRMetaboliteMapSequence", "MRModifierSequence",
    "MRReceiveCoilSequence", "MRTimingAndRelatedParametersSequence", "MRTransmitCoilSequence",
    "MRVelocityEncodingSequence", "PixelMeasuresSequence", "PixelValueTransformationSequence",
    "PlaneOrientationSequence", "PlanePositionSequence", "RespiratorySynchronizationSequence",
    "SharedFunctionalGroupsSequence",
))  # fmt: skip
