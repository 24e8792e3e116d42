"""GBCS messages: headers, keys, MAC, signatures, use cases. Pure.

A message is read by `parse`, judged by `check_mac`, `check_signature` or a use case's `read_…`, and made by
a use case's `command`, `response` or `alert`. Decoders raise DecodeError naming the field.
"""

from harness.gbcs.header import Cra
from harness.gbcs.keys import ACB, SUPPLIER, BenchPki, KeyNotFound, KeyStore, KeyUsage, OwnKeys
from harness.gbcs.mac import KeyAgreement, check_mac, protect
from harness.gbcs.message import GbcsMessage, parse
from harness.gbcs.signature import check_signature, sign

__all__ = [
    "ACB",
    "SUPPLIER",
    "BenchPki",
    "Cra",
    "GbcsMessage",
    "KeyAgreement",
    "KeyNotFound",
    "KeyStore",
    "KeyUsage",
    "OwnKeys",
    "check_mac",
    "check_signature",
    "parse",
    "protect",
    "sign",
]
