"""A NIfTI file becomes a series of a patient in the archive: python nifti_to_pacs.py SITE FILE PATIENT_ID [NAME].

The patient is registered by hand. A sidecar of BIDS and files of diffusion beside the file are taken with it; what is
not used is named. SITE is a site file, as ``openmodality init DIR --profile mr`` writes it.
"""

from __future__ import annotations

import sys

from openmodality import Modality


def main(site: str, file: str, patient_id: str, name: str = "") -> None:
    """Make an exam of one file, and wait until the archive has it."""
    with Modality(site) as modality:
        with modality.exam(patient={"PatientID": patient_id, "PatientName": name}) as exam:
            for series in exam.acquire(file):
                print(f"series {series.record.number} {series.record.description}: {series.object_name}")
                for key, reason in series.unused.items():
                    print(f"  not used: {key}: {reason}")
        print(len(exam.instances()), "images;", modality.wait_until_idle())


if __name__ == "__main__":
    main(*sys.argv[1:])
