"""OpenModality: the DICOM side of an imaging device."""
