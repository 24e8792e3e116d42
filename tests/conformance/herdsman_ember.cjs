// Hosts a dongle with zigbee-herdsman's ember adapter: forms, lets one device in with its install code, asks it
// for its node descriptor, sends it a ZCL frame and reads its answer, stops. Argument: the module's folder.
// stdin: {path, channel, eui64, install_code}, the last two hexadecimal. stdout: one json object a line, as things happen.
"use strict";
const { mkdtempSync, readFileSync, rmSync } = require("node:fs");
const { tmpdir } = require("node:os");
const { join } = require("node:path");

const dist = join(process.argv[2], "dist");
const { setLogger } = require(join(dist, "utils", "logger.js"));
const { EmberAdapter } = require(join(dist, "adapter", "ember", "adapter", "emberAdapter.js"));
const Zcl = require(join(dist, "zspec", "zcl"));
const Zdo = require(join(dist, "zspec", "zdo"));
const BuffaloZdo = require(join(dist, "zspec", "zdo", "buffaloZdo.js")).BuffaloZdo;

const PERMIT_S = 60;
const SMART_ENERGY = 0x0109;
const BASIC = 0x0000;
const ENDPOINT = 1;
const WITHIN_MS = 10000;

const asked = JSON.parse(readFileSync(0, "utf8"));
const say = (what, fields = {}) => process.stdout.write(`${JSON.stringify({ what, ...fields })}\n`);
const complain = (text) => say("log", { text: typeof text === "function" ? text() : String(text) });
setLogger({ debug: () => {}, info: () => {}, warning: complain, error: complain });

const network = {
    panID: 0x1a62,
    extendedPanID: [1, 2, 3, 4, 5, 6, 7, 8],
    channelList: [asked.channel],
    networkKey: [...Buffer.from("000102030405060708090a0b0c0d0e0f", "hex")],
    networkKeyDistribute: false,
};
const port = { path: asked.path, adapter: "ember", baudRate: 115200, rtscts: false };

// The adapter drops Smart Energy's profile after it has decoded the callback: here is the place before that.
function smartEnergy(adapter) {
    const { ezsp } = adapter;
    const handle = ezsp.ezspIncomingMessageHandler.bind(ezsp);
    return new Promise((done) => {
        ezsp.ezspIncomingMessageHandler = (type, aps, packet, contents) => {
            handle(type, aps, packet, contents);
            if (aps.profileId === SMART_ENERGY) {
                done({ aps, sender: packet.senderShortId, payload: contents.toString("hex") });
            }
        };
    });
}

async function host(folder) {
    const adapter = new EmberAdapter(network, port, join(folder, "backup.json"), { concurrent: 8, disableLED: false });
    const came = (event) => new Promise((done) => adapter.once(event, done));
    adapter.on("disconnected", () => say("disconnected"));
    say("started", { result: await adapter.start() });
    say("version", { version: await adapter.getCoordinatorVersion() });
    say("network", { parameters: await adapter.getNetworkParameters(), eui64: await adapter.getCoordinatorIEEE() });

    const eui64 = `0x${asked.eui64}`;
    const joined = came("deviceJoined");
    await adapter.addInstallCode(eui64, Buffer.from(asked.install_code, "hex"), false);
    await adapter.permitJoin(PERMIT_S);
    say("permitted");
    const device = await joined;
    say("joined", device);

    const question = BuffaloZdo.buildRequest(true, Zdo.ClusterId.NODE_DESCRIPTOR_REQUEST, device.networkAddress);
    const [status, descriptor] = await adapter.sendZdo(
        eui64, device.networkAddress, Zdo.ClusterId.NODE_DESCRIPTOR_REQUEST, question, false,
    );
    say("descriptor", { status, descriptor });

    const answered = smartEnergy(adapter);
    const read = Zcl.Frame.create(
        Zcl.FrameType.GLOBAL, Zcl.Direction.CLIENT_TO_SERVER, true, undefined, 1, "read", BASIC, [{ attrId: 4 }], {},
    );
    await adapter.sendZclFrameToEndpoint(
        eui64, device.networkAddress, ENDPOINT, read, WITHIN_MS, true, false, ENDPOINT, SMART_ENERGY,
    );
    say("answer", await answered);

    await adapter.permitJoin(0);
    await adapter.stop();
    say("stopped");
}

const folder = mkdtempSync(join(tmpdir(), "herdsman-"));
host(folder)
    .catch((error) => {
        say("failed", { error: String(error.stack) });
        process.exitCode = 1;
    })
    .finally(() => {
        rmSync(folder, { recursive: true });
        process.exit();
    });
