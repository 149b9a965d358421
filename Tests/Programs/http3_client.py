"""A viewer over HTTP/3, on aioquic: http3_client.py PORT SCENARIO [ARGUMENT...]

Prints one JSON object a line: what it was told. Scenarios are the functions below.
"""

import asyncio
import contextlib
import hashlib
import json
import os
import random
import socket
import ssl
import sys

from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.buffer import encode_uint_var
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.events import ConnectionTerminated, StreamReset
from cryptography.x509.oid import NameOID

HOST = "127.0.0.1"
CANCELLED = 0x10C


def say(**fields):
    print(json.dumps(fields), flush=True)


class Viewer(QuicConnectionProtocol):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.http = H3Connection(self._quic)
        self.answers = {}
        self.terminated = asyncio.get_event_loop().create_future()

    def quic_event_received(self, event):
        if isinstance(event, ConnectionTerminated):
            if not self.terminated.done():
                self.terminated.set_result(event.error_code)
            for answer in self.answers.values():
                if not answer["done"].done():
                    answer["done"].set_result({"closed": event.error_code})
        if isinstance(event, StreamReset):
            answer = self.answers.get(event.stream_id)
            if answer and not answer["done"].done():
                answer["done"].set_result({"reset": event.error_code})
        for part in self.http.handle_event(event):
            answer = self.answers.get(getattr(part, "stream_id", None))
            if answer is None or answer["done"].done():
                continue
            if isinstance(part, HeadersReceived):
                answer["head"] = {k.decode(): v.decode() for k, v in part.headers}
            elif isinstance(part, DataReceived):
                answer["bytes"] += len(part.data)
                answer["hash"].update(part.data)
                answer["text"] = (answer["text"] + part.data)[-8000:]
            if part.stream_ended:
                answer["done"].set_result(
                    {
                        "status": int(answer["head"][":status"]),
                        "bytes": answer["bytes"],
                        "sha256": answer["hash"].hexdigest(),
                        "text": answer["text"].decode(errors="replace"),
                        "head": answer["head"],
                    }
                )

    def ask(self, path, method="GET", body=b"", fields=()):
        stream = self._quic.get_next_available_stream_id()
        self.answers[stream] = {
            "bytes": 0, "hash": hashlib.sha256(), "head": {}, "text": b"",
            "done": asyncio.get_event_loop().create_future(),
        }
        head = [
            (b":method", method.encode()), (b":scheme", b"https"),
            (b":authority", b"localhost"), (b":path", path.encode()), *fields,
        ]
        self.http.send_headers(stream, head, end_stream=not body)
        if body:
            self.http.send_data(stream, body, end_stream=True)
        self.transmit()
        return stream

    async def answer(self, stream, limit=15):
        return await asyncio.wait_for(self.answers[stream]["done"], limit)

    async def get(self, path, **options):
        return await self.answer(self.ask(path, **options))


def configuration(**options):
    return QuicConfiguration(
        is_client=True, alpn_protocols=H3_ALPN, verify_mode=ssl.CERT_NONE, server_name="localhost",
        **options,
    )


def viewer(port, **options):
    return connect(HOST, port, configuration=configuration(**options), create_protocol=Viewer)


async def get(port, *paths):
    async with viewer(port) as connection:
        for path in paths:
            say(**await connection.get(path))


def subject_of(connection):
    certificate = connection._quic.tls._peer_certificate
    return certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value


async def subject(port, path):
    async with viewer(port) as connection:
        answer = await connection.get(path)
        say(status=answer["status"], subject=subject_of(connection))


async def subject_twice(port, path):
    """Asks again, on the same connection, after a line of input."""
    async with viewer(port) as connection:
        for number in range(2):
            answer = await connection.get(path)
            say(status=answer["status"], subject=subject_of(connection))
            if number == 0:
                await asyncio.get_event_loop().run_in_executor(None, sys.stdin.readline)


async def retried(port, path):
    """Whether the server asked for proof of the address, and whether it does so again."""
    tokens = []
    setup = configuration()
    for _ in range(2):
        async with connect(
            HOST, port, configuration=setup, create_protocol=Viewer, token_handler=tokens.append
        ) as connection:
            answer = await connection.get(path)
            say(status=answer["status"], retried=connection._quic._retry_source_connection_id is not None)
        setup = configuration(token=tokens[-1] if tokens else b"")


