"""A PPMID as a bench reaches it."""
