"""Reads rulebooks: the bench's own, and a user's overlays over it.

The rules themselves are pure (`harness.smets`); this module is the only one that knows they stand in files. A
rulebook is checked whole when it is read, so that no rule fails in the middle of a case.

An overlay is a file of the same schema. An entry replaces the rule of its id: it gives `source` and `basis`,
and `title` and `value` where they change. A rule that the bench does not have says ``new: true``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.documents import Node, bind, load_document, nearest
from harness.errors import ConfigError
from harness.smets import access, cpl, future, han, requests, routing, smi, table, version
from harness.smets.rulebook import Basis, Rule, Rulebook, RuleError, freeze

OWN_RULEBOOK = Path(__file__).parent / "smets" / "rulebook.yaml"
OWN_MATRIX = OWN_RULEBOOK.with_name("service-requests.yaml")


@dataclass(frozen=True, slots=True, kw_only=True)
class _RuleFile:
    rules: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    source: str
    basis: Basis
    title: str | None = None
    value: Node | None = None
    new: bool = False
    where: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class _Matrix:
    source: str
    basis: Basis
    requests: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    name: str
    roles: tuple[str, ...]
    variants: tuple[int, ...]
    basis: Basis | None = None


def load_rulebook(*overlays: Path, base: Path = OWN_RULEBOOK) -> Rulebook:
    """Read the bench's rulebook and lay overlays over it, the last one uppermost; raises ConfigError."""
    rulebook, places = _read(base, _read_matrix(OWN_MATRIX), first=True)
    _check(rulebook, places, base)
    for path in overlays:
        rulebook, added = _read(path, rulebook, first=False)
        places = {**places, **added}
        _check(rulebook, places, path)
    return rulebook


def _read_matrix(path: Path) -> Rulebook:
    """Read who may send what: a rule for each line."""
    matrix = bind(load_document(path, "service-requests"), _Matrix)
    rules = []
    for srv, node in matrix.requests.items.items():
        line = bind(node, _Line)
        rules.append(
            Rule(
                id=requests.ACCESS + srv,
                title=f"Who may send {srv} ({line.name}), and in which command variants",
                source=matrix.source,
                basis=line.basis or matrix.basis,
                value=freeze({"roles": line.roles, "variants": line.variants}),
            )
        )
    return Rulebook(rules)


def _read(path: Path, below: Rulebook, *, first: bool) -> tuple[Rulebook, Mapping[str, Node]]:
    entries = bind(load_document(path, "rulebook"), _RuleFile).rules
    rules: list[Rule] = []
    places: dict[str, Node] = {}
    for rule_id, node in entries.items.items():
        entry = bind(node, _Entry)
        rules.append(_rule(rule_id, entry, below, first=first))
        places[rule_id] = entry.value or node
    return below.overlay(rules), places


def _rule(rule_id: str, entry: _Entry, below: Rulebook, *, first: bool) -> Rule:
    old = below.rules.get(rule_id)
    if old is None and not (first or entry.new):
        raise entry.where.error(
            f"unknown rule `{rule_id}`",
            remedy=f"{nearest(rule_id, below.rules)} A rule of your own says `new: true`",
        )
    title = entry.title if entry.title is not None or old is None else old.title
    if title is None:
        raise entry.where.error("`title` is missing")
    if entry.value is not None:
        value = freeze(entry.value.plain())
    elif old is not None:
        value = old.value
    else:
        raise entry.where.error("`value` is missing")
    return Rule(id=rule_id, title=title, source=entry.source, basis=entry.basis, value=value)


def _check(rulebook: Rulebook, places: Mapping[str, Node], path: Path) -> None:
    try:
        for room in (version, cpl, table, routing, smi, requests, access, future, han):
            room.check(rulebook)
    except RuleError as error:
        place = places.get(error.rule_id)
        if place is not None:
            raise place.error(str(error)) from None
        raise ConfigError(str(error), file=path) from None
