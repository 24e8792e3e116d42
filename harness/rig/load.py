"""Reads a rig file and finds the drivers that it names, before anything is opened.

``${environment.NAME}`` in a driver's options stands for what the rig's environment gives under that name when
it runs; until then it is checked as an ordinary text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from harness.dcc.defects import DccDefect
from harness.documents import Node, bind, load_document, nearest, walk
from harness.errors import ConfigError
from harness.hub.defects import HubDefect
from harness.hub.profile import PROFILES, HubProfile, load_profile
from harness.rig.certificates import load_certificates
from harness.rig.faces import DriverSpec, Face
from harness.rig.gbcs_keys import load_gbcs_keys
from harness.rig.model import HubEntry, Rig
from harness.rig.users import users_of
from harness.rulebook import load_rulebook
from harness.smets.rulebook import Rulebook
from harness.zigbee.cbke.authority import BenchAuthority

GROUP = "ppmid_bench.drivers"
_REFERENCE = re.compile(r"\$\{([^}]*)\}")
_ENVIRONMENT = "environment."
_CHANNELS = range(11, 27)


def load_rig(path: Path) -> Rig:
    """Read a rig file and check it whole, drivers' options included; raises ConfigError."""
    rig = bind(load_document(path, "rig"), Rig)
    if not rig.hubs:
        raise rig.where.items["hubs"].error("a rig has at least one hub")
    for name, hub in rig.hubs.items():
        _check_hub(rig.where.items["hubs"].items[name], hub)
    _check_gpfs(rig)
    _check_words(rig.where.items["dcc"], rig.dcc.defects, DccDefect)
    _check_meters(rig)
    users_of(rig)
    load_certificates(rig.pki.certificates, BenchAuthority(rig.pki.seed))
    load_gbcs_keys(rig.pki.gbcs_keys, rig.pki.seed)
    for _, face, node in resources(rig):
        driver_options(node, face, None)
    _check_references(rig)
    return rig


def load_rules(rig: Rig, *overlays: Path) -> Rulebook:
    """Return the rulebook for a rig: ours, the rig's over it, a user's uppermost; raises ConfigError."""
    return load_rulebook(*rig.dcc.rules, *overlays)


def resources(rig: Rig) -> Iterator[tuple[str, Face, Node]]:
    """Yield every driver of a rig: the resource's name, what it must be, and its place in the file."""
    if rig.environment is not None:
        yield "environment", Face.ENVIRONMENT, rig.environment
    for name, hub in rig.hubs.items():
        yield f"hubs.{name}.radio", Face.RADIO, hub.radio
    yield "ppmid.port", Face.PPMID, rig.ppmid.port
    if rig.sniffer is not None:
        yield "sniffer", Face.SNIFFER, rig.sniffer
    if rig.power is not None:
        yield "power", Face.POWER, rig.power
    for name, meter in rig.meters.items():
        if meter.supply is not None:
            yield f"meters.{name}.supply", Face.POWER, meter.supply


def environment_nodes(rig: Rig) -> dict[str, str]:
    """Return which node of the environment each resource is reached at, by the resource's name."""
    nodes: dict[str, str] = {}
    for name, _, node in resources(rig):
        for entry in walk(node):
            for reference in _REFERENCE.findall(entry.value if isinstance(entry.value, str) else ""):
                nodes[name] = reference.removeprefix(_ENVIRONMENT)
    return nodes


def driver_of(node: Node, face: Face) -> DriverSpec:
    """Return the driver that an entry names; raises ConfigError."""
    name = node.items.get("driver")
    if name is None:
        raise node.error("`driver` is missing", remedy=nearest("", _names(face)))
    found = {entry.name: entry for entry in entry_points(group=GROUP)}
    if name.value not in found:
        raise name.error(f"there is no driver `{name.value}`", remedy=nearest(str(name.value), _names(face)))
    try:
        spec = found[str(name.value)].load()
    except ImportError as error:
        raise name.error(
            f"driver `{name.value}` cannot be loaded: {error}", remedy="install what it needs"
        ) from None
    if not isinstance(spec, DriverSpec):
        raise name.error(f"driver `{name.value}` is not a DriverSpec but {type(spec).__name__}")
    if spec.face is not face:
        raise name.error(
            f"driver `{name.value}` drives a {spec.face.value}, not a {face.value}",
            remedy=nearest(str(name.value), _names(face)),
        )
    return spec


