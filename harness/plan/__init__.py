"""Test plans: YAML to cases, steps and verdicts."""
