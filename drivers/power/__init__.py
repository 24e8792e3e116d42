"""Supplies that can be switched."""
