"""peg-tcpmap without Postfix before it, beside Postfix's own map server and another one."""

import contextlib
import os

from cpu import CpuClock, own_memory
from figures import Figure, Section, ratios
from machine import DISK, alternate, folder, gateway_folder, measure
from map_servers import IdleTcpmap, Postsrsd, Proxymap, Tcpmap

CONNECTIONS = (1, 10, 100)
MANY = 10  # of them, where one number does
DEPTH = 16  # requests under way on a connection that pipelines
FEW, USUAL, MOST = CLAIMS = (1000, 1000000, 10000000)
BEST_PEER_MIN = 1.5
P99_MAX = 2  # times p50
MOST_MAX = 1.5
MEMORY_MB_MAX = 10


class Run:
    """What came of one run of tcpmap_load: rate (lookups/s), latencies and server_us in us."""

    def __init__(self, found, cpu_seconds, seconds):
        self.rate = found["lookups"][0] / found["seconds"][0]
        self.p50, self.p99, self.p999 = (
            1e6 * found[name][0] for name in ("p50", "p99", "p999")
        )
        self.server_us = 1e6 * cpu_seconds / (self.rate * seconds)


class Bout:
    """One kind of run: against which server, how, and what is asked for."""

    def __init__(self, server, connections, depth=1, claims=USUAL, is_miss=False):
        self._server = server
        self._how = (connections, depth)
        self._claims = claims
        self._is_miss = is_miss

    def run(self, bench, seconds):
        server = self._server
        address, first, prefix = (
            (server.missing_server, self._claims, server.missed)
            if self._is_miss
            else (server.server, 0, server.found)
        )
        clock = CpuClock(server.pid)
        program = bench.program("tcpmap_load")
        how = (address,) + self._how + (seconds, first, self._claims, prefix)
        return Run(measure(program, *how), clock.seconds(), seconds)


def _bouts(tables, peers, idle):
    """{name: Bout}; the table's names begin with `ours`."""
    ours = tables[USUAL]
    bouts = {("ours", n): Bout(ours, n) for n in CONNECTIONS}
    bouts[idle.name, MANY] = Bout(idle, MANY)
    bouts.update({(peer.name, n): Bout(peer, n) for peer in peers for n in CONNECTIONS})
    bouts.update({("ours", size): Bout(tables[size], MANY, claims=size) for size in (FEW, MOST)})
    bouts["ours", "misses"] = Bout(ours, MANY, is_miss=True)
    bouts.update({(peer.name, "misses"): Bout(peer, MANY, is_miss=True) for peer in peers})
    bouts["ours", "pipelined"] = Bout(ours, MANY, DEPTH)
    bouts.update(
        {
            (peer.name, "pipelined"): Bout(peer, MANY, DEPTH)
            for peer in peers
            if isinstance(peer, Postsrsd)
        }
    )
    return bouts


def _measure(bench, seconds):
    """({name of a Bout: [Run]}, the names of the peers, memory of each peg-tcpmap in MB)"""
    with contextlib.ExitStack() as stack:
        place = stack.enter_context(folder(DISK))
        map_file = os.path.join(place, "map")
        tables = {}
        for claims in CLAIMS:
            root = stack.enter_context(gateway_folder())
            text = map_file if claims == USUAL else None
            tables[claims] = stack.enter_context(Tcpmap(root, bench, claims, text))
            bench.say("{:,} claims are there".format(claims))
        peers = [stack.enter_context(Proxymap(place, map_file))]
        if Postsrsd.is_there():
            peers.append(stack.enter_context(Postsrsd(stack.enter_context(folder(DISK)))))
        bouts = _bouts(tables, peers, stack.enter_context(IdleTcpmap(bench)))

        def one(name):
            run = bouts[name].run(bench, seconds)
            if name[1] in CONNECTIONS:
                bench.say("%s, %d connections: %.0f lookups/s" % (name + (run.rate,)))
            return run

        found = alternate(bench.rounds(6, 2), list(bouts), one)
        memory = [own_memory(table.pid) / 1e6 for table in tables.values()]
        return found, [peer.name for peer in peers], memory


def _best_of(found, names, which):
    """The rate of the best peer, round by round."""
    rates = [[run.rate for run in found[name, which]] for name in names]
    return [max(of_round) for of_round in zip(*rates)]


def _details(found):
    """Figures for information on every kind of run."""
    words = {
        FEW: "{:,} claims".format(FEW),
        MOST: "{:,} claims".format(MOST),
        "misses": "misses",
        "pipelined": "%d requests under way each" % DEPTH,
    }
    for (who, which), runs in found.items():
        title = "%s, %s" % (
            "peg-tcpmap" if who == "ours" else who,
            "%d at a time" % which
            if which in CONNECTIONS
            else "%d at a time, %s" % (MANY, words[which]),
        )
        name = "lookups_%s_%s" % (who, which)
        yield Figure(name, title, [run.rate for run in runs], "lookups/s", digits=0)
        for part in ("p50", "p99", "p999"):
            samples = [getattr(run, part) for run in runs]
            yield Figure("%s_%s" % (name, part), "... " + part, samples, "us", digits=0)
        samples = [run.server_us for run in runs]
        yield Figure(name + "_cpu", "... processor time of the server", samples, "us", digits=1)


def tcpmap(bench):
    """Lookups a second, and how long one takes."""
    seconds = bench.rounds(2, 1)
    found, peers, memory = _measure(bench, seconds)
    at_ten, idle = found["ours", MANY], found[IdleTcpmap.name, MANY]
    ours = [run.rate for run in at_ten]
    least_cpu = [
        min(of_round)
        for of_round in zip(*([run.server_us for run in found[peer, MANY]] for peer in peers))
    ]
    figures = [
        Figure(
            "lookups_best_peer",
            "lookups/s, %d connections, to the best peer's" % MANY,
            ratios(ours, _best_of(found, peers, MANY)),
            at_least=BEST_PEER_MIN,
        ),
        Figure(
            "lookups_best_peer_cpu",
            "the least processor time of a peer to ours",
            ratios(least_cpu, [run.server_us for run in at_ten]),
        ),
        Figure(
            "lookups_p99",
            "p99 to p50, %d connections" % MANY,
            [run.p99 / run.p50 for run in at_ten],
            at_most=P99_MAX,
        ),
        Figure(
            "lookups_p99_idle",
            "the same of idle_tcpmap, which looks nothing up",
            [run.p99 / run.p50 for run in idle],
        ),
        Figure(
            "lookups_idle",
            "lookups/s, %d connections, to idle_tcpmap's" % MANY,
            ratios(ours, [run.rate for run in idle]),
        ),
        Figure(
            "lookups_most",
            "lookups/s with {:,} claims to {:,}".format(FEW, MOST),
            ratios(
                [run.rate for run in found["ours", FEW]], [run.rate for run in found["ours", MOST]]
            ),
            at_most=MOST_MAX,
        ),
        Figure(
            "tcpmap_memory",
            "memory of peg-tcpmap beside the table, with {:,} claims or fewer".format(MOST),
            [max(memory)],
            "MB",
            at_most=MEMORY_MB_MAX,
            digits=1,
        ),
    ]
    text = (
        "`tcpmap_load` draws keys at random among {:,} claims; so many connections ask one "
        "request at a time, as Postfix does, where nothing else is said. Peers: {}; idle is a server "
        "that gives everybody the same answer. Processor time is that of all processes of a server, "
        "the load not included.".format(USUAL, " and ".join(peers))
    )
    return Section("tcpmap", "Lookups", text, figures + list(_details(found)))
