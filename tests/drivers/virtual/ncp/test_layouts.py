"""Our EZSP tables, held against bellows', which nobody here wrote."""

from __future__ import annotations

import contextlib

import bellows.types as t
import pytest
from bellows.ezsp import EZSP
from hypothesis import given
from hypothesis import strategies as st

from drivers.virtual.ncp import layouts
from drivers.virtual.ncp.status import Status
from harness.errors import DecodeError

VERSIONS = (8, 13, 14, 19)


def theirs(version, command):
    """bellows' entry for an identifier: name, request and response schema."""
    for name, (identifier, request, response) in EZSP._BY_VERSION[version].COMMANDS.items():
        if identifier == command.identifier and name == command.name:
            return request, response
    return None


# `version` has a frame of its own, and one or two commands of other hosts bellows does not have.
COMMON = [
    (version, name)
    for version in VERSIONS
    for name, command in layouts.commands(version).items()
    if name != "version" and theirs(version, command) is not None
]
REQUESTS = [case for case in COMMON if not case[1].endswith("Handler")]


def test_bellows_has_nearly_everything_that_we_have():
    assert len(COMMON) > 0.9 * sum(len(layouts.commands(version)) for version in VERSIONS)


@pytest.mark.parametrize(("version", "name"), COMMON, ids=lambda value: str(value))
def test_bellows_reads_our_answer_to_the_last_octet(version, name):
    if name.endswith("Handler"):
        frame = layouts.write_callback(version, 0xFF, name, {})
    else:
        frame = layouts.write_response(version, 7, name, {})
    _, response = theirs(version, layouts.commands(version)[name])
    if isinstance(response, dict):
        _, rest = t.deserialize_dict(frame[5:], response)
    else:
        _, rest = response.deserialize(frame[5:])
    assert rest == b""


@pytest.mark.parametrize(("version", "name"), REQUESTS, ids=lambda value: str(value))
def test_we_read_bellows_request_to_the_last_octet(version, name):
    command = layouts.commands(version)[name]
    request, _ = theirs(version, command)
    zeros = {}
    for key, kind in request.items():
        zeros[key] = kind([]) if kind.__name__ == "AnonymousList" else kind.deserialize(bytes(80))[0]
    body = t.serialize_dict((), zeros, request)
    head = bytes((5, 0, 1)) + command.identifier.to_bytes(2, "little")
    asked = layouts.read_request(head + body, version)
    assert (asked.command, asked.sequence) == (command, 5)
    if body:
        with pytest.raises(DecodeError):
            layouts.read_request(head + body[: -1 - octets_too_many(version, name)], version)


def octets_too_many(version, name):
    """bellows goes on sending flags that EZSP 14 gave up; zigbee-herdsman does not."""
    return 1 if name == "importTransientKey" and version >= 14 else 0


def test_every_version_knows_nearly_all_that_bellows_needs():
    needed = "getEui64 networkInit formNetwork sendUnicast setPolicy permitJoining exportKey importLinkKey"
    assert set(needed.split()) <= set(layouts.commands(13))
    assert "getKey" in layouts.commands(8)
    assert "getKey" not in layouts.commands(13)


@pytest.mark.parametrize("status", Status)
def test_statuses_are_bellows(status):
    both = {t.sl_Status.from_ember_status(t.EmberStatus(status.ember)), t.sl_Status(status.sl)}
    known = {member.value for member in t.sl_Status}
    assert status.sl in known
    assert status.ember in {member.value for member in t.EmberStatus}
    assert status.ezsp in {member.value for member in t.EzspStatus}
    assert both


@given(st.binary(max_size=60), st.sampled_from([None, *VERSIONS]))
def test_no_octets_from_a_host_do_harm(octets, version):
    with contextlib.suppress(DecodeError):
        layouts.read_request(octets, version)
