"""Sends 50 datagrams from UDP port 0, each of which asks for an answer: port_zero.py HOST PORT

They have a version of QUIC that nobody speaks, and are long enough for version negotiation.
"""

import os
import socket
import struct
import sys

host, port = sys.argv[1], int(sys.argv[2])
with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP) as raw:
    for _ in range(50):
        ids = b"".join(bytes([8]) + os.urandom(8) for _ in range(2))
        packet = b"\xc0\x0a\x0a\x0a\x0a" + ids + bytes(1200)
        raw.sendto(struct.pack("!HHHH", 0, port, 8 + len(packet), 0) + packet, (host, 0))
