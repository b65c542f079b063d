"""What arrives at a network interface: the IP packets of TCP, as they are on the wire.

    with Capture(machine.pid, "cable0") as capture:
        ...
        packets = capture.packets()
"""

import collections
import contextlib
import ipaddress
import socket
import time

from .namespaces import network_of

POLL_S = 0.02
ETH_P_ALL = 3
SO_RCVBUFFORCE = 33
BUFFER_SIZE = 32 << 20
FIN, SYN, RST = 1, 2, 4

# dscp, ecn     the six and the two bits of the IPv4 type of service or the IPv6 traffic class
Packet = collections.namedtuple(
    "Packet", "interface version dscp ecn source source_port port flags payload"
)


class Capture(contextlib.AbstractContextManager):
    """Hears what arrives at the interfaces of a network from the beginning of the block on.

    pid         of a process in that network
    interface   the only one to be heard; by default all are
    """

    def __init__(self, pid, interface=None):
        self._packets = []
        with network_of(pid):
            protocol = 0 if interface else socket.htons(ETH_P_ALL)
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, protocol)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_SIZE)
        self._socket.setblocking(False)
        if interface:
            self._socket.bind((interface, ETH_P_ALL))

    def __exit__(self, *exception):
        self._socket.close()

    def clear(self):
        """Forget what has arrived until now."""
        self._drain()
        del self._packets[:]

    def packets(self):
        """All that has arrived until now, in its order."""
        self._drain()
        return list(self._packets)

    def connections(self, part, number, timeout=60):
        """{(IP version, source address, source port): [Packet]} of those that carry these bytes.

        Waits until there are so many whose client has hung up.
        """
        deadline = time.monotonic() + timeout
        while True:
            found = self._find(part)
            ended = [p for p in found.values() if any(q.flags & (FIN | RST) for q in p)]
            if len(ended) >= number:
                return found
            if time.monotonic() > deadline:
                raise TimeoutError("%d of %d connections: %s" % (len(ended), number, found))
            time.sleep(POLL_S)

    def _find(self, part):
        found = collections.defaultdict(list)
        for packet in self.packets():
            found[packet.version, packet.source, packet.source_port].append(packet)
        return {
            source: packets
            for source, packets in found.items()
            if part in b"".join(packet.payload for packet in packets)
        }

    def _drain(self):
        while True:
            try:
                data, address = self._socket.recvfrom(1 << 17)
            except BlockingIOError:
                return
            packet = _parse(data, address[0]) if address[2] == socket.PACKET_HOST else None
            if packet:
                self._packets.append(packet)


def _parse(data, interface):
    """The Packet, or None where it is not of TCP."""
    version = data[0] >> 4 if data else 0
    if version == 4 and data[9] == socket.IPPROTO_TCP:
        traffic_class = data[1]
        source = ipaddress.IPv4Address(data[12:16])
        tcp = data[(data[0] & 15) * 4 : int.from_bytes(data[2:4], "big")]
    elif version == 6 and data[6] == socket.IPPROTO_TCP:
        traffic_class = (data[0] & 15) << 4 | data[1] >> 4
        source = ipaddress.IPv6Address(data[8:24])
        tcp = data[40 : 40 + int.from_bytes(data[4:6], "big")]
    else:
        return None
    return Packet(
        interface,
        version,
        traffic_class >> 2,
        traffic_class & 3,
        str(source),
        int.from_bytes(tcp[0:2], "big"),
        int.from_bytes(tcp[2:4], "big"),
        tcp[13],
        tcp[(tcp[12] >> 4) * 4 :],
    )
