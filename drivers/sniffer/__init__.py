"""Passive capture radios."""
