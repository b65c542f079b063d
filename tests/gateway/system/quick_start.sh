#!/bin/sh
# The quick start of README.md on the system's own paths, run by private_machine.sh.
# Usage: quick_start.sh REPOSITORY FRONTEND_PORT TCPMAP_PORT INSTANCE_PORT_BASE RELAY_PORT
# Says "ready" when mail can be sent. When its standard input ends, it waits half a minute at most
# for the queues to be empty, shows them, and stops all.
set -eu
repository=$1 frontend=$2 tcpmap=$3 base=$4 relay=$5

make -s -C "$repository" install PREFIX=/usr/local
useradd --system --home-dir /nonexistent --shell /usr/sbin/nologin peg
groupadd --system peg-monitor
sed -i "s/^FRONTEND_LISTEN=.*/FRONTEND_LISTEN=\"127.0.0.1:$frontend\"/
        s/^TCPMAP_LISTEN=.*/TCPMAP_LISTEN=\"127.0.0.1:$tcpmap\"/
        s/^INSTANCE_PORT_BASE=.*/INSTANCE_PORT_BASE=$base/
        s/^RELAY_HOST=.*/RELAY_HOST=\"[127.0.0.1]:$relay\"/" /etc/priority-email-gateway.conf
postconf -MX smtp/inet

PATH=/usr/local/sbin:$PATH
peg-gen check
peg-gen diff >/dev/null
peg-gen apply >/dev/null
peg-gen apply | grep -q 'nothing to change'
postmulti -l
trap 'peg-ctl stop' EXIT
peg-ctl start
peg-ctl status
peg-gen doctor
echo ready
cat >/dev/null
# The relay has a message a moment before Postfix takes it out of its queue.
for _ in $(seq 300); do
    queues=$(peg-showqueues)
    case $queues in
    *"= "[1-9]*) sleep 0.1 ;;
    *) break ;;
    esac
done
printf '%s\n' "$queues"
