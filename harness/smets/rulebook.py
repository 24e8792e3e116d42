"""Rules as data with provenance: what is decided, where that is written, and how sure it is.

A rule's value is plain data (text, numbers, lists, mappings); the module that applies a rule knows its shape.
A verdict lists the rules that it leaned on; one whose expectation is only `assumed` cannot fail a device.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Any, TypeVar, cast

RuleValue = str | int | float | bool | None | tuple["RuleValue", ...] | Mapping[str, "RuleValue"]
E = TypeVar("E", bound=Enum)
T = TypeVar("T")


class Basis(Enum):
    """How sure a rule is."""

    PUBLISHED = "published"  # a public text says so
    INFERRED = "inferred"  # follows from public texts or published data
    ASSUMED = "assumed"  # no public text: the bench's own choice, for a user's overlay to confirm


class RuleError(ValueError):
    """A rule is missing or its value is of the wrong shape. `rule_id` names it."""

    def __init__(self, rule_id: str, reason: str) -> None:
        super().__init__(f"rule {rule_id}: {reason}")
        self.rule_id = rule_id
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule. The readers below raise RuleError when the value is not of the shape asked for."""

    id: str
    title: str
    source: str
    basis: Basis
    value: RuleValue

    def part(self, key: str | None = None) -> RuleValue:
        """Return the value, or with `key` that entry of it."""
        if key is None:
            return self.value
        entries = self.entries()
        if key not in entries:
            raise RuleError(self.id, f"`{key}` is missing in its value")
        return entries[key]

    def entries(self, key: str | None = None) -> Mapping[str, RuleValue]:
        """Read a mapping."""
        found = self.part(key)
        if not isinstance(found, Mapping):
            raise self._wrong("a mapping", found, key)
        return found

    def text(self, key: str | None = None) -> str:
        """Read a text."""
        found = self.part(key)
        if not isinstance(found, str):
            raise self._wrong("text", found, key)
        return found

    def number(self, key: str | None = None) -> int:
        """Read a whole number."""
        found = self.part(key)
        if not isinstance(found, int) or isinstance(found, bool):
            raise self._wrong("a whole number", found, key)
        return found

    def texts(self, key: str | None = None) -> tuple[str, ...]:
        """Read a list of texts."""
        found = self.part(key)
        if not isinstance(found, tuple):
            raise self._wrong("a list of texts", found, key)
        texts = tuple(entry for entry in found if isinstance(entry, str))
        if len(texts) != len(found):
            raise self._wrong("a list of texts", found, key)
        return texts

    def choice(self, kind: type[E], key: str | None = None) -> E:
        """Read a member of an enum by its value."""
        return self._member(kind, self.part(key), key)

    def choices(self, kind: type[E], key: str | None = None) -> tuple[E, ...]:
        """Read a list of members of an enum."""
        return tuple(self._member(kind, text, key) for text in self.texts(key))

    def _member(self, kind: type[E], found: RuleValue, key: str | None) -> E:
        try:
            return kind(found)
        except ValueError:
            known = ", ".join(f"`{member.value}`" for member in kind)
            raise self._wrong(f"one of {known}", found, key) from None

    def _wrong(self, wanted: str, found: RuleValue, key: str | None) -> RuleError:
        place = f"`{key}`" if key else "its value"
        return RuleError(self.id, f"{place} must be {wanted}, found {thaw(found)!r}")


class Rulebook:
    """Rules by id, in the order of the file. Immutable."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        """Raise RuleError when an id is given twice."""
        found: dict[str, Rule] = {}
        for rule in rules:
            if rule.id in found:
                raise RuleError(rule.id, "is given twice")
            found[rule.id] = rule
        self._rules = MappingProxyType(found)
        self._derived: dict[Callable[[Rulebook], object], object] = {}

    @property
    def rules(self) -> Mapping[str, Rule]:
        """All rules by id."""
        return self._rules

    @property
    def digest(self) -> str:
        """SHA-256, in hex, of every rule with all its parts; the order of the rules does not matter."""
        canonical = [
            [rule.id, rule.title, rule.source, rule.basis.value, thaw(rule.value)]
            for rule in sorted(self._rules.values(), key=lambda rule: rule.id)
        ]
        return hashlib.sha256(json.dumps(canonical, sort_keys=True).encode()).hexdigest()

    def rule(self, rule_id: str) -> Rule:
        """Return a rule; raises RuleError when there is none."""
        try:
            return self._rules[rule_id]
        except KeyError:
            raise RuleError(rule_id, "is not in the rulebook") from None

    def starting(self, prefix: str) -> tuple[Rule, ...]:
        """Return the rules whose ids start with `prefix`, in the order of the file."""
        return tuple(rule for rule in self._rules.values() if rule.id.startswith(prefix))

    def derived(self, make: Callable[[Rulebook], T]) -> T:
        """Return what `make` makes of these rules; it is asked once, so name a function of a module."""
        if make not in self._derived:
            self._derived[make] = make(self)
        return cast("T", self._derived[make])

    def overlay(self, rules: Iterable[Rule]) -> Rulebook:
        """Return a rulebook in which these rules replace those of the same id, and new ones come last."""
        merged = dict(self._rules)
        merged.update((rule.id, rule) for rule in rules)
        return Rulebook(merged.values())

    def consult(self) -> Consultation:
        """Begin to look rules up and keep account of it."""
        return Consultation(self)

    def assumptions(self, rule_ids: Iterable[str]) -> tuple[Rule, ...]:
        """Return those of these rules that are only assumed."""
        return tuple(rule for rule in map(self.rule, rule_ids) if rule.basis is Basis.ASSUMED)


class Consultation:
    """A reader of a rulebook that remembers what it was asked for."""

    def __init__(self, rulebook: Rulebook) -> None:
        self.rulebook = rulebook
        self._used: dict[str, None] = {}

    def rule(self, rule_id: str) -> Rule:
        """Return a rule and note it; raises RuleError."""
        rule = self.rulebook.rule(rule_id)
        self.note(rule_id)
        return rule

    def note(self, *rule_ids: str) -> None:
        """Note rules that somebody else has used on our behalf."""
        self._used.update(dict.fromkeys(rule_ids))

    @property
    def rules(self) -> tuple[str, ...]:
        """The ids used, in the order of first use."""
        return tuple(self._used)

    @property
    def assumptions(self) -> tuple[Rule, ...]:
        """The rules used that are only assumed."""
        return self.rulebook.assumptions(self._used)


def freeze(value: Any) -> RuleValue:
    """Turn plain YAML or json data into a rule's value."""
    if isinstance(value, Mapping):
        return MappingProxyType({str(key): freeze(entry) for key, entry in value.items()})
    if isinstance(value, list | tuple):
        return tuple(freeze(entry) for entry in value)
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise TypeError(f"not plain data: {value!r}")


def thaw(value: RuleValue) -> Any:
    """Turn a rule's value into dicts and lists, as json has them."""
    if isinstance(value, Mapping):
        return {key: thaw(entry) for key, entry in value.items()}
    if isinstance(value, tuple):
        return [thaw(entry) for entry in value]
    return value