async def many(port, path, count):
    async with viewer(port) as connection:
        answers = await asyncio.gather(*[connection.get(path) for _ in range(int(count))])
        say(answered=sum(answer.get("status") == 200 for answer in answers))


async def post(port, path, count):
    async with viewer(port) as connection:
        say(**await connection.get(path, method="POST", body=b"x" * int(count)))


async def large_head(port, path):
    async with viewer(port) as connection:
        fields = [(b"x-%d" % number, b"y" * 400) for number in range(60)]
        say(**await connection.get(path, fields=fields))
        say(**await connection.get(path))


async def two_hosts(port, path):
    async with viewer(port) as connection:
        say(**await connection.get(path, fields=[(b"host", b"elsewhere")]))
        say(**await connection.get(path))


async def order(port, *paths):
    """Asks for all at once, and prints their sizes in the order in which they were whole."""
    async with viewer(port) as connection:
        asked = [connection.answers[connection.ask(path)]["done"] for path in paths]
        for done in asyncio.as_completed(asked):
            say(bytes=(await asyncio.wait_for(done, 15))["bytes"])


async def rebind(port, path):
    """The viewer's address changes, as behind a NAT that forgets; twice."""
    async with viewer(port) as connection:
        say(**await connection.get(path))
        for _ in range(2):
            old = connection._transport
            await asyncio.get_event_loop().create_datagram_endpoint(
                lambda: connection, local_addr=("::", 0), family=socket.AF_INET6
            )
            old.close()
            say(**await connection.get(path))


async def update_keys(port, path):
    async with viewer(port) as connection:
        for _ in range(3):
            say(**await connection.get(path))
            connection._quic.request_key_update()
        say(**await connection.get(path))


async def leave(port, waiting, path):
    """Gives a request up while it waits; the connection goes on."""
    async with viewer(port) as connection:
        stream = connection.ask(waiting)
        await asyncio.get_event_loop().run_in_executor(None, sys.stdin.readline)
        connection._quic.stop_stream(stream, CANCELLED)
        connection.transmit()
        say(**await connection.get(path))
        await asyncio.get_event_loop().run_in_executor(None, sys.stdin.readline)


async def wait(port, path):
    """Waits for an answer, and for the end of the connection."""
    async with viewer(port) as connection:
        stream = connection.ask(path)
        say(asked=True)
        say(**await connection.answer(stream))
        say(closed=await asyncio.wait_for(connection.terminated, 15))


async def give_up(port, path, count):
    """Asks and gives up at once, over and over."""
    async with viewer(port) as connection:
        for _ in range(int(count)):
            if connection.terminated.done():
                break
            stream = connection.ask(path)
            connection._quic.reset_stream(stream, CANCELLED)
            connection._quic.stop_stream(stream, CANCELLED)
            connection.transmit()
            await asyncio.sleep(0.001)
        say(closed=await asyncio.wait_for(connection.terminated, 15))


async def cancel(port, seed, count, *paths):
    """Asks and gives up at random moments; prints how many requests the server has places for then."""
    dice = random.Random(int(seed))
    async with viewer(port) as connection:
        quic, places = connection._quic, asyncio.Semaphore(60)

        async def one():
            async with places:
                stream = connection.ask(dice.choice(paths))
                done = connection.answers[stream]["done"]
                await asyncio.wait([done], timeout=dice.expovariate(200))
                # aioquic would give up what it has not been allowed to ask yet.
                while stream in quic._streams and quic._streams[stream].is_blocked:
                    await asyncio.sleep(0.005)
                if done.done():
                    return
                if dice.random() < 0.5:
                    quic.reset_stream(stream, CANCELLED)
                quic.stop_stream(stream, CANCELLED)
                connection.transmit()

        def free():
            return quic._remote_max_streams_bidi - quic._local_next_stream_id_bidi // 4

        await asyncio.gather(*[one() for _ in range(int(count))])
        for _ in range(1000):
            if free() == 100 or connection.terminated.done():
                break
            await asyncio.sleep(0.01)
        say(sent=int(count), free=free())
        await asyncio.get_event_loop().run_in_executor(None, sys.stdin.readline)


async def go(port, how, *paths):
    """Asks, and after a line of input goes: closes the connection, or vanishes."""
    async with viewer(port) as connection:
        for path in paths:
            connection.ask(path)
        await asyncio.get_event_loop().run_in_executor(None, sys.stdin.readline)
        if how == "vanish":
            os._exit(0)


