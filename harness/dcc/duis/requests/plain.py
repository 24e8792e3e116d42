"""Requests that have no parameters: who knows a service reference knows the whole request."""

from __future__ import annotations

from collections.abc import Mapping

from harness.dcc.duis.requests.customer import ActivateEmergencyCredit
from harness.dcc.duis.requests.firmware import ReadFirmwareVersion
from harness.dcc.duis.requests.hub import ReadDeviceLog
from harness.dcc.duis.requests.request import OtherRequest, RequestId, ServiceRequest
from harness.dcc.duis.service_references import ELEMENTS

_NAMESPACE = "http://www.dccinterface.co.uk/ServiceUserGateway"
_KINDS: Mapping[str, type[ServiceRequest]] = {
    "2.5": ActivateEmergencyCredit,
    "8.9": ReadDeviceLog,
    "11.2": ReadFirmwareVersion,
}


def without_parameters(srv: str, request_id: RequestId) -> ServiceRequest:
    """Return a request with an empty body. Raises ValueError for a service reference that DUIS has not."""
    if srv in _KINDS:
        return _KINDS[srv](request_id=request_id, srv=srv)
    if srv not in ELEMENTS:
        raise ValueError(f"DUIS has no service reference {srv}")
    element = ELEMENTS[srv]
    content = f'<sr:{element} xmlns:sr="{_NAMESPACE}"></sr:{element}>'.encode()
    return OtherRequest(request_id=request_id, srv=srv, element=element, content=content)
