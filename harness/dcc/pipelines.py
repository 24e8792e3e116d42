"""The order of the DSP's stages, for each kind of request."""

from __future__ import annotations

from collections.abc import Mapping

from harness.dcc import inventory_stages as inventory
from harness.dcc import stages
from harness.dcc.documents import Stage
from harness.dcc.duis.requests import (
    Decommission,
    FirmwareDistribution,
    HubInstall,
    JoinOrUnjoin,
    Prenotify,
    ReadInventory,
    RestoreGpfDeviceLog,
    RestoreHanDeviceLog,
    ReturnLocalCommandResponse,
    SearchInventory,
    ServiceRequest,
    UpdateHanDeviceLog,
    UpdateInventory,
)
from harness.dcc.enquiry import Check
from harness.dcc.responsibility import responsible

Pipeline = tuple[tuple[Stage, Check], ...]

_HEAD: Pipeline = (
    (Stage.KNOWN_REQUEST, stages.known_request),
    (Stage.SENDER, stages.sender),
    (Stage.REQUEST_ID, stages.request_id),
)
_VARIANT: Pipeline = ((Stage.VARIANT, stages.variant),)
_RESPONSIBLE: Pipeline = ((Stage.RESPONSIBLE, responsible),)
_RESPONSIBLE_VARIANT: Pipeline = (
    *_RESPONSIBLE,
    *_VARIANT,
    (Stage.EXECUTION, stages.execution),
)
_TO_DEVICE: Pipeline = (
    (Stage.STATUS, stages.status_of_device),
    (Stage.CPL, stages.cpl_of_device),
    (Stage.VERSIONING, stages.version_of_device),
    (Stage.ROUTE, stages.route_to_device),
)

PIPELINES: Mapping[type[ServiceRequest], Pipeline] = {
    Prenotify: (
        *_HEAD,
        *_VARIANT,
        (Stage.DEVICE_KNOWN, inventory.device_new),
        (Stage.CPL, inventory.cpl_of_prenotification),
    ),
    ReadInventory: (*_HEAD, *_VARIANT, (Stage.DEVICE_KNOWN, stages.device_known)),
    SearchInventory: (*_HEAD, *_VARIANT, (Stage.DEVICE_KNOWN, inventory.devices_found)),
    UpdateInventory: (
        *_HEAD,
        (Stage.DEVICE_KNOWN, stages.device_of_request),
        *_RESPONSIBLE,
        *_VARIANT,
        (Stage.STATUS, inventory.status_of_update),
        (Stage.CPL, inventory.cpl_of_update),
    ),
    Decommission: (
        *_HEAD,
        (Stage.DEVICE_KNOWN, stages.device_of_request),
        *_RESPONSIBLE_VARIANT,
        (Stage.STATUS, inventory.decommissioned),
    ),
    HubInstall: (
        *_HEAD,
        (Stage.DEVICE_KNOWN, inventory.hub_known),
        *_RESPONSIBLE,
        *_VARIANT,
        (Stage.STATUS, inventory.hub_installed),
    ),
    ReturnLocalCommandResponse: (*_HEAD, *_VARIANT),
    FirmwareDistribution: (*_HEAD, *_VARIANT),
    UpdateHanDeviceLog: (
        *_HEAD,
        (Stage.DEVICE_KNOWN, stages.device_and_hub_known),
        *_RESPONSIBLE_VARIANT,
        (Stage.STATUS, stages.status_of_log_update),
        (Stage.CPL, stages.cpl_of_log_update),
        (Stage.VERSIONING, stages.versioning),
        (Stage.ROUTE, stages.route_to_hub),
    ),
    RestoreHanDeviceLog: (
        *_HEAD,
        (Stage.DEVICE_KNOWN, inventory.both_hubs_known),
        *_RESPONSIBLE_VARIANT,
        (Stage.STATUS, stages.status_of_device),
        (Stage.VERSIONING, inventory.versions_on_new_hub),
        (Stage.ROUTE, stages.route_to_hub),
    ),
    RestoreGpfDeviceLog: (
        *_HEAD,
        (Stage.DEVICE_KNOWN, inventory.both_gpfs_known),
        *_RESPONSIBLE_VARIANT,
        *_TO_DEVICE,
    ),
    JoinOrUnjoin: (
        *_HEAD,
        (Stage.DEVICE_KNOWN, stages.both_devices_known),
        *_RESPONSIBLE_VARIANT,
        *_TO_DEVICE,
    ),
    ServiceRequest: (
        *_HEAD,
        (Stage.DEVICE_KNOWN, stages.device_of_request),
        *_RESPONSIBLE_VARIANT,
        *_TO_DEVICE,
    ),
}


def pipeline_of(request: ServiceRequest) -> Pipeline:
    """Return the stages of a request's kind, or of the nearest kind that it is one of."""
    return next(PIPELINES[kind] for kind in type(request).__mro__ if kind in PIPELINES)
