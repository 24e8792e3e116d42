"""Critical requests in two halves: a pre-command goes back to its sender, and comes again with a signature.

The sender's own counter and identifier are in the pre-command, so that a device knows whose command it is. A
signed one counts when it is octet by octet the DSP's own and the signature is that of its sender.
Source: facts gb-domain §3.3 (pre-command), §7 (critical flow).
"""

from __future__ import annotations

from dataclasses import replace

from harness.dcc.acb import UseCaseNotBuilt
from harness.dcc.duis.requests import ServiceRequest, SignedPreCommand
from harness.dcc.given_out import Given, GivenOut
from harness.dcc.spoken import Knowledge, Told
from harness.dcc.use_cases import SIGNED
from harness.errors import DecodeError
from harness.gbcs import KeyStore, parse
from harness.gbcs.builder import Protection, secure, verify


class PreCommands:
    """Makes pre-commands and takes them back signed; `out` keeps them meanwhile."""

    def __init__(self, keys: KeyStore, known: Knowledge, out: GivenOut) -> None:
        self._keys = keys
        self._known = known
        self._out = out

    def make(self, request: ServiceRequest, use_case: str) -> bytes:
        """Return the pre-command of a request; raises UseCaseNotBuilt."""
        if use_case not in SIGNED:
            raise UseCaseNotBuilt(f"this DCC does not build pre-commands of {use_case}")
        message = SIGNED[use_case].use_case.compose_command(
            SIGNED[use_case].fill(request, self._known),
            originator=request.request_id.originator,
            device=request.request_id.target,
            counter=request.request_id.counter,
        )
        made = message.with_signature(b"").to_bytes()
        self._out.keep(Given(request=request, use_case=use_case, command=made))
        return made

    def original(self, request: SignedPreCommand) -> ServiceRequest | None:
        """Return what was transformed under a signed pre-command's id, as the same service request."""
        made = self._made(request)
        return made.request if made is not None else None

    def command(self, request: SignedPreCommand) -> tuple[str, bytes]:
        """Return use case and command of a signed pre-command.

        Raises DecodeError for one that the DSP did not make, or that its sender did not sign.
        """
        made = self._made(request)
        if made is None:
            raise DecodeError("pre-command", f"none of {request.srv} was made for {request.request_id}")
        signed, message = parse(request.payload), replace(parse(made.command), signature=None, mac=None)
        if replace(signed, signature=None, mac=None) != message or signed.mac is not None:
            raise DecodeError("pre-command", "is not the one that the DSP made")
        verify(signed, self._keys, Protection.SIGNED)
        return made.use_case, secure(message, self._keys, Protection.MACED, signature=signed.signature)

    def _made(self, request: SignedPreCommand) -> Given | None:
        made = self._out.get(request.request_id)
        return made if made is not None and made.request.srv == request.srv else None

    def read_response(self, use_case: str, response: bytes, command: bytes) -> Told:
        """Check a device's response to such a command and return what it says; raises DecodeError."""
        spoken = SIGNED[use_case]
        return spoken.told(spoken.use_case.read_response(response, self._keys, command=command))
