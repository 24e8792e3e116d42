"""The published messages that are rebuilt from their fields, octet for octet.

An exchange is a command with its response and, where the user signs, its pre-command. `python -m
tests.gbcs.rebuilt` prints the table for the documentation.
"""

from __future__ import annotations

import sys

from harness.gbcs.message import parse
from tests.gbcs import exchanges_han, exchanges_meters, exchanges_supplier
from tests.gbcs.exchanges import Alert, Exchange
from tests.gbcs.vectors import vector


def exchanges() -> list[Exchange]:
    """All commands and responses."""
    han, meters, supplier = exchanges_han, exchanges_meters, exchanges_supplier
    return [
        *(*han.device_log(), *han.joining(), *han.gas_proxy(), *han.firmware()),
        *(*meters.event_logs(), *meters.prepayment(), *meters.credentials()),
        *(*supplier.emergency_credit(), *supplier.messages(), *supplier.clocks()),
    ]


def alerts() -> list[Alert]:
    """All alerts."""
    return [*exchanges_han.alerts(), *exchanges_meters.alerts()]


def table() -> list[str]:
    """One line of Markdown for each message that is rebuilt: what it is, its octets, its protection."""
    lines = [
        "| use case | code | message | octets | protection | passed over |",
        "|---|---|---|---|---|---|",
    ]
    named = [(one.case, f"{one.vector}_{kind}", one.note) for one in exchanges() for kind in one.kinds]
    named += [(one.case, one.vector, one.note) for one in alerts()]
    for case, name, note in named:
        octets = vector(name)
        message = parse(octets)
        protection = "signature " * bool(message.signature) + "MAC" * (message.mac is not None)
        shown = name.split("/")[1]
        lines.append(
            f"| {case.name} | {case.code:04X} | {shown} | {len(octets)} | {protection.strip() or 'none'}"
            f" | {note} |"
        )
    return lines


if __name__ == "__main__":
    sys.stdout.write("\n".join(table()) + "\n")
