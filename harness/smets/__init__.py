"""MP202's rules: pure functions over plain data.

What is decided stands in the rulebook (`rulebook.yaml`, read by `harness.rulebook`); the modules here say how
a rule's value is read and applied. No I/O, no clock, no state.
"""
