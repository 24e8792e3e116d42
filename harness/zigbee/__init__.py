"""Zigbee Smart Energy on the air: codecs and security. Pure."""
