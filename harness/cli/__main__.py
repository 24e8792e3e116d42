"""``python -m harness.cli``: the same command, without the console script."""

from harness.cli import main

main()
