"""Commands on keys: the key table, transient link keys, and reading keys back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drivers.virtual.ncp.core import Answer, NcpCore, outcome
from drivers.virtual.ncp.state import KEY_TABLE_SIZE, NO_INDEX
from drivers.virtual.ncp.status import Status
from harness.eui64 import Eui64

_NETWORK, _TRUST_CENTRE_LINK = 1, 2  # SecurityManagerKeyType
_OLD_TRUST_CENTRE_LINK, _OLD_NETWORK = 1, 3  # EmberKeyType
_APPLICATION_LINK = 5
_HAS_SEQUENCE, _HAS_OUTGOING, _HAS_PARTNER = 0x01, 0x02, 0x08


class Keys:
    """Handlers are found by name: ``on_`` and the command's."""

    def __init__(self, core: NcpCore) -> None:
        self._core = core

    @property
    def _size(self) -> int:
        return self._core.volatile.configuration[KEY_TABLE_SIZE]

    # The key table.

    def on_clearKeyTable(self, _: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Forget every link key."""
        self._core.kept.keys.clear()
        self._core.kept.store()
        return outcome(Status.OK)

    def on_findKeyTableEntry(self, fields: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Return a device's index; of the address of zeros, the first free one."""
        kept = self._core.kept
        eui64: Eui64 = fields["eui64"]
        index = kept.find(eui64) if eui64 != Eui64(0) else self._free_index()
        return {"index": NO_INDEX if index is None else index}

    def on_eraseKeyTableEntry(self, fields: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Forget one link key."""
        if fields["index"] >= self._size:
            return outcome(Status.INDEX_OUT_OF_RANGE)
        self._core.kept.keys.pop(fields["index"], None)
        self._core.kept.store()
        return outcome(Status.OK)

    def on_importLinkKey(self, fields: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Put a link key into the table."""
        return self._put(fields["index"], fields["eui64"], fields["key"])

    on_setKeyTableEntry = on_importLinkKey  # noqa: N815

    def on_addOrUpdateKeyTableEntry(self, fields: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Put a link key into the table, at its device's index or the first free one."""
        kept = self._core.kept
        index = kept.find(fields["eui64"])
        if index is None:
            index = self._free_index()
        if index is None:
            return outcome(Status.TABLE_FULL)
        return self._put(index, fields["eui64"], fields["key"])

    def _free_index(self) -> int | None:
        return None if self._core.mishaps.keys_full else self._core.kept.free_index(self._size)

    def _put(self, index: int, eui64: Eui64, key: bytes) -> Answer:
        if self._core.mishaps.refuses_keys:
            return outcome(Status.FAILED)
        if index >= self._size:
            return outcome(Status.INDEX_OUT_OF_RANGE)
        self._core.kept.keys[index] = (eui64, key)
        self._core.kept.store()
        return outcome(Status.OK)

    def on_exportLinkKeyByIndex(self, fields: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Return a link key by its index."""
        return self._exported(fields["index"])

    def on_exportLinkKeyByEui(self, fields: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Return a device's link key."""
        return self._exported(self._core.kept.find(fields["eui64"]))

    def _exported(self, index: int | None) -> Answer:
        if index is None or index not in self._core.kept.keys:
            return outcome(Status.NOT_FOUND)
        eui64, key = self._core.kept.keys[index]
        return {
            "status": Status.OK,
            "eui64": eui64,
            "key": key,
            "index": index,
            "metadata": {"bitmask": _HAS_PARTNER},
            "context": {"kind": 4, "index": index, "eui64": eui64, "flags": 3},
        }

    def on_getKeyTableEntry(self, fields: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Return a link key by its index."""
        if fields["index"] >= self._size:
            return {"status": Status.INDEX_OUT_OF_RANGE, "key": {}}
        entry = self._core.kept.keys.get(fields["index"])
        if entry is None:
            return {"status": Status.TABLE_ENTRY_ERASED, "key": {}}
        eui64, key = entry
        return {
            "status": Status.OK,
            "key": {"bitmask": _HAS_PARTNER, "kind": _APPLICATION_LINK, "key": key, "partner": eui64},
        }

    # Transient keys.

    def on_importTransientKey(self, fields: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Keep a joiner's key for a while."""
        if self._core.mishaps.forgets_keys:
            return outcome(Status.OK)
        self._core.volatile.transient_keys[fields["eui64"]] = fields["key"]
        return outcome(Status.OK)

    on_addTransientLinkKey = on_importTransientKey  # noqa: N815

    def on_clearTransientLinkKeys(self, _: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Forget the joiners' keys."""
        self._core.volatile.transient_keys.clear()
        return {}

    # Another network key.

    def on_broadcastNextNetworkKey(self, fields: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Send everybody the next network key; of zeros, one made up."""
        if not self._core.up:
            return outcome(Status.NETWORK_DOWN)
        key = fields["key"] if any(fields["key"]) else self._core.rng.randbytes(16)
        self._core.spawn(self._core.stack.distribute_network_key(key))
        return outcome(Status.OK)

    def on_broadcastNetworkKeySwitch(self, _: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Have everybody use it."""
        if not self._core.up:
            return outcome(Status.NETWORK_DOWN)
        self._core.spawn(self._switch())
        return outcome(Status.OK)

    async def _switch(self) -> None:
        if await self._core.stack.switch_network_key():
            self._core.remember_network()
            self._core.soon("stackStatusHandler", status=Status.NETWORK_UP)

    # Reading keys of the network.

    def on_exportKey(self, fields: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Return the network key, or the key that the trust centre was formed with."""
        kind, network = fields["context"]["kind"], self._core.stack.network
        if kind == _NETWORK and network is not None:
            return {"status": Status.OK, "key": network.network_key, "context": fields["context"]}
        if kind == _TRUST_CENTRE_LINK:
            key = self._core.kept.preconfigured_key
            return {"status": Status.OK, "key": key, "context": fields["context"]}
        return {"status": Status.NOT_FOUND, "key": bytes(16), "context": fields["context"]}

    def on_getNetworkKeyInfo(self, _: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Say which network key is in use."""
        network = self._core.stack.network
        if network is None:
            return {"status": Status.NOT_JOINED, "info": {}}
        info = {
            "is_set": 1,
            "sequence": network.key_sequence,
            "counter": self._core.stack.frame_counters()[0],
        }
        return {"status": Status.OK, "info": info}

    def on_getKey(self, fields: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Return a key in the old form."""
        network, (nwk_counter, aps_counter) = self._core.stack.network, self._core.stack.frame_counters()
        if network is None:
            return {"status": Status.NOT_JOINED, "key": {}}
        if fields["kind"] == _OLD_NETWORK:
            key = {
                "bitmask": _HAS_SEQUENCE | _HAS_OUTGOING,
                "kind": _OLD_NETWORK,
                "key": network.network_key,
                "outgoing": nwk_counter,
                "sequence": network.key_sequence,
            }
            return {"status": Status.OK, "key": key}
        if fields["kind"] == _OLD_TRUST_CENTRE_LINK:
            key = {
                "bitmask": _HAS_OUTGOING | _HAS_PARTNER,
                "kind": _OLD_TRUST_CENTRE_LINK,
                "key": self._core.kept.preconfigured_key,
                "outgoing": aps_counter,
                "partner": self._core.eui64,
            }
            return {"status": Status.OK, "key": key}
        return {"status": Status.NOT_FOUND, "key": {}}
