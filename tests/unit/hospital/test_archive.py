"""What the virtual PACS reads of what it is sent."""

from __future__ import annotations

import tracemalloc
import zlib
from pathlib import Path

from openmodality.encoding.part10 import encode_file_head, read_any
from openmodality.hospital.archive import Archive
from openmodality.network.entity import LocalAE
from openmodality.standard.transfer_syntaxes import DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN
from openmodality.store.files.instance_files import InstanceFiles
from tests.peers.objects import mr_image, save

MIB = 1 << 20


def test_a_deflated_image_that_grows_to_much_costs_its_header_only(tmp_path: Path) -> None:
    """As it lies on disk from an earlier version: a peer cannot store one any more."""
    image = mr_image(rows=4, columns=4, PatientName="Roe^Ann")
    raw = save(image, tmp_path).read_bytes()
    data = raw[read_any(raw).data_set_offset :]
    pixels = data.index(b"\xe0\x7f\x10\x00")
    stream = zlib.compressobj(wbits=-15)
    pieces = [stream.compress(data[:pixels] + data[pixels : pixels + 8] + (200 * MIB).to_bytes(4, "little"))]
    pieces += [stream.compress(bytes(MIB)) for _ in range(200)]
    files = InstanceFiles(tmp_path / "archive")
    head = encode_file_head(image.SOPClassUID, image.SOPInstanceUID, DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, "1.2")
    file = files.create(image.SOPInstanceUID, head)
    file.write(b"".join((*pieces, stream.flush())))
    file.commit()
    files.close()
    tracemalloc.start()
    archive = Archive(tmp_path / "archive", LocalAE("PACS"), lambda instance, arrival: None)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    archive.close()
    (study,) = archive.studies
    assert study.patient_name == "Roe^Ann"
    assert peak < 40 * MIB
