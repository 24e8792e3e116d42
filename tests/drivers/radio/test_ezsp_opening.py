from __future__ import annotations

import asyncio
import contextlib
import errno

import bellows.types as t
import pytest
from bellows.ash import NcpFailure

from drivers.radio.ezsp import DRIVER, EzspOptions, EzspRadio
from harness.errors import RigFault
from harness.rig.faces import DriverContext, Face
from harness.tap import NullTap
from tests.drivers.radio.bench_of_one import (
    ENDPOINT,
    HUB,
    KEY,
    MESSAGE,
    PPMID,
    Listener,
    Rig,
    incoming,
    open_fault,
    run,
    settle,
)
from tests.drivers.radio.fake_ezsp import FakeEzsp


def test_opening_tells_who_the_dongle_is_and_registers_the_endpoints():
    async def scenario(rig):
        info = await rig.radio.open((ENDPOINT,), rig.listener)
        assert (info.eui64, info.stack, info.firmware) == (HUB, "EZSP 13", "7.4.4.0 build 0")
        endpoint = rig.port.named("addEndpoint")[0][2]
        assert (endpoint["endpoint"], endpoint["profileId"], endpoint["inputClusterList"]) == (
            123,
            0x0109,
            [0, 0x800],
        )
        names = [call[0] for call in rig.port.calls]
        assert names.index("setConfigurationValue") < names.index("addEndpoint")
        rig.port.disconnected = 0  # opening again has closed the first

    run(scenario)


def test_a_board_without_manufacturing_tokens_opens():
    async def scenario(rig):
        assert (await rig.radio.open((), rig.listener)).firmware == "unknown"
        rig.port.disconnected = 0

    run(scenario, unknown={"get_board_info"})
    run(scenario, board_error=ValueError("Data is too short"))


def test_the_options_reach_bellows():
    async def scenario(rig):
        assert rig.port.config == {"path": "/dev/bench", "baudrate": 115200, "flow_control": None}

    run(scenario)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (FileNotFoundError(errno.ENOENT, "gone"), "does not exist; plug the dongle in"),
        (PermissionError("The serial port is locked by another application"), "in use by another program"),
        (PermissionError(errno.EACCES, "denied"), "may not be opened by this user; .*dialout"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "no"), "refuses the connection"),
        (TimeoutError(), "no EZSP answer within 0.2 s; .*universal-silabs-flasher --device /dev/bench"),
        (OSError(errno.EIO, "broken"), "cannot be opened"),
        (NcpFailure(t.NcpResetCode.RESET_WATCHDOG), "does not speak EZSP.*universal-silabs-flasher"),
    ],
)
def test_a_port_that_cannot_be_opened_is_the_rigs_fault_and_named(error, words):
    import re

    text = open_fault(connect_error=error)
    assert "/dev/bench" in text
    assert re.search(words, text), text


def test_a_silent_port_is_given_up_within_the_connect_timeout():
    assert "no EZSP answer within 0.2 s" in open_fault(connect_hangs=True)


@pytest.mark.parametrize("version", [7, 20])
def test_an_ezsp_version_outside_the_supported_ones_is_refused(version):
    assert f"speaks EZSP {version}" in open_fault(ezsp_version=version)


def test_socket_urls_are_refused_with_the_better_one_named():
    with pytest.raises(ValueError, match="write tcp://host:1234"):
        EzspOptions(path="socket://host:1234")


def test_the_driver_is_a_radio():
    assert DRIVER.face is Face.RADIO
    assert DRIVER.options is EzspOptions
    radio = DRIVER.create(EzspOptions(path="/dev/null"), DriverContext(name="x", tap=NullTap()))
    assert isinstance(radio, EzspRadio)


def test_a_port_that_is_really_absent_is_named():
    async def main():
        radio = EzspRadio(EzspOptions(path="/dev/ppmid-bench-none"), DriverContext(name="x", tap=NullTap()))
        with pytest.raises(RigFault, match="/dev/ppmid-bench-none does not exist"):
            await radio.open((), Listener())
        with pytest.raises(RigFault, match="not open"):
            await radio.ping()

    asyncio.run(main())


def test_a_lost_port_fails_what_is_pending_at_once_and_is_told_once():
    async def scenario(rig):
        rig.port.hanging.add("nop")
        ping = asyncio.ensure_future(rig.radio.ping())
        send = asyncio.ensure_future(rig.radio.send(MESSAGE))
        await settle()
        rig.port.owner.connection_lost(OSError(errno.EIO, "Input/output error"))
        rig.port.owner.connection_lost(None)
        async with asyncio.timeout(0.5):
            for pending in (ping, send):
                with pytest.raises(RigFault, match=r"/dev/bench was lost: OSError.*check the cable"):
                    await pending
        assert len(rig.listener.losses) == 1
        with pytest.raises(RigFault, match="was lost"):
            await rig.radio.ping()

    run(scenario, sent_status=[None])


def test_a_dongle_that_resets_in_use_is_lost():
    async def scenario(rig):
        rig.port.owner.connection_lost(NcpFailure(t.NcpResetCode.RESET_WATCHDOG))
        with pytest.raises(RigFault, match="RESET_WATCHDOG"):
            await rig.radio.permit(PPMID, KEY, 10)

    run(scenario)


def test_a_dongle_that_resets_while_it_is_opened_is_tolerated():
    async def scenario(rig):
        assert rig.listener.losses == []

    class Resetting(FakeEzsp):
        async def connect(self, *, use_thread):
            self.owner.connection_lost(NcpFailure(t.NcpResetCode.RESET_POWER_ON))

    async def main():
        rig = Rig()
        rig.radio = EzspRadio(
            EzspOptions(path="/dev/bench"), DriverContext(name="x", tap=NullTap()), port_factory=Resetting
        )
        await rig.radio.open((), rig.listener)
        await scenario(rig)
        await rig.radio.close()

    asyncio.run(main())


def test_a_command_that_is_never_answered_is_the_rigs_fault():
    async def scenario(rig):
        rig.port.hanging.add("nop")
        link = rig.radio._opened()
        with pytest.raises(RigFault, match=r"gave no answer within 0\.1 s .nop."):
            await link.command("nop", within_s=0.1)

    run(scenario)


def test_closing_with_an_open_window_leaves_nothing_behind():
    async def scenario(rig):
        await rig.radio.permit(PPMID, KEY, 600)
        with contextlib.suppress(RigFault):
            rig.port.hanging.add("sendReply")
            rig.port.fragment(13, incoming(13, options=0x8000, group=0x0200))

    run(scenario)


def test_a_block_that_could_not_be_acknowledged_is_remembered_as_the_rigs_fault():
    async def scenario(rig):
        rig.radio._opened().command_s = 0.05
        rig.port.hanging.add("sendReply")
        rig.port.fragment(13, incoming(13, options=0x8000, group=0x0200))
        await asyncio.sleep(0.1)
        with pytest.raises(RigFault, match=r"no answer within 0\.1 s .sendReply. .to acknowledge fragment."):
            await rig.radio.ping()

    run(scenario)
