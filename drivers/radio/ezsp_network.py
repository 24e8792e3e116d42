"""Configuration of an EZSP dongle and its network: configure, form, resume, leave.

Source: UG100 (configuration, `formNetwork`, `networkInit`); Zigbee 2017 stack profile 2, security level 5.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from typing import Any

from drivers.radio.ezsp_link import EzspLink
from drivers.radio.ezsp_security import deny_by_default, initial_security
from drivers.radio.ezsp_surface import InvalidTxPower, eui64_from, status_of, t
from harness.errors import RigFault
from harness.eui64 import Eui64
from harness.rig.faces import Endpoint, NetworkSettings, NetworkState, RadioInfo

_LOG = logging.getLogger(__name__)
_KEY_SPREADS_S = 1.0  # broadcasts are repeated for about half a second a hop
_LOOK_AGAIN_S = 0.05
_LOWEST_CHANNEL, _HIGHEST_CHANNEL = 11, 26

# What a hub needs that the firmware's defaults may not give. A value a firmware refuses is left as it is:
# no case depends on one of these alone, and the dongle's log line says which.
_CONFIGURATION = (
    ("CONFIG_STACK_PROFILE", 2),
    ("CONFIG_SECURITY_LEVEL", 5),
    ("CONFIG_SUPPORTED_NETWORKS", 1),
    ("CONFIG_KEY_TABLE_SIZE", 12),
    ("CONFIG_ADDRESS_TABLE_SIZE", 16),
    ("CONFIG_TRUST_CENTER_ADDRESS_CACHE_SIZE", 4),
    ("CONFIG_MAX_END_DEVICE_CHILDREN", 32),
    ("CONFIG_INDIRECT_TRANSMISSION_TIMEOUT", 7680),  # ms: longest poll interval that Zigbee foresees
    ("CONFIG_END_DEVICE_POLL_TIMEOUT", 8),  # 2^8 minutes
    ("CONFIG_TRANSIENT_KEY_TIMEOUT_S", 0xFFFF),  # our own timer forgets the keys
    ("CONFIG_FRAGMENT_WINDOW_SIZE", 1),
    ("CONFIG_APPLICATION_ZDO_FLAGS", 1),  # ZDO requests are answered by the dongle, and shown to us
    ("CONFIG_PACKET_BUFFER_COUNT", 0xFF),  # all the memory left: must come last
)


async def configure(link: EzspLink) -> None:
    """Write the configuration; before endpoints and network."""
    for name, value in _CONFIGURATION:
        result = await link.optional("setConfigurationValue", configId=t.EzspConfigId[name], value=value)
        if result is None or status_of(result[0]) != t.sl_Status.OK:
            _LOG.debug("%s keeps its own %s", link.path, name)


async def add_endpoint(link: EzspLink, endpoint: Endpoint) -> None:
    """Register a simple descriptor; the dongle answers Match_Desc and Simple_Desc from it."""
    await link.succeed(
        "addEndpoint",
        endpoint=endpoint.number,
        profileId=endpoint.profile,
        deviceId=endpoint.device_id,
        deviceVersion=0,
        inputClusterCount=len(endpoint.input_clusters),
        outputClusterCount=len(endpoint.output_clusters),
        inputClusterList=list(endpoint.input_clusters),
        outputClusterList=list(endpoint.output_clusters),
    )


async def describe_radio(link: EzspLink) -> RadioInfo:
    """Ask the dongle who it is; boards without manufacturing tokens are fine."""
    (eui64,) = await link.command("getEui64")
    try:
        board_info = await link.optional("get_board_info")
    except RigFault as fault:
        if not isinstance(fault.__cause__, ValueError):
            raise
        board_info = None  # tokens or version that do not decode: nothing depends on them
    manufacturer, board, firmware = board_info if board_info is not None else (None, None, None)
    return RadioInfo(
        eui64=eui64_from(eui64),
        stack=f"EZSP {link.version}",
        firmware=firmware or "unknown",
        board=board,
        manufacturer=manufacturer,
    )


async def check_joined(link: EzspLink) -> None:
    """Prove that the dongle is on its network; raises RigFault."""
    (state,) = await link.command("networkState")
    if state != t.EmberNetworkStatus.JOINED_NETWORK:
        raise RigFault(
            f"radio on {link.path} has fallen off its network ({state.name})", remedy="start the hub again"
        )


async def bring_up(link: EzspLink, settings: NetworkSettings, own: Eui64) -> NetworkState:
    """Resume the network that the dongle is on when it is the one asked for, else form a new one."""
    _check(link, settings)
    if await _resume(link):
        state = await _state(link, resumed=True)
        if await _is_ours(link, own) and _agrees(state, settings):
            await deny_by_default(link)
            return state
        await link.command("leaveNetwork", within_s=link.network_s)
    await deny_by_default(link)
    await link.command("clearTransientLinkKeys")
    await link.succeed("clearKeyTable")
    await _form(link, settings, own)
    return await _state(link, resumed=False)


async def update_network_key(link: EzspLink, key: bytes) -> NetworkState:
    """Distribute a network key, give the broadcast time to spread, and switch to it."""
    await link.succeed("broadcastNextNetworkKey", key=t.KeyData(key))
    await asyncio.sleep(_KEY_SPREADS_S)
    await link.succeed("broadcastNetworkKeySwitch")
    deadline = asyncio.get_running_loop().time() + link.network_s
    while True:
        state = await _state(link, resumed=True)
        if state.network_key == key:
            return state
        if asyncio.get_running_loop().time() > deadline:
            raise RigFault(f"radio on {link.path} has not switched to the network key that it was given")
        await asyncio.sleep(_LOOK_AGAIN_S)


def _check(link: EzspLink, settings: NetworkSettings) -> None:
    if not _LOWEST_CHANNEL <= settings.channel <= _HIGHEST_CHANNEL:
        raise RigFault(
            f"radio on {link.path} cannot use channel {settings.channel}",
            remedy=f"use a 2.4 GHz channel, {_LOWEST_CHANNEL} to {_HIGHEST_CHANNEL}",
        )


async def _resume(link: EzspLink) -> bool:
    (network_state,) = await link.command("networkState")
    if network_state == t.EmberNetworkStatus.JOINED_NETWORK:
        return True
    with link.stack_status(t.sl_Status.NETWORK_UP) as up:
        if await link.command("initialize_network") != t.sl_Status.OK:
            return False
        await link.race(up, what="networkInit", timeout_s=link.network_s)
    return True


async def _form(link: EzspLink, settings: NetworkSettings, own: Eui64) -> None:
    network_key = settings.network_key or secrets.token_bytes(16)
    await link.succeed("setInitialSecurityState", initial_security(network_key, secrets.token_bytes(16)))
    pan_id = settings.pan_id if settings.pan_id is not None else secrets.randbelow(0xFFFE)
    extended_pan_id, _ = t.ExtendedPanId.deserialize((settings.extended_pan_id or own).to_bytes_le())
    parameters = t.EmberNetworkParameters(
        extendedPanId=extended_pan_id,
        panId=t.EmberPanId(pan_id),
        radioTxPower=t.uint8_t(settings.tx_power_dbm & 0xFF),
        radioChannel=t.uint8_t(settings.channel),
        joinMethod=t.EmberJoinMethod.USE_MAC_ASSOCIATION,
        nwkManagerId=t.EmberNodeId(0x0000),
        nwkUpdateId=t.uint8_t(0),
        channels=t.Channels.from_channel_list([settings.channel]),
    )
    try:
        await link.command("formNetwork", parameters, within_s=link.network_s)
    except RigFault as fault:
        if isinstance(fault.__cause__, InvalidTxPower):
            raise RigFault(
                f"radio on {link.path} cannot send with {settings.tx_power_dbm} dBm",
                remedy="lower `tx-power-dbm` in the rig file",
            ) from fault
        raise


async def _state(link: EzspLink, *, resumed: bool) -> NetworkState:
    status, _, parameters = await link.command("getNetworkParameters")
    if status_of(status) != t.sl_Status.OK:
        raise RigFault(f"radio on {link.path} does not tell its network: {status_of(status).name}")
    key = await link.command("get_network_key")
    return NetworkState(
        channel=int(parameters.radioChannel),
        pan_id=int(parameters.panId),
        extended_pan_id=eui64_from(parameters.extendedPanId),
        network_key=bytes(key.key.serialize()),
        network_key_sequence=int(key.seq or 0),
        resumed=resumed,
    )


async def _is_ours(link: EzspLink, own: Eui64) -> bool:
    """Whether the network was formed with the security of a Smart Energy hub, by this dongle."""
    status, state = await link.command("getCurrentSecurityState")
    shared = t.EmberCurrentSecurityBitmask.GLOBAL_LINK_KEY
    return bool(
        status_of(status) == t.sl_Status.OK
        and not state.bitmask & shared
        and eui64_from(state.trustCenterLongAddress) == own
    )


def _agrees(state: NetworkState, settings: NetworkSettings) -> bool:
    wanted: tuple[tuple[Any, Any], ...] = (
        (settings.channel, state.channel),
        (settings.pan_id, state.pan_id),
        (settings.extended_pan_id, state.extended_pan_id),
        (settings.network_key, state.network_key),
    )
    return all(asked is None or asked == found for asked, found in wanted)
