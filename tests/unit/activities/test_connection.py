from __future__ import annotations

import threading
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from openmodality.activities.connection import Connector, find_response_timeout_s, make_local_ae, restrict
from openmodality.device.profile.parameters import Parameters
from openmodality.device.site.association_limits import count_turns
from openmodality.device.site.site import Site
from openmodality.device.site.site_loader import load_site
from openmodality.dimse.channel import FOREVER
from openmodality.errors import ConfigurationError, NoPresentationContext
from openmodality.standard.sop_classes import MODALITY_WORKLIST_FIND, MR_IMAGE_STORAGE, STUDY_ROOT_FIND, VERIFICATION

SITE = """
profile = "mr"
[device]
implementation_version_name = "SITE_1"
[peers.all]
ae_title = "ALL"
host = "localhost"
port = 104
services = ["verification", "storage", "query_retrieve", "worklist"]
[peers.images]
ae_title = "IMAGES"
host = "localhost"
port = 105
services = ["storage"]
sop_classes = ["MRImageStorage"]
calling_ae_title = "SENDER"
[parameters.general]
connect_timeout_s = 7
[parameters.worklist]
response_timeout_s = 0
"""


def site(folder: Path) -> Site:
    (folder / "site.toml").write_text(SITE, "utf-8")
    return load_site(folder)


def test_both_ends_are_as_the_site_says(tmp_path: Path) -> None:
    configured = site(tmp_path)
    connector = Connector(configured)
    ends = connector.make_ends("query", configured.peer("all"))
    assert (str(ends.remote), ends.name, ends.patient_root) == ("ALL@localhost:104", "all", False)
    assert (ends.local.ae_title, ends.local.timeouts.connect_s) == ("OM_MR", 7)
    assert ends.local.implementation_version_name == "SITE_1"
    assert ends.proposed is not None
    assert STUDY_ROOT_FIND in ends.proposed
    assert ends.query_keys is not None
    assert (0x0020000D,) in ends.query_keys["study", "STUDY"]
    assert connector.make_ends("worklist", configured.peer("all")).query_keys is None
    assert connector.make_ends("storage", configured.peer("images")).local.ae_title == "SENDER"


def test_a_service_that_the_device_does_not_use_with_a_peer(tmp_path: Path) -> None:
    configured = site(tmp_path)
    connector = Connector(configured)
    with pytest.raises(NoPresentationContext, match="worklist to images"):
        connector.make_ends("worklist", configured.peer("images"))
    with pytest.raises(NoPresentationContext, match="worklist to images"):
        connector.open("worklist", configured.peer("images"))
    assert VERIFICATION in (connector.make_ends("verification", configured.peer("images")).proposed or {})


def test_tls_needs_certificates(tmp_path: Path) -> None:
    configured = site(tmp_path)
    with pytest.raises(ConfigurationError, match=r"peer all .*\[tls\]"):
        Connector(configured).make_remote(replace(configured.peer("all"), tls=True))


def test_one_context_for_each_abstract_syntax_of_the_service(tmp_path: Path) -> None:
    configured = site(tmp_path)
    connector = Connector(configured)
    assert [each.abstract_syntax for each in connector.list_proposals("worklist", configured.peer("all"))] == [
        MODALITY_WORKLIST_FIND
    ]
    assert [each.abstract_syntax for each in connector.list_proposals("storage", configured.peer("images"))] == [
        MR_IMAGE_STORAGE
    ]


def test_one_association_of_a_local_ae_at_a_time(tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text('profile = "rf"\n', "utf-8")
    connector = Connector(load_site(tmp_path))
    order: list[str] = []

    def wait_for_a_turn() -> None:
        with connector.take_turn("storage"):
            order.append("second")

    with connector.take_turn("storage"):
        other = threading.Thread(target=wait_for_a_turn)
        other.start()
        with connector.take_turn("worklist"):  # another local AE of this device
            order.append("other AE")
        order.append("first")
    other.join(10)
    assert order == ["other AE", "first", "second"]


@pytest.mark.parametrize(
    ("limits", "turns"),
    [
        ({}, 1),
        ({"storage.max_initiated_associations": 3}, 1),
        (dict.fromkeys(["general", "storage", "storage_commitment", "worklist", "mpps", "print"], 2), 2),
    ],
)
def test_the_parameters_say_how_many_associations_a_local_ae_opens(
    tmp_path: Path, limits: dict[str, int], turns: int
) -> None:
    loaded = site(tmp_path)
    values = {key if "." in key else f"{key}.max_initiated_associations": value for key, value in limits.items()}
    changed = replace(loaded, parameters=Parameters({**loaded.parameters, **values}))
    role = changed.calling_ae("storage").role
    assert count_turns(changed, role) == turns
    with ExitStack() as stack:
        connections = Connector(changed)
        for _ in range(turns):
            stack.enter_context(connections.take_turn("storage"))
        with connections.await_turn("storage", 0) as free:
            assert not free


def test_a_local_ae_without_a_peer_has_the_limits_of_the_site(tmp_path: Path) -> None:
    configured = site(tmp_path)
    assert make_local_ae(configured, "ME").timeouts.connect_s == 7
    assert make_local_ae(configured, "ME").max_pdu_length == configured.parameters.integer(
        "general.max_pdu_receive_bytes"
    )


def test_no_response_time_out_waits_for_ever(tmp_path: Path) -> None:
    peer = site(tmp_path).peer("all")
    assert find_response_timeout_s(peer, "worklist.response_timeout_s") == FOREVER


@pytest.mark.parametrize(
    ("wanted", "found"),
    [(["c", "a"], ("c", "a")), (["x", "b"], ("b",)), (["x"], ("a", "b", "c")), ([], ("a", "b", "c"))],
)
def test_what_is_wanted_as_far_as_it_is_allowed(wanted: str, found: tuple[str, ...]) -> None:
    assert restrict(list(wanted), ["a", "b", "c"]) == found
