"""Radios for a hub."""
