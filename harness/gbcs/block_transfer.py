"""General block transfer: a message too long for its way is cut into blocks and put together again.

::

    routing header  DD | 09 CRA counter(8) | 08 originator(8) | 08 recipient(8) | 00 | 02 message code | 00
                    | LEN | security control 00 | invocation counter 00000000
    block           E0 | control | number (2) | acknowledged number (2) | LEN data
    control         80 last block, 40 streaming, the rest the window

Blocks are numbered from 1; one without data acknowledges. LEN in the routing header counts to the end of the
block. The message inside is whole: its own MAC and signature vouch for it, the blocks are not protected.
Source: IEC 62056-5-3 (general-block-transfer); the layout of the routing header as tshark reads it, which
puts together what is cut here. That its security control is 00 is assumed: no public vector has one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from harness.errors import DecodeError
from harness.eui64 import Eui64
from harness.gbcs.header import GENERAL_CIPHERING, Cra
from harness.gbcs.message import GbcsMessage, parse
from harness.gbcs.octets import Reader, length_octets, with_length

LARGEST_MESSAGE = 0xFFFF
LARGEST_WINDOW = 0x3F

_TAG = b"\xe0"
_LAST, _STREAMING = 0x80, 0x40
_SECURITY_HEADER = bytes(5)
_NOTHING = b"\x00"


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One block and the routing header before it. `number` counts from 1."""

    cra: Cra
    counter: int
    originator: Eui64
    recipient: Eui64
    message_code: int
    number: int
    data: bytes
    last: bool = False
    streaming: bool = False
    window: int = 1
    acknowledged: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.window <= LARGEST_WINDOW:
            raise ValueError(f"a window has 0 to {LARGEST_WINDOW} blocks, not {self.window}")

    @property
    def route(self) -> tuple[Cra, int, Eui64, Eui64, int]:
        """What all blocks of one message have in common."""
        return self.cra, self.counter, self.originator, self.recipient, self.message_code

    def to_bytes(self) -> bytes:
        """Return the octets; raises ValueError when a field does not fit."""
        control = (_LAST if self.last else 0) | (_STREAMING if self.streaming else 0) | self.window
        try:
            numbers = self.number.to_bytes(2, "big") + self.acknowledged.to_bytes(2, "big")
            transaction = bytes((self.cra,)) + self.counter.to_bytes(8, "big")
            code = self.message_code.to_bytes(2, "big")
        except OverflowError:
            raise ValueError(f"a number of {self} does not fit") from None
        block = _SECURITY_HEADER + _TAG + bytes((control,)) + numbers + with_length(self.data)
        return b"".join(
            (
                GENERAL_CIPHERING,
                with_length(transaction),
                with_length(self.originator.to_bytes_be()),
                with_length(self.recipient.to_bytes_be()),
                _NOTHING,
                with_length(code),
                _NOTHING,
                length_octets(len(block)),
                block,
            )
        )

    @classmethod
    def from_bytes(cls, octets: bytes) -> Block:
        """Read one block that must be all of `octets`; raises DecodeError."""
        reader = Reader(octets)
        reader.literal(GENERAL_CIPHERING + b"\x09", "routing header")
        cra = reader.number(1, "CRA flag")
        if cra not in tuple(Cra):
            raise reader.error("CRA flag", f"expected 01, 02 or 03, found {cra:02X}")
        counter = reader.number(8, "originator counter")
        reader.literal(b"\x08", "length of business originator")
        originator = Eui64.from_bytes_be(reader.take(8, "business originator"))
        reader.literal(b"\x08", "length of business target")
        recipient = Eui64.from_bytes_be(reader.take(8, "business target"))
        reader.literal(_NOTHING + b"\x02", "length of message code")
        code = reader.number(2, "message code")
        reader.literal(_NOTHING, "key info")
        announced = reader.length("length in the routing header")
        if announced != reader.remaining:
            raise reader.error("length in the routing header", f"says {announced}, not {reader.remaining}")
        reader.literal(_SECURITY_HEADER + _TAG, "general block transfer tag")
        control = reader.number(1, "block control")
        block = cls(
            cra=Cra(cra),
            counter=counter,
            originator=originator,
            recipient=recipient,
            message_code=code,
            last=bool(control & _LAST),
            streaming=bool(control & _STREAMING),
            window=control & LARGEST_WINDOW,
            number=reader.number(2, "block number"),
            acknowledged=reader.number(2, "acknowledged block number"),
            data=reader.counted("block data"),
        )
        reader.end("block")
        return block

    def acknowledgement(self, upto: int) -> Block:
        """Return the block without data that tells the sender of this one what has arrived."""
        return replace(
            self,
            originator=self.recipient,
            recipient=self.originator,
            number=self.number,
            acknowledged=upto,
            data=b"",
            last=False,
        )


