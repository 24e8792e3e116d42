"""A virtual electricity or gas meter of a SMETS2+ HAN, as far as a PPMID's premises need one."""
