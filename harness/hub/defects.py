"""Known ways in which a hub may be wrong, to prove that a case notices them."""

from __future__ import annotations

from enum import Enum
from typing import Protocol, runtime_checkable


class HubDefect(Enum):
    """What a deliberately defective hub does."""

    SKIP_INSTALL_CODE_CHECK = "skip-install-code-check"  # the network key in the clear, to any joiner
    OFFERS_WRONG_SUITE = "offers-wrong-suite"  # suite 1 for 2 and the other way round
    IGNORES_WINDOW = "ignores-window"  # a device once whitelisted may join for ever
    DROPS_TUNNEL = "drops-tunnel"  # closes the tunnel when there is something to deliver


@runtime_checkable
class CarelessRadio(Protocol):
    """A radio that can be told to let anybody in; needed by `SKIP_INSTALL_CODE_CHECK` alone."""

    async def permit_anybody(self, window_s: float) -> None:
        """Let anybody in for `window_s`, the network key in the clear."""


_SUITE_1, _SUITE_2 = 0x0001, 0x0002


def wrong_suites(suites: int) -> int:
    """Return the suite bitmap with suites 1 and 2 exchanged."""
    return (_SUITE_2 if suites & _SUITE_1 else 0) | (_SUITE_1 if suites & _SUITE_2 else 0)
