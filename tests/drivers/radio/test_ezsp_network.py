from __future__ import annotations

import asyncio
from dataclasses import replace

import bellows.types as t
import pytest

from harness.errors import RigFault
from harness.rig.faces import JoinKind, NetworkSettings
from tests.drivers.radio.bench_of_one import (
    DERIVED,
    HUB,
    KEY,
    PPMID,
    SETTINGS,
    STRANGER,
    announce,
    let_in,
    run,
    settle,
)


def test_forming_uses_no_shared_link_key_and_denies_joins_and_key_requests():
    async def scenario(rig):
        state = await rig.radio.form(SETTINGS)
        assert (state.channel, state.pan_id, state.extended_pan_id) == (20, 0x5678, HUB)
        assert state.network_key == bytes(range(16))
        assert not state.resumed
        mask = t.EmberInitialSecurityBitmask
        bits = rig.port.security.bitmask
        assert mask.HAVE_PRECONFIGURED_KEY in bits
        assert not bits & mask.TRUST_CENTER_GLOBAL_LINK_KEY
        assert rig.port.security.preconfiguredKey.serialize() != b"ZigBeeAlliance09"
        policies = {(int(args[0]), int(args[1])) for _, args, _ in rig.port.named("setPolicy")}
        assert {(0, 2), (5, 0x50), (6, 0x60)} <= policies
        assert len(rig.port.named("clearKeyTable", "clearTransientLinkKeys")) == 2

    run(scenario)


def test_what_the_settings_leave_open_is_chosen_anew_and_the_extended_pan_id_is_the_hubs():
    async def scenario(rig):
        first = await rig.radio.form(NetworkSettings(channel=15))
        rig.port.joined = None
        second = await rig.radio.form(NetworkSettings(channel=15))
        assert first.extended_pan_id == HUB
        assert first.network_key != second.network_key

    run(scenario)


def test_a_network_with_the_same_settings_is_resumed():
    async def scenario(rig):
        await rig.radio.form(SETTINGS)
        state = await rig.radio.form(SETTINGS)
        assert state.resumed
        assert len(rig.port.named("formNetwork")) == 1
        assert rig.port.policies()[-1] == 2

    run(scenario)


@pytest.mark.parametrize("change", [{"channel": 15}, {"pan_id": 1}, {"network_key": bytes(16)}])
def test_a_network_with_other_settings_is_left_first(change):
    async def scenario(rig):
        await rig.radio.form(SETTINGS)
        state = await rig.radio.form(replace(SETTINGS, **change))
        assert not state.resumed
        names = [call[0] for call in rig.port.named("formNetwork", "leaveNetwork")]
        assert names == ["formNetwork", "leaveNetwork", "formNetwork"]

    run(scenario)


def test_a_home_automation_network_is_never_resumed():
    async def scenario(rig):
        await rig.radio.form(SETTINGS)
        parameters, key, _ = rig.port.joined
        rig.port.joined = (parameters, key, t.EmberCurrentSecurityBitmask.GLOBAL_LINK_KEY)
        assert not (await rig.radio.form(SETTINGS)).resumed

    run(scenario)


def test_a_channel_out_of_the_band_is_the_rigs_fault():
    async def scenario(rig):
        with pytest.raises(RigFault, match="channel 10"):
            await rig.radio.form(replace(SETTINGS, channel=10))

    run(scenario)


def test_a_window_opens_for_one_device_and_closes_by_itself():
    async def scenario(rig):
        await rig.radio.form(SETTINGS)
        await rig.radio.permit(PPMID, KEY, 0.05)
        _, (address, key), _ = rig.port.named("add_transient_link_key")[0]
        assert (address.serialize(), key.serialize()) == (PPMID.to_bytes_le(), KEY)
        assert (rig.port.policies()[-1], rig.port.permits()[-1]) == (0x13, 1)
        async with asyncio.timeout(2):
            await rig.radio._windows._task
        assert rig.port.permits()[-1] == 0
        assert rig.port.policies()[-1] == 2
        assert len(rig.port.named("clearTransientLinkKeys")) == 2  # on forming, and now

    run(scenario)


def test_closing_the_window_shuts_everybody_out_at_once():
    async def scenario(rig):
        await rig.radio.permit(PPMID, KEY, 600)
        assert rig.port.permits()[-1] == 254
        await rig.radio.close_window()
        assert (rig.port.policies()[-1], rig.port.permits()[-1]) == (2, 0)

    run(scenario)


def test_forgetting_one_device_leaves_the_window_of_another_open():
    async def scenario(rig):
        await rig.radio.permit(PPMID, KEY, 600)
        await rig.radio.permit(STRANGER, bytes(16), 600)
        await rig.radio.forget_key(PPMID)
        assert rig.port.policies()[-1] == 0x13
        last = rig.port.named("add_transient_link_key", "clearTransientLinkKeys")[-2:]
        assert last[0][0] == "clearTransientLinkKeys"
        assert last[1][1][0].serialize() == STRANGER.to_bytes_le()

    run(scenario)


def test_the_key_of_a_device_is_kept_once_it_has_announced_itself():
    async def scenario(rig):
        await rig.radio.permit(PPMID, KEY, 600)
        for device in (PPMID, STRANGER):
            let_in(rig.port, device)
            announce(rig.port, device)
        await settle()
        assert rig.port.key_table == {PPMID.to_bytes_le(): (0, KEY)}
        await rig.radio.forget_key(PPMID)
        assert rig.port.key_table == {}

    run(scenario)


@pytest.mark.parametrize("again", [0, 3], ids=["secured rejoin", "trust-centre rejoin"])
def test_an_established_key_outlives_a_rejoin_within_the_join_window(again):
    async def scenario(rig):
        await rig.radio.permit(PPMID, KEY, 600)
        let_in(rig.port, PPMID)
        announce(rig.port, PPMID)
        await settle()
        await rig.radio.set_link_key(PPMID, DERIVED)
        let_in(rig.port, PPMID, kind=again)
        announce(rig.port, PPMID)
        await settle()
        assert rig.port.key_table == {PPMID.to_bytes_le(): (0, DERIVED)}
        let_in(rig.port, PPMID)  # it has forgotten everything and joins afresh
        announce(rig.port, PPMID)
        await settle()
        assert rig.port.key_table == {PPMID.to_bytes_le(): (0, KEY)}

    run(scenario)


@pytest.mark.parametrize(("decision", "admitted"), [(0, True), (1, True), (2, False)])
def test_the_trust_centres_decision_is_passed_on(decision, admitted):
    async def scenario(rig):
        eui64 = t.EUI64.deserialize(PPMID.to_bytes_le())[0]
        rig.port.callback(
            "trustCenterJoinHandler",
            0x1234,
            eui64,
            t.EmberDeviceUpdate(1),
            t.EmberJoinDecision(decision),
            0,
        )
        await settle()
        (notice,) = rig.listener.joins
        assert (notice.kind, notice.eui64, notice.short_address) == (JoinKind.UNSECURED_JOIN, PPMID, 0x1234)
        assert notice.admitted is admitted

    run(scenario)


def test_removing_a_device_tells_it_to_leave_and_forgets_its_key():
    async def scenario(rig):
        await rig.radio.permit(PPMID, KEY, 600)
        announce(rig.port, PPMID)
        await settle()
        await rig.radio.remove(PPMID, 0x1234)
        (call,) = rig.port.named("removeDevice")
        assert call[2]["destShort"] == 0x1234
        assert call[2]["targetLong"].serialize() == PPMID.to_bytes_le()
        assert rig.port.key_table == {}
        assert rig.port.policies()[-1] == 2

    run(scenario)
