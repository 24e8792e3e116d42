"""Drivers: what a bench is made of, behind the faces of harness.rig."""
