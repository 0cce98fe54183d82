"""How pydicom behaves in the whole process. Importing this module sets it, before pydicom reads a value.

pydicom is told not to check values as it reads them: peers do send wrong ones, which are to be shown rather than
dropped, and its warnings repeat the value, which may be a patient's, in the log. What we write is checked where it is
made, by a validation mode that is handed over with the value.

It is told to leave text to ``encoding.texts`` as well. Its own reading hands the name of a character set to Python,
which has codecs that are no DICOM and raise, or make what no database takes, and quotes the name in a warning. It
writes ISO 2022 IR 58 without its escape sequence. There is a hook for reading a value; for the names of character sets
and for writing there is none, so these functions are replaced where they are used.

pydicom has no such setting for one data set. It stands here, rather than in ``openmodality``, because a command that
reads no data set does not load pydicom.
"""

from __future__ import annotations

from pydicom import charset, config, dataset, filereader, filewriter
from pydicom.hooks import hooks

from openmodality.dimse.pydicom_text import convert_terms, read_value, write_text

config.settings.reading_validation_mode = config.IGNORE
hooks.register_callback("raw_element_value", read_value)
for module in (charset, dataset, filereader, filewriter):
    setattr(module, "convert_encodings", convert_terms)  # noqa: B010 - mypy does not let a function be replaced
for module in (charset, filewriter):
    setattr(module, "encode_string", write_text)  # noqa: B010 - as above
