"""Mail through a gateway under test: kinds of messages, what sends them and what takes them.

    sink = Sink(program, port, folder).start()
    with Load(bench.program("smtp_load"), folder, port, kinds, messages=1000) as load:
        load.wait()
    sink.wait_for(load)
    load.check(sink.arrived(load))
"""

import collections
import itertools
import os
import signal
import socket
import subprocess
import time

POLL_S = 0.02
PATIENCE_S = 90  # without a message
_numbers = itertools.count()


class Kind:
    """Messages of one kind.

    recipients  addresses; in them, and in the headers, # stands for the number of the message, and
                % for what no other message has
    headers     lines
    by_header   {priority: number of recipients} by the headers, for those who read them
    by_domain   the same by the recipients' domains, pN.*, for those who do not
    """

    def __init__(self, recipients, headers, by_header):
        self.recipients = list(recipients)
        self.headers = list(headers)
        self.by_header = by_header
        self.by_domain = collections.Counter(
            int(address.partition("@p")[2][0]) for address in self.recipients
        )

    def write(self, path):
        """As smtp_load reads it."""
        with open(path, "w") as file:
            lines = self.recipients + [""] + self.headers
            file.write("".join(line + "\n" for line in lines))
        return path


class Sink:
    """smtp_sink, which takes mail for one gateway and notes when."""

    def __init__(self, program, port, folder):
        self._command = [program, str(port)]
        self._port = port
        self._path = os.path.join(folder, "sink.log")
        self._process = None
        self._offset = 0
        self._arrived = collections.defaultdict(list)  # {tag: [(number, time, instance, count)]}

    def start(self):
        with open(self._path, "wb") as log:
            self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=log)
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self._port), 1).close()
                return self
            except OSError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise AssertionError("smtp_sink does not start") from None
            time.sleep(POLL_S)

    def stop(self):
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process.stdin.close()
            self._process = None

    def order(self, line):
        """What smtp_sink takes on its stdin."""
        self._process.stdin.write(line.encode() + b"\n")
        self._process.stdin.flush()

    def arrived(self, load):
        """[(number, time, instance, recipients)] of a Load, until now."""
        with open(self._path, "rb") as log:
            log.seek(self._offset)
            text = log.read()
        text = text[: text.rfind(b"\n") + 1]
        self._offset += len(text)
        for line in text.decode("utf-8", "replace").splitlines():
            tag, at, instance, count = line.split()
            run, _, number = tag.partition(".")
            if number:  # else a notice, or somebody else's
                self._arrived[run].append((int(number), float(at), instance, int(count)))
        return self._arrived[load.tag]

    def wait_for(self, *loads):
        """Wait until as much has come as they hold; Load.check() says whether it is that.

        Raises AssertionError where nothing comes any more.
        """
        wanted, seen, seen_at = sum(load.recipients() for load in loads), 0, time.monotonic()
        while True:
            found = sum(arrival[3] for load in loads for arrival in self.arrived(load))
            if found >= wanted:
                return
            if found > seen:
                seen, seen_at = found, time.monotonic()
            elif time.monotonic() > seen_at + PATIENCE_S:
                raise AssertionError("%d of %d recipients are missing" % (wanted - found, wanted))
            time.sleep(POLL_S)

    def forget(self, load):
        """Its arrivals are not needed any more."""
        self._arrived.pop(load.tag, None)


class Load:
    """smtp_load at work, from the beginning of the block on; by its end it is over.

    messages        how many; 0: until stop()
    interval        seconds from one message being due to the next; 0: as soon as a session is free
    expected        a function of a Kind: {instance: number of recipients}
    """

    def __init__(
        self,
        program,
        folder,
        port,
        kinds,
        expected,
        messages=0,
        sessions=1,
        interval=0,
        per_connection=1,
        size=4096,
    ):
        self.tag = "b%dx%d" % (os.getpid(), next(_numbers))
        self.kinds = kinds
        self._expected = [expected(kind) for kind in kinds]
        self._path = os.path.join(folder, self.tag)
        paths = [kind.write("%s.%d" % (self._path, n)) for n, kind in enumerate(kinds)]
        numbers = port, sessions, messages, int(interval * 1e6), per_connection, size
        self._files = paths + [self._path]
        self._command = [program] + [str(number) for number in numbers] + [self.tag] + paths
        self._process = None
        self._sent = None

    def __enter__(self):
        with open(self._path, "wb") as out:
            self._process = subprocess.Popen(
                self._command, stdout=out, stderr=subprocess.PIPE, universal_newlines=True
            )
        return self

    def __exit__(self, *exception):
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._process.stderr.close()
        self.sent()
        for path in self._files:
            os.unlink(path)

    def stop(self, timeout=300):
        """No message more; returns when those under way are accepted."""
        self._process.send_signal(signal.SIGTERM)
        self.wait(timeout)

    def wait(self, timeout=900):
        """Until all have been accepted."""
        status = self._process.wait(timeout)
        if status != 0:
            raise AssertionError("smtp_load: %s" % self._process.stderr.read().strip())

    def is_running(self):
        return self._process.poll() is None

    def sent(self):
        """{number: (when it was due, when it was accepted)}; all, when it has ended."""
        if self._sent is not None:
            return self._sent
        found = {}
        with open(self._path) as lines:
            for line in lines:
                if line.endswith("\n"):
                    tag, due, accepted = line.split()
                    found[int(tag.partition(".")[2])] = float(due), float(accepted)
        if not self.is_running():
            self._sent = found
        return found

    def recipients(self):
        """For how many recipients mail has been accepted."""
        counts = [sum(expected.values()) for expected in self._expected]
        return sum(counts[number % len(counts)] for number in self.sent())

    def check(self, arrived):
        """Each message came for each of its recipients once, by the instance that it must take."""
        found = collections.defaultdict(collections.Counter)
        for number, _, instance, count in arrived:
            found[number][instance] += count
        for number in self.sent():
            expected = self._expected[number % len(self._expected)]
            if found[number] != expected:
                raise AssertionError(
                    "message %s.%d came by %s, not by %s"
                    % (self.tag, number, dict(found[number]), dict(expected))
                )
        if len(found) != len(self.sent()):
            raise AssertionError("messages came that were not accepted")


def latencies(load, arrived, until=float("inf")):
    """([seconds], the shortest first, and how many are cut) from when each was due until it came.

    The last of a message counts. Of one that came after `until` (time.monotonic()) only the time
    until then does, which is less than it took.
    """
    last, found, cut = {}, [], 0
    for number, at, _, _ in arrived:
        last[number] = max(at, last.get(number, 0))
    for number, (due, _) in load.sent().items():
        cut += last[number] > until
        found.append(min(last[number], until) - due)
    return sorted(found), cut


def percentile(ordered, share):
    """The value below which this share of the sorted ones is, the nearest rank."""
    rank = max(1, -(-len(ordered) * share // 100))
    return ordered[int(rank) - 1]

