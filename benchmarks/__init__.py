"""Speed, side by side with DCMTK, pynetdicom and the raw socket, as ratios from one run. ``python -m benchmarks
--help``.
"""
