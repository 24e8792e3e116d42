"""Zigbee Smart Energy on the air: pure codecs, security, and a passive decoder."""
