"""Who gets the network key: the trust-centre policy and the key tables, as the host set them.

Source: UG100 `EzspDecisionBitmask`; AN1089 (trust-centre behaviour of EmberZNet).
"""

from __future__ import annotations

from drivers.virtual.ncp.state import TRUST_CENTRE_POLICY, WILDCARD, NonVolatile, Volatile
from drivers.virtual.stack.faces import JoinStatus, TrustDecision
from harness.eui64 import Eui64

ALLOW_JOINS = 0x01
ALLOW_UNSECURED_REJOINS = 0x02
SEND_KEY_IN_CLEAR = 0x04
IGNORE_UNSECURED_REJOINS = 0x08
JOINS_USE_INSTALL_CODE_KEY = 0x10
# Of the security bitmask. With the second, devices' own keys are hashed from the preconfigured one.
GLOBAL_LINK_KEY, HASHED_LINK_KEY = 0x04, 0x84

_DENIED = TrustDecision(admit=False)


class NcpTrustCentre:
    """`drivers.virtual.stack.faces.TrustCentre` over an NCP's tables."""

    def __init__(self) -> None:
        self.volatile = Volatile()
        self.kept = NonVolatile()

    def decide(self, eui64: Eui64, status: JoinStatus) -> TrustDecision:
        """Decide on a joiner or rejoiner."""
        policy = self.volatile.policies[TRUST_CENTRE_POLICY]
        if status is JoinStatus.LEFT:
            return _DENIED
        if status is JoinStatus.SECURED_REJOIN:
            return TrustDecision(admit=True, send_network_key=False)
        if status is JoinStatus.UNSECURED_REJOIN:
            key = self.kept.key_of(eui64) or self.volatile.transient_keys.get(eui64)
            if not policy & ALLOW_UNSECURED_REJOINS or policy & IGNORE_UNSECURED_REJOINS or key is None:
                return _DENIED
            return TrustDecision(admit=True, link_key=key)
        return self._decide_on_join(eui64, policy)

    def _decide_on_join(self, eui64: Eui64, policy: int) -> TrustDecision:
        if not policy & ALLOW_JOINS:
            return _DENIED
        if policy & SEND_KEY_IN_CLEAR:
            return TrustDecision(admit=True, link_key=None)
        key = self.volatile.transient_keys.get(eui64)
        if key is None and not policy & JOINS_USE_INSTALL_CODE_KEY:
            key = self.kept.key_of(eui64) or self.volatile.transient_keys.get(WILDCARD) or self._global_key()
        return TrustDecision(admit=True, link_key=key) if key is not None else _DENIED

    def _global_key(self) -> bytes | None:
        is_global = self.kept.security_bitmask & HASHED_LINK_KEY == GLOBAL_LINK_KEY
        return self.kept.preconfigured_key if is_global else None

    def link_key(self, eui64: Eui64) -> bytes | None:
        """Return the APS link key shared with a device, or None."""
        return (
            self.kept.key_of(eui64)
            or self.volatile.transient_keys.get(eui64)
            or self.volatile.transient_keys.get(WILDCARD)
            or self._global_key()
        )
