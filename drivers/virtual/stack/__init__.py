"""One Zigbee stack core for coordinator and end device."""
