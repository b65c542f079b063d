#!/bin/sh
# Run a program in a mount namespace whose /etc, /var and /usr/local are private ones below SCRATCH,
# with a plain Postfix in /etc/postfix, as on a machine that was just set up.
# Usage: unshare -m private_machine.sh SCRATCH PROGRAM [ARGUMENT...]
set -eu
scratch=$1
shift

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
case $(postconf -dh mail_version) in
3.[0-5].*) level=2 ;;
*) level=3.6 ;;
esac
cp /etc/postfix/main.cf.proto /etc/postfix/main.cf
cp /etc/postfix/master.cf.proto /etc/postfix/master.cf
postconf -e command_directory=/usr/sbin "daemon_directory=$(postconf -dh daemon_directory)" \
    data_directory=/var/lib/postfix mail_owner=postfix setgid_group=postdrop \
    "meta_directory=$(postconf -dh meta_directory)" compatibility_level=$level \
    sendmail_path=/usr/sbin/sendmail newaliases_path=/usr/bin/newaliases \
    mailq_path=/usr/bin/mailq html_directory=no manpage_directory=/usr/share/man \
    sample_directory=/etc/postfix readme_directory=no inet_protocols=ipv4 \
    myhostname=mail.gateway.example mynetworks=127.0.0.0/8 smtp_dns_support_level=disabled \
    disable_dns_lookups=yes smtpd_peername_lookup=no maillog_file=/var/log/mail.log
postconf -Me 'postlog/unix-dgram=postlog unix-dgram n - n - 1 postlogd'

exec "$@"