def is_block(octets: bytes) -> bool:
    """Say whether octets begin as a block does and a message does not."""
    return octets[:2] == GENERAL_CIPHERING + b"\x09"


def cut(octets: bytes, size: int, *, window: int = 1) -> tuple[Block, ...]:
    """Return the blocks of a message, with at most `size` octets of it in each.

    Raises ValueError when there is no such size or it makes too many, and DecodeError for what is no message.
    """
    message = parse(octets)
    if size < 1 or len(octets) > size * 0xFFFF:
        raise ValueError(f"cannot cut {len(octets)} octets into blocks of {size}")
    return tuple(_blocks(message, octets, size, window))


def _blocks(message: GbcsMessage, octets: bytes, size: int, window: int) -> Iterator[Block]:
    for number, start in enumerate(range(0, len(octets), size), start=1):
        yield Block(
            cra=message.cra,
            counter=message.counter,
            originator=message.originator,
            recipient=message.recipient,
            message_code=message.message_code,
            number=number,
            data=octets[start : start + size],
            last=start + size >= len(octets),
            streaming=window > 1,
            window=window,
        )


class Assembly:
    """Puts the blocks of one message together, in whatever order and however often they come."""

    def __init__(self) -> None:
        self._blocks: dict[int, Block] = {}
        self._last: int | None = None

    @property
    def missing(self) -> tuple[int, ...]:
        """The numbers of the blocks that are known to be missing."""
        highest = self._last or max(self._blocks, default=0)
        return tuple(number for number in range(1, highest + 1) if number not in self._blocks)

    @property
    def acknowledged(self) -> int:
        """The number up to which every block has arrived."""
        return next((number - 1 for number in self.missing), max(self._blocks, default=0))

    def feed(self, block: Block) -> bytes | None:
        """Take a block and return the message once it is whole; raises DecodeError for one that is not its.

        Nothing is taken from a block that is refused. Blocks without data are passed over.
        """
        if not block.data:
            return None
        self._check(block)
        self._blocks[block.number] = block
        if block.last:
            self._last = block.number
        if self._last is None or self.missing:
            return None
        return b"".join(self._blocks[number].data for number in range(1, self._last + 1))

    def _check(self, block: Block) -> None:
        first = next(iter(self._blocks.values()), block)
        known = self._blocks.get(block.number, block)
        if block.route != first.route:
            raise DecodeError("routing header", "is another message's")
        if (known.data, known.last) != (block.data, block.last):
            raise DecodeError("block data", f"block {block.number} came before, and was another")
        highest = max(self._blocks, default=0)
        if block.number == 0 or (self._last is not None and block.number > self._last):
            raise DecodeError("block number", f"{block.number} is none of this message's")
        if block.last and block.number < highest:
            raise DecodeError("block number", f"{block.number} is the last, and {highest} came before")
        size = sum(len(one.data) for one in self._blocks.values()) + len(block.data)
        if block.number not in self._blocks and size > LARGEST_MESSAGE:
            raise DecodeError("block data", f"makes a message of {size} octets")
