"""DICOMweb (PS3.18) at ``/dicom-web``: search and retrieve, as a thin front over ``Modality.web``."""
