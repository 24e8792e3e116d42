"""What an error of bellows or the system means to a bench engineer: a RigFault with port and remedy."""

from __future__ import annotations

import errno

from drivers.radio.ezsp_surface import NcpFailure
from harness.errors import RigFault

_REFLASH = (
    "check that it is an EZSP dongle, with this baud rate and flow control: `universal-silabs-flasher "
    "--device {port} probe` says what firmware it runs and can write EZSP firmware"
)


def refused_path(path: str) -> str | None:
    """Say why a port is refused that bellows would take, or None."""
    if path.startswith("socket://"):
        return f"socket:// waits 2 s at every reset of a dongle; write tcp://{path.removeprefix('socket://')}"
    return None


def open_fault(port: str, error: BaseException, *, waited_s: float) -> RigFault:
    """Say why a port could not be opened, or why nothing sensible came out of it."""
    if isinstance(error, FileNotFoundError):
        return RigFault(
            f"radio port {port} does not exist", remedy="plug the dongle in, or correct the rig file"
        )
    if isinstance(error, PermissionError):
        if error.errno == errno.EACCES:
            return RigFault(
                f"radio port {port} may not be opened by this user",
                remedy="add the user to the group that owns it (often `dialout`) and log in again",
            )
        return RigFault(
            f"radio port {port} is in use by another program",
            remedy="stop that program (another run, ZHA, zigbee2mqtt, ModemManager)",
        )
    if isinstance(error, ConnectionRefusedError):
        return RigFault(f"radio port {port} refuses the connection", remedy="start the server behind it")
    if isinstance(error, TimeoutError):
        return RigFault(
            f"radio port {port} gave no EZSP answer within {waited_s:.1f} s",
            remedy=_REFLASH.format(port=port),
        )
    if isinstance(error, OSError):
        return RigFault(
            f"radio port {port} cannot be opened: {error}", remedy="check the port in the rig file"
        )
    return RigFault(
        f"radio port {port} does not speak EZSP as expected ({describe(error)})",
        remedy=_REFLASH.format(port=port),
    )


def lost_fault(port: str, reason: str) -> RigFault:
    """Say that a port was lost while in use."""
    return RigFault(f"radio on {port} was lost: {reason}", remedy="check the cable and the dongle's supply")


def loss_reason(error: BaseException | None) -> str:
    """Say in a few words why bellows gave a port up."""
    if error is None:
        return "the port was closed at the other end"
    if isinstance(error, NcpFailure):
        return f"the dongle reset or failed ({_code(error)})"
    return describe(error)


def describe(error: BaseException) -> str:
    """Name an error, with its text when it has one."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _code(error: NcpFailure) -> str:
    code = error.code
    return str(getattr(code, "name", code))
