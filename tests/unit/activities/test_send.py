"""What a send job proposes; the sending itself needs a peer."""

from __future__ import annotations

from pathlib import Path

import pytest

from openmodality.activities.send import _list_allowed
from openmodality.device.site.site import Site
from openmodality.device.site.site_loader import load_site
from openmodality.errors import NoPresentationContext
from openmodality.services.storage_plan import AssociationPlan
from openmodality.standard.sop_classes import MR_IMAGE_STORAGE
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN
from openmodality.upper_layer.negotiation import ContextProposal

CT = "1.2.840.10008.5.1.4.1.1.2"
JPEG = "1.2.840.10008.1.2.4.70"
PEER = '[peers.pacs]\nae_title = "PACS"\nhost = "localhost"\nport = 104\nservices = ["storage"]\n'


@pytest.fixture
def site(tmp_path: Path) -> Site:
    (tmp_path / "site.toml").write_text(f'profile = "mr"\n{PEER}', encoding="utf-8")
    return load_site(tmp_path)


def test_only_what_the_profile_has_is_proposed(site: Site) -> None:
    def propose(*proposals: ContextProposal) -> list[ContextProposal]:
        return _list_allowed(AssociationPlan(proposals, frozenset()), site, site.peer("pacs"))

    explicit = (EXPLICIT_VR_LITTLE_ENDIAN,)
    kept = propose(ContextProposal(CT, explicit), ContextProposal(MR_IMAGE_STORAGE, explicit))
    assert kept == [ContextProposal(MR_IMAGE_STORAGE, explicit)]
    assert propose(ContextProposal(MR_IMAGE_STORAGE, (JPEG,))) == [ContextProposal(MR_IMAGE_STORAGE, (JPEG,))]
    (own,) = propose(ContextProposal(MR_IMAGE_STORAGE, ("1.2.840.10008.1.2.1.98",)))
    assert own.abstract_syntax == MR_IMAGE_STORAGE
    with pytest.raises(NoPresentationContext, match="does not send these SOP Classes to pacs"):
        propose(ContextProposal(CT, (IMPLICIT_VR_LITTLE_ENDIAN,)))
