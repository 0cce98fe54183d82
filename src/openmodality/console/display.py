"""Loads the display table of the screens of a site, by its setting ``console.display_lut``."""

from __future__ import annotations

from openmodality.device.site.site import Site
from openmodality.errors import ConfigurationError, UsageError
from openmodality.imaging.display_lut import DisplayLut, make_display_lut


def load_display(site: Site) -> DisplayLut:
    """The table of the site's screens. Raises :class:`ConfigurationError` where its file says none."""
    said = site.settings.console.display_lut
    try:
        return make_display_lut(said, site.folder)
    except (UsageError, OSError) as error:
        reason = error.message if isinstance(error, UsageError) else f"cannot read {said}: {error.strerror}"
        raise ConfigurationError(
            f"{site.path}: console.display_lut: {reason}",
            advice="give srgb, gsdf:LEAST,GREATEST or a file with a luminance in cd/m2 a line, the darkest level first",
        ) from error
