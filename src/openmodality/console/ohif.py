"""An OHIF viewer of the site's own, served at ``/ohif`` from its unpacked folder (``console.ohif_folder``).

The viewer is not part of this program. The package of npm (``@ohif/app``) is built for the root of a server: so its
addresses are changed to ``/ohif`` as they are served, and ``app-config.js`` is made here, so that it reads from this
device only. It compiles code and has inline style, which pages of the console may not: only files of this folder are
served with that permission.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, RedirectResponse, Response

from openmodality.console.dicomweb.routing import SERVICE_PATH
from openmodality.console.security.access import At, Viewer
from openmodality.device.site.site import Site
from openmodality.errors import ConfigurationError, NotFound

OHIF_PATH: Final = "/ohif"
_INDEX, _CONFIG = "index.html", "app-config.js"
_INSIDE: Final = (".", "dist", "package/dist")
"""Where the page is below the folder: as it was built, or as npm packs it."""
_TYPES: Final = {
    ".css": "text/css", ".gif": "image/gif", ".html": "text/html", ".ico": "image/x-icon", ".jpg": "image/jpeg",
    ".js": "text/javascript", ".json": "application/json", ".mjs": "text/javascript", ".png": "image/png",
    ".svg": "image/svg+xml", ".ttf": "font/ttf", ".wasm": "application/wasm", ".woff": "font/woff",
    ".webmanifest": "application/manifest+json", ".woff2": "font/woff2", ".xml": "application/xml",
}  # fmt: skip
"""What is served, by the ends of names; anything else is not there."""
_REWRITTEN: Final = frozenset((".css", ".html", ".js", ".mjs"))
_INLINE_SCRIPT: Final = re.compile(rb"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", re.DOTALL)
_ROOTS: Final = (
    (re.compile(rb"""((?:src|href|content)=["'])/(?=[A-Za-z])"""), rb"\1/ohif/"),
    (re.compile(rb"""(PUBLIC_URL\s*=\s*["'])/(["'])"""), rb"\1/ohif/\2"),
)
"""Addresses of the page that begin at the root of a server."""
_PUBLIC_PATH: Final = re.compile(rb"""(\b(?:__webpack_require__|[A-Za-z_$])\.p\s*=\s*["'])/(["'])""")
"""Where its scripts look for more of them."""
_CSS_URL: Final = re.compile(rb"""(url\(["']?)/(?=[A-Za-z0-9])""")
_KEPT_FILES: Final = 256

router = APIRouter()


@router.get(OHIF_PATH)
def _go_to_list() -> Response:
    return RedirectResponse(f"{OHIF_PATH}/", 308)


@router.get(OHIF_PATH + "/{path:path}")
def _send_file(request: Request, _: Viewer, context: At, path: str) -> Response:
    folder = find_ohif(context.modality.site)
    if path == _CONFIG:
        return Response(write_config(context.modality.site), headers=_make_headers(), media_type="text/javascript")
    file = _find_file(folder, path)
    if file is None and "." in path.rpartition("/")[2]:
        raise NotFound("the viewer has no such file")
    if file is None or file.name == _INDEX:  # an address within the viewer, such as /ohif/viewer
        page, scripts = _read_page(folder / _INDEX, (folder / _INDEX).stat().st_mtime_ns)
        return Response(page, headers=_make_headers(scripts), media_type="text/html; charset=utf-8")
    media_type = _TYPES[file.suffix]
    if file.suffix in _REWRITTEN:
        content = _read_rewritten(file, file.stat().st_mtime_ns)
        return Response(content, headers=_make_headers(), media_type=media_type)
    return FileResponse(file, headers=_make_headers(), media_type=media_type)


def find_ohif(site: Site) -> Path:
    """The folder of the viewer's page. Raises :class:`NotFound` where the site has none."""
    given = site.settings.console.ohif_folder
    if not given:
        raise NotFound("this device has no OHIF viewer", advice="console.ohif_folder of the site file names its folder")
    folder = site.folder / given
    found = next((folder / inside for inside in _INSIDE if (folder / inside / _INDEX).is_file()), None)
    if found is None:
        raise NotFound(f"console.ohif_folder: there is no {_INDEX} in {folder}", advice="unpack npm's @ohif/app there")
    return found.resolve()


