"""Facts of the DICOM standard: tables with their source, no behaviour."""
