"""Asks over HTTP/3 for a test, on aioquic or qh3: http3_gateway.py PORT [OPTION...]

Reads requests, one JSON object a line: {"id", "path", "method", "headers": [[name, value]], "seconds"},
and answers them in the order in which they end, each with a line {"id", "status", "headers", "length"}
and as many bytes of body behind it, or with {"id", "error"}. Ends with its input.
"""

import argparse
import asyncio
import contextlib
import json
import ssl
import sys

# qh3 has aioquic's names, and a TLS, a QPACK and a cryptography of its own.
if "--qh3" in sys.argv:
    from qh3.asyncio.client import connect
    from qh3.asyncio.protocol import QuicConnectionProtocol
    from qh3.h3.connection import H3_ALPN, H3Connection
    from qh3.h3.events import DataReceived, HeadersReceived
    from qh3.quic.configuration import QuicConfiguration
    from qh3.quic.events import ConnectionTerminated, StreamReset
    from qh3.quic.packet import QuicFrameType
else:
    from aioquic.asyncio.client import connect
    from aioquic.asyncio.protocol import QuicConnectionProtocol
    from aioquic.h3.connection import H3_ALPN, H3Connection
    from aioquic.h3.events import DataReceived, HeadersReceived
    from aioquic.quic.configuration import QuicConfiguration
    from aioquic.quic.events import ConnectionTerminated, StreamReset
    from aioquic.quic.packet import QuicFrameType

HOST = "127.0.0.1"
CANCELLED = 0x10C


class Failed(Exception):
    pass


class Answer:
    def __init__(self):
        self.headers = []
        self.body = []
        self.whole = asyncio.get_running_loop().create_future()

    def end(self, failure=None):
        if self.whole.done():
            return
        if failure:
            self.whole.set_exception(Failed(failure))
        else:
            self.whole.set_result(None)


class HTTP(H3Connection):
    def _check_content_length(self, stream):
        # An answer to HEAD has the length of what is not there; aioquic forgets what was asked.
        if stream.content_length:
            super()._check_content_length(stream)


class Connection(QuicConnectionProtocol):
    authority = b""
    lose = 0

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.http = HTTP(self._quic)
        self.answers = {}
        self.datagrams = 0
        self.is_over = False

    def datagram_received(self, data, address):
        self.datagrams += 1
        if not self.lose or self.datagrams % self.lose:
            super().datagram_received(data, address)

    def quic_event_received(self, event):
        if isinstance(event, ConnectionTerminated):
            self.is_over = True
            for answer in self.answers.values():
                answer.end(f"the connection ended: {event.error_code:#x} {event.reason_phrase}")
        elif isinstance(event, StreamReset) and event.stream_id in self.answers:
            self.answers[event.stream_id].end(f"reset: {event.error_code:#x}")
        for part in self.http.handle_event(event):
            answer = self.answers.get(getattr(part, "stream_id", None))
            if answer is None:
                continue
            if isinstance(part, HeadersReceived):
                answer.headers += part.headers
            elif isinstance(part, DataReceived):
                answer.body.append(part.data)
            if part.stream_ended:
                answer.end()

    async def ask(self, request):
        stream = self._quic.get_next_available_stream_id()
        answer = self.answers[stream] = Answer()
        head = [
            (b":method", request["method"].encode()), (b":scheme", b"https"),
            (b":authority", self.authority), (b":path", request["path"].encode()),
        ]
        head += [(name.lower().encode(), value.encode()) for name, value in request["headers"]]
        self.http.send_headers(stream, head, end_stream=True)
        self.transmit()
        try:
            await asyncio.wait_for(answer.whole, request["seconds"])
        except asyncio.TimeoutError:
            self._quic.stop_stream(stream, CANCELLED)
            self.transmit()
            raise Failed("no answer in time")
        finally:
            del self.answers[stream]
        return answer


class SlowConnection(Connection):
    """Has room for some bytes of each answer, and for one more with every second."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self._quic._write_stream_limits = self.write_stream_limits
        self.trickle = asyncio.create_task(self.open_windows())

    async def open_windows(self):
        while not self.is_over:
            await asyncio.sleep(1)
            for number in self.answers:
                self._quic._streams[number].max_stream_data_local += 1
            self.transmit()

    def write_stream_limits(self, builder, space, stream):
        if stream.max_stream_data_local_sent != stream.max_stream_data_local:
            buffer = builder.start_frame(QuicFrameType.MAX_STREAM_DATA, capacity=17)
            buffer.push_uint_var(stream.stream_id)
            buffer.push_uint_var(stream.max_stream_data_local)
            stream.max_stream_data_local_sent = stream.max_stream_data_local


class Gateway:
    """The connections of one run; a closed one is replaced when somebody asks."""

    def __init__(self, options, stack):
        self.options = options
        self.stack = stack
        self.connections = [None] * options.connections
        self.locks = [asyncio.Lock() for _ in self.connections]

    async def connection(self, number):
        place = number % len(self.connections)
        async with self.locks[place]:
            connection = self.connections[place]
            if connection is None or connection.is_over:
                kind = SlowConnection if self.options.window else Connection
                kind.authority = f"{HOST}:{self.options.port}".encode()
                kind.lose = self.options.lose
                connection = await self.stack.enter_async_context(
                    connect(
                        HOST, self.options.port, configuration=self.configuration(), create_protocol=kind
                    )
                )
                self.connections[place] = connection
            return connection

    def configuration(self):
        return QuicConfiguration(
            is_client=True, alpn_protocols=H3_ALPN, verify_mode=ssl.CERT_NONE, server_name="localhost",
            idle_timeout=self.options.idle_timeout, max_data=16 << 20,
            max_stream_data=self.options.window or 4 << 20,
        )

    async def handle(self, request):
        head, body = {"id": request["id"]}, b""
        try:
            answer = await (await self.connection(request["id"])).ask(request)
            body = b"".join(answer.body)
            headers = [(name.decode(), value.decode()) for name, value in answer.headers]
            head["status"] = int(dict(headers)[":status"])
            head["headers"] = [header for header in headers if not header[0].startswith(":")]
            head["length"] = len(body)
        except Exception as error:
            head["error"] = str(error) or type(error).__name__
        sys.stdout.buffer.write(json.dumps(head).encode() + b"\n" + body)
        sys.stdout.buffer.flush()


async def main(options):
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines), sys.stdin
    )
    tasks = set()
    async with contextlib.AsyncExitStack() as stack:
        gateway = Gateway(options, stack)
        while line := await lines.readline():
            task = asyncio.create_task(gateway.handle(json.loads(line)))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        for task in list(tasks):
            task.cancel()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--qh3", action="store_true", help="not aioquic")
    parser.add_argument("--connections", type=int, default=1, help="requests take them in turns")
    parser.add_argument("--idle-timeout", type=float, default=60, help="seconds")
    parser.add_argument("--lose", type=int, default=0, help="each so many datagrams, one is lost")
    parser.add_argument("--window", type=int, help="bytes of an answer that there is room for")
    asyncio.run(main(parser.parse_args()))
