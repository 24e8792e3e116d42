"""The completion report of a test phase: results by requirement and severity, defects, thresholds."""
