"""What a request's way through the DSP was: for expectations and for the evidence pack."""

from __future__ import annotations

from dataclasses import dataclass

from harness.dcc.documents import RequestId, Stage, Via
from harness.dcc.enquiry import StageJudgement
from harness.eui64 import Eui64
from harness.gbcs.codes import CODES


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteRecord:
    """One request. `judged` is what each stage made of it; `command` and `response` are the GBCS octets.

    By way of the S1SP, and where the DSP answers itself, there are no octets. Of a DSP whose stages nobody
    sees, `judged` is empty and `turned_down` says whether it answered that the request was not carried out.
    """

    request_id: RequestId
    srv: str
    device: Eui64
    hub: Eui64 | None
    via: Via
    use_case: str | None
    command: bytes
    response: bytes
    code: str
    judged: tuple[StageJudgement, ...]
    rules: tuple[str, ...]
    turned_down: bool = False

    @property
    def refused(self) -> bool:
        """Whether a stage refused it, or so the response says."""
        return self.judged[-1].code is not None if self.judged else self.turned_down

    @property
    def passed(self) -> tuple[Stage, ...]:
        """The stages that it got through."""
        return tuple(judged.stage for judged in self.judged if judged.code is None)

    @property
    def message_code(self) -> int | None:
        """The GBCS message code, such as 0x0129 for CS08."""
        return CODES.get(self.use_case) if self.use_case else None

    def plain(self) -> dict[str, object]:
        """Return it as json has it."""
        return {
            "request": str(self.request_id),
            "srv": self.srv,
            "device": str(self.device),
            "hub": str(self.hub) if self.hub else None,
            "via": self.via.value,
            "use-case": self.use_case,
            "command": self.command.hex().upper(),
            "response": self.response.hex().upper(),
            "code": self.code,
            "stages": [judged.plain() for judged in self.judged],
            "rules": list(self.rules),
        }
