"""GBCS use cases, one module each: commands and responses built from fields, and read back."""
