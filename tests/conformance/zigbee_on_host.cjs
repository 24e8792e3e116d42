// Decodes frames with zigbee-on-host. Argument: the module's folder. stdin: {frames, link, network, sources},
// all hexadecimal; `sources` maps short addresses to EUI-64s. stdout: one object a frame.
"use strict";
const { readFileSync } = require("node:fs");
const { join } = require("node:path");

const zigbee = join(process.argv[2], "dist", "zigbee");
const mac = require(join(zigbee, "mac.js"));
const nwk = require(join(zigbee, "zigbee-nwk.js"));
const aps = require(join(zigbee, "zigbee-aps.js"));
const common = require(join(zigbee, "zigbee.js"));

const question = JSON.parse(readFileSync(0, "utf8"));
const octets = (hex) => Buffer.from(hex, "hex");
const link = octets(question.link);
const network = octets(question.network);
common.registerDefaultHashedKeys(
    ...[0, 1, 2, 3].map((kind) => common.makeKeyedHashByType(kind, kind === 1 ? network : link)),
);

function decode(hex) {
    const data = octets(hex);
    const [macControl, macStart] = mac.decodeMACFrameControl(data, 0);
    const [macHeader, macEnd] = mac.decodeMACHeader(data, macStart, macControl);
    const macPayload = mac.decodeMACPayload(data, macEnd, macControl, macHeader);
    const seen = { mac: { control: macControl, header: macHeader, payload: macPayload.toString("hex") } };
    if (macControl.frameType === 0) {
        seen.beacon = mac.decodeMACZigbeeBeacon(macPayload, 0);
    }
    if (macControl.frameType !== 1) {
        return seen;
    }
    const [nwkControl, nwkStart] = nwk.decodeZigbeeNWKFrameControl(macPayload, 0);
    const [nwkHeader, nwkEnd] = nwk.decodeZigbeeNWKHeader(macPayload, nwkStart, nwkControl);
    const nwkPayload = nwk.decodeZigbeeNWKPayload(
        macPayload, nwkEnd, undefined, macHeader.source64, nwkControl, nwkHeader,
    );
    seen.nwk = { control: nwkControl, header: nwkHeader, payload: nwkPayload.toString("hex") };
    if (nwkControl.frameType !== 0) {
        return seen;
    }
    const [apsControl, apsStart] = aps.decodeZigbeeAPSFrameControl(nwkPayload, 0);
    const [apsHeader, apsEnd] = aps.decodeZigbeeAPSHeader(nwkPayload, apsStart, apsControl);
    const source = question.sources[nwkHeader.source16];
    const apsPayload = aps.decodeZigbeeAPSPayload(
        nwkPayload, apsEnd, undefined, source && BigInt(`0x${source}`), apsControl, apsHeader,
    );
    seen.aps = { control: apsControl, header: apsHeader, payload: apsPayload.toString("hex") };
    return seen;
}

const plain = (_, value) => (typeof value === "bigint" ? value.toString(16).padStart(16, "0") : value);
process.stdout.write(
    JSON.stringify(
        {
            derived: [2, 3].map((kind) => common.makeKeyedHashByType(kind, link).toString("hex")),
            frames: question.frames.map(decode),
        },
        plain,
    ),
);
