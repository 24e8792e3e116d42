"""Known ways in which a DCC may be wrong, to prove that a case notices them."""

from __future__ import annotations

from enum import Enum


class DccDefect(Enum):
    """What a deliberately defective DCC does."""

    SWAP_TABLE = "swap-table"  # resolves to the version that the table does not give
    ROUTE_BY_PRENOTIFIED = "route-by-prenotified"  # routes by the version of the pre-notification
    IGNORE_HUB = "ignore-hub"  # leaves the pre-notified version in the SMI, whatever the hub
    SKIP_RESPONSE_MAC_CHECK = "skip-response-mac-check"  # believes a response whose MAC is wrong
    SKIP_ANSWER_CHECK = "skip-answer-check"  # believes a response that answers another command
    SKIP_ACCESS_CONTROL = "skip-access-control"  # takes every request of everybody
    TAKE_REPLAYS = "take-replays"  # takes a request id a second time
    NEVER_SUSPEND = "never-suspend"  # neither suspends devices whose CPL row is gone nor refuses to ask them
    OTA_TO_SMETS1 = "ota-to-smets1"  # sends firmware to whomever an 11.4 names
    LEAVE_ON_EXCHANGE = "leave-on-exchange"  # leaves versions as they are when a hub takes another's place
    GBCS_AS_SMETS1 = "gbcs-as-smets1"  # hands on a GBCS message as what the S1SP answered
    SMETS1_AS_GBCS = "smets1-as-gbcs"  # hands on what the S1SP answered in the place of GBCS
    STALE_INVENTORY = "stale-inventory"  # answers 8.2 with the record as it was first made
    WITHHOLD_ALERTS = "withhold-alerts"  # sends its users no alerts of the DCC's own
    ALERT_EVERYBODY = "alert-everybody"  # sends them to users whom they are not for
    EXECUTE_AT_ONCE = "execute-at-once"  # carries out at once what is for a later time
    KEEP_CANCELLED = "keep-cancelled"  # carries out what was cancelled
    REPEAT_ALERTS = "repeat-alerts"  # sends each of them twice
    COMMISSION_ANYWAY = "commission-anyway"  # commissions a meter that could not set its clock
