"""What a disc holds beside DICOM, for people without a DICOM reader (IHE Portable Data for Imaging, RAD-47)."""
