"""The emulated Communications Hubs, on a radio."""
