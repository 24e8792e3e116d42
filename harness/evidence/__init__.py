"""Taps, timeline, captures and the evidence pack."""