def driver_options(node: Node, face: Face, values: Mapping[str, str] | None) -> Any:
    """Return a driver's options, references replaced by `values` (None: left as they are)."""
    rest = {key: entry for key, entry in node.items.items() if key != "driver"}
    options = Node(rest, node.file, node.line, node.column)
    if values is not None:
        options = _replaced(options, values)
    return bind(options, driver_of(node, face).options)


def _names(face: Face) -> list[str]:
    """Return the drivers of a face; one that does not load (a maker's own, broken) is named all the same."""
    names = []
    for entry in entry_points(group=GROUP):
        try:
            fits = entry.load().face is face
        except (ImportError, AttributeError):
            fits = True
        if fits:
            names.append(entry.name)
    return names


def _replaced(node: Node, values: Mapping[str, str]) -> Node:
    if isinstance(node.value, dict):
        entries = {key: _replaced(entry, values) for key, entry in node.value.items()}
        return Node(entries, node.file, node.line, node.column)
    if isinstance(node.value, tuple):
        return Node(
            tuple(_replaced(entry, values) for entry in node.value), node.file, node.line, node.column
        )
    if not isinstance(node.value, str):
        return node

    def value_of(found: re.Match[str]) -> str:
        name = found[1].removeprefix(_ENVIRONMENT)
        if name not in values:
            raise node.error(f"the environment gives no `{name}`", remedy=nearest(name, values))
        return values[name]

    return Node(_REFERENCE.sub(value_of, node.value), node.file, node.line, node.column)


def _check_references(rig: Rig) -> None:
    for entry in walk(rig.where):
        for reference in _REFERENCE.findall(entry.value if isinstance(entry.value, str) else ""):
            if not reference.startswith(_ENVIRONMENT):
                raise entry.error(f"unknown reference `${{{reference}}}`", remedy="write ${environment.NAME}")
            if rig.environment is None:
                raise entry.error(f"`${{{reference}}}` needs an `environment` in the rig, and there is none")


def _check_hub(node: Node, hub: HubEntry) -> None:
    if hub.channel not in _CHANNELS:
        raise node.items["channel"].error(f"channel {hub.channel}: a 2.4 GHz channel is 11 to 26")
    _check_words(node, hub.defects, HubDefect)
    hub_profile(hub, node)


def _check_meters(rig: Rig) -> None:
    seen, taken = set(), {rig.ppmid.device.eui64: "the PPMID"}
    for name, meter in rig.meters.items():
        place = rig.where.items["meters"].items[name]
        if meter.type in seen:
            raise place.error(f"a rig has one {meter.type}, this is another")
        if meter.eui64 in taken:
            raise place.error(f"the meter `{name}` has the EUI-64 of {taken[meter.eui64]}")
        seen.add(meter.type)
        taken[meter.eui64] = f"the meter `{name}`"


def _check_gpfs(rig: Rig) -> None:
    """Refuse a GPF that has the EUI-64 of another device of the file; a dongle's is known when it is open."""
    taken = {rig.ppmid.device.eui64: "the PPMID"}
    taken |= {meter.eui64: f"the meter `{name}`" for name, meter in rig.meters.items()}
    for name, hub in rig.hubs.items():
        if hub.gpf is None:
            continue
        if hub.gpf in taken:
            place = rig.where.items["hubs"].items[name].items["gpf"]
            raise place.error(f"the GPF of hub `{name}` has the EUI-64 of {taken[hub.gpf]}")
        taken[hub.gpf] = f"the GPF of hub `{name}`"


def hub_profile(hub: HubEntry, node: Node) -> HubProfile:
    """Return a hub's profile: one of ours by name, or a file beside the rig's; raises ConfigError."""
    own = sorted(path.stem for path in PROFILES.glob("*.yaml"))
    if hub.profile in own:
        return load_profile(hub.profile)
    if not hub.profile.endswith((".yaml", ".yml")):
        place = node.items["profile"]
        raise place.error(f"there is no hub profile `{hub.profile}`", remedy=nearest(hub.profile, own))
    return load_profile(node.file.parent / hub.profile)


def _check_words(node: Node, words: tuple[str, ...], known: type[DccDefect] | type[HubDefect]) -> None:
    names = [member.value for member in known]
    for word in words:
        if word not in names:
            raise ConfigError(
                f"unknown defect `{word}`",
                file=node.file,
                line=node.items["defects"].line,
                column=node.items["defects"].column,
                remedy=nearest(word, names),
            )
