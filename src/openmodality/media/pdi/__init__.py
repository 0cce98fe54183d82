"""The pages of a disc for people without a DICOM reader (IHE Portable Data for Imaging, RAD-47)."""
