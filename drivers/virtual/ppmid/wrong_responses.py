"""Responses under a right MAC that answer something else than the command that came: defects of a PPMID.

A response is right when it repeats who asked whom, in which message code, under which counters (GBCS: the
grouping header of a response). Each way here gets one of these wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

from drivers.virtual.ppmid.defects import Defect
from harness.gbcs import SUPPLIER, BenchPki, GbcsMessage, KeyStore
from harness.gbcs.acceptance import Accepted
from harness.gbcs.codes import CODES
from harness.gbcs.use_case import UseCase

_Changes = Callable[[GbcsMessage], Mapping[str, Any]]
_WRONG: Mapping[Defect, _Changes] = {
    Defect.ANSWERS_ANOTHER_COUNTER: lambda command: {"counter": command.counter + 1},
    Defect.ANSWERS_ANOTHER_CODE: lambda command: {
        "message_code": CODES["CS07" if command.use_case == "CS08" else "CS08"]
    },
    Defect.ANSWERS_SOMEBODY_ELSE: lambda _: {"originator": SUPPLIER},
    Defect.ANSWERS_AS_ANOTHER: lambda command: {
        "recipient": replace(command.recipient, value=command.recipient.value ^ 0x10)
    },
    Defect.NAMES_ANOTHER_USER: lambda command: {
        "supplementary_counter": (command.supplementary_counter or 0) + 1
    },
}


class Responses:
    """Writes a PPMID's responses, wrongly where one of `defects` has it so.

    Who answers as another needs that one's keys: `pki` has everybody's.
    """

    def __init__(self, keys: KeyStore, pki: BenchPki, defects: Collection[Defect]) -> None:
        self._keys = pki if Defect.ANSWERS_AS_ANOTHER in defects else keys
        self._changes = [change for defect, change in _WRONG.items() if defect in defects]
        self._repeats = Defect.REPEATS_ITS_RESPONSE in defects
        self._last: dict[UseCase[Any, Any], bytes] = {}

    def write(self, accepted: Accepted, command: GbcsMessage, outcome: object) -> bytes:
        """Return the response to a command."""
        use_case = accepted.use_case
        for change in self._changes:
            command = replace(command, **change(command))
        response = use_case.build_response(command, outcome, self._keys)
        return self._last.setdefault(use_case, response) if self._repeats else response
