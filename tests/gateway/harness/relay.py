"""The SMTP server that stands behind the instances (RELAY_HOST) and keeps everything it is given.

It runs in a thread of this process. It records one Delivery for each (message, recipient), and can
be told to refuse recipients or messages, to answer late, to hold its answers, or to go away.

It never drops a message that it has recorded: whoever stops it while a message is on its way gets
the answer first, since a client that hears nothing would deliver the same message again.
"""

import asyncio
import collections
import contextlib
import re
import threading

from .delivery import Delivery
from .namespaces import network_of
from .relay_session import NoticingReader, RelaySession

FINISH_TIMEOUT_S = 10


class _Fault:
    def __init__(self, stage, pattern, reply, times):
        self.stage = stage
        self.pattern = re.compile(pattern)
        self.reply = reply
        self.times = times


class Relay:
    """An SMTP sink on 127.0.0.1:port; all methods may be called from any thread."""

    def __init__(self, port=0, on_transaction=None, hosts=("127.0.0.1",), network=None):
        """`on_transaction(transaction)` is called in the relay's thread for each message.

        hosts       the addresses to listen on
        network     a process in whose network they are; by default they are in that of the tests
        """
        self.port = port
        self._hosts = hosts
        self._network = network_of(network) if network else contextlib.nullcontext()
        self.announced = "PIPELINING", "8BITMIME", "SMTPUTF8", "DSN", "SIZE", "ENHANCEDSTATUSCODES"
        self._on_transaction = on_transaction
        self._changed = threading.Condition()
        self._deliveries = []
        self._by_tag = collections.defaultdict(list)
        self._faults = []
        self._delay_s = 0
        self._sessions = set()
        self._server = None
        self._loop = asyncio.new_event_loop()
        self._thread = None
        self._answers_flow = None

    # Starting, stopping, going away

    def start(self):
        """Listen; returns the relay, so that it can be made and started in one line."""
        self._thread = threading.Thread(target=self._run_loop, name="relay", daemon=True)
        self._thread.start()
        self._call(self._open())
        return self

    def stop(self):
        """Finish what is in flight, then close everything. A second call does nothing."""
        if self._thread is None:
            return
        self.release()
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._thread = None

    def go_away(self):
        """Refuse connections from now on; messages in flight are finished."""
        self._call(self._close())

    def come_back(self):
        """Listen again on the same port."""
        self._call(self._open())

    @contextlib.contextmanager
    def away(self):
        """`with relay.away():` nobody is there to take the mail."""
        self.go_away()
        try:
            yield
        finally:
            self.come_back()

    # What it does wrong on request

    def refuse_recipient(self, pattern, reply="550 5.1.1 no such user", times=None):
        """Answer `reply` to recipients that the regular expression matches, `times` times."""
        self._add_fault("rcpt", pattern, reply, times)

    def refuse_message(self, reply="451 4.3.0 try again later", pattern="", times=None):
        """Answer `reply` to the content of messages whose tag the regular expression matches."""
        self._add_fault("content", pattern, reply, times)

    def answer_after(self, seconds):
        """Accept each message only after so many seconds: a slow destination."""
        self._delay_s = seconds

    def hold(self):
        """Leave every message unanswered, and unrecorded, until release()."""
        self._loop.call_soon_threadsafe(self._answers_flow.clear)

    def release(self):
        """Answer what hold() kept waiting."""
        self._loop.call_soon_threadsafe(self._answers_flow.set)

    @contextlib.contextmanager
    def holding(self):
        """`with relay.holding():` mail stays in the instances' active queues."""
        self.hold()
        try:
            yield
        finally:
            self.release()

    def behave(self):
        """Refuse, delay and hold nothing any more."""
        with self._changed:
            self._faults = []
        self._delay_s = 0
        self.release()

    # What arrived

    @property
    def deliveries(self):
        """All deliveries since clear(), in order of arrival."""
        with self._changed:
            return list(self._deliveries)

    def deliveries_for(self, tag):
        """The deliveries of the message with this tag."""
        with self._changed:
            return list(self._by_tag.get(tag, ()))

    def notices_about(self, tag):
        """The deliveries of bounces and other notices about the message with this tag."""
        notices = [d for d in self.deliveries if d.sender == "" and d.tag != tag]
        return [notice for notice in notices if tag.encode() in notice.content]

    def clear(self):
        """Forget every delivery so far."""
        with self._changed:
            del self._deliveries[:]
            self._by_tag.clear()

    def wait_for(self, wanted, timeout=30, tag=None):
        """Wait for a number of deliveries, or until `wanted(deliveries)` is true, and return them.

        With a tag only the deliveries of that message count. Raises TimeoutError.
        """
        enough = wanted if callable(wanted) else (lambda found: len(found) >= wanted)
        with self._changed:
            found = self._by_tag[tag] if tag is not None else self._deliveries
            if not self._changed.wait_for(lambda: enough(found), timeout):
                raise TimeoutError(
                    "the relay waited %s s and has %d deliveries%s: %s"
                    % (timeout, len(found), " of " + tag if tag else "", found[:20])
                )
            return list(found)

    # For its sessions, in the loop's thread

    def fault(self, stage, subject):
        """The reply that a test asked for at this stage, or None."""
        with self._changed:
            for fault in self._faults:
                if fault.stage == stage and fault.times != 0 and fault.pattern.search(subject):
                    if fault.times is not None:
                        fault.times -= 1
                    return fault.reply
        return None

    async def wait_for_leave(self):
        """Return when a message may be answered."""
        if self._delay_s:
            await asyncio.sleep(self._delay_s)
        await self._answers_flow.wait()

    def record(self, transaction):
        """Keep the message, once for each recipient, and wake who waits for it."""
        if self._on_transaction:
            self._on_transaction(transaction)
        found = [Delivery(transaction, *recipient) for recipient in transaction.recipients]
        with self._changed:
            self._deliveries.extend(found)
            self._by_tag[transaction.tag].extend(found)
            self._changed.notify_all()

    @property
    def is_open(self):
        return self._server is not None

    # Inside

    def _add_fault(self, stage, pattern, reply, times):
        with self._changed:
            self._faults.append(_Fault(stage, pattern, reply, times))

    def _run_loop(self):
        asyncio.set_event_loop(self._loop)
        self._answers_flow = asyncio.Event()
        self._answers_flow.set()
        with self._network:
            self._loop.run_forever()

    def _call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(FINISH_TIMEOUT_S + 20)

    async def _open(self):
        if self._server is None:
            self._server = await self._loop.create_server(
                self._protocol, self._hosts, self.port, backlog=512
            )
            self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self):
        if self._server is None:
            return
        self._server.close()
        self._server = None
        for session in self._sessions:
            session.leave_if_idle()
        if self._sessions:
            tasks = {session.task for session in self._sessions}
            _, late = await asyncio.wait(tasks, timeout=FINISH_TIMEOUT_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _protocol(self):
        return asyncio.StreamReaderProtocol(NoticingReader(), self._serve)

    async def _serve(self, reader, writer):
        session = RelaySession(self, reader, writer, asyncio.current_task())
        self._sessions.add(session)
        try:
            await session.run()
        finally:
            self._sessions.discard(session)
