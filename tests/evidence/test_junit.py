"""JUnit XML as its readers document it: the elements, attributes and orders of Jenkins and of GitLab.

``PPMID_BENCH_JUNIT_XSD`` may name the schema of Jenkins' xUnit plugin (junit-10.xsd), which then judges too.
"""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime

import pytest
from lxml import etree

from harness.evidence.junit import junit
from harness.evidence.verdict import Verdict
from tests.evidence.test_pack import result

NUMBER, SECONDS = re.compile(r"\d+"), re.compile(r"\d+\.\d{3}")
ATTRIBUTES = {
    "testsuites": {},
    "testsuite": {
        "name": None,
        "timestamp": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"),
        "failures": NUMBER,
        "errors": NUMBER,
        "skipped": NUMBER,
        "tests": NUMBER,
        "time": SECONDS,
    },
    "properties": {},
    "property": {"name": None, "value": None},
    "testcase": {"classname": None, "name": None, "file": None, "time": SECONDS},
    "failure": {"message": None},
    "error": {"message": None},
    "skipped": {"message": None},
}
INSIDE = {
    "testsuites": ["testsuite"],
    "testsuite": ["properties", "testcase"],
    "properties": ["property"],
    "testcase": ["properties", "failure", "error", "skipped"],
}


@pytest.fixture(scope="module")
def document():
    results = [result(f"CASE-{number}", verdict) for number, verdict in enumerate(Verdict)]
    facts = {"rulebook": "sha256:1", "rig": {"name": "a bench"}, "secrets": "han"}
    return etree.fromstring(junit(results, facts, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)))


def test_there_is_nothing_in_it_that_its_readers_do_not_document(document):
    for element in document.iter():
        wanted = ATTRIBUTES[element.tag]
        assert set(element.keys()) == set(wanted), element.tag
        for name, value in element.items():
            assert wanted[name] is None or wanted[name].fullmatch(value), (element.tag, name, value)
        order = [INSIDE.get(element.tag, []).index(child.tag) for child in element]
        assert order == sorted(order), element.tag


def test_the_suite_counts_what_is_in_it(document):
    (suite,) = document
    for word, tag in (
        ("tests", "testcase"),
        ("failures", "failure"),
        ("errors", "error"),
        ("skipped", "skipped"),
    ):
        assert int(suite.get(word)) == len(list(suite.iter(tag))) > 0, word


def test_a_case_has_one_verdict_and_a_name_that_is_its_own(document):
    """GitLab tells cases of two runs apart by class, name and file, and takes the first verdict alone."""
    cases = list(document.iter("testcase"))
    assert len({(case.get("classname"), case.get("name"), case.get("file")) for case in cases}) == len(cases)
    for case in cases:
        assert len([child for child in case if child.tag != "properties"]) <= 1


def test_the_schema_of_jenkins_agrees_but_for_what_is_known(document):
    where = os.environ.get("PPMID_BENCH_JUNIT_XSD")
    if not where:
        pytest.skip("no junit-10.xsd of Jenkins' xUnit plugin here; name it in PPMID_BENCH_JUNIT_XSD")
    schema = etree.XMLSchema(file=where)
    bare = etree.fromstring(etree.tostring(document))
    for case in bare.iter("testcase"):
        case.attrib.pop("file")
        case.remove(case.find("properties"))
    assert schema.validate(bare), schema.error_log
    bare[0].attrib.pop("tests")
    assert not schema.validate(bare), "a schema that takes everything judges nothing"
