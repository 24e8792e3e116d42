"""Documents as nobody should send them: a mutator with a seed."""

import copy
import random

from lxml import etree

from harness.dcc.duis.signature import sign
from harness.dcc.duis.xml.parser import parse_xml

ODD_TEXTS = (
    *("", " ", "0", "-1", "1e9", "99999999999999999999999999", "NaN", "true", "I0", "\u0661", "\ud7ff"),
    *("x" * 40, "00-00-00-00-00-00-00-00", "9999-12-31T23:59:59Z", "2026-02-30T00:00:00Z", "&", "<", "]]>"),
    *(
        "0001-01-01T00:00:00+14:00",
        "SMETS1",
        "Add",
        "8.2",
        "12.2",
        "AAAA",
        "=",
        "../../etc/passwd",
        "' OR 1=1--",
    ),
)
ODD_OCTETS = (
    b"\0",
    b"\xff",
    b"<",
    b">",
    b"&",
    b"]]>",
    b"<!DOCTYPE a>",
    b"<!--",
    b"<?x?>",
    b"&x;",
    b"\xc3",
    b'"',
)


class Mutator:
    """Makes documents of signed ones; some are signed again after they were changed."""

    def __init__(self, seed, documents, key):
        self.chance = random.Random(seed)
        self.documents = documents
        self.key = key

    def __call__(self):
        document = self.chance.choice(self.documents)
        change = self.chance.choice(
            (self.octets, self.cut, self.swap_signature, self.tree, self.tree, self.tree)
        )
        for _ in range(self.chance.choice((1, 1, 1, 2, 5))):
            document = change(document)
        return document

    def octets(self, document):
        place = self.chance.randrange(len(document) + 1)
        match self.chance.randrange(3):
            case 0:
                return document[:place] + self.chance.choice(ODD_OCTETS) + document[place:]
            case 1:
                return document[:place] + bytes([self.chance.randrange(256)]) + document[place + 1 :]
        return document[:place] + document[place + self.chance.randrange(1, 40) :]

    def cut(self, document):
        return document[: self.chance.randrange(len(document) + 1)]

    def swap_signature(self, document):
        other = self.chance.choice(self.documents)
        start, theirs = document.find(b"<ds:Signature "), other.find(b"<ds:Signature ")
        return document[:start] + other[theirs:] if start > 0 else document

    def tree(self, document):
        """Change the tree, and sign it again every second time."""
        try:
            root = parse_xml(document)
        except ValueError:
            return self.octets(document)
        elements = list(root.iter())
        element, other = self.chance.choice(elements), self.chance.choice(elements)
        match self.chance.randrange(6):
            case 0:
                element.text = self.odd()
            case 1 if element.getparent() is not None:
                element.getparent().remove(element)
            case 2:
                other.append(copy.deepcopy(element))
            case 3:
                element.tag = other.tag
            case 4:
                element.set(self.chance.choice(("schemaVersion", "Id", "URI", "Algorithm")), self.odd())
            case _:
                other.insert(0, copy.deepcopy(element))
        if self.chance.random() < 0.5:
            for signature in root.findall("{http://www.w3.org/2000/09/xmldsig#}Signature"):
                root.remove(signature)
            sign(root, self.key)
        return etree.tostring(root, encoding="UTF-8")

    def odd(self):
        return self.chance.choice([text for text in ODD_TEXTS if text.isprintable() or not text])
