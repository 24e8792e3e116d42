"""Certificate-based key establishment: two devices that hold certificates agree on a link key.

`field`, `tau` and `curves` are the mathematics, `certificates` and `authority` the implicit certificates,
`ecmqv` the key agreement, `exchange` the conversation over cluster 0x0800.

None of it runs in constant time: who can time it may learn private keys. It is for bench keys and bench
certificates. Source: Zigbee SE 1.4 Annex C; SEC 1 and SEC 4; facts zigbee-ezsp §3.
"""
