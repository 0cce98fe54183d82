#!/bin/sh
# Installs the DICOM programs of others that the tests talk to. Only where nobody minds: in CI, as root, on Debian.
# Does nothing where they are there already. Elsewhere the tests that need a missing program are skipped and counted.
set -eu

[ "${CI:-}" = true ] || exit 0

missing=
for pair in storescp:dcmtk wlmscpfs:dcmtk dciodvfy:dicom3tools Orthanc:orthanc chromium:chromium \
    npm:npm odil:odil dcm2niix:dcm2niix isoinfo:genisoimage 7z:p7zip-full xorriso:xorriso pdftoppm:poppler-utils; do
    command -v "${pair%%:*}" >/dev/null 2>&1 || [ -x "/usr/sbin/${pair%%:*}" ] || missing="$missing ${pair#*:}"
done
[ -e /usr/share/orthanc/plugins/libOrthancDicomWeb.so ] || missing="$missing orthanc-dicomweb"
# The tests of pages take half of the time with it, and pass without it.
lighter=chromium-headless-shell
command -v "$lighter" >/dev/null 2>&1 && lighter=
[ -n "$missing$lighter" ] || exit 0
[ -n "$missing" ] || { [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; } || exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "Missing on this machine and needed by the tests in CI:$missing (installing them takes root and apt-get)" >&2
    exit 1
fi

echo "Installing$missing $lighter"
export DEBIAN_FRONTEND=noninteractive
apt-get update --quiet || [ -z "$missing" ]
# Orthanc's package would start a server of its own at once; the tests start theirs.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
    trap 'rm -f "$policy"' EXIT
fi
# shellcheck disable=SC2086 # the list is meant to be split
[ -z "$missing" ] || apt-get install --yes --quiet --no-install-recommends $missing
[ -z "$lighter" ] || apt-get install --yes --quiet --no-install-recommends "$lighter" || echo "The tests do without $lighter"
