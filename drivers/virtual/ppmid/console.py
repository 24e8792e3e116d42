"""The device side of the test port: commands in, answers and events out.

A command that comes again, its number included, is a repeat by a host that missed the answer: it is answered
as before and not done again. Source: docs/port-your-console.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol

from drivers.virtual.ppmid import framing
from drivers.virtual.ppmid.framing import BadLine, Deframer, write_line

_LONGEST_JOIN_S = 86_400.0


class Refusal(Exception):
    """A command cannot be done; `code` and the text go to the host."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class Application(Protocol):
    """What the console commands. Every method may raise Refusal."""

    def info(self) -> Mapping[str, str]:
        """Return the fields of ``info``."""

    def status(self) -> Mapping[str, str]:
        """Return the fields of ``status``."""

    def join(self, timeout_s: float, sequence: str) -> None:
        """Begin to join; how it ended is an event that carries `sequence`."""

    async def leave(self) -> None:
        """Leave the network and forget the mode."""

    def set_install_code(self, code: bytes) -> None:
        """Take another install code."""

    async def read_unsecured(self, cluster: int, attribute: int) -> str:
        """Read an attribute of the hub under the network key alone; return the status, or ``none``."""

    def take_received(self) -> tuple[Mapping[str, str], ...]:
        """Return and clear what reached the application."""

    def alert(self, code: int) -> None:
        """Begin to send a GBCS alert."""

    def reset(self) -> None:
        """Restart soon, after the answer is out."""


class Console:
    """Serves one test port. `write` puts octets on it; `spawn` runs a coroutine beside."""

    def __init__(
        self,
        write: Callable[[bytes], None],
        application: Application,
        spawn: Callable[[Coroutine[Any, Any, None]], object],
    ) -> None:
        self._write = write
        self._application = application
        self._spawn = spawn
        self._deframer = Deframer()
        self._last_command: str | None = None
        self._last_answer: tuple[str, ...] = ()  # empty while the command is being done
        self._verbs: Mapping[str, Callable[[Mapping[str, str]], tuple[str, ...] | None]] = {
            "info": self._info,
            "status": self._status,
            "join": self._join,
            "leave": self._leave,
            "install-code": self._install_code,
            "received": self._received,
            "read-unsecured": self._read_unsecured,
            "alert": self._alert,
            "reset": self._reset,
        }

    def receive(self, octets: bytes) -> None:
        """Take octets from the port."""
        for line in self._deframer.feed(octets):
            if line == self._last_command:
                self._send(*self._last_answer)
                continue
            self._last_command, self._last_answer = line, ()
            answer = self._command(line)
            if answer is not None:
                self._answer(line, answer)

    def event(self, name: str, fields: Mapping[str, str]) -> None:
        """Tell the host something that it did not ask for."""
        self._send(write_line("evt", name, **fields))

    def _answer(self, command: str, lines: tuple[str, ...]) -> None:
        if command == self._last_command:
            self._last_answer = lines
        self._send(*lines)

    def _send(self, *lines: str) -> None:
        for line in lines:
            self._write(framing.frame(line))

    def _command(self, line: str) -> tuple[str, ...] | None:
        sequence: dict[str, str] = {}
        try:
            verb, fields = framing.read_line(line)
            if "seq" in fields:
                sequence = {"seq": fields["seq"]}
            if verb not in self._verbs:
                raise Refusal("unknown-verb", f"no verb {verb}; known: {', '.join(self._verbs)}")
            if not sequence:
                raise Refusal("bad-argument", "every command needs seq=N")
            return self._verbs[verb](fields)
        except BadLine as error:
            return (write_line("err", **sequence, code="bad-line", text=str(error)),)
        except Refusal as refusal:
            return (write_line("err", **sequence, code=refusal.code, text=str(refusal)),)

    # --- verbs ----------------------------------------------------------------------------------------------

    def _info(self, fields: Mapping[str, str]) -> tuple[str, ...]:
        return (_ok(fields, **self._application.info()),)

    def _status(self, fields: Mapping[str, str]) -> tuple[str, ...]:
        return (_ok(fields, **self._application.status()),)

    def _join(self, fields: Mapping[str, str]) -> tuple[str, ...]:
        text = _argument(fields, "timeout")
        if not re.fullmatch(r"\d+(\.\d+)?", text) or not 0 < float(text) <= _LONGEST_JOIN_S:
            raise Refusal("bad-argument", f"timeout={text} is no number of seconds up to {_LONGEST_JOIN_S:g}")
        self._application.join(float(text), fields["seq"])
        return (_ok(fields),)

    def _leave(self, fields: Mapping[str, str]) -> None:
        self._spawn(self._leaving(fields, self._last_command or ""))

    async def _leaving(self, fields: Mapping[str, str], command: str) -> None:
        try:
            await self._application.leave()
            answer = _ok(fields)
        except Refusal as refusal:
            answer = write_line("err", seq=fields["seq"], code=refusal.code, text=str(refusal))
        self._answer(command, (answer,))

    def _install_code(self, fields: Mapping[str, str]) -> tuple[str, ...]:
        text = _argument(fields, "value")
        if not re.fullmatch(r"[0-9A-Fa-f]{32}", text):
            raise Refusal("bad-argument", f"value={text} is not 16 octets as 32 hex digits")
        self._application.set_install_code(bytes.fromhex(text))
        return (_ok(fields),)

    def _read_unsecured(self, fields: Mapping[str, str]) -> None:
        cluster, attribute = _number(fields, "cluster"), _number(fields, "attribute")
        self._spawn(self._reading(fields, self._last_command or "", cluster, attribute))

    async def _reading(self, fields: Mapping[str, str], command: str, cluster: int, attribute: int) -> None:
        status = await self._application.read_unsecured(cluster, attribute)
        self._answer(command, (_ok(fields, status=status),))

    def _received(self, fields: Mapping[str, str]) -> tuple[str, ...]:
        entries = self._application.take_received()
        lines = [
            write_line("evt", "received", seq=fields["seq"], n=number, **entry)
            for number, entry in enumerate(entries, start=1)
        ]
        return (*lines, _ok(fields, count=len(entries)))

    def _alert(self, fields: Mapping[str, str]) -> tuple[str, ...]:
        text = _argument(fields, "code")
        if not re.fullmatch(r"[0-9A-Fa-f]{4}", text):
            raise Refusal("bad-argument", f"code={text} is not 4 hex digits")
        self._application.alert(int(text, 16))
        return (_ok(fields),)

    def _reset(self, fields: Mapping[str, str]) -> tuple[str, ...]:
        self._application.reset()
        return (_ok(fields),)


def _ok(command: Mapping[str, str], **fields: str | int) -> str:
    return write_line("ok", seq=command["seq"], **fields)


def _number(fields: Mapping[str, str], name: str) -> int:
    text = _argument(fields, name)
    if not re.fullmatch(r"[0-9A-Fa-f]{4}", text):
        raise Refusal("bad-argument", f"{name}={text} is not 4 hex digits")
    return int(text, 16)


def _argument(fields: Mapping[str, str], name: str) -> str:
    if name not in fields:
        raise Refusal("bad-argument", f"{name}= is missing")
    return fields[name]
