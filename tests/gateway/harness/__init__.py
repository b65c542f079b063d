"""The harness of the gateway tests: a private gateway, its senders, its relay, and a milter client.

gateway.py        a whole gateway that runs: start, send, look, stop
installation.py   its files, programs and queues under one folder
decision.py       what peg-milter logged about a message
relay.py          the SMTP server behind the instances that keeps what arrives (relay_session.py)
mail.py           composing and sending messages, each with a tag of its own
ways.py           making a message go plain, by the filter, or respelled
plan.py           messages that name their priorities in headers, and random ones of that kind
outcome.py        what became of one of them
busy_senders.py   sending them all the time (load.py: and judging them all)
backlog.py        having them wait in the frontend
waiting.py        messages of every kind that wait, and rivals for their routing keys
changes.py        changes of main.cf and master.cf, and what peg-gen check says of them
queues.py         messages on hold, and halted queue managers
keeper.py         peg-decisions, and peg-explain --queue-id
timeshift.py      letting hours pass
wallclock.py      setting the wall clock
torture.py        short and long tests, and their dice
smtp_client.py    the few lines of SMTP that mail.py needs, raw enough for any spelling
delivery.py       what arrived, and by which instance
judge.py          is it what was sent: lost, doubled, strange
logfile.py        reading mail.log from a mark
template.py       the Postfix configuration that peg-gen makes the instances from
quick_start.py    having Postfix start without a check of all its files
ports.py          blocks of ports that no other test run uses
sockets.py        connecting to unix sockets with long names
tree.py           what stands in a folder, to tell whether it was changed
machine.py        machines with networks, and /etc and /var, of their own, and cables between them
namespaces.py     doing something in the network of another process
capture.py        the packets that arrive at a machine
processes.py      waiting for, ending and finding processes of one gateway
milter_client.py  plays Postfix towards a milter (milter_protocol.py)
"""
