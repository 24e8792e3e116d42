"""The live page: a pack that is being written, as a browser sees it."""
