"""Rigs: YAML to resources on a bench."""
