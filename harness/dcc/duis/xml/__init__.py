"""How DUIS values are written as XML: a safe parser, simple types, shapes, and the tables made of them."""
