"""Putting APS blocks together again. Source: 05-3474-22 §2.2.8.4.5 (fragmentation)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field

from harness.zigbee.aps import ExtendedHeader, Fragmentation

MAXIMUM_OPEN = 64
"""Messages that may be incomplete at once; the one that began first is given up for a new one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A message put together: its octets, and the record that brought each block, in block order."""

    payload: bytes
    fragments: tuple[int, ...]


@dataclass(slots=True)
class _Partial:
    total: int | None = None
    blocks: dict[int, tuple[int, bytes]] = field(default_factory=dict)
    done: bool = False


class Reassembler:
    """Collects blocks by message. A message is whole once: repeated blocks do not complete it again."""

    def __init__(self) -> None:
        self._partial: OrderedDict[Hashable, _Partial] = OrderedDict()

    def add(self, message: Hashable, header: ExtendedHeader, payload: bytes, record: int) -> Whole | None:
        """Take the block that `record` brought; return the whole message when this was the last one missing.

        `message` is what its blocks have in common: addresses, endpoints, cluster, APS counter.
        """
        first = header.fragmentation is Fragmentation.FIRST
        index = 0 if first else header.block or 0
        partial = self._partial_for(message, index, payload)
        if first:
            partial.total = header.block
        partial.blocks[index] = (record, payload)
        if (
            partial.done
            or partial.total is None
            or any(n not in partial.blocks for n in range(partial.total))
        ):
            return None
        partial.done = True
        blocks = [partial.blocks[n] for n in range(partial.total)]
        return Whole(
            payload=b"".join(octets for _, octets in blocks), fragments=tuple(number for number, _ in blocks)
        )

    def _partial_for(self, message: Hashable, index: int, payload: bytes) -> _Partial:
        partial = self._partial.get(message)
        known = partial.blocks.get(index) if partial else None
        # The APS counter wraps: another block in a known one's place begins another message.
        if partial is None or (known is not None and known[1] != payload):
            partial = self._partial[message] = _Partial()
            self._partial.move_to_end(message)
            if len(self._partial) > MAXIMUM_OPEN:
                self._partial.popitem(last=False)
        return partial