def check_ohif(site: Site) -> None:
    """Raises :class:`ConfigurationError` where the site names a folder without a viewer."""
    if not site.settings.console.ohif_folder:
        return
    try:
        find_ohif(site)
    except NotFound as error:
        raise ConfigurationError(f"{site.path}: {error.message}", advice=error.advice) from error


def _find_file(folder: Path, path: str) -> Path | None:
    """A file of the viewer; ``None`` for what is not in its folder."""
    try:
        file = (folder / path).resolve()
    except (OSError, ValueError):
        return None
    return file if file.is_relative_to(folder) and file.is_file() and file.suffix in _TYPES else None


@lru_cache(maxsize=4)
def _read_page(file: Path, _: int) -> tuple[bytes, tuple[str, ...]]:
    """The page below ``/ohif``, and the digests of the scripts in it."""
    page = file.read_bytes()
    for root, below in _ROOTS:
        page = root.sub(below, page)
    digests = (base64.b64encode(hashlib.sha256(script).digest()).decode() for script in _INLINE_SCRIPT.findall(page))
    return page, tuple(f"'sha256-{digest}'" for digest in digests)


@lru_cache(maxsize=_KEPT_FILES)
def _read_rewritten(file: Path, _: int) -> bytes:
    content = file.read_bytes()
    if file.suffix == ".css":
        return _CSS_URL.sub(rb"\1/ohif/", content)
    return _PUBLIC_PATH.sub(rb"\1/ohif/\2", content)


def _make_headers(scripts: tuple[str, ...] = ()) -> dict[str, str]:
    """What this viewer needs beyond the policy of the console: compiled code, inline style, workers and data."""
    policy = (
        "default-src 'none'",
        " ".join(("script-src 'self' 'unsafe-eval' 'wasm-unsafe-eval'", *scripts)),
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' blob: data:",
        "font-src 'self' data:",
        "connect-src 'self' blob: data:",
        "worker-src 'self' blob:",
        "manifest-src 'self'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
    return {"content-security-policy": "; ".join(policy), "cache-control": "private, no-cache"}


def write_config(site: Site) -> str:
    """``app-config.js``: where the viewer reads, and that there is nothing else."""
    name = site.equipment.station_name or site.equipment.model
    source = {
        "namespace": "@ohif/extension-default.dataSourcesModule.dicomweb",
        "sourceName": "openmodality",
        "configuration": {
            "friendlyName": name,
            "name": "openmodality",
            "wadoUriRoot": SERVICE_PATH,
            "qidoRoot": SERVICE_PATH,
            "wadoRoot": SERVICE_PATH,
            "qidoSupportsIncludeField": False,
            "supportsReject": False,
            "supportsStow": False,
            "dicomUploadEnabled": False,
            "imageRendering": "wadors",
            "thumbnailRendering": "wadors",
            "enableStudyLazyLoad": True,
            "supportsFuzzyMatching": False,
            "supportsWildcard": True,
            "staticWado": True,
            "singlepart": "bulkdata",
            "acceptHeader": ["multipart/related; type=application/octet-stream; transfer-syntax=*"],
            "bulkDataURI": {"enabled": True},
            "omitQuotationForMultipartRequest": True,
        },
    }
    config: dict[str, Any] = {
        "name": "openmodality",
        "routerBasename": OHIF_PATH,
        "extensions": [],
        "modes": [],
        "customizationService": {},
        "showStudyList": True,
        "maxNumberOfWebWorkers": 2,
        "showWarningMessageForCrossOrigin": False,
        "showCPUFallbackMessage": True,
        "showLoadingIndicator": True,
        "investigationalUseDialog": {"option": "always"},
        "strictZSpacingForVolumeViewport": True,
        "defaultDataSourceName": "openmodality",
        "dataSources": [source],
    }
    return f"window.config = {json.dumps(config, indent=2)};\n"
