"""The harness: what plays everything but the PPMID, and judges it."""
