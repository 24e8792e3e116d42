"""Imports run one way, modules stay small, and what is public says what it is."""

from __future__ import annotations

import ast
from collections.abc import Container, Iterable, Mapping
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
SHARED = ("harness.errors", "harness.eui64", "harness.open_enum", "harness.documents", "harness.tap")
RULES = ("harness.smets", "harness.gbcs", "harness.zigbee")
FACES = ("harness.rig.faces",)
SYSTEM = ("harness.dcc", "harness.hub")

# room -> what it may import of ours; the longest prefix of a module's name decides which room it is in.
MAY_IMPORT = {
    "harness.errors": (),
    "harness.eui64": (),
    "harness.open_enum": (),
    "harness.tap": (),
    "harness.documents": SHARED,
    "harness.smets": ("harness.smets", *SHARED),
    "harness.gbcs": ("harness.gbcs", "harness.errors", "harness.eui64", "harness.open_enum"),
    "harness.zigbee": ("harness.zigbee", "harness.errors", "harness.eui64", "harness.open_enum"),
    "harness.rulebook": ("harness.rulebook", "harness.smets", *SHARED),
    "harness.dcc": ("harness.dcc", *RULES, *SHARED),
    "harness.hub": ("harness.hub", *RULES, *FACES, *SHARED),
    "harness.rig.faces": SHARED,
    "harness.rig": ("harness.rig", "harness.rulebook", *SYSTEM, *RULES, *SHARED),
    "harness.evidence": ("harness.evidence", *FACES, *SYSTEM, *RULES, *SHARED),
    "harness.plan": (
        *("harness.plan", "harness.evidence", "harness.rig", "harness.rulebook"),
        *(*SYSTEM, *RULES, *SHARED),
    ),
    "harness.cli": ("harness",),
    "harness.plugin": ("harness",),
    "drivers": ("drivers.power", "drivers.sniffer", "drivers.ppmid", *FACES, *SHARED),
    "drivers.radio": ("drivers.radio", *FACES, *SHARED),
    "drivers.virtual": (
        "drivers.virtual",
        "harness.zigbee",
        "harness.gbcs",
        "harness.errors",
        "harness.eui64",
    ),
    "drivers.virtual.bench": ("drivers.virtual", *FACES, *SHARED),
}
MODULES = sorted(
    path.relative_to(CHECKOUT)
    for folder in ("harness", "drivers")
    for path in (CHECKOUT / folder).rglob("*.py")
)


def name_of(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def within(module: str, prefix: str) -> bool:
    return module == prefix or module.startswith(prefix + ".")


def room_of(module: str) -> str | None:
    return max((room for room in MAY_IMPORT if within(module, room)), key=len, default=None)


def imports_of(source: str, module: str):
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def uses(module: str, source: str, modules: Container[str]) -> set[str]:
    """Return which of these modules it imports, at the top, late, or for types alone."""
    named = ((name, name.rpartition(".")[0]) for name in imports_of(source, module))
    found = {next((other for other in names if other in modules), module) for names in named}
    return found - {module}


def circles(uses_of: Mapping[str, Iterable[str]]) -> list[set[str]]:
    """Return the sets of modules each of which comes back to itself through all the others."""
    reach: dict[str, set[str]] = {}
    for start in uses_of:
        reach[start], ahead = set(), list(uses_of[start])
        while ahead:
            module = ahead.pop()
            if module not in reach[start]:
                reach[start].add(module)
                ahead += uses_of[module]
    found: list[set[str]] = []
    for module in uses_of:
        circle = {other for other in reach[module] if module in reach[other]}
        if circle and circle not in found:
            found.append(circle)
    return found


def wrong_arrows(source: str, module: str) -> list[str]:
    room = room_of(module)
    if room is None:  # harness/__init__.py and drivers/__init__.py hold nothing
        return [f"{module} -> {other}" for other in imports_of(source, module)]
    ours = [other for other in imports_of(source, module) if other.split(".")[0] in ("harness", "drivers")]
    allowed = (room, *MAY_IMPORT[room])
    return [f"{module} -> {other}" for other in ours if not any(within(other, room) for room in allowed)]


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_imports_run_one_way(path):
    assert wrong_arrows((CHECKOUT / path).read_text(), name_of(path)) == []


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("harness.smets.table", "from harness.hub.core import CommunicationsHub"),
        ("harness.dcc.dsp", "import harness.hub.core"),
        ("harness.hub.core", "from harness.rig.open import open_bench"),
        ("drivers.virtual.medium", "from harness.rig.faces import Radio"),
        ("drivers.radio.ezsp", "from drivers.virtual.medium import Medium"),
        ("harness.rig.open", "from drivers.virtual.bench import VirtualBench"),
        ("harness.evidence.pack", "from harness.plan.runner import Runner"),
    ],
)
def test_an_arrow_the_wrong_way_is_seen(module, line):
    assert wrong_arrows(line, module)


def test_no_module_comes_back_to_itself_by_its_imports():
    names = {name_of(path): path for path in MODULES}
    uses_of = {name: uses(name, (CHECKOUT / path).read_text(), names) for name, path in names.items()}
    assert circles(uses_of) == []


@pytest.mark.parametrize(
    "back",
    [
        "from room.a import A",
        "import room.a",
        "from room import a",
        "if TYPE_CHECKING:\n    from room.a import A",
        "def late():\n    from room.a import A",
    ],
)
def test_a_circle_is_seen_however_it_is_imported(back):
    sources = {"room.a": "from room.b import B", "room.b": "import room.c", "room.c": back, "room.d": back}
    uses_of = {name: uses(name, source, sources) for name, source in sources.items()}
    assert circles(uses_of) == [{"room.a", "room.b", "room.c"}]


def test_nothing_above_the_drivers_asks_which_bench_it_is_on():
    mentions = [
        str(path)
        for path in MODULES
        if path.parts[0] == "harness" and "if virtual" in (CHECKOUT / path).read_text().lower()
    ]
    assert mentions == []


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_a_module_stays_under_400_lines(path):
    assert len((CHECKOUT / path).read_text().splitlines()) <= 400


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_a_module_says_what_it_is(path):
    assert ast.get_docstring(ast.parse((CHECKOUT / path).read_text()))
