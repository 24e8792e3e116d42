"""``ppmid-bench dcc serve`` as a process: answers, ends cleanly when asked, and is back with what it knew."""

import asyncio
import contextlib
import itertools
import json
import signal
import subprocess
import threading
import time
from dataclasses import replace

import aiohttp
import pytest

from harness.dcc.documents import Prenotification
from harness.dcc.duis.requests import (
    LogAction,
    Prenotify,
    ReadFirmwareVersion,
    ReadInventory,
    RequestId,
    UpdateHanDeviceLog,
)
from harness.dcc.duis.signature import sign, verify
from harness.dcc.duis.xml.envelope import serialise
from harness.dcc.duis.xml.parser import parse_xml
from harness.dcc.duis.xml.request import request_tree
from harness.dcc.duis.xml.responses import read_response
from harness.dcc.duis.xml_keys import BenchXmlKeys, load_folder
from harness.dcc.sqlite_inventory import SqliteSmiStore
from harness.dcc.use_cases import told_by
from harness.eui64 import Eui64
from harness.gbcs import ACB, SUPPLIER
from harness.smets.cpl import DeviceType
from tests.dcc.estate import HUB_1, HUB_2, INSTALL_CODE, PPMID
from tests.dcc_data import dcc_data
from tests.system.dcc_process import dcc_process
from tests.system.runs import CHECKOUT, command, environment

KEYS = BenchXmlKeys("ppmid-bench")
NOTICE = Prenotification(
    device=PPMID,
    device_type=DeviceType.PPMID,
    manufacturer="1234",
    model="00090100",
    firmware="01020304",
    version="SMETS1",
)


def started(*options):
    """Start the command; return the process, and its URL when it serves."""
    process = subprocess.Popen(
        command("dcc", "serve", "--port", "0", "--json", *options),
        cwd=CHECKOUT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in process.stdout:
        told = json.loads(line)
        if told.get("event") == "serving":
            return process, told["url"]
    process.kill()
    raise AssertionError(process.communicate()[1])


@contextlib.contextmanager
def served(*options):
    """Run the command; give its URL. It must end by itself when it is asked to, with exit code 0."""
    process, url = started(*options)
    try:
        yield url
        process.send_signal(signal.SIGTERM)
        rest, errors = process.communicate(timeout=20)
        assert all("boundary" in json.loads(line) for line in rest.splitlines())
        assert (process.returncode, errors) == (0, "")
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def ask(url, service, request, keys=KEYS):
    root = request_tree(request)
    sign(root, keys.signing_key(SUPPLIER))

    async def post():
        async with (
            aiohttp.ClientSession(headers={"Content-Type": "application/xml"}) as session,
            session.post(f"{url}/api/v1/{service}", data=serialise(root)) as got,
        ):
            return await got.read()

    content = asyncio.run(post())
    assert verify(parse_xml(content), keys).owner == ACB
    return read_response(content)


def test_what_it_knew_it_knows_when_it_is_started_again(tmp_path):
    options = ("--smi", tmp_path / "smi", "--hub", f"{HUB_2}=SMETS2+", "--keep", tmp_path / "kept")
    with served(*options) as url:
        told = ask(url, "serviceD", Prenotify(request_id=RequestId(SUPPLIER, ACB, 1), prenotification=NOTICE))
        assert told.code == "I99"
    assert len(list((tmp_path / "kept").glob("*.xml"))) == 2
    with served(*options) as url:
        read = ask(url, "serviceD", ReadInventory(request_id=RequestId(SUPPLIER, ACB, 2), device=PPMID))
        assert [device.version for device in read.body.payload.devices] == ["SMETS1"]
        again = ask(url, "serviceD", ReadInventory(request_id=RequestId(SUPPLIER, ACB, 1), device=PPMID))
        assert again.code != "I0"


def test_without_a_rig_a_request_to_a_device_is_acknowledged_and_ends_with_a_code(tmp_path):
    with served("--hub", f"{HUB_2}=SMETS2+", "--keep", tmp_path) as url:
        ask(url, "serviceD", Prenotify(request_id=RequestId(SUPPLIER, ACB, 1), prenotification=NOTICE))
        request = UpdateHanDeviceLog(
            request_id=RequestId(SUPPLIER, HUB_2, 2),
            device=PPMID,
            action=LogAction.ADD,
            install_code=INSTALL_CODE,
            join_time_s=90,
        )
        assert ask(url, "serviceS", request).code == "I99"
    last = read_response(sorted(tmp_path.glob("*.xml"))[-1].read_bytes())
    assert (last.request_id, last.code) == (request.request_id, "E20")


@pytest.mark.dcc_data
def test_it_takes_the_published_keys():
    with served("--keys", dcc_data("pki", "xml-sign")) as url:
        keys = load_folder(dcc_data("pki", "xml-sign"))
        request = ReadInventory(request_id=RequestId(SUPPLIER, ACB, 2), device=PPMID)
        assert ask(url, "serviceD", request, keys).code == "E19"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--hub", "x=SMETS1"), "not an EUI-64"),
        (("--hub", f"{HUB_1}=SMETS3"), "expected EUI=SMETS1 or SMETS2+"),
        (("--user", f"{SUPPLIER}=ftp://here"), "no URL to send responses to"),
        (("--keys", "/nowhere"), "no such folder of XML-signing keys"),
        (("--zaz1", "/nowhere"), "not a ZAZ1 key store"),
        (("--gbcs-keys", "/nowhere"), "nowhere: cannot be read"),
        (("--give-up-after", "-1"), "'--give-up-after'"),
        (("--tls", "/nowhere"), "no certificate and key for TLS"),
        (("--cpl", "/nowhere"), "nowhere"),
        (("--port", "99999"), "'--port'"),
    ],
)
def test_a_wrong_option_is_one_sentence_and_exit_code_2(shell, options, says):
    ended = shell("dcc", "serve", "--port", "0", *options)
    assert (ended.code, "Traceback" in ended.err) == (2, False)
    assert says in ended.err


