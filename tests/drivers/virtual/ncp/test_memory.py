"""A restart is a restart: what a dongle keeps is there again, also after it was killed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import bellows.types as t
import pytest

from drivers.virtual.ncp.state import NonVolatile
from harness.errors import ConfigError
from harness.rig.faces import ApsMessage, NetworkSettings
from tests.drivers.virtual.ncp.hosted import RadioHears, bellows_host, new_radio
from tests.drivers.virtual.stack.network import KEY, NETWORK_KEY, PPMID

CHECKOUT = Path(__file__).parents[4]
COUNTER = t.EzspValueId.VALUE_NWK_FRAME_COUNTER
FRAMES = 1100  # more than a restart moves counters on by


@pytest.fixture
def serve():
    """Start the virtual bench; what a test leaves running is killed."""
    started = []

    def start(state, version):
        started.append(served(state, version))
        return started[-1], json.loads(started[-1].stdout.readline())["smets1"]

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


def served(state, version):
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "harness.cli", "virtual", "serve", "--json"),
            *("--state", state, "--ezsp-version", str(version)),
        ],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def end(process, number):
    process.send_signal(number)
    _, err = process.communicate(timeout=20)
    assert err == ""


async def lived(path):
    """Form, take a key, send a lot; return the network and its frame counter."""
    radio = new_radio(path)
    await radio.open((), RadioHears())
    state = await radio.form(NetworkSettings(channel=20, network_key=NETWORK_KEY))
    await radio.set_link_key(PPMID, KEY)
    nobody = ApsMessage(
        peer=0xFFFC,
        profile=0x0109,
        cluster=0x0700,
        source_endpoint=1,
        destination_endpoint=1,
        payload=b"x",
        broadcast=True,
    )
    for _ in range(FRAMES):
        await radio.send(nobody)
    status, value = await radio._opened().command("getValue", valueId=COUNTER)
    assert status == 0
    await radio.close()
    return state, int.from_bytes(value, "little")


async def lives_on(path):
    """Return what a host finds after the restart."""
    async with bellows_host(path) as host:
        with host.wait_for_stack_status(t.sl_Status.NETWORK_UP) as up:
            assert await host.initialize_network() == t.sl_Status.OK
            async with asyncio.timeout(2):
                await up
        network = (await host.getNetworkParameters())[2]
        (index,) = await host.findKeyTableEntry(
            address=t.EUI64.deserialize(PPMID.to_bytes_le())[0], linkKey=True
        )
        entry = await (host.getKeyTableEntry if host.ezsp_version < 13 else host.exportLinkKeyByIndex)(index)
        _, counter = await host.getValue(valueId=COUNTER)
        return (
            network,
            index,
            b"".join(field.serialize() for field in entry),
            int.from_bytes(counter, "little"),
        )


@pytest.mark.parametrize("ending", [signal.SIGKILL, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "version",
    [13, *(pytest.param(version, marks=pytest.mark.slow) for version in (8, 14, 19))],
)
def test_network_keys_and_counters_are_there_again(tmp_path, serve, version, ending):
    process, path = serve(tmp_path / "kept", version)
    state, counter = asyncio.run(lived(path))
    assert counter >= FRAMES
    end(process, ending)
    process, path = serve(tmp_path / "kept", version)
    network, index, entry, later = asyncio.run(lives_on(path))
    end(process, signal.SIGTERM)
    assert (network.panId, network.radioChannel) == (state.pan_id, 20)
    assert index == 0
    assert KEY in entry
    assert PPMID.to_bytes_le() in entry
    assert later > counter  # or devices would take what follows for repeats


@pytest.mark.parametrize("text", ["", "[]", '{"stack": null}', '{"keys": 1}', "\u0000"])
def test_a_file_that_is_no_dongles_memory_is_named(tmp_path, text):
    file = tmp_path / "smets1.json"
    file.write_text(text)
    with pytest.raises(ConfigError, match=r"smets1\.json: this is not the memory of a virtual dongle"):
        NonVolatile.load(file)


def test_serve_says_so_and_ends_with_2(tmp_path):
    (tmp_path / "smets1.json").write_text("?")
    ended = subprocess.run(
        [sys.executable, "-m", "harness.cli", "virtual", "serve", "--state", tmp_path],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith(f"ppmid-bench: {tmp_path / 'smets1.json'}: this is not the memory")
