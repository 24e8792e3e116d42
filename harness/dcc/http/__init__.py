"""DUIS over HTTP: the DSP's web services, and the way to somebody else's.

Source: facts gb-domain §7 (the interface of a DCC Boxed).
"""
