"""DUIS 5.4: service requests and responses as values, as XML, and signed.

The values know nothing of XML; `schema` is how they are written, `signature` how they are signed.
Source: facts gb-domain §1 and §6.
"""
