"""JUnit XML of a run, with each case's requirement ids, rules and assumptions as properties.

A `fail` is a failure, an `error` an error, and an `inconclusive` case is skipped with its reason: JUnit has
no fourth word, and CI must not take it for a pass.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from harness.evidence.verdict import CaseResult, Verdict

_ELEMENT = {Verdict.FAIL: "failure", Verdict.ERROR: "error", Verdict.INCONCLUSIVE: "skipped"}
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(results: Iterable[CaseResult], facts: Mapping[str, Any], began: datetime) -> bytes:
    """Return the document; of several attempts at a case, the last one counts."""
    last = {result.id: result for result in results}
    # UTC without its offset: the schemas that JUnit's readers go by know no offset.
    stamp = began.replace(tzinfo=None).isoformat(timespec="seconds")
    suite = ElementTree.Element("testsuite", name="ppmid-bench", timestamp=stamp)
    for name, verdict in (
        ("failures", Verdict.FAIL),
        ("errors", Verdict.ERROR),
        ("skipped", Verdict.INCONCLUSIVE),
    ):
        suite.set(name, str(sum(result.verdict is verdict for result in last.values())))
    suite.set("tests", str(len(last)))
    suite.set("time", f"{sum(result.elapsed_s for result in last.values()):.3f}")
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in facts.items():
        if isinstance(value, str | int | float):
            _property(properties, name, str(value))
    for result in last.values():
        suite.append(_case(result))
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root)
    document: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _case(result: CaseResult) -> ElementTree.Element:
    case = ElementTree.Element(
        "testcase",
        classname=_xml(result.plan),
        name=_xml(result.id),
        file=_xml(result.plan),
        time=f"{result.elapsed_s:.3f}",
    )
    properties = ElementTree.SubElement(case, "properties")
    _property(properties, "title", result.title)
    _property(properties, "verdict", result.verdict.value)
    _property(properties, "attempts", str(result.attempt))
    for name, values in (
        ("requirement", result.covers),
        ("rule", result.rules),
        ("assumption", result.assumptions),
    ):
        for value in values:
            _property(properties, name, value)
    if result.verdict in _ELEMENT:
        reason = ElementTree.SubElement(case, _ELEMENT[result.verdict], message=_xml(result.reason or ""))
        reason.text = _xml("\n".join(_lines(result)))
    return case


def _lines(result: CaseResult) -> Iterable[str]:
    for step in result.steps:
        yield f"{step.verdict.value:12}  {step.title}  ({step.place})"
        if step.reason:
            yield f"              {step.reason}"
    if result.health:
        yield f"rig: {result.health}"


def _property(properties: ElementTree.Element, name: str, value: str) -> None:
    ElementTree.SubElement(properties, "property", name=_xml(name), value=_xml(value))


def _xml(text: str) -> str:
    """Return text that XML may hold: a device's control characters are shown, not sent."""
    return _NOT_XML.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
