"""The DUIS schema as an oracle: what we write must validate, whatever our own tables say."""

from functools import cache

from lxml import etree

from tests.dcc_data import dcc_data

SR = "http://www.dccinterface.co.uk/ServiceUserGateway"
SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}Signature"


@cache
def _schema(path):
    return etree.XMLSchema(etree.parse(path))


def flaws(document):
    """Return what the published schema holds against a document."""
    schema = _schema(str(dcc_data("duis", "duis-5.4.xsd")))
    schema.validate(etree.fromstring(document))
    return [f"{entry.path}: {entry.message}" for entry in schema.error_log]


def codes():
    """Return the response codes that the schema knows."""
    names = etree.parse(str(dcc_data("duis", "duis-5.4.xsd"))).xpath(
        "//xs:simpleType[@name='ResponseCode']//xs:enumeration/@value",
        namespaces={"xs": "http://www.w3.org/2001/XMLSchema"},
    )
    return {str(name) for name in names}
