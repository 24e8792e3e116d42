"""The virtual bench: air, dongles and PPMIDs made of software, real octets between them."""
