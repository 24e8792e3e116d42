"""GBCS messages: headers, keys, MAC, use cases. Pure."""
