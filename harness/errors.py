"""Exceptions, rooted by who is at fault.

::

    BenchError
    ├── DutFault              the PPMID under test            -> fail
    ├── SystemFault           the hub or DCC under test       -> fail
    ├── RigFault              cable, dongle, port, supply     -> error
    ├── RadioUndelivered      a peer is silent on the air     -> error, unless a step knows better
    │   └── DeviceSilent      it took a message, and did not answer
    ├── HarnessBug            this program                    -> error
    ├── StimulusImpossible    the case could not be put       -> inconclusive
    ├── OperatorDeclined      a person would not do a step    -> inconclusive
    ├── AssumptionNotMet      an assumed expectation failed   -> inconclusive
    └── ConfigError           a file that the user wrote      -> exit 2
        └── PlanError         a test plan

    DecodeError               octets that are not what a specification says (not a verdict by itself)

Only the case runner turns one of these into a verdict. A message says what was seen, what was
expected, where, and what to do.
"""

from __future__ import annotations

from pathlib import Path


class BenchError(Exception):
    """Anything that goes wrong on a bench. `domain` names who is at fault, `remedy` what to do."""

    domain = "harness"

    def __init__(self, message: str, *, remedy: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}; {self.remedy}" if self.remedy else self.message


class DutFault(BenchError):
    """The PPMID under test did not do what it must: verdict `fail`."""

    domain = "dut"


class SystemFault(BenchError):
    """The emulated or outside DCC or hub did not do what it must: verdict `fail`."""

    domain = "system"


class RigFault(BenchError):
    """The bench is at fault: a port, a dongle, a supply. Verdict `error`, never `fail`."""

    domain = "rig"


class RadioUndelivered(BenchError):
    """A peer did not acknowledge an APS message. Whose fault that is, the case must find out."""

    domain = "radio"


class DeviceSilent(RadioUndelivered):
    """A device did not answer what reached it, or not in time. The case must find out whose fault it is."""


class HarnessBug(BenchError):
    """This program is at fault. Verdict `error`."""

    domain = "harness"


class StimulusImpossible(BenchError):
    """The stimulus could not be given on this rig: verdict `inconclusive`."""

    domain = "stimulus"


class OperatorDeclined(BenchError):
    """A person declined or did not answer: verdict `inconclusive`."""

    domain = "operator"


class AssumptionNotMet(BenchError):
    """An expectation whose rule is only `assumed` was not met: verdict `inconclusive`."""

    domain = "assumption"


class ConfigError(BenchError):
    """A file that the user wrote is wrong. `line` and `column` count from 1."""

    domain = "config"

    def __init__(
        self,
        message: str,
        *,
        file: Path | str | None = None,
        line: int | None = None,
        column: int | None = None,
        remedy: str | None = None,
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.file = file
        self.line = line
        self.column = column

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        text = super().__str__()
        return f"{place}: {text}" if place else text


class PlanError(ConfigError):
    """A test plan is wrong."""


class DecodeError(ValueError):
    """Octets that do not decode: `field` names the part, `offset` its place, counted from 0."""

    def __init__(self, field: str, reason: str, *, offset: int | None = None) -> None:
        self.field = field
        self.reason = reason
        self.offset = offset
        place = f" at octet {offset}" if offset is not None else ""
        super().__init__(f"{field}{place}: {reason}")