async def take_some(port, path):
    """Closes the connection after a part of the answer, and never opens a window beyond the first."""
    async with viewer(port, max_data=100_000, max_stream_data=100_000) as connection:
        connection._quic._write_connection_limits = lambda **_: None
        connection._quic._write_stream_limits = lambda **_: None
        stream = connection.ask(path)
        while connection.answers[stream]["bytes"] < 50_000:
            await asyncio.sleep(0.01)


async def take_nothing(port, path):
    """Opens no window beyond the first."""
    async with viewer(port, max_data=100_000, max_stream_data=100_000) as connection:
        connection._quic._write_connection_limits = lambda **_: None
        connection._quic._write_stream_limits = lambda **_: None
        say(**await connection.get(path))


async def break_rules(port, kind):
    """Frames that RFC 9114 forbids; prints the code that the connection is closed with."""
    async with viewer(port) as connection:
        quic = connection._quic
        stream = quic.get_next_available_stream_id()
        if kind == "data-before-head":
            quic.send_stream_data(stream, bytes([0x00, 0x01, 0x61]))
        elif kind == "settings-on-request":
            quic.send_stream_data(stream, bytes([0x04, 0x00]))
        elif kind == "second-control-stream":
            other = quic.get_next_available_stream_id(is_unidirectional=True)
            quic.send_stream_data(other, bytes([0x00, 0x04, 0x00]))
        elif kind == "bad-qpack":
            quic.send_stream_data(stream, bytes([0x01, 0x02, 0xFF, 0xFF]))
        elif kind == "closed-control-stream":
            quic.send_stream_data(connection.http._local_control_stream_id, b"", end_stream=True)
        elif kind == "control-flood":
            for _ in range(400):
                frame = encode_uint_var(0x21) + encode_uint_var(4000) + bytes(4000)
                quic.send_stream_data(connection.http._local_control_stream_id, frame)
        connection.transmit()
        say(closed=await asyncio.wait_for(connection.terminated, 15))


async def unknown_version(port):
    packet = bytes([0xC0]) + (0x5A6A7A8A).to_bytes(4, "big") + b"\x08" + os.urandom(8) + b"\x08"
    reply = exchange(port, (packet + os.urandom(8)).ljust(1200, b"\0"))
    versions = [reply[at:at + 4].hex() for at in range(23, len(reply), 4)]
    say(version=reply[1:5].hex(), offered=versions)


async def unknown_connection(port):
    packet = bytes([0x40]) + os.urandom(199)
    reply = exchange(port, packet)
    say(sent=len(packet), received=len(reply), first=reply[0] >> 6 if reply else -1)
    again = exchange(port, packet)
    # The token is the same every time: the peer of that connection would know it.
    say(same=bool(reply) and reply[-16:] == again[-16:])


async def garbage(port, seed, count):
    dice = random.Random(int(seed))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plug:
        for number in range(int(count)):
            if number % 50 == 0:
                flight = first_flight(port)
            plug.sendto(damaged(flight, dice), (HOST, port))
            if number % 100 == 99:
                await asyncio.sleep(0.002)
    say(sent=int(count))


def first_flight(port):
    quic = QuicConnection(configuration=configuration())
    quic.connect((HOST, port), now=0.0)
    return [data for data, _ in quic.datagrams_to_send(now=0.0)]


def damaged(flight, dice):
    """A datagram with bits flipped, cut off or doubled, or bytes that are nothing at all."""
    packet = bytearray(dice.choice(flight))
    kind = dice.randrange(6)
    if kind == 0:
        packet = bytearray(dice.randbytes(dice.randrange(1, 1500)))
    elif kind == 1:
        del packet[dice.randrange(1, len(packet)):]
    elif kind == 2:
        packet = packet + packet
    elif kind == 3:
        packet[0] = dice.randrange(256)
    for _ in range(dice.randrange(8)):
        packet[dice.randrange(min(len(packet), 64 if kind == 4 else 1500))] = dice.randrange(256)
    return packet


def exchange(port, packet):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plug:
        plug.settimeout(5)
        plug.sendto(packet, (HOST, port))
        return plug.recvfrom(2048)[0]


if __name__ == "__main__":
    asyncio.run(globals()[sys.argv[2].replace("-", "_")](int(sys.argv[1]), *sys.argv[3:]))
