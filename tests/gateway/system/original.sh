#!/bin/sh
# A stand-in for the Priority email gateway of 2008, as it is found on a machine: its files, its
# commands, and a Postfix for each of its folders. It takes mail at port 25 and routes all of it by
# its default priority: what it did with headers is not what counts here.
# Usage: original.sh REPOSITORY RELAY
set -eu
repository=$1 relay=$2

postconf -MX smtp/inet
postfix stop
postfix start
mkdir -p /etc/qpsmtpd /etc/init.d
cp "$repository/tests/unit/import/original.in" /etc/qpsmtpd/addPrivatePriorityDomain.conf
cat >/etc/priority-email-gateway.conf <<END
PRIORITY_COUNT=5
DEFAULT_PRIORITY=2
RELAY_HOST="$relay"
MONITORING_DIR=/tmp/priority-email-gateway-monitoring
NICE_LEVEL_QPSMTPD=0
LIMIT_CONNECTIONS_QPSMTPD=100
QUEUE_RUN_DELAY_FRONTEND=300s
MAXIMAL_QUEUE_LIFETIME_FRONTEND=1d
QUEUE_RUN_DELAY[4]=30s
MAXIMAL_QUEUE_LIFETIME[4]=10m
NICE_LEVEL[4]=-2
END
for name in postfix-frontend postfix0 postfix1 postfix2 postfix3 postfix4; do
    cp -a /etc/postfix "/etc/$name"
    mkdir "/var/spool/$name" "/var/lib/$name"
    chown postfix "/var/lib/$name"
    postconf -c "/etc/$name" -e "queue_directory=/var/spool/$name" "data_directory=/var/lib/$name" \
        "syslog_name=$name" "mail_name=$name" "relayhost=$relay" 'mynetworks=127.0.0.0/8 192.0.2.0/24'
done
for n in 0 1 2 3 4; do
    postconf -c "/etc/postfix$n" -Me "$((20000 + n))/inet=127.0.0.1:$((20000 + n)) inet n - n - - smtpd"
done
postconf -c /etc/postfix-frontend -Me 'smtp/inet=smtp inet n - n - - smtpd'
# Where Qpsmtpd handed mail back.
postconf -c /etc/postfix-frontend -Me '127.0.0.1:10025/inet=127.0.0.1:10025 inet n - n - - smtpd'
postconf -c /etc/postfix-frontend -e 'relayhost=[127.0.0.1]:20002' 'mydestination=' \
    'content_filter='

cat >/etc/init.d/postfix-priority <<'END'
#!/bin/sh
for name in postfix0 postfix1 postfix2 postfix3 postfix4 postfix-frontend; do
    postfix -c "/etc/$name" "$1" || exit 1
done
END
printf '#!/bin/sh\n' >/etc/init.d/qpsmtpd-priority
chmod 755 /etc/init.d/postfix-priority /etc/init.d/qpsmtpd-priority
/etc/init.d/postfix-priority start
