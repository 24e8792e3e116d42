"""A logical device of a hub, its CHF or its GPF: obeys GBCS commands to itself alone, and answers them.

Each has an EUI-64, keys and counters of its own; what it is sent under another's identity or keys is no
command to it. What is refused is recorded, changes nothing, and is not answered.
Source: facts gb-domain §3.3; GBCS §4.3 (Protection Against Replay).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from harness.errors import DeviceSilent
from harness.eui64 import Eui64
from harness.gbcs import ACB, KeyStore, OwnKeys
from harness.gbcs.acceptance import Acceptance, Accepted, Refusal, Refused
from harness.gbcs.use_case import AlertCase, UseCase
from harness.tap import Boundary, Tap

_LOG = logging.getLogger(__name__)

Act = Callable[[Any], Awaitable[object]]
"""Does what a command's fields say, and returns the fields of the response."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedMessage:
    """A message that a logical device did not obey, and why."""

    octets: bytes
    refusal: Refusal
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HubNow:
    """What the logical devices of one hub share: its name, the tap, and the time of their messages."""

    name: str
    tap: Tap
    utc: Callable[[], datetime]


class LogicalDevice:
    """The `what` (CHF or GPF) of a hub. `keys` has its own private and everybody's public keys.

    `alert` takes each alert on its way to the DSP; it is called on the loop and must not block. `leaves_out`
    names checks that a defective one does not make, and `answers_as` the identity that it answers under.
    """

    def __init__(
        self,
        what: str,
        eui64: Eui64,
        hub: HubNow,
        keys: KeyStore,
        does: Mapping[UseCase[Any, Any], Act],
        *,
        alert: Callable[[bytes], None],
        leaves_out: Collection[Refusal] = (),
        answers_as: Eui64 | None = None,
    ) -> None:
        self.eui64 = eui64
        self._what = what
        self._hub = hub
        self._keys = OwnKeys(eui64, keys)
        self._answering = answers_as or eui64
        self._answer_keys = OwnKeys(self._answering, keys)
        self._does = {use_case.code: act for use_case, act in does.items()}
        self._alert = alert
        self._counters: dict[Eui64, int] = {}
        self._last_counter = 0
        self._refused: list[RefusedMessage] = []
        self._obeyed: list[bytes] = []
        self._acceptance = Acceptance(
            device=eui64,
            originators=(ACB,),
            use_cases={use_case.code: use_case for use_case in does},
            keys=self._keys,
            leaves_out=leaves_out,
        )

    @property
    def obeyed(self) -> tuple[bytes, ...]:
        """The commands that were obeyed so far."""
        return tuple(self._obeyed)

    @property
    def refused(self) -> tuple[RefusedMessage, ...]:
        """What was not obeyed so far, and why."""
        return tuple(self._refused)

    async def command(self, octets: bytes) -> bytes:
        """Obey a command and return the response.

        Raises DeviceSilent when there is none: it was refused. Raises RigFault when the radio is at fault.
        """
        try:
            accepted = self._acceptance.take(octets, self._counters)
        except Refused as refused:
            self._refuse(octets, refused)
            silent = f"the {self._what} of hub {self._hub.name} does not answer ({refused})"
            raise DeviceSilent(silent) from None
        self._counters[accepted.message.originator] = accepted.message.counter
        self._obeyed.append(octets)
        return await self._obey(accepted)

    def raise_alert(self, case: AlertCase[Any], fields: object) -> None:
        """Send the ACB an alert, under the next counter of this device's own."""
        self._last_counter = max(self._last_counter + 1, int(self._hub.utc().timestamp() * 1000))
        self._alert(
            case.build_alert(
                fields, self._keys, originator=self.eui64, recipient=ACB, counter=self._last_counter
            )
        )

    async def _obey(self, accepted: Accepted) -> bytes:
        outcome = await self._does[accepted.use_case.code](accepted.fields)
        command = replace(accepted.message, recipient=self._answering)
        return accepted.use_case.build_response(command, outcome, self._answer_keys)

    def _refuse(self, octets: bytes, refused: Refused) -> None:
        self._refused.append(RefusedMessage(octets=octets, refusal=refused.refusal, reason=refused.reason))
        name = self._hub.name
        _LOG.info("hub %s: the %s refused a GBCS message: %s", name, self._what, refused)
        self._hub.tap.record(
            Boundary.HUB,
            "dsp",
            name,
            f"the {self._what} refused a GBCS message ({refused})",
            octets,
            refusal=refused.refusal.value,
            reason=refused.reason,
        )
