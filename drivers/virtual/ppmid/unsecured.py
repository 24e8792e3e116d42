"""Smart Energy without the established link key: refused when it comes, sent when the test port asks for it.

Source: ZSE §5.4.6.
"""

from __future__ import annotations

from drivers.virtual.device.questions import Questions, Unanswered
from drivers.virtual.device.zcl_server import default_response
from drivers.virtual.ppmid.config import PpmidConfig
from drivers.virtual.ppmid.defects import Defect
from drivers.virtual.ppmid.nonvolatile import NonVolatile
from drivers.virtual.stack.faces import ApsIndication, DeliveryMode
from harness.errors import DecodeError
from harness.zigbee import se_security, zcl_general
from harness.zigbee.zcl import ZclFrame


def is_unsecured(message: ApsIndication, frame: ZclFrame, config: PpmidConfig, kept: NonVolatile) -> bool:
    """Whether a message needs a link key and came without, or before one was established."""
    if Defect.ACCEPTS_UNSECURED in config.defects:
        return False
    established = kept.suite_used != 0 or Defect.SKIPS_KEY_ESTABLISHMENT in config.defects
    return se_security.is_unsecured(
        message.profile,
        message.cluster,
        frame,
        link_key_secured=message.link_key_secured and established,
        broadcast=message.mode is not DeliveryMode.UNICAST,
    )


async def read(questions: Questions, cluster: int, attribute: int) -> str:
    """Read an attribute of the hub without the link key; return the ZCL status in hex, or ``none``."""
    question = zcl_general.frame(
        zcl_general.ReadAttributes(attributes=(attribute,)), questions.next_sequence()
    )
    try:
        endpoint = await questions.match(cluster)
        answer = await questions.ask_zcl(endpoint, cluster, question, secured=False)
        body = zcl_general.parse(answer)
    except (Unanswered, DecodeError):
        return "none"
    if isinstance(body, zcl_general.DefaultResponse):
        return f"{int(body.status):02X}"
    assert isinstance(body, zcl_general.ReadAttributesResponse)
    return next((f"{int(one.status):02X}" for one in body.records if one.attribute == attribute), "none")


def refusal(message: ApsIndication, frame: ZclFrame) -> ZclFrame | None:
    """Return what goes back, None when nothing may."""
    if not se_security.may_be_refused(frame, broadcast=message.mode is not DeliveryMode.UNICAST):
        return None
    return default_response(message, frame, se_security.REFUSAL)
