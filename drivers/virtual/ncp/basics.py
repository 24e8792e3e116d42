"""Commands that concern the network processor alone: configuration, policies, values, tokens, endpoints."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

from drivers.virtual.ncp.core import Answer, NcpCore, outcome
from drivers.virtual.ncp.state import ADDRESS_TABLE_SIZE
from drivers.virtual.ncp.status import Status
from harness.eui64 import Eui64
from harness.zigbee.zdo import SimpleDescriptor

STACK_VERSIONS = {8: (6, 10, 3), 13: (7, 4, 4), 14: (8, 0, 2), 19: (8, 2, 1)}
_BUILD = 250
_GENERAL_AVAILABILITY = 0xAA

_VERSION_INFO, _FREE_BUFFERS, _MAXIMUM_TRANSFERS, _FORCE_TX = 0x11, 0x03, (0x05, 0x06), 0x3A
_NWK_COUNTER, _APS_COUNTER = 0x23, 0x24
_MOST_COUNTERS = 41
_ENDPOINT_FLAGS, _ENABLED = 0x00, b"\x01\x00"
_NO_ADDRESS = 0xFFFF

# Manufacturing tokens (EzspMfgTokenId) with their lengths; erased flash reads as ones.
_TOKEN_LENGTHS = {
    0x00: 2,
    0x01: 16,
    0x02: 16,
    0x03: 2,
    0x04: 2,
    0x05: 16,
    0x06: 40,
    0x07: 8,
    0x09: 92,
    0x0A: 20,
    0x0C: 8,
    0x0D: 2,
}
_FACTORY_TOKENS = {0x01: b"PPMID bench", 0x02: b"virtual dongle"}


class Basics:
    """Handlers are found by name: ``on_`` and the command's."""

    def __init__(self, core: NcpCore) -> None:
        self._core = core

    def on_nop(self, _: Mapping[str, Any]) -> Answer:
        """Do nothing."""
        return {}

    def on_echo(self, fields: Mapping[str, Any]) -> Answer:
        """Say it again."""
        return {"echo": fields["data"]}

    def on_getLibraryStatus(self, _: Mapping[str, Any]) -> Answer:  # noqa: N802 - EZSP's own names
        """There are no optional libraries."""
        return {"status": 0xFF}

    def on_getEui64(self, _: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Return the EUI-64."""
        return {"eui64": self._core.eui64}

    def on_getConfigurationValue(self, fields: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Return a configuration value."""
        value = self._core.volatile.configuration.get(fields["config"])
        return {"status": Status.OK, "value": value} if value is not None else outcome(Status.INVALID_ID)

    def on_setConfigurationValue(self, fields: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Set a configuration value; only while there is no network."""
        if fields["config"] not in self._core.volatile.configuration:
            return outcome(Status.INVALID_ID)
        if self._core.up:
            return outcome(Status.INVALID_CALL)
        self._core.volatile.configuration[fields["config"]] = fields["value"]
        return outcome(Status.OK)

    def on_setPolicy(self, fields: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Set a policy."""
        if fields["policy"] not in self._core.volatile.policies:
            return outcome(Status.INVALID_ID)
        self._core.volatile.policies[fields["policy"]] = fields["decision"]
        return outcome(Status.OK)

    def on_getPolicy(self, fields: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Return a policy."""
        decision = self._core.volatile.policies.get(fields["policy"])
        return outcome(Status.INVALID_ID) if decision is None else {"status": Status.OK, "decision": decision}

    def on_addEndpoint(self, fields: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Register an endpoint; only while there is no network, and each once."""
        entry = fields["endpoint"]
        if self._core.up or any(known.endpoint == entry["number"] for known in self._core.endpoints):
            return outcome(Status.BAD_ARGUMENT)
        descriptor = SimpleDescriptor(
            endpoint=entry["number"],
            profile=entry["profile"],
            device_id=entry["device_id"],
            device_version=entry["device_version"] & 0x0F,
            input_clusters=entry["input_clusters"],
            output_clusters=entry["output_clusters"],
        )
        self._core.endpoints.append(descriptor)
        self._core.stack.add_endpoint(descriptor)
        return outcome(Status.OK)

    def on_getValue(self, fields: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Return a value."""
        value = self._value(fields["value_id"])
        return outcome(Status.INVALID_ID) if value is None else {"status": Status.OK, "value": value}

    def _value(self, value_id: int) -> bytes | None:
        core = self._core
        if value_id == _VERSION_INFO:
            major, minor, patch = STACK_VERSIONS[core.version]
            return struct.pack("<HBBBBB", _BUILD, major, minor, patch, 0, _GENERAL_AVAILABILITY)
        if value_id in (_NWK_COUNTER, _APS_COUNTER):
            return core.stack.frame_counters()[value_id == _APS_COUNTER].to_bytes(4, "little")
        if value_id == _FREE_BUFFERS:
            return bytes((200,))
        if value_id in _MAXIMUM_TRANSFERS:
            return core.volatile.values.get(value_id, (82).to_bytes(2, "little"))
        return core.volatile.values.get(value_id, b"\0" if value_id <= 0x48 else None)

    def on_setValue(self, fields: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Set a value; frame counters only off a network."""
        core, value_id, value = self._core, fields["value_id"], fields["value"]
        if value_id in (_NWK_COUNTER, _APS_COUNTER):
            if core.up or len(value) != 4:
                return outcome(Status.INVALID_CALL)
            number = int.from_bytes(value, "little")
            core.stack.set_frame_counters(
                network=number if value_id == _NWK_COUNTER else None,
                aps=number if value_id == _APS_COUNTER else None,
            )
            return outcome(Status.OK)
        core.volatile.values[value_id] = value
        return outcome(Status.OK)

    def on_getExtendedValue(self, fields: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Return an extended value: whether an endpoint is enabled."""
        if fields["value_id"] == _ENDPOINT_FLAGS:
            return {"status": Status.OK, "value": _ENABLED}
        return outcome(Status.INVALID_ID)

    def on_getMfgToken(self, fields: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Return a manufacturing token."""
        token = fields["token"]
        length = _TOKEN_LENGTHS.get(token, 0)
        value = self._core.kept.tokens.get(token, _FACTORY_TOKENS.get(token, b""))
        return {"value": value[:length].ljust(length, b"\xff")}

    def on_setMfgToken(self, fields: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Write a manufacturing token, which can be done once."""
        core, token = self._core, fields["token"]
        if token not in _TOKEN_LENGTHS or token in core.kept.tokens:
            return outcome(Status.INVALID_CALL)
        core.kept.tokens[token] = fields["value"]
        core.kept.store()
        return outcome(Status.OK)

    def on_getTokenData(self, fields: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Return a stack token that the host wrote."""
        value = self._core.kept.token_data.get((fields["token"], fields["index"]))
        return outcome(Status.NOT_FOUND) if value is None else {"status": Status.OK, "value": value}

    def on_setTokenData(self, fields: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Write a stack token."""
        self._core.kept.token_data[fields["token"], fields["index"]] = fields["value"]
        self._core.kept.store()
        return outcome(Status.OK)

    def on_tokenFactoryReset(self, _: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Forget network and tokens."""
        self._core.kept.stack = None
        self._core.kept.token_data.clear()
        self._core.kept.store()
        return {}

    def on_customFrame(self, _: Mapping[str, Any]) -> Answer:  # noqa: N802
        """There are no custom frames."""
        return outcome(Status.LIBRARY_NOT_PRESENT)

    def on_getXncpInfo(self, _: Mapping[str, Any]) -> Answer:  # noqa: N802
        """There is no extension."""
        return outcome(Status.INVALID_CALL)

    def on_getRandomNumber(self, _: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Return a number that the bench's seed decides."""
        return {"status": Status.OK, "value": self._core.rng.randrange(1 << 16)}

    def on_getPhyInterfaceCount(self, _: Mapping[str, Any]) -> Answer:  # noqa: N802
        """One radio."""
        return {"count": 1}

    def on_readCounters(self, _: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Return the counters; none of them is kept."""
        return {"values": (0,) * _MOST_COUNTERS}

    on_readAndClearCounters = on_readCounters  # noqa: N815

    def on_getTimer(self, _: Mapping[str, Any]) -> Answer:  # noqa: N802
        """No timer runs."""
        return {}

    def _accepted(self, _: Mapping[str, Any]) -> Answer:
        return outcome(Status.OK)

    # What has no effect on one coordinator with its children, and is accepted as real firmware does.
    on_setTimer = on_setConcentrator = on_setBrokenRouteErrorCode = _accepted  # noqa: N815
    on_setManufacturerCode = on_setPowerDescriptor = on_clearBindingTable = _accepted  # noqa: N815
    on_setRoutingShortcutThreshold = on_setPassiveAckConfig = _accepted  # noqa: N815
    on_setSourceRouteDiscoveryMode = on_gpSinkTableClearAll = on_gpClearProxyTable = _accepted  # noqa: N815
    on_setExtendedTimeout = on_getExtendedTimeout = _accepted  # noqa: N815

    def on_getMulticastTableEntry(self, fields: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Return an entry of the multicast table; group 0xFFFF of endpoint 0 when it is free."""
        if fields["index"] >= self._core.volatile.configuration[0x06]:
            return outcome(Status.INDEX_OUT_OF_RANGE)
        entry = self._core.volatile.multicast.get(fields["index"], {"group": 0xFFFF})
        return {"status": Status.OK, "entry": entry}

    def on_setMulticastTableEntry(self, fields: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Set an entry of the multicast table."""
        if fields["index"] >= self._core.volatile.configuration[0x06]:
            return outcome(Status.INDEX_OUT_OF_RANGE)
        self._core.volatile.multicast[fields["index"]] = fields["entry"]
        return outcome(Status.OK)

    # The address table.

    def on_addressTableEntryIsActive(self, _: Mapping[str, Any]) -> Answer:  # noqa: N802
        """No message is under way by the address table."""
        return {"active": 0}

    def on_setAddressTableRemoteEui64(self, fields: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Set an entry's EUI-64."""
        return self._set_address(fields["index"], fields["eui64"], _NO_ADDRESS)

    def on_setAddressTableRemoteNodeId(self, fields: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Set an entry's short address."""
        eui64, _ = self._address(fields["index"])
        self._set_address(fields["index"], eui64, fields["short"])
        return {}

    def on_getAddressTableRemoteEui64(self, fields: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Return an entry's EUI-64."""
        return {"eui64": self._address(fields["index"])[0]}

    def on_getAddressTableRemoteNodeId(self, fields: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Return an entry's short address."""
        return {"short": self._address(fields["index"])[1]}

    def on_getAddressTableInfo(self, fields: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Return an entry."""
        if fields["index"] >= self._core.volatile.configuration[ADDRESS_TABLE_SIZE]:
            return outcome(Status.INDEX_OUT_OF_RANGE)
        eui64, short = self._address(fields["index"])
        return {"status": Status.OK, "short": short, "eui64": eui64}

    def on_replaceAddressTableEntry(self, fields: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Set an entry and return what it was."""
        old_eui64, old_short = self._address(fields["index"])
        status = self._set_address(fields["index"], fields["eui64"], fields["short"])["status"]
        return {"status": status, "old_eui64": old_eui64, "old_short": old_short}

    def _address(self, index: int) -> tuple[Eui64, int]:
        return self._core.volatile.addresses.get(index, (Eui64(0xFFFFFFFFFFFFFFFF), _NO_ADDRESS))

    def _set_address(self, index: int, eui64: Eui64, short: int) -> Answer:
        if index >= self._core.volatile.configuration[ADDRESS_TABLE_SIZE]:
            return outcome(Status.INDEX_OUT_OF_RANGE)
        self._core.volatile.addresses[index] = (eui64, short)
        return outcome(Status.OK)
