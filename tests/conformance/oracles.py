"""Decoders by other hands: where they are, and how to ask them.

An oracle that is not here skips its tests and says so; with PPMID_BENCH_REQUIRE_ORACLES=1 it fails them.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import struct
import subprocess
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import NoReturn

import pytest

LINKTYPE_IEEE802_15_4_WITH_FCS = 195
LINKTYPE_WIRESHARK_UPPER_PDU = 252
_TAG_DISSECTOR_NAME = 12
_CHECKOUT = Path(__file__).resolve().parents[2]
_TIMEOUT_S = 45


def _absent(what: str, remedy: str) -> NoReturn:
    text = f"no {what} here: {remedy}"
    if os.environ.get("PPMID_BENCH_REQUIRE_ORACLES") == "1":
        pytest.fail(text)
    pytest.skip(text)


def tshark_program() -> str:
    """Return tshark's path, or skip or fail the test."""
    return shutil.which("tshark") or _absent("tshark", "install the Debian package tshark")


def signxml() -> ModuleType:
    """Return the signxml package, or skip or fail the test."""
    try:
        return importlib.import_module("signxml")
    except ImportError:
        _absent("signxml", "install the extra `test`")


def node_module(name: str) -> Path:
    """Return an npm package's folder, or skip or fail the test."""
    places = [os.environ.get("PPMID_BENCH_NODE_MODULES"), _CHECKOUT / "node_modules"]
    for place in places:
        if place and (folder := Path(place) / name).is_dir():
            return folder.resolve()
    _absent(name, f"npm install {name}, or name its node_modules in PPMID_BENCH_NODE_MODULES")


def signing_tool() -> tuple[str, Path]:
    """Return the paths of Java and of the published signing tool, or skip or fail the test."""
    jar = node_module("@smartdcc/duis-sign-wrap") / "dist" / "tool.jar"
    java = shutil.which("java") or _absent("Java", "install the Debian package default-jre-headless")
    return java, jar


def node_program() -> str:
    """Return Node's path, or skip or fail the test."""
    return shutil.which("node") or _absent("Node.js", "install Node 20 or later")


def client_program(name: str) -> Path:
    """Return a program of the environment that foreign clients live in, or skip or fail the test."""
    place = os.environ.get("PPMID_BENCH_CLIENTS")
    if place and (program := Path(place) / "bin" / name).is_file():
        return program.absolute()
    _absent(
        name,
        "make an environment with zigpy-cli and universal-silabs-flasher, and name it in PPMID_BENCH_CLIENTS",
    )


def ask_node(script: Path, module: Path, question: object) -> object:
    """Run a script of ours with a module's folder as argument and json on stdin; return its json."""
    command = [node_program(), str(script), str(module)]
    done = subprocess.run(
        command, input=json.dumps(question), capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@dataclass(frozen=True)
class Dissected:
    """One packet as tshark sees it: protocols from the outside in, fields as (name, value, text)."""

    info: str
    protocols: tuple[str, ...]
    fields: tuple[tuple[str, str, str], ...]

    def values(self, name: str) -> list[str]:
        """Return all values of a field."""
        return [value for known, value, _ in self.fields if known == name]

    def text(self) -> str:
        """Return everything that tshark wrote of the packet."""
        return "\n".join(text for _, _, text in self.fields)


def write_pcap(path: Path, psdus: list[bytes], *, linktype: int = LINKTYPE_IEEE802_15_4_WITH_FCS) -> None:
    """Write a capture of PSDUs with their FCS, a second apart."""
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, linktype)
    packets = [struct.pack("<IIII", n, 0, len(psdu), len(psdu)) + psdu for n, psdu in enumerate(psdus)]
    path.write_bytes(head + b"".join(packets))


def tshark(folder: Path, psdus: list[bytes], keys: list[bytes]) -> list[Dissected]:
    """Have tshark dissect PSDUs with Zigbee keys (network keys and link keys alike)."""
    capture = folder / "frames.pcap"
    write_pcap(capture, psdus)
    options = [
        argument for key in keys for argument in ("-o", f'uat:zigbee_pc_keys:"{key.hex(":")}","Normal",""')
    ]
    # A configuration of its own: the user's must not decide what a test sees.
    environment = os.environ | {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "LC_ALL": "C.UTF-8"}

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [tshark_program(), "-r", str(capture), *options, *arguments],
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
            env=environment,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    infos = run("-T", "fields", "-e", "_ws.col.Info").splitlines()
    packets = ElementTree.fromstring(run("-T", "pdml")).findall("packet")
    assert len(infos) == len(packets) == len(psdus)
    return [_dissected(info, packet) for info, packet in zip(infos, packets, strict=True)]


def _dissected(info: str, packet: ElementTree.Element) -> Dissected:
    fields = [
        (field.get("name", ""), field.get("show", ""), field.get("showname") or field.get("show", ""))
        for field in packet.iter("field")
    ]
    return Dissected(
        info=info,
        protocols=tuple(proto.get("name", "") for proto in packet.iter("proto")),
        fields=tuple(fields),
    )


def tshark_pdus(folder: Path, dissector: str, pdus: list[bytes], fields: list[str]) -> list[list[str]]:
    """Have one of tshark's dissectors read octets without a network around them; return fields of each.

    The octets travel as an exported PDU. The values of a field that is there more than once stand in one.
    """
    name = dissector.encode()
    name += bytes(-len(name) % 4)
    head = struct.pack(">HH", _TAG_DISSECTOR_NAME, len(name)) + name + bytes(4)
    capture = folder / f"{dissector}.pcap"
    write_pcap(capture, [head + pdu for pdu in pdus], linktype=LINKTYPE_WIRESHARK_UPPER_PDU)
    environment = os.environ | {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "LC_ALL": "C.UTF-8"}
    wanted = [argument for field in fields for argument in ("-e", field)]
    done = subprocess.run(
        [tshark_program(), "-r", str(capture), "-T", "fields", "-E", "separator=|", *wanted],
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    lines = [line.split("|") for line in done.stdout.splitlines()]
    assert len(lines) == len(pdus)
    return lines


def tshark_values(field: str) -> dict[int, str]:
    """Return the names that tshark has for the values of a field."""
    done = subprocess.run(
        [tshark_program(), "-G", "values"],
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
        env=os.environ | {"LC_ALL": "C.UTF-8"},
    )
    assert done.returncode == 0, done.stderr
    lines = (line.split("\t") for line in done.stdout.splitlines())
    return {int(line[2], 0): line[3] for line in lines if line[0] == "V" and line[1] == field}


def chromium_programs() -> tuple[str, str]:
    """Return the paths of Chromium and ChromeDriver, or skip or fail the test."""
    remedy = "install the Debian packages chromium and chromium-driver"
    found = [shutil.which(name) or _absent(name, remedy) for name in ("chromium", "chromedriver")]
    return found[0], found[1]
