"""Known ways in which a hub may be wrong, to prove that a case notices them."""

from __future__ import annotations

from collections.abc import Collection
from enum import Enum
from typing import Protocol, runtime_checkable

from harness.gbcs.acceptance import Refusal


class HubDefect(Enum):
    """What a deliberately defective hub does."""

    SKIP_INSTALL_CODE_CHECK = "skip-install-code-check"  # the network key in the clear, to any joiner
    OFFERS_WRONG_SUITE = "offers-wrong-suite"  # suite 1 for 2 and the other way round
    IGNORES_WINDOW = "ignores-window"  # a device once whitelisted may join for ever
    DROPS_TUNNEL = "drops-tunnel"  # closes the tunnel when there is something to deliver
    FORGETS_HISTORY = "forgets-history"  # a device whitelisted again has its install code alone
    ACCEPTS_UNSECURED = "accepts-unsecured"  # obeys Smart Energy that no established key secures
    CHF_IGNORES_MAC = "chf-ignores-mac"  # obeys a GBCS command to itself whose MAC is wrong
    CHF_ACCEPTS_REPLAY = "chf-accepts-replay"  # obeys one whose counter is not a new one
    CHF_KEEPS_REMOVED = "chf-keeps-removed"  # says that it has removed a device, and has not
    CHF_TELLS_LINK_KEYS = "chf-tells-link-keys"  # has link keys themselves in its alerts, not their hashes
    FORGETS_RESTORED = "forgets-restored"  # leaves out a device of the log of the hub that it replaces
    KEEPS_OWN_NETWORK = "keeps-own-network"  # takes in that log, and stays on the network that it had
    CHF_RAISES_NO_ALERT = "chf-raises-no-alert"  # tells nobody that its device log has changed
    CHF_TELLS_NO_REMOVAL = (
        "chf-tells-no-removal"  # tells who is added to its device log, not who is taken off
    )
    GPF_IGNORES_MAC = "gpf-ignores-mac"  # joins a device to itself on a command whose MAC is wrong
    GPF_ACCEPTS_REPLAY = "gpf-accepts-replay"  # obeys a command whose counter is not a new one
    GPF_OBEYS_FOR_OTHERS = "gpf-obeys-for-others"  # obeys a command to another than itself
    GPF_ANSWERS_AS_CHF = "gpf-answers-as-chf"  # answers under the CHF's identity and keys
    GPF_FORGETS_RESTORED = "gpf-forgets-restored"  # says that it has restored its device log, and has not
    GPF_KEEPS_UNJOINED = "gpf-keeps-unjoined"  # says that it has unjoined a device, and has not
    GPF_RAISES_NO_ALERT = "gpf-raises-no-alert"  # tells nobody that its device log has changed


@runtime_checkable
class CarelessRadio(Protocol):
    """A radio that can be told to let anybody in; needed by `SKIP_INSTALL_CODE_CHECK` alone."""

    async def permit_anybody(self, window_s: float) -> None:
        """Let anybody in for `window_s`, the network key in the clear."""


def checks_left_out(defects: Collection[HubDefect]) -> frozenset[Refusal]:
    """Return the checks that a CHF with these defects does not make."""
    left_out = {HubDefect.CHF_IGNORES_MAC: Refusal.BAD_MAC, HubDefect.CHF_ACCEPTS_REPLAY: Refusal.REPLAYED}
    return frozenset(check for defect, check in left_out.items() if defect in defects)


def gpf_checks_left_out(defects: Collection[HubDefect]) -> frozenset[Refusal]:
    """Return the checks that a GPF with these defects does not make."""
    left_out = {
        HubDefect.GPF_IGNORES_MAC: Refusal.BAD_MAC,
        HubDefect.GPF_ACCEPTS_REPLAY: Refusal.REPLAYED,
        HubDefect.GPF_OBEYS_FOR_OTHERS: Refusal.WRONG_TARGET,
    }
    return frozenset(check for defect, check in left_out.items() if defect in defects)


_SUITE_1, _SUITE_2 = 0x0001, 0x0002


def wrong_suites(suites: int) -> int:
    """Return the suite bitmap with suites 1 and 2 exchanged."""
    return (_SUITE_2 if suites & _SUITE_1 else 0) | (_SUITE_1 if suites & _SUITE_2 else 0)
