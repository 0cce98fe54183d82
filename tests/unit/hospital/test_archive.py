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
    pieces.append(stream.flush(zlib.Z_FULL_FLUSH))  # what follows is the same each time, as it refers to nothing before
    pieces += 200 * [stream.compress(bytes(MIB)) + stream.flush(zlib.Z_FULL_FLUSH)]
    files = InstanceFiles(tmp_path / "archive")
    head = encode_file_head(image.SOPClassUID, image.SOPInstanceUID, DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, "1.2")
    file = files.create(image.SOPInstanceUID, head)
    file.write(b"".join((*pieces, stream.flush())))
    file.commit()
    files.close()
    tracemalloc.start()
    archive = Archive(tmp_path / "archive", LocalAE("PACS"), lambda instance, arrival: None)
    (study,) = archive.studies
    assert study.patient_name == "Roe^Ann"
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    archive.close()
    assert peak < 40 * MIB


def test_headers_are_read_behind_the_start_and_by_whoever_asks_first(tmp_path: Path) -> None:
    files = InstanceFiles(tmp_path / "archive")
    images = [mr_image(rows=4, columns=4, PatientName=f"Roe^{number}") for number in range(3)]
    for image in images:
        file = files.create(image.SOPInstanceUID)
        file.write(save(image, tmp_path).read_bytes())
        file.commit()
    files.close()
    archive = Archive(tmp_path / "archive", LocalAE("PACS"), lambda instance, arrival: None)
    assert archive.count == 3
    archive.start()
    archive.close()
    found = {each.sop_instance_uid: str(each.header.PatientName) for each in archive.instances.values()}
    assert found == {image.SOPInstanceUID: str(image.PatientName) for image in images}
    assert {each.sop_class_uid for each in archive.instances.values()} == {images[0].SOPClassUID}


def test_a_file_that_is_none_has_no_header_and_no_class(tmp_path: Path) -> None:
    files = InstanceFiles(tmp_path / "archive")
    file = files.create("1.2.3")
    file.write(b"no DICOM")
    file.commit()
    files.close()
    archive = Archive(tmp_path / "archive", LocalAE("PACS"), lambda instance, arrival: None)
    [instance] = archive.instances.values()
    assert (len(instance.header), instance.sop_class_uid) == (0, "")
    archive.close()
