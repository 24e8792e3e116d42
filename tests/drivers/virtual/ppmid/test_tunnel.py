"""The PPMID's tunnel beyond one message: GET of a sleeper, flow control, closing."""

from __future__ import annotations

from harness.gbcs import ACB, BenchPki, OwnKeys
from harness.gbcs.use_cases import cs08
from harness.zigbee import tunnel
from tests.drivers.virtual.ppmid.bench_of_one import run, until
from tests.drivers.virtual.ppmid.fake_air import SEED, command, within

KEYS = OwnKeys(ACB, BenchPki(SEED))
GET = tunnel.HrgpMessage(verb=tunnel.Verb.GET).to_bytes()


async def tunnelled(bench):
    await bench.join()
    await within(bench.hub.tunnel_opened.wait())


def transfers(bench):
    return [put.data for put in bench.hub.puts if isinstance(put, tunnel.TransferData)]


def test_a_sleeper_asks_for_what_waits_until_nothing_does():
    async def scenario(bench):
        await tunnelled(bench)
        await until(lambda: transfers(bench) == [GET])
        for remaining, counter in ((1, 7), (0, 8)):
            inside = tunnel.HrgpMessage(
                verb=tunnel.Verb.GET_RESPONSE, remaining=remaining, message=command(counter)
            )
            bench.hub.tell(tunnel.TransferData(tunnel=bench.hub.tunnels, data=inside.to_bytes()))
            await until(lambda: len(transfers(bench)) == 3)
        await until(lambda: len(transfers(bench)) == 4)
        first, again, second = transfers(bench)[1:]
        assert again == GET
        for answer, counter in ((first, 7), (second, 8)):
            message = tunnel.HrgpMessage.from_bytes(answer).message
            assert cs08.read_response(message, KEYS, command=command(counter)).ok

    run(scenario, sleepy=True)


def test_a_device_that_is_always_on_does_not_ask():
    async def scenario(bench):
        await tunnelled(bench)
        await bench.hub.exchange(command(7))
        assert GET not in transfers(bench)

    run(scenario)


def test_with_flow_control_an_answer_waits_for_room():
    async def scenario(bench):
        await tunnelled(bench)
        number = bench.hub.tunnels
        request = next(
            tunnel.RequestTunnel.from_bytes(asked.payload[3:])
            for asked in bench.hub.asked
            if asked.cluster == tunnel.CLUSTER
        )
        assert request.flow_control == 1
        bench.hub.tell(tunnel.AckTransferData(tunnel=number, octets_left=0))
        bench.hub.put(command(7))
        await until(lambda: bench.hub.puts)
        assert bench.hub.puts == [tunnel.AckTransferData(tunnel=number, octets_left=1500)]
        bench.hub.tell(tunnel.ReadyData(tunnel=number, octets_left=1500))
        await until(lambda: len(transfers(bench)) == 1)

    run(scenario, flow_control=True)


def test_it_closes_its_tunnel_before_it_leaves():
    async def scenario(bench):
        await tunnelled(bench)
        number = bench.hub.tunnels
        await bench.port.leave()
        assert bench.hub.puts == [tunnel.CloseTunnel(tunnel=number)]

    run(scenario)


def test_data_longer_than_it_takes_are_refused():
    async def scenario(bench):
        await tunnelled(bench)
        bench.hub.put(bytes(1500))
        await until(lambda: bench.hub.puts)
        overflow = tunnel.TransferDataStatus.DATA_OVERFLOW
        assert bench.hub.puts == [tunnel.TransferDataError(tunnel=bench.hub.tunnels, status=overflow)]

    run(scenario)
