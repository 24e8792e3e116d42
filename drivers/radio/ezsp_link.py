"""The serial side of an EZSP dongle: open, run commands, notice the loss, close and leave nothing behind.

bellows waits 10 s for a command's answer even when the port is gone; here every wait is raced against
the loss of the port, so that whoever waits learns of it at once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from drivers.radio.ezsp_faults import describe, loss_reason, lost_fault, open_fault
from drivers.radio.ezsp_surface import (
    AshException,
    EzspPort,
    FragmentHook,
    InvalidCommandError,
    NcpFailure,
    ZigbeeException,
    device_config,
    status_of,
    t,
)
from harness.errors import RigFault

_LOG = logging.getLogger(__name__)
COMMAND_S, NETWORK_S = 5.0, 8.0
_CLOSE_S = 2.0
# AttributeError: bellows calls the methods of a transport that it has lost and set to None.
_BELLOWS_ERRORS = (
    AshException,
    ZigbeeException,
    TimeoutError,
    RuntimeError,
    AssertionError,
    AttributeError,
    OSError,
    ValueError,  # an answer that does not decode
)

T = TypeVar("T")
CallbackHook = Callable[[str, list[Any]], None]
PortFactory = Callable[[dict[str, Any], "EzspLink", FragmentHook], Any]


class EzspLink:
    """One open dongle. `callback` takes EZSP callbacks, `fragment` APS fragments, `lost` the loss (once).

    `command_s` is how long an answer may take, `network_s` forming, resuming and leaving a network.
    `port_factory` makes the bellows object; tests give a fake.
    """

    def __init__(
        self,
        path: str,
        *,
        callback: CallbackHook,
        fragment: FragmentHook,
        lost: Callable[[str], None],
        command_s: float = COMMAND_S,
        network_s: float = NETWORK_S,
        port_factory: PortFactory = EzspPort,
    ) -> None:
        self.path = path
        self.command_s = command_s
        self.network_s = network_s
        self._callback = callback
        self._fragment = fragment
        self._on_lost = lost
        self._port_factory = port_factory
        self._ezsp: Any = None
        self._gone: asyncio.Future[str] | None = None
        self._opening = False

    @property
    def version(self) -> int:
        """The EZSP version in use."""
        return int(self._ezsp.ezsp_version)

    async def open(self, *, baudrate: int, flow_control: str | None, timeout_s: float) -> None:
        """Open the port and agree on an EZSP version; raises RigFault."""
        self._gone = asyncio.get_running_loop().create_future()
        self._ezsp = self._port_factory(
            device_config(self.path, baudrate, flow_control), self, self._fragment
        )
        self._opening = True
        try:
            await self._connect(timeout_s)
        except BaseException:
            await self.close()
            raise
        finally:
            self._opening = False
        self._ezsp.add_callback(self._callback)

    async def _connect(self, timeout_s: float) -> None:
        assert self._gone is not None
        connecting = asyncio.ensure_future(self._ezsp.connect(use_thread=False))
        try:
            waited: set[asyncio.Future[Any]] = {connecting, self._gone}
            await asyncio.wait(waited, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
            if self._gone.done():
                raise self._lost()
            if not connecting.done():
                raise open_fault(self.path, TimeoutError(), waited_s=timeout_s)
            connecting.result()
        except _BELLOWS_ERRORS as error:
            raise open_fault(self.path, error, waited_s=timeout_s) from error
        finally:
            await _end(connecting)

    async def close(self) -> None:
        """Close the port; never raises; may be called twice."""
        ezsp, self._ezsp = self._ezsp, None
        if self._gone is not None and not self._gone.done():
            self._gone.set_result("the port was closed")
        if ezsp is None:
            return
        _own_transmissions()
        try:
            async with asyncio.timeout(_CLOSE_S):
                await ezsp.disconnect()
        except _BELLOWS_ERRORS as error:
            _LOG.warning("closing %s: %s", self.path, describe(error))
        for _ in range(3):  # let pending transmissions notice the closed port
            await asyncio.sleep(0)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Note that bellows lost the port or that the dongle failed (called by bellows)."""
        if self._opening and isinstance(exc, NcpFailure):
            return  # a dongle that resets itself on being opened: bellows tries again
        if self._gone is None or self._gone.done():
            return
        reason = loss_reason(exc)
        self._gone.set_result(reason)
        if not self._opening:
            self._on_lost(reason)

    async def command(self, name: str, *args: Any, within_s: float | None = None, **kwargs: Any) -> Any:
        """Run a command, or one of bellows' helpers, by name and return what it returns; raises RigFault."""
        function = getattr(self._port(), name)
        return await self._run(name, function(*args, **kwargs), within_s or self.command_s)

    async def optional(self, name: str, *args: Any, **kwargs: Any) -> Any | None:
        """Run a command that this firmware may not know; None when it does not."""
        try:
            function = getattr(self._port(), name)
        except AttributeError:
            return None
        try:
            return await self._run(name, function(*args, **kwargs), self.command_s)
        except _Unsupported:
            return None

    async def succeed(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Run a command that answers with a status alone (or first), and insist on success."""
        result = await self.command(name, *args, **kwargs)
        status = status_of(result[0] if isinstance(result, list | tuple) else result)
        if status != t.sl_Status.OK:
            raise Refused(
                f"radio on {self.path} refused `{name}`: {status.name}",
                remedy="factory-reset the dongle or update its firmware",
            )

    def stack_status(self, status: Any) -> AbstractContextManager[asyncio.Future[Any]]:
        """Return a context whose future is done when this stack status arrives."""
        waiter: AbstractContextManager[asyncio.Future[Any]] = self._port().wait_for_stack_status(status)
        return waiter

    async def race(self, awaitable: Awaitable[T], *, what: str, timeout_s: float | None) -> T:
        """Wait for something, but no longer than until the port is lost; raises RigFault for either."""
        if self._gone is None or self._gone.done():
            if asyncio.iscoroutine(awaitable):
                awaitable.close()
            raise self._lost()
        future = asyncio.ensure_future(awaitable)
        try:
            waited: set[asyncio.Future[Any]] = {future, self._gone}
            await asyncio.wait(waited, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
            if future.done():
                return future.result()
            if self._gone.done():
                raise self._lost()
            raise RigFault(
                f"radio on {self.path} gave no answer within {timeout_s:.1f} s ({what})",
                remedy="unplug the dongle and plug it in again",
            )
        finally:
            await _end(future)

    async def _run(self, name: str, running: Awaitable[Any], within_s: float) -> Any:
        try:
            return await self.race(running, what=name, timeout_s=within_s)
        except InvalidCommandError as error:
            raise _Unsupported(
                f"radio on {self.path} does not know `{name}`", remedy="update the dongle's firmware"
            ) from error
        except NcpFailure as error:
            self.connection_lost(error)
            raise self._lost() from error
        except _BELLOWS_ERRORS as error:
            # A write can fail an instant before bellows reports the loss of the port.
            await asyncio.sleep(0)
            if self._gone is None or self._gone.done():
                raise self._lost() from error
            raise RigFault(
                f"radio on {self.path} failed at `{name}` ({describe(error)})",
                remedy="unplug the dongle and plug it in again",
            ) from error

    def _port(self) -> Any:
        if self._ezsp is None:
            raise self._lost()
        return self._ezsp

    def _lost(self) -> RigFault:
        reason = self._gone.result() if self._gone is not None and self._gone.done() else "it is not open"
        return lost_fault(self.path, reason)


async def _end(future: asyncio.Future[Any]) -> None:
    """Cancel what is still running, and wait until it has ended."""
    if not future.done():
        future.cancel()
        await asyncio.wait({future})
    _retrieved(future)


def _own_transmissions() -> None:
    """Ask every ASH transmission how it ended: bellows shields them from cancelling, and forgets them."""
    for task in asyncio.all_tasks():
        if getattr(task.get_coro(), "__qualname__", "").startswith("AshProtocol."):
            task.add_done_callback(_retrieved)


def _retrieved(task: asyncio.Future[Any]) -> None:
    """Take an exception that else would be reported as a stray one."""
    if not task.cancelled():
        task.exception()


class Refused(RigFault):
    """The dongle answered, and would not do what it was told."""


class _Unsupported(RigFault):
    """The firmware does not know a command."""
