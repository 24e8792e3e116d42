"""A serial port under asyncio: pyserial in threads of its own, octets on the loop.

One thread reads; a second opens, writes and closes, so that a driver that blocks (a full buffer, a network
port) never blocks the loop. Both are gone when `close` returns.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import serial

from harness.errors import RigFault

_READ_WAIT_S = 0.2  # the reader looks this often whether it is to end, where no cancel_read wakes it
_WRITE_WAIT_S = 2.0
_BUSY = (errno.EBUSY, errno.EAGAIN)
_DENIED = (errno.EACCES, errno.EPERM)
_GONE = (errno.ENOENT, errno.ENXIO, errno.ENODEV)
_NO_TERMINAL = errno.ENOTTY


class SerialLine:
    """One port. `received` and `lost` are called on the loop that opened it; `lost` once, with a reason."""

    def __init__(
        self,
        path: str,
        *,
        baudrate: int,
        rtscts: bool,
        received: Callable[[bytes], None],
        lost: Callable[[str], None],
    ) -> None:
        self._path = path
        self._baudrate = baudrate
        self._rtscts = rtscts
        self._received = received
        self._lost = lost
        self._serial: serial.Serial | None = None
        self._worker: ThreadPoolExecutor | None = None
        self._reader: threading.Thread | None = None
        self._closing = threading.Event()

    async def open(self) -> None:
        """Open the port for ourselves alone. Raises RigFault naming the port and what to do."""
        loop = asyncio.get_running_loop()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix=f"write {self._path}")
        opening = loop.run_in_executor(self._worker, self._open)
        try:
            self._serial = await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(_close_unwanted)
            self._worker.shutdown(wait=False)
            self._worker = None
            raise
        except (OSError, ValueError) as error:
            self._worker.shutdown()
            self._worker = None
            raise open_fault(self._path, error) from error
        self._closing.clear()
        self._reader = threading.Thread(
            target=self._read, args=(self._serial, loop), name=f"read {self._path}", daemon=True
        )
        self._reader.start()

    def _open(self) -> serial.Serial:
        port = serial.serial_for_url(self._path, do_not_open=True)
        port.baudrate = self._baudrate
        port.rtscts = self._rtscts
        port.timeout = _READ_WAIT_S
        port.write_timeout = _WRITE_WAIT_S
        # A second reader would steal octets: no other program may have the port.
        port.exclusive = True
        port.open()
        return port

    async def write(self, octets: bytes) -> None:
        """Write all octets. Raises RigFault when the port takes them no more."""
        if self._serial is None or self._worker is None:
            raise RigFault(f"PPMID port {self._path} is not open")
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._worker, self._serial.write, octets)
        except serial.SerialTimeoutException as error:
            raise RigFault(
                f"PPMID port {self._path} takes no more octets",
                remedy="check flow control (`rtscts`) and the wiring",
            ) from error
        except OSError as error:
            raise lost_fault(self._path, str(error)) from error

    async def close(self) -> None:
        """Close the port and end both threads; never raises; may be called twice."""
        worker, self._worker = self._worker, None
        if worker is None:
            return
        loop = asyncio.get_running_loop()
        self._closing.set()
        try:
            await asyncio.shield(loop.run_in_executor(worker, self._close))
        except asyncio.CancelledError:
            worker.shutdown(wait=False)  # it still closes the port, then ends
            raise
        worker.shutdown()

    def _close(self) -> None:
        port, self._serial = self._serial, None
        reader, self._reader = self._reader, None
        if port is None:
            return
        for wake in ("cancel_read", "cancel_write"):
            with contextlib.suppress(OSError, AttributeError):  # not every kind of port can be woken
                getattr(port, wake)()
        if reader is not None:
            reader.join()
        with contextlib.suppress(OSError):
            port.close()

    def _read(self, port: serial.Serial, loop: asyncio.AbstractEventLoop) -> None:
        while not self._closing.is_set():
            try:
                octets = port.read(max(1, port.in_waiting))
            except OSError as error:
                self._tell(loop, self._lost, str(error))
                return
            if octets and not self._tell(loop, self._received, bytes(octets)):
                return

    def _tell(self, loop: asyncio.AbstractEventLoop, call: Callable[..., None], value: bytes | str) -> bool:
        if self._closing.is_set():
            return False
        try:
            loop.call_soon_threadsafe(call, value)
        except RuntimeError:  # the loop is closed: nobody listens any more
            return False
        return True


def _close_unwanted(opening: asyncio.Future[serial.Serial]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()


def open_fault(path: str, error: Exception) -> RigFault:
    """Say why a port could not be opened, and what to do."""
    number = getattr(error, "errno", None)
    if number in _GONE:
        return RigFault(
            f"PPMID port {path} does not exist", remedy="plug the adapter in, or correct the rig file"
        )
    if number in _DENIED:
        return RigFault(
            f"PPMID port {path} may not be opened by this user",
            remedy="add the user to the group that owns it (often `dialout`) and log in again",
        )
    if number in _BUSY:
        return RigFault(
            f"PPMID port {path} is in use by another program",
            remedy="stop that program (another run, a terminal, ModemManager)",
        )
    if number == _NO_TERMINAL or "configure port" in str(error):
        return RigFault(f"PPMID port {path} is not a serial port", remedy="correct the rig file")
    return RigFault(
        f"PPMID port {path} cannot be opened: {error}", remedy="check path and baud rate in the rig file"
    )


def lost_fault(path: str, reason: str) -> RigFault:
    """Say that a port was lost in use."""
    return RigFault(
        f"PPMID port {path} was lost: {reason}",
        remedy="check the cable and the serial adapter, and run again",
    )
