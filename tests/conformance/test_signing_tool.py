"""The published signing tool (Java) verifies what we sign, where it is at hand.

It is not installed by CI: name the folder of its compiled classes and resources in PPMID_BENCH_SIGNING_TOOL.
"""

import os
import shutil
import subprocess

import pytest

from harness.dcc.duis.signature import sign
from harness.dcc.duis.xml.envelope import serialise
from harness.dcc.duis.xml.request import request_tree
from harness.dcc.duis.xml.responses import response_tree
from harness.dcc.duis.xml_keys import load_folder
from harness.gbcs import ACB, SUPPLIER
from tests.dcc.duis.samples import REQUESTS, RESPONSES
from tests.dcc_data import dcc_data

pytestmark = [pytest.mark.dcc_data, pytest.mark.slow]
DOCUMENTS = [
    *((request_tree, request, SUPPLIER) for request in REQUESTS),
    *((response_tree, response, ACB) for response in RESPONSES),
]


def validate(path):
    """Return the tool's exit code: 0 for a document of the schema whose signature holds."""
    classes = os.environ.get("PPMID_BENCH_SIGNING_TOOL")
    if not classes or shutil.which("java") is None:
        pytest.skip("no published signing tool here; see PPMID_BENCH_SIGNING_TOOL")
    command = ["java", "-cp", classes, "uk.co.smartdcc.boxed.xmldsig.Validate", str(path)]
    return subprocess.run(command, capture_output=True, timeout=60, check=False).returncode


@pytest.mark.parametrize(
    ("tree", "value", "owner"),
    DOCUMENTS,
    ids=[type(getattr(value, "body", value)).__name__ for _, value, _ in DOCUMENTS],
)
def test_the_tool_takes_what_we_sign(tree, value, owner, tmp_path):
    root = tree(value)
    sign(root, load_folder(dcc_data("pki", "xml-sign")).signing_key(owner))
    path = tmp_path / "document.xml"
    path.write_bytes(serialise(root))
    assert validate(path) == 0


def test_the_tool_does_not_take_what_was_changed(tmp_path):
    root = request_tree(REQUESTS[0])
    sign(root, load_folder(dcc_data("pki", "xml-sign")).signing_key(SUPPLIER))
    path = tmp_path / "document.xml"
    path.write_bytes(serialise(root).replace(b"SMETS2+", b"SMETS1"))
    assert validate(path) != 0
