"""The conversation that establishes a link key, from either side, without I/O.

::

    initiator                                responder
    Initiate (certificate U)        ->
                                    <-       Initiate (certificate V)
    EphemeralData (QEU)             ->
                                    <-       EphemeralData (QEV)
    ConfirmKey (MACU)               ->
                                    <-       ConfirmKey (MACV)

A command that is not the next one, an issuer that is unknown, a confirmation that is wrong: each ends it
with a Terminate. Times are arguments, in seconds. Source: Zigbee SE 1.4 Annex C.3.1, C.4.2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harness.errors import DecodeError
from harness.eui64 import Eui64
from harness.zigbee.cbke.authority import DeviceCredentials
from harness.zigbee.cbke.certificates import Certificate
from harness.zigbee.cbke.commands import (
    Command,
    ConfirmKey,
    EphemeralData,
    Initiate,
    Terminate,
    TerminateStatus,
)
from harness.zigbee.cbke.curves import Point
from harness.zigbee.cbke.ecmqv import DerivedKeys, KeyPair, confirmations, derive, key_pair, shared_secret

EPHEMERAL_DATA_S, CONFIRM_KEY_S = 2, 2  # how long we ask the other side to allow us
_NETWORK_S = 2.0  # besides, for the way there and back


@dataclass(frozen=True, slots=True, kw_only=True)
class Established:
    """Both sides have proved that they have the same key, 16 octets."""

    peer: Eui64
    link_key: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """It ended without a key; `told_by_peer` when the other side ended it."""

    status: TerminateStatus | None  # None: the other side fell silent
    reason: str
    told_by_peer: bool = False


Outcome = Established | Failed


@dataclass(frozen=True, slots=True)
class Reaction:
    """What a command leads to: an answer to send, an end, or both."""

    send: Command | None = None
    outcome: Outcome | None = None


class _Refusal(Exception):
    def __init__(self, status: TerminateStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Exchange:
    """One side of one key establishment. `ephemeral` is its private key for this once.

    `peer` is who the other side must be, by its address; its certificate has to name it.
    """

    def __init__(
        self, credentials: DeviceCredentials, *, peer: Eui64, ephemeral: int, initiator: bool
    ) -> None:
        self._own = credentials
        self._suite = credentials.suite
        self._peer = peer
        self._initiator = initiator
        self._ephemeral: KeyPair = key_pair(self._suite.curve, ephemeral)
        self._peer_key: Point | None = None
        self._keys: DerivedKeys | None = None
        self._macs: tuple[bytes, bytes] = (b"", b"")
        self._expects: type[Command] | None = Initiate
        self._peer_needs: dict[type[Command], float] = {EphemeralData: 0.0, ConfirmKey: 0.0}
        self._deadline: float | None = None
        self.outcome: Outcome | None = None

    def start(self, now: float) -> Command:
        """Return the initiator's first command."""
        self._wait(now, 0.0)
        return self._introduction()

    def next_deadline(self) -> float | None:
        """Return when `tick` has something to do."""
        return self._deadline

    def tick(self, now: float) -> Reaction:
        """Give up when the other side has been silent for too long."""
        if self._deadline is None or now < self._deadline:
            return Reaction()
        what = self._expects.__name__ if self._expects is not None else "anything"
        return self._end(Failed(status=None, reason=f"{self._peer} did not send its {what} in time"))

    def take(self, command: Command, now: float) -> Reaction:
        """Take a command of the other side; after the end, nothing happens."""
        if self.outcome is not None:
            return Reaction()
        if isinstance(command, Terminate):
            reason = f"{self._peer} ended it: {_name(command.status)}"
            return self._end(Failed(status=command.status, reason=reason, told_by_peer=True))
        try:
            if self._expects is None or not isinstance(command, self._expects):
                wanted = self._expects.__name__ if self._expects is not None else "nothing"
                raise _Refusal(
                    TerminateStatus.BAD_MESSAGE, f"{type(command).__name__} came, {wanted} was next"
                )
            steps: dict[type[Command], Callable[[Command, float], Reaction]] = {
                Initiate: self._introduced,
                EphemeralData: self._ephemeral_came,
                ConfirmKey: self._confirmed,
            }
            return steps[type(command)](command, now)
        except _Refusal as refusal:
            return self._refuse(refusal.status, refusal.reason)
        except DecodeError as error:
            return self._refuse(TerminateStatus.BAD_MESSAGE, str(error))

    # The steps.

    def _introduced(self, command: Command, now: float) -> Reaction:
        assert isinstance(command, Initiate)
        if command.suite != self._suite.number:
            raise _Refusal(
                TerminateStatus.UNSUPPORTED_SUITE,
                f"{self._peer} speaks suite 0x{command.suite:04X}, we speak {self._suite.name}",
            )
        certificate = Certificate(self._suite, command.certificate)
        if certificate.issuer != self._own.certificate.issuer:
            raise _Refusal(
                TerminateStatus.UNKNOWN_ISSUER, f"the certificate's issuer is {certificate.issuer.hex()}"
            )
        if certificate.subject != self._peer:
            raise _Refusal(
                TerminateStatus.BAD_MESSAGE,
                f"{self._peer} showed the certificate of {certificate.subject}",
            )
        self._peer_key = certificate.public_key(self._own.issuer_key)
        self._peer_needs = {
            EphemeralData: float(command.ephemeral_data_time),
            ConfirmKey: float(command.confirm_key_time),
        }
        answer: Command = (
            EphemeralData(ephemeral_key=self._ephemeral.public) if self._initiator else self._introduction()
        )
        return self._go_on(EphemeralData, answer, now)

    def _ephemeral_came(self, command: Command, now: float) -> Reaction:
        assert isinstance(command, EphemeralData) and self._peer_key is not None  # noqa: PT018
        secret = shared_secret(
            self._suite.curve,
            own_key=self._own.private_key,
            own_ephemeral=self._ephemeral,
            peer_key=self._peer_key,
            peer_ephemeral=command.ephemeral_key,
        )
        self._keys = derive(secret)
        us, them = self._own.certificate.subject, self._peer
        ours, theirs = self._ephemeral.public, command.ephemeral_key
        self._macs = confirmations(
            self._keys.mac_key,
            initiator=us if self._initiator else them,
            responder=them if self._initiator else us,
            ephemeral_u=ours if self._initiator else theirs,
            ephemeral_v=theirs if self._initiator else ours,
        )
        answer: Command = (
            ConfirmKey(mac=self._macs[0]) if self._initiator else EphemeralData(ephemeral_key=ours)
        )
        return self._go_on(ConfirmKey, answer, now)

    def _confirmed(self, command: Command, _: float) -> Reaction:
        assert isinstance(command, ConfirmKey) and self._keys is not None  # noqa: PT018
        mac_u, mac_v = self._macs
        if command.mac != (mac_v if self._initiator else mac_u):
            raise _Refusal(TerminateStatus.BAD_KEY_CONFIRM, f"{self._peer} confirmed another key")
        established = Established(peer=self._peer, link_key=self._keys.link_key)
        return self._end(established, None if self._initiator else ConfirmKey(mac=mac_v))

    def _introduction(self) -> Command:
        return Initiate(
            suite=self._suite.number,
            ephemeral_data_time=EPHEMERAL_DATA_S,
            confirm_key_time=CONFIRM_KEY_S,
            certificate=self._own.certificate.octets,
        )

    def _go_on(
        self, expects: type[EphemeralData] | type[ConfirmKey], answer: Command, now: float
    ) -> Reaction:
        self._expects = expects
        self._wait(now, self._peer_needs[expects])
        return Reaction(send=answer)

    def _wait(self, now: float, peer_needs_s: float) -> None:
        self._deadline = now + peer_needs_s + _NETWORK_S

    def _refuse(self, status: TerminateStatus, reason: str) -> Reaction:
        terminate = Terminate(status=status, suite=self._suite.number)
        return self._end(Failed(status=status, reason=reason), terminate)

    def _end(self, outcome: Outcome, send: Command | None = None) -> Reaction:
        self.outcome, self._expects, self._deadline = outcome, None, None
        return Reaction(send=send, outcome=outcome)


def _name(status: TerminateStatus | int) -> str:
    return status.name if isinstance(status, TerminateStatus) else f"status {status}"
