"""The EZSP commands and callbacks that the virtual network processor knows, and their fields.

One line each: name, identifier, versions if not all, fields of the request, ``->``, fields of the response
(of a callback: of the callback, nothing before the arrow). `layouts` says what the types are. What a host
sends beyond a command's fields is passed over, as firmware does (flags that a later version has given up).
Source: UG100 EZSP Reference Guide, for EZSP 8, 13 and 14; the order of fields changed at 14.
"""

TABLE = """
version                     0x00 desired:u8 -> protocol:u8 stack_type:u8 stack_version:u16
getLibraryStatus            0x01 library:u8 -> status:u8
addEndpoint                 0x02 endpoint:endpoint -> status:ezsp
getExtendedValue            0x03 value_id:u8 characteristics:u32 -> status:ezsp value:lv
nop                         0x05 ->
getMfgToken                 0x0B token:u8 -> value:lv
setMfgToken                 0x0C token:u8 value:lv -> status:ember
setTimer                    0x0E timer:u8 time:u16 units:u8 repeat:u8 -> status:ember
setConcentrator             0x10 on:u8 kind:u16 minimum:u16 maximum:u16 route_errors:u8 failures:u8 hops:u8 -> status:ember
setBrokenRouteErrorCode     0x11 code:u8 -> status:ember
getXncpInfo                 0x13 -> status:ember manufacturer:u16 version:u16
setManufacturerCode         0x15 8-13 code:u16 ->
setManufacturerCode         0x15 14-  code:u16 -> status:ember
setPowerDescriptor          0x16 8-13 descriptor:u16 ->
setPowerDescriptor          0x16 14-  descriptor:u16 -> status:ember
networkInit                 0x17 bitmask:u16 -> status:ember
networkState                0x18 -> state:u8
stackStatusHandler          0x19 -> status:ember
startScan                   0x1A kind:u8 channels:u32 duration:u8 -> status:ember
networkFoundHandler         0x1B -> network:network lqi:u8 rssi:i8
scanCompleteHandler         0x1C -> channel:u8 status:ember
stopScan                    0x1D -> status:ember
formNetwork                 0x1E parameters:parameters -> status:ember
leaveNetwork                0x20 8-13 -> status:ember
leaveNetwork                0x20 14-  options:u8 -> status:ember
permitJoining               0x22 duration:u8 -> status:ember
childJoinHandler            0x23 -> index:u8 joining:u8 short:u16 eui64:eui child_type:u8
trustCenterJoinHandler      0x24 -> short:u16 eui64:eui update:u8 decision:u8 parent:u16
getEui64                    0x26 -> eui64:eui
getNodeId                   0x27 -> short:u16
getNetworkParameters        0x28 -> status:ember node_type:u8 parameters:parameters
getParentChildParameters    0x29 -> children:u8 parent_eui64:eui parent:u16
clearBindingTable           0x2A -> status:ember
maximumPayloadLength        0x33 -> octets:u8
sendUnicast                 0x34 8-13 kind:u8 destination:u16 aps:aps tag:u8 message:lv -> status:ember sequence:u8
sendUnicast                 0x34 14-  kind:u8 destination:u16 aps:aps tag:u16 message:lv -> status:ember sequence:u8
sendBroadcast               0x36 8-13 destination:u16 aps:aps radius:u8 tag:u8 message:lv -> status:ember sequence:u8
sendBroadcast               0x36 14-  alias:u16 destination:u16 nwk_sequence:u8 aps:aps radius:u8 tag:u16 message:lv -> status:ember sequence:u8
sendMulticast               0x38 8-13 aps:aps radius:u8 nonmember_radius:u8 tag:u8 message:lv -> status:ember sequence:u8
sendMulticast               0x38 14-  aps:aps radius:u8 broadcast:u16 alias:u16 nwk_sequence:u8 tag:u16 message:lv -> status:ember sequence:u8
sendReply                   0x39 destination:u16 aps:aps message:lv -> status:ember
messageSentHandler          0x3F 8-13 -> kind:u8 destination:u16 aps:aps tag:u8 status:ember message:lv
messageSentHandler          0x3F 14-  -> status:ember kind:u8 destination:u16 aps:aps tag:u16 message:lv
incomingMessageHandler      0x45 8-13 -> kind:u8 aps:aps lqi:u8 rssi:i8 source:u16 binding:u8 address:u8 message:lv
incomingMessageHandler      0x45 14-  -> kind:u8 aps:aps source:u16 source_eui64:eui binding:u8 address:u8 lqi:u8 rssi:i8 timestamp:u32 message:lv
customFrame                 0x47 payload:lv -> status:ember reply:lv
energyScanResultHandler     0x48 -> channel:u8 rssi:i8
getRandomNumber             0x49 -> status:ember value:u16
getChildData                0x4A 8-9  index:u8 -> status:ember child:child7
getChildData                0x4A 10-  index:u8 -> status:ember child:child10
getTimer                    0x4E timer:u8 -> time:u16 units:u8 repeat:u8
getConfigurationValue       0x52 config:u8 -> status:ezsp value:u16
setConfigurationValue       0x53 config:u8 value:u16 -> status:ezsp
setPolicy                   0x55 policy:u8 decision:u8 -> status:ezsp
getPolicy                   0x56 policy:u8 -> status:ezsp decision:u8
invalidCommand              0x58 -> status:ezsp
setSourceRouteDiscoveryMode 0x5A mode:u8 -> remaining:u32
addressTableEntryIsActive   0x5B index:u8 -> active:u8
setAddressTableRemoteEui64  0x5C 8-13 index:u8 eui64:eui -> status:ember
setAddressTableRemoteNodeId 0x5D 8-13 index:u8 short:u16 ->
getAddressTableRemoteEui64  0x5E 8-13 index:u8 -> eui64:eui
getAddressTableInfo         0x5E 14-  index:u8 -> status:ember short:u16 eui64:eui
getAddressTableRemoteNodeId 0x5F 8-13 index:u8 -> short:u16
gpClearProxyTable           0x5F 17-  ->
lookupNodeIdByEui64         0x60 8-13 eui64:eui -> short:u16
lookupNodeIdByEui64         0x60 14-  eui64:eui -> status:ember short:u16
lookupEui64ByNodeId         0x61 short:u16 -> status:ember eui64:eui
getMulticastTableEntry      0x63 index:u8 -> status:ember entry:multicast
setMulticastTableEntry      0x64 index:u8 entry:multicast -> status:ember
readAndClearCounters        0x65 -> values:counters
addOrUpdateKeyTableEntry    0x66 8-12 eui64:eui link_key:u8 key:key -> status:ember
setInitialSecurityState     0x68 state:initial_security -> status:ember
getCurrentSecurityState     0x69 -> status:ember state:current_security
getKey                      0x6A 8-12 kind:u8 -> status:ember key:key_struct
clearTransientLinkKeys      0x6B ->
getKeyTableEntry            0x71 8-12 index:u8 -> status:ember key:key_struct
setKeyTableEntry            0x72 8-12 index:u8 eui64:eui link_key:u8 key:key -> status:ember
broadcastNextNetworkKey     0x73 key:key -> status:ember
broadcastNetworkKeySwitch   0x74 -> status:ember
findKeyTableEntry           0x75 eui64:eui link_key:u8 -> index:u8
eraseKeyTableEntry          0x76 index:u8 -> status:ember
tokenFactoryReset           0x77 13-  exclude_counters:u8 exclude_boot_counter:u8 ->
getNeighbor                 0x79 index:u8 -> status:ember neighbour:neighbour
neighborCount               0x7A -> count:u8
getRouteTableEntry          0x7B index:u8 -> status:ember route:route
setExtendedTimeout          0x7E 8-13 eui64:eui extended:u8 ->
setExtendedTimeout          0x7E 14-  eui64:eui extended:u8 -> status:ember
getExtendedTimeout          0x7F 8-13 eui64:eui -> extended:u8
getExtendedTimeout          0x7F 14-  eui64:eui -> status:ember
echo                        0x81 data:lv -> echo:lv
replaceAddressTableEntry    0x82 index:u8 eui64:eui short:u16 extended:u8 -> status:ember old_eui64:eui old_short:u16 old_extended:u8
setRadioPower               0x99 power:i8 -> status:ember
setRadioChannel             0x9A channel:u8 -> status:ember
removeDevice                0xA8 destination:u16 parent:eui target:eui -> status:ember
getValue                    0xAA value_id:u8 -> status:ezsp value:lv
setValue                    0xAB value_id:u8 value:lv -> status:ezsp
addTransientLinkKey         0xAF 8-12 eui64:eui key:key -> status:ember
clearKeyTable               0xB1 -> status:ember
setRoutingShortcutThreshold 0xD0 threshold:u8 -> status:ember
gpSinkTableClearAll         0xE2 ->
readCounters                0xF1 -> values:counters
getPhyInterfaceCount        0xFC -> count:u8
getTokenData                0x102 9-13 token:u32 index:u32 -> status:ember value:lv32
getTokenData                0x102 14-  token:u32 index:u32 -> status:ember value:lv32
setTokenData                0x103 9-   token:u32 index:u32 value:lv32 -> status:ember
setPassiveAckConfig         0x105 11-  config:u8 minimum:u8 -> status:ember
exportLinkKeyByEui          0x10D 13   eui64:eui -> key:key index:u8 metadata:metadata status:sl
exportLinkKeyByEui          0x10D 14-  eui64:eui -> status:sl context:context key:key metadata:metadata
importLinkKey               0x10E 13-  index:u8 eui64:eui key:key -> status:sl
exportLinkKeyByIndex        0x10F 13   index:u8 -> eui64:eui key:key metadata:metadata status:sl
exportLinkKeyByIndex        0x10F 14-  index:u8 -> status:sl context:context key:key metadata:metadata
importTransientKey          0x111 13   eui64:eui key:key flags:u8 -> status:sl
importTransientKey          0x111 14-  eui64:eui key:key -> status:sl
exportKey                   0x114 13   context:context -> key:key status:sl
exportKey                   0x114 14-  context:context -> status:sl key:key context:context
getNetworkKeyInfo           0x116 13-  -> status:sl info:network_key_info
"""  # noqa: E501 - a table
