"""Smart Energy under the network key alone, which the hub must refuse: sent when the test port asks for it.

Source: ZSE §5.4.6.
"""

from __future__ import annotations

from drivers.virtual.device.questions import Questions, Unanswered
from harness.errors import DecodeError
from harness.zigbee import zcl_general


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
