"""The bench's rulebook, and ways to change a rule of it for a test."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from harness.rulebook import load_rulebook
from harness.smets.rulebook import Rulebook, freeze


@cache
def own() -> Rulebook:
    return load_rulebook()


def changed(rule_id, value):
    return own().overlay([replace(own().rule(rule_id), value=freeze(value))])


def without(rule_id):
    return Rulebook(rule for rule in own().rules.values() if rule.id != rule_id)
