"""The prepayment account of a meter: credit, emergency credit, and which UTRNs it has taken.

A UTRN carries ten bits of its counter; the whole of it is that of the command that brings it, or one of a
UTRN that was taken before. So a UTRN is a duplicate whatever brings it again.
Source: facts gb-domain §4 (UTRN). How many counters a meter remembers, and its thresholds, are assumed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from harness.errors import DecodeError
from harness.gbcs.use_cases.prepayment import TopUpOutcome
from harness.gbcs.utrn import TopUp, ValueClass, read_utrn

REMEMBERED = 100  # counters of UTRNs
EMERGENCY_CREDIT_PENCE, EMERGENCY_BELOW_PENCE = 500, 100
_COUNTER_STEP = 1 << 32
_PENCE_IN_POUND = 100

Check = Callable[[str, int], TopUp]
"""Checks a UTRN under a counter; raises DecodeError."""


@dataclass(slots=True)
class Account:
    """Credit in pence. `any_utrn` and `again` are for a meter that is deliberately wrong."""

    check: Check
    any_utrn: bool = False
    again: bool = False
    balance: int = 0
    emergency: bool = False
    taken: list[int] = field(default_factory=list)  # counters, the latest last

    def top_up(self, utrn: str, brought_under: int) -> tuple[TopUpOutcome, int]:
        """Take a UTRN, brought by a command of this counter; return what came of it, and its pence."""
        try:
            said = read_utrn(utrn)
        except DecodeError:
            return TopUpOutcome.REJECTED_INVALID_TOP_UP, 0
        counter = self._counter(utrn, said, brought_under)
        if counter is None:
            return TopUpOutcome.REJECTED_INVALID_TOP_UP, 0
        if self._is_old(counter) and not self.again:
            return TopUpOutcome.REJECTED_DUPLICATE_TOP_UP, 0
        pence = said.value * (_PENCE_IN_POUND if said.value_class == ValueClass.POUNDS else 1)
        self.balance += pence
        self.emergency = self.emergency and self.balance < EMERGENCY_BELOW_PENCE
        self.taken = [*self.taken, counter][-REMEMBERED:]
        return TopUpOutcome.ACCEPTED, pence

    def activate_emergency_credit(self) -> bool:
        """Lend the customer emergency credit; False when it is lent already, or not needed."""
        if self.emergency or self.balance >= EMERGENCY_BELOW_PENCE:
            return False
        self.emergency = True
        return True

    def _counter(self, utrn: str, said: TopUp, brought_under: int) -> int | None:
        """Return the counter that a UTRN is good under, None when there is none."""
        for counter in (brought_under, *self.taken):
            if counter % _COUNTER_STEP or counter // _COUNTER_STEP & 0x3FF != said.counter_bits:
                continue
            try:
                self.check(utrn, counter)
            except DecodeError:
                continue
            return counter
        return brought_under if self.any_utrn else None

    def _is_old(self, counter: int) -> bool:
        full = len(self.taken) == REMEMBERED
        return counter in self.taken or (full and counter < min(self.taken))
