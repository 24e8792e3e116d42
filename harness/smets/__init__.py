"""MP202's rules: pure functions over plain data."""
