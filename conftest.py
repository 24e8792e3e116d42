"""Loads the plugin in a checkout that is not installed; installed, pytest has found it already."""

from importlib.metadata import entry_points

if not any(entry.value == "harness.plugin" for entry in entry_points(group="pytest11")):
    pytest_plugins = ["harness.plugin"]
