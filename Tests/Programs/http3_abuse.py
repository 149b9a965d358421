"""Viewers over HTTP/3 who do what no viewer should: http3_abuse.py PORT STREAM SECONDS SEED

They ask for what a live stream has and will have, give up at random moments, close and vanish under
way, move to other addresses, break rules, and send damaged first flights. Prints one JSON object: how
often each was done.
"""

import asyncio
import collections
import contextlib
import random
import re
import socket
import sys
import time

from aioquic.quic.connection import QuicConnection

from http3_client import CANCELLED, HOST, Viewer, configuration, damaged, first_flight, say, viewer

# At once, and seconds of rest of each between two deeds: about a fifth of a core for both ends together.
HANDS = 12
REST = 0.2

counts = collections.Counter()


@contextlib.asynccontextmanager
async def stranger(port):
    """A connection that the server never hears of again."""
    quic = QuicConnection(configuration=configuration())
    transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Viewer(quic), local_addr=(HOST, 0)
    )
    try:
        protocol.connect((HOST, port))
        await protocol.wait_connected()
        yield protocol
    finally:
        for pending in (protocol._timer, protocol._transmit_task):
            if pending:
                pending.cancel()
        transport.abort()


class Hand:
    def __init__(self, port, stream, dice):
        self.port, self.folder, self.dice = port, f"/live/{stream}/video/", dice

    async def ask(self, connection, count=8):
        """Asks for some of what is there, and of what waits; only the playlist is waited for."""
        playlist = self.folder + "playlist.m3u8"
        text = (await connection.get(playlist)).get("text", "")
        names = re.findall(r'^[^#\n]+|URI="([^"./]+\.m4s)"', text, re.MULTILINE)
        segment = max((int(n) for n in re.findall(r"seg(\d+)\.", text)), default=0)
        paths = [playlist, f"{playlist}?_HLS_msn={segment + 2}", "/assets/hls.min.js"]
        paths += [self.folder + name for name in names[-3:] if name]
        counts["requests"] += count
        return [connection.ask(self.dice.choice(paths)) for _ in range(count)]

    def soon(self, mean):
        return asyncio.sleep(self.dice.expovariate(1 / mean))

    async def watch(self):
        async with viewer(self.port) as connection:
            for _ in range(3):
                asked = await self.ask(connection)
                await asyncio.gather(*[connection.answer(stream) for stream in asked])

    async def give_up(self):
        async with viewer(self.port) as connection:
            for _ in range(3):
                for stream in await self.ask(connection, 20):
                    await self.soon(0.003)
                    if connection.answers[stream]["done"].done():
                        continue
                    if self.dice.random() < 0.5:
                        connection._quic.reset_stream(stream, CANCELLED)
                    connection._quic.stop_stream(stream, CANCELLED)
                    connection.transmit()

    async def close(self):
        async with viewer(self.port) as connection:
            await self.ask(connection)
            await self.soon(0.05)

    async def vanish(self):
        async with stranger(self.port) as connection:
            await self.ask(connection)
            await self.soon(0.05)

    async def move(self):
        async with viewer(self.port) as connection:
            for _ in range(3):
                asked = await self.ask(connection)
                await self.soon(0.01)
                old = connection._transport
                await asyncio.get_running_loop().create_datagram_endpoint(
                    lambda: connection, local_addr=("::", 0), family=socket.AF_INET6
                )
                old.close()
                await asyncio.gather(*[connection.answer(stream) for stream in asked])

    async def break_rules(self):
        async with viewer(self.port) as connection:
            await self.ask(connection)
            stream = connection._quic.get_next_available_stream_id()
            connection._quic.send_stream_data(stream, b"\x00" + self.dice.randbytes(50))
            connection.transmit()
            await self.soon(0.05)

    async def garbage(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plug:
            for _ in range(10):
                flight = first_flight(self.port)
                for _ in range(100):
                    plug.sendto(damaged(flight, self.dice), (HOST, self.port))
                counts["datagrams"] += 100
                await asyncio.sleep(0.01)

    async def work(self, end):
        deeds = [
            self.watch, self.give_up, self.close, self.vanish, self.move, self.break_rules,
            self.garbage,
        ]
        while time.monotonic() < end:
            deed = self.dice.choice(deeds)
            counts[deed.__name__] += 1
            try:
                await asyncio.wait_for(deed(), 30)
            except Exception as error:
                # The server closed the connection, or aioquic lost its way after a broken rule.
                counts[f"{deed.__name__}: {type(error).__name__}"] += 1
            await asyncio.sleep(REST)


async def main(port, stream, seconds, seed):
    end = time.monotonic() + float(seconds)
    hands = [Hand(int(port), stream, random.Random(f"{seed} {n}")) for n in range(HANDS)]
    await asyncio.gather(*[hand.work(end) for hand in hands])
    say(**counts)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
