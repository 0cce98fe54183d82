"""Programs of other makers, started and stopped for a test; and small DICOM files to talk about.

Every server listens on a free port of 127.0.0.1 and is ready when its context manager is entered.
"""
