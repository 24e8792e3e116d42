"""Smart Energy that comes without the established link key, and its refusal. Source: ZSE §5.4.6."""

from __future__ import annotations

from drivers.virtual.ppmid.config import PpmidConfig
from drivers.virtual.ppmid.defects import Defect
from drivers.virtual.ppmid.nonvolatile import NonVolatile
from drivers.virtual.ppmid.zcl_server import default_response
from drivers.virtual.stack.faces import ApsIndication, DeliveryMode
from harness.zigbee import se_security
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


def refusal(message: ApsIndication, frame: ZclFrame) -> ZclFrame | None:
    """Return what goes back, None when nothing may."""
    if not se_security.may_be_refused(frame, broadcast=message.mode is not DeliveryMode.UNICAST):
        return None
    return default_response(message, frame, se_security.REFUSAL)
