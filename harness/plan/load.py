"""Plan files in, checked plans out: what can be wrong with a plan is found before a rig is touched.

`read_plans` collects what is wrong with all of them, `load_plans` raises the first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.documents import Node, Seconds, bind, load_document, nearest
from harness.errors import ConfigError, PlanError
from harness.plan import needs
from harness.plan.look import is_plan
from harness.plan.model import DEFAULT_TIMEOUT, Case, Plan, Requirement
from harness.plan.steps.step import Step
from harness.plan.vocabulary import bind_step

KIND = "plan"
_CASE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class _CaseEntry:
    id: str
    title: str
    covers: tuple[Node, ...] = ()
    needs: tuple[Node, ...] = ()
    timeout: Seconds = DEFAULT_TIMEOUT
    row: int | None = None
    steps: tuple[Node, ...]
    where: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class _PlanEntry:
    title: str
    requirements: Path | None = None
    cases: tuple[Node, ...]
    where: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class _RequirementsEntry:
    requirements: Mapping[str, Requirement]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was read: the plans that are right, and everything that is wrong with the others."""

    plans: tuple[Plan, ...]
    errors: tuple[ConfigError, ...]


def find_plans(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Return the plan files that are named, or in the folders that are named, each once.

    Raises ConfigError for a path that is not there and for a folder without a plan.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            inside = [file for file in sorted(path.rglob("*.y*ml")) if is_plan(file)]
            if not inside:
                raise ConfigError("no plan in this folder", file=path, remedy="a plan has a `schema:` line")
            found.update(dict.fromkeys(inside))
        elif path.exists():
            found[path] = None
        else:
            raise ConfigError("no such file or folder", file=path)
    return tuple({path.resolve(): path for path in reversed(found)}.values())[::-1]


def load_plans(paths: Iterable[Path]) -> tuple[Plan, ...]:
    """Read plans from files and folders. Raises ConfigError for the first thing that is wrong."""
    reading = read_plans(find_plans(paths))
    if reading.errors:
        raise reading.errors[0]
    return reading.plans


def read_plans(files: Iterable[Path]) -> Reading:
    """Read plan files, and hold them against each other."""
    plans: list[Plan] = []
    errors: list[ConfigError] = []
    ids: dict[str, Node] = {}
    for file in files:
        plan, wrong = read_plan(file)
        errors += wrong
        if plan is not None:
            errors += _duplicates(plan, ids)
            plans.append(plan)
    return Reading(plans=tuple(plans), errors=tuple(errors))


def read_plan(file: Path) -> tuple[Plan | None, list[ConfigError]]:
    """Read one plan file; what is wrong with it comes back as a list, in the order of the file."""
    try:
        root = load_document(file, KIND)
        entry = bind(root, _PlanEntry)
        requirements = load_requirements(entry.requirements, root) if entry.requirements else {}
    except ConfigError as error:
        return None, [error]
    if not entry.cases:
        return None, [root.items["cases"].error("a plan has at least one case")]
    errors: list[ConfigError] = []
    cases = [_case(node, requirements, errors) for node in entry.cases]
    if errors:
        return None, errors
    found = tuple(case for case in cases if case is not None)
    return Plan(file=file, title=entry.title, cases=found, requirements=requirements), []


def load_requirements(path: Path, plan: Node) -> Mapping[str, Requirement]:
    """Read a requirements file (`ppmid-bench/requirements@1`) by id. Raises ConfigError."""
    if not path.exists():
        raise plan.items["requirements"].error(f"no such file: {path}")
    return bind(load_document(path, "requirements"), _RequirementsEntry).requirements


def _case(node: Node, requirements: Mapping[str, Requirement], errors: list[ConfigError]) -> Case | None:
    try:
        entry = bind(node, _CaseEntry)
    except ConfigError as error:
        errors.append(error)
        return None
    before = len(errors)
    errors += _wrong_in(entry, requirements)
    found: list[Step] = []
    for step_node in entry.steps:
        try:
            found.append(bind_step(step_node))
        except ConfigError as error:
            errors.append(error)
    if len(errors) > before:
        return None
    return Case(
        id=entry.id,
        title=entry.title,
        covers=_words(entry.covers),
        needs=_words(entry.needs),
        timeout=entry.timeout,
        row=entry.row,
        steps=tuple(found),
        where=entry.where,
    )


def _wrong_in(entry: _CaseEntry, requirements: Mapping[str, Requirement]) -> Iterable[ConfigError]:
    place = entry.where.items
    if not _CASE_ID.fullmatch(entry.id):
        yield place["id"].error(f"`{entry.id}` is no case id: letters, digits, dot, dash and underscore")
    if entry.timeout <= 0:
        yield place["timeout"].error("a case's timeout is longer than nothing")
    if not entry.steps:
        yield place["steps"].error("a case has at least one step")
    for node in entry.covers:
        if not requirements:
            yield node.error(
                f"`{node.value}` is covered, but the plan names no requirements",
                remedy="add `requirements: FILE` to the plan",
            )
        elif node.value not in requirements:
            yield node.error(
                f"unknown requirement `{node.value}`", remedy=nearest(str(node.value), requirements)
            )
    for node in entry.needs:
        try:
            needs.check(str(node.value))
        except ValueError as error:
            yield node.error(str(error), remedy=nearest(str(node.value), needs.EXAMPLES))


def _words(nodes: tuple[Node, ...]) -> tuple[str, ...]:
    return tuple(str(node.value) for node in nodes)


def _duplicates(plan: Plan, ids: dict[str, Node]) -> Iterable[ConfigError]:
    for case in plan.cases:
        place = case.where.items["id"]
        first = ids.setdefault(case.id, place)
        if first is not place:
            yield PlanError(
                f"case id `{case.id}` is given twice (first in {first.file}, line {first.line})",
                file=place.file,
                line=place.line,
                column=place.column,
            )
