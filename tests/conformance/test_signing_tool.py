"""The published signing tool (Java) verifies what we sign, with the keys that it brings.

Its schema is that of DUIS 5.1: what came later it refuses, whoever has signed it.
"""

import subprocess
import zipfile

import pytest

from harness.dcc.duis.signature import sign
from harness.dcc.duis.xml.envelope import serialise
from harness.dcc.duis.xml.request import request_tree
from harness.dcc.duis.xml.responses import response_tree
from harness.dcc.duis.xml_keys import load_folder
from harness.gbcs import ACB, SUPPLIER
from tests.conformance.oracles import signing_tool
from tests.dcc.duis.samples import REQUESTS, RESPONSES

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60)]
DOCUMENTS = [
    *((request_tree, request, SUPPLIER) for request in REQUESTS),
    *((response_tree, response, ACB) for response in RESPONSES),
]
_SINCE_5_1 = b"Connectivity>"
_VALIDATION_FAILED = 10


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """The test keys of the tool."""
    folder = tmp_path_factory.mktemp("keys")
    with zipfile.ZipFile(signing_tool()[1]) as jar:
        for name in jar.namelist():
            if name.endswith((".pem", ".key")):
                jar.extract(name, folder)
    return load_folder(folder)


def validate(path):
    """Return the tool's exit code: 0 for a document of its schema whose signature holds."""
    java, jar = signing_tool()
    options = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")  # it runs for a second
    command = [java, *options, "-cp", jar, "uk.co.smartdcc.boxed.xmldsig.Validate", path]
    return subprocess.run(command, capture_output=True, timeout=50, check=False).returncode


@pytest.mark.parametrize(
    ("tree", "value", "owner"),
    DOCUMENTS,
    ids=[type(getattr(value, "body", value)).__name__ for _, value, _ in DOCUMENTS],
)
def test_the_tool_takes_what_we_sign(tree, value, owner, keys, tmp_path):
    root = tree(value)
    sign(root, keys.signing_key(owner))
    path = tmp_path / "document.xml"
    path.write_bytes(serialise(root))
    assert validate(path) == (_VALIDATION_FAILED if _SINCE_5_1 in path.read_bytes() else 0)


def test_the_tool_does_not_take_what_was_changed(keys, tmp_path):
    root = request_tree(REQUESTS[0])
    sign(root, keys.signing_key(SUPPLIER))
    path = tmp_path / "document.xml"
    path.write_bytes(serialise(root).replace(b"SMETS2+", b"SMETS1"))
    assert validate(path) == _VALIDATION_FAILED
