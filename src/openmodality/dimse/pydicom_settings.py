"""How pydicom behaves in the whole process. Importing this module sets it, before pydicom reads a value.

pydicom is told not to check values as it reads them: peers do send wrong ones, which are to be shown rather than
dropped, and its warnings repeat the value, which may be a patient's, in the log. What we write is checked where it is
made, by a validation mode that is handed over with the value.

pydicom has no such setting for one data set. It stands here, rather than in ``openmodality``, because a command that
reads no data set does not load pydicom.
"""

from __future__ import annotations

from pydicom import config

config.settings.reading_validation_mode = config.IGNORE
