#!/bin/sh
# The quick start of README.md on the system's own paths, in a mount namespace whose /etc, /var and
# /usr/local are private ones. Usage: quick_start.sh SCRATCH REPOSITORY FRONTEND_PORT TCPMAP_PORT
# INSTANCE_PORT_BASE RELAY_PORT. Says "ready" when mail can be sent, and stops all when its standard
# input ends.
set -eu
scratch=$1 repository=$2 frontend=$3 tcpmap=$4 base=$5 relay=$6

mount --make-rprivate /
mkdir -p "$scratch/etc" "$scratch/empty/local" "$scratch/empty/log" "$scratch/empty/run" \
    "$scratch/empty/spool" "$scratch/empty/lib/postfix"
cp -a /etc/. "$scratch/etc"
chown postfix "$scratch/empty/lib/postfix"
chmod 711 "$scratch" # users other than root have to get through
mount --bind "$scratch/etc" /etc
for folder in /usr/local /var/log /run /var/spool /var/lib; do
    mount --bind "$scratch/empty/${folder##*/}" "$folder"
done

# A template of its own: not what the machine happens to have.
cp /etc/postfix/main.cf.proto /etc/postfix/main.cf
cp /etc/postfix/master.cf.proto /etc/postfix/master.cf
postconf -e command_directory=/usr/sbin "daemon_directory=$(postconf -dh daemon_directory)" \
    data_directory=/var/lib/postfix mail_owner=postfix setgid_group=postdrop \
    "meta_directory=$(postconf -dh meta_directory)" compatibility_level=3.6 \
    sendmail_path=/usr/sbin/sendmail newaliases_path=/usr/bin/newaliases \
    mailq_path=/usr/bin/mailq html_directory=no manpage_directory=/usr/share/man \
    sample_directory=/etc/postfix readme_directory=no inet_protocols=ipv4 \
    myhostname=mail.gateway.example mynetworks=127.0.0.0/8 smtp_dns_support_level=disabled \
    disable_dns_lookups=yes smtpd_peername_lookup=no maillog_file=/var/log/mail.log
postconf -Me 'postlog/unix-dgram=postlog unix-dgram n - n - 1 postlogd'

make -s -C "$repository" install PREFIX=/usr/local
useradd --system --home-dir /nonexistent --shell /usr/sbin/nologin peg
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
echo ready
cat >/dev/null
peg-showqueues
