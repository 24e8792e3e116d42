"""Known ways in which a bilingual PPMID can be wrong. Each is one small hook in the firmware."""

from __future__ import annotations

from enum import Enum


class Defect(Enum):
    """A defect, by the name that a rig file gives it."""

    WRONG_MODE = "wrong-mode"  # suite 2 offered: takes SMETS1; suite 1 only: takes SMETS2+
    MODE_FROM_FACTORY = "mode-from-factory"  # SMETS2+ whatever the hub offers
    FORGETS_MODE_ON_POWER_CYCLE = "forgets-mode-on-power-cycle"
    KEEPS_MODE_ON_LEAVE = "keeps-mode-on-leave"  # and so never decides again
    IGNORES_MAC = "ignores-mac"  # obeys a command whose MAC is wrong or missing
    BAD_RESPONSE_MAC = "bad-response-mac"
    ANSWERS_ANOTHER_COUNTER = "answers-another-counter"  # echoes an originator counter that it was not sent
    ANSWERS_ANOTHER_CODE = "answers-another-code"  # under the message code of another use case
    ANSWERS_SOMEBODY_ELSE = "answers-somebody-else"  # to another business target than who asked
    ANSWERS_AS_ANOTHER = "answers-as-another"  # as another business originator, with that one's keys
    NAMES_ANOTHER_USER = "names-another-user"  # echoes another counter of the supplementary remote party
    REPEATS_ITS_RESPONSE = "repeats-its-response"  # the first of a use case answers every later command of it
    ACCEPTS_CLEAR_KEY = "accepts-clear-key"  # takes a network key that its install code does not protect
    STALE_FIRMWARE_VERSION = "stale-firmware-version"  # reports the version before its own
    SKIPS_KEY_ESTABLISHMENT = "skips-key-establishment"  # Smart Energy under the install code's link key
    WRONG_CONFIRM_KEY = "wrong-confirm-key"  # proves another key than the one established
    ANOTHERS_CERTIFICATE = "anothers-certificate"  # shows the certificate of another device
    NETWORK_KEY_ONLY = "network-key-only"  # sends Smart Energy without the link key that it established
    ACCEPTS_UNSECURED = "accepts-unsecured"  # obeys Smart Energy that comes under the network key alone
    IGNORES_NETWORK_KEY = "ignores-network-key"  # stays with the network key that it joined under
    FORGETS_LINK_KEY = "forgets-link-key"  # loses the established link key with its supply
    FORGETS_OLD_KEY = "forgets-old-key"  # does not come back by the link key that it had
    KEEPS_TRUST_CENTRE = "keeps-trust-centre"  # takes no other hub in the place of the one that it had
    TAKES_ANY_TRUST_CENTRE = "takes-any-trust-centre"  # another hub too that has its link key, not the hash
    KEEPS_OLD_KEY = "keeps-old-key"  # takes another hub for its own, and establishes no new link key with it
    TAKES_ANY_IMAGE = "takes-any-image"  # runs an image that was not made for it
    KEEPS_OLD_FIRMWARE = "keeps-old-firmware"  # takes an image, and goes on with the firmware that it had
    TELLS_NO_ACTIVATION = "tells-no-activation"  # runs another firmware, and raises no alert
    SILENT_TUNNEL = "silent-tunnel"  # takes GBCS commands and never answers
    ACCEPTS_REPLAY = "accepts-replay"  # obeys a command whose counter is not a new one
    IGNORES_SIGNATURE = "ignores-signature"  # joins on a command whose signature is wrong or missing
    ANSWERS_FOR_OTHERS = "answers-for-others"  # obeys a command to another device
    OBEYS_ANYBODY = "obeys-anybody"  # obeys a command that is not the Access Control Broker's
    JOINS_WITHOUT_CERTIFICATE_CHECK = "joins-without-certificate-check"
    WRONG_JOIN_RESPONSE = "wrong-join-response"  # joins, and says that its device log is full
    FORGETS_JOINS_ON_POWER_CYCLE = "forgets-joins-on-power-cycle"
    KEEPS_UNJOINED = "keeps-unjoined"  # says that it has unjoined a device, and has not
    ALERTS_WITHOUT_SIGNATURE = "alerts-without-signature"
