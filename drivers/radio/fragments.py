"""APS fragmentation as the host of an NCP must do it: cut a message into blocks, put blocks together.

An EZSP network processor leaves fragmentation to its host: the host sends each block as a unicast of its
own with the FRAGMENT option, all blocks under one APS counter, and acknowledges each block received.
Everything here is sans-I/O; a clock reading comes in as an argument, in seconds.
Source: Zigbee 2017 (05-3474-22) §2.2.8.4.5 (fragmented transmissions); UG100 EZSP, `EmberApsFrame.groupId`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

MAX_BLOCKS = 255

# A message whose next block does not come within this time is given up
# (apscAckWaitDuration times apscMaxFrameRetries + 1, rounded up for sleepy senders).
BLOCK_WAIT_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One block of a message: `index` counts from 0, `total` is the number of blocks."""

    index: int
    total: int
    payload: bytes

    @property
    def group_id(self) -> int:
        """The EZSP `groupId` of a block sent: number of blocks in the high octet, index in the low one."""
        return self.total << 8 | self.index


def split(payload: bytes, block_size: int) -> tuple[Block, ...]:
    """Cut `payload` into blocks of `block_size` octets, the last one possibly shorter.

    Raises ValueError when there is nothing to cut, or when it takes more than 255 blocks.
    """
    if block_size < 1:
        raise ValueError(f"a block has at least one octet, not {block_size}")
    if not payload:
        raise ValueError("an empty message has no blocks")
    total = -(-len(payload) // block_size)
    if total > MAX_BLOCKS:
        raise ValueError(
            f"{len(payload)} octets take {total} blocks of {block_size}; at most {MAX_BLOCKS} go"
        )
    return tuple(
        Block(index=index, total=total, payload=payload[index * block_size : (index + 1) * block_size])
        for index in range(total)
    )


def acknowledgement_group_id(index: int) -> int:
    """The EZSP `groupId` of a block acknowledgement: every block of the window received, and the index."""
    return 0xFF00 | index & 0xFF


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageKey:
    """What the blocks of one message have in common."""

    sender: int
    aps_counter: int
    profile: int
    cluster: int
    source_endpoint: int
    destination_endpoint: int


@dataclass(slots=True)
class _Partial:
    deadline: float
    total: int | None = None
    blocks: dict[int, bytes] = field(default_factory=dict)


class Reassembler:
    """Puts incoming blocks together, in whatever order and however often they come.

    A block repeated after its message was complete (its acknowledgement was lost) is swallowed for
    `wait_s`, so that no message is delivered twice.
    """

    def __init__(self, *, wait_s: float = BLOCK_WAIT_S) -> None:
        self._wait_s = wait_s
        self._partial: dict[MessageKey, _Partial] = {}
        self._complete: dict[MessageKey, float] = {}

    def feed(
        self, key: MessageKey, *, index: int, total: int | None, payload: bytes, now: float
    ) -> bytes | None:
        """Take a block; return the whole message when this block completes it, else None.

        `total` is heeded on block 0 only, where alone the air carries it.
        """
        self.expire(now)
        if key in self._complete:
            return None
        partial = self._partial.setdefault(key, _Partial(deadline=0.0))
        partial.deadline = now + self._wait_s
        partial.blocks.setdefault(index, payload)
        if index == 0 and total:
            partial.total = total
        if partial.total is None or any(number not in partial.blocks for number in range(partial.total)):
            return None
        del self._partial[key]
        self._complete[key] = now + self._wait_s
        return b"".join(partial.blocks[number] for number in range(partial.total))

    def expire(self, now: float) -> tuple[MessageKey, ...]:
        """Give up messages whose next block is overdue; return them."""
        overdue = tuple(key for key, partial in self._partial.items() if partial.deadline <= now)
        for key in overdue:
            del self._partial[key]
        for key in [key for key, until in self._complete.items() if until <= now]:
            del self._complete[key]
        return overdue

    @property
    def pending(self) -> int:
        """How many messages are still incomplete."""
        return len(self._partial)