def test_keys_without_the_dsps_own_are_named(shell, tmp_path):
    ended = shell("dcc", "serve", "--port", "0", "--keys", str(tmp_path))
    assert (ended.code, "Traceback" in ended.err) == (2, False)
    assert f"none of {ACB} is among those given" in ended.err


def answered(folder, request_id, within_s=40):
    """Wait for the later response to a request among the kept documents."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        for path in sorted(folder.glob("*.xml"), reverse=True):
            with contextlib.suppress(ValueError):
                response = read_response(path.read_bytes())
                if response.request_id == request_id and response.response_id is not None:
                    return response
        time.sleep(0.1)
    raise AssertionError(f"no response to {request_id}")


def test_who_does_not_read_its_lines_does_not_hold_it_up():
    process, url = started()
    try:
        # each leaves a line of some 200 octets, and a pipe takes 65,536 octets
        assert asyncio.run(turned_away(url, times=500)) == {"400": 500}
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.communicate()


async def turned_away(url, times):
    """POST what is no document; return what the health page says of how it was answered."""
    async with aiohttp.ClientSession(headers={"Content-Type": "application/xml"}) as session:
        for _ in range(times):
            async with session.post(f"{url}/api/v1/serviceD", data=b"<a>" * 20) as got:
                assert got.status == 400
        async with session.get(f"{url}/health") as got:
            return (await got.json())["answered"]


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_with_a_rig_its_ppmid_joins_and_answers(tmp_path):
    with served("--rig", CHECKOUT / "rigs" / "virtual.yaml", "--keep", tmp_path) as url:
        ask(url, "serviceD", Prenotify(request_id=RequestId(SUPPLIER, ACB, 1), prenotification=NOTICE))
        listing = UpdateHanDeviceLog(
            request_id=RequestId(SUPPLIER, HUB_2, 2),
            device=PPMID,
            action=LogAction.ADD,
            install_code=INSTALL_CODE,
            join_time_s=90,
        )
        ask(url, "serviceS", listing)
        assert answered(tmp_path, listing.request_id).code == "I0"
        for counter in range(3, 60):  # until it has joined
            read = ReadFirmwareVersion(request_id=RequestId(SUPPLIER, PPMID, counter))
            assert ask(url, "serviceS", read).code == "I99"
            response = answered(tmp_path, read.request_id)
            if response.code == "I0":
                break
            time.sleep(0.5)
        assert told_by(response.body.payload.message) == (
            "CS08",
            {"MessageSuccess": "true", "FirmwareVersion": "01020304"},
        )


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("after_s", [0.05, 0.4])
def test_a_kill_loses_nothing_that_was_acknowledged(tmp_path, after_s):
    options = ("--smi", tmp_path / "smi")
    process, url = started(*options)
    reader = threading.Thread(target=process.stdout.read)  # a full pipe would hold the service up
    reader.start()
    acknowledged = asyncio.run(prenotified_until_killed(process, url, after_s))
    assert process.wait(10) == -signal.SIGKILL
    reader.join()
    process.stdout.close()
    process.stderr.close()
    assert acknowledged
    with contextlib.closing(SqliteSmiStore(tmp_path / "smi")) as store:
        assert [device for device in acknowledged if store.get(device) is None] == []
    with served(*options) as url:
        read = ReadInventory(request_id=RequestId(SUPPLIER, ACB, 10**6), device=acknowledged[-1])
        assert ask(url, "serviceD", read).code == "I0"


async def prenotified_until_killed(process, url, after_s):
    """Pre-notify devices, several at a time; kill the service so long after its first answer."""
    acknowledged = []
    headers = {"Content-Type": "application/xml"}
    numbers = itertools.count(1)

    async def work(session):
        while True:
            number = next(numbers)
            device = Eui64((0xD0 << 56) | number)
            root = request_tree(
                Prenotify(
                    request_id=RequestId(SUPPLIER, ACB, number),
                    prenotification=replace(NOTICE, device=device),
                )
            )
            sign(root, KEYS.signing_key(SUPPLIER))
            try:
                async with session.post(f"{url}/api/v1/serviceD", data=serialise(root)) as got:
                    response = read_response(await got.read())
            except (aiohttp.ClientError, ValueError):
                return
            assert response.code == "I99"
            if not acknowledged:
                asyncio.get_running_loop().call_later(after_s, process.kill)
            acknowledged.append(device)

    async with aiohttp.ClientSession(headers=headers) as session:
        await asyncio.gather(*(work(session) for _ in range(8)))
    return acknowledged


@pytest.mark.timeout(60)
def test_at_a_hangup_it_takes_the_list_in_its_file_if_that_is_good(tmp_path):
    whole = (CHECKOUT / "rigs" / "cpl-virtual.csv").read_text()
    listed = tmp_path / "cpl.csv"
    listed.write_text(whole)
    without = "".join(
        line
        for line in whole.splitlines(keepends=True)
        if not (line.startswith("1234,0009,0100,") and "SMETS1" in line)
    )
    assert len(without) < len(whole)
    counter = itertools.count(2)

    def status(dcc):
        request = ReadInventory(request_id=RequestId(SUPPLIER, ACB, next(counter)), device=PPMID)
        return ask(dcc.url, "serviceD", request).body.payload.devices[0].status

    def hang_up(dcc, text, says):
        listed.write_text(text)
        dcc.process.send_signal(signal.SIGHUP)
        dcc.line(lambda line: says in line.get("summary", ""))

    with dcc_process("--cpl", listed, "--smi", tmp_path / "smi") as dcc:
        request_id = RequestId(SUPPLIER, ACB, 1)
        ask(dcc.url, "serviceD", Prenotify(request_id=request_id, prenotification=NOTICE))
        before = status(dcc)
        hang_up(dcc, without, "taken")
        suspended = status(dcc)
        hang_up(dcc, "nothing\n", "CPL refused, the old one stays")
        assert status(dcc) == suspended != before
    listed.write_text(whole)  # while it is not running
    with dcc_process("--cpl", listed, "--smi", tmp_path / "smi") as dcc:
        assert status(dcc) == before
