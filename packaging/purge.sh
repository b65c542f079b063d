# shellcheck shell=sh
# What takes away the last traces of a gateway, and what that shares with `package`, which reads this
# file. It is part of Debian's postrm as well, which runs when no file of the package is left: so it
# needs none.

say() {
    printf 'priority-email-gateway: %s\n' "$*" >&2
}

# Which configuration folders peg-gen makes. That of the urgent frontend is the first, since its user is
# in the group of the other's.
folder_patterns='/etc/postfix-urgent /etc/postfix-frontend /etc/postfix[0-9] /etc/postfix[0-9][0-9]'

# Those that it has made, one on a line.
gateway_folders() {
    for folder in $folder_patterns; do
        ! grep -Eqs '^multi_instance_group *= *priority *$' "$folder/main.cf" || echo "$folder"
    done
}

# The process id of a part that runs: its pid file, and the name of its program.
running_pid() {
    pid=$(tr -cd 0-9 2>/dev/null <"$1") || return 1
    [ -n "$pid" ] && program=$(readlink "/proc/$pid/exe") || return 1
    program=${program% (deleted)}
    [ "${program##*/}" = "$2" ] && echo "$pid"
}

# The messages in a queue folder, damaged ones included.
count_mail() (
    cd "$1" 2>/dev/null || exit 0
    find maildrop incoming active deferred hold corrupt saved -type f 2>/dev/null | wc -l
)

is_registered() {
    directories=$(postconf -h multi_instance_directories 2>/dev/null) || return 1
    case " $(echo "$directories" | tr ',\t' '  ') " in
    *" $1 "*) ;;
    *) return 1 ;;
    esac
}

# Take away a user that is the gateway's, as its comment says, and the group of its name.
purge_user() {
    case $(getent passwd "$1") in
    *'riority email gateway:'*) userdel "$1" || say "the user $1 stays: userdel $1 takes it away" ;;
    esac
}

purge_group() {
    ! getent group "$1" >/dev/null || groupdel "$1" ||
        say "the group $1 stays: groupdel $1 takes it away"
}

# A Postfix without mail. False where it stays.
purge_postfix() {
    name=${1##*/}
    queue=/var/spool/$name
    if is_registered "$1"; then
        say "$1 stays, since it is registered still: postmulti -i $1 -e deport, then rm -r $1 $queue /var/lib/$name"
        return 1
    fi
    if running_pid "$queue/pid/master.pid" master >/dev/null; then
        say "$1 stays, since it runs: postfix -c $1 stop, then rm -r $1 $queue /var/lib/$name"
        return 1
    fi
    count=$(count_mail "$queue")
    if [ "${count:-0}" -gt 0 ] && [ "${PEG_PURGE_MAIL:-}" != yes ]; then
        case $name in
        postfix[0-9]*) way="postfix -c $1 start" ;;
        *) way="installing the package again, with /etc/priority-email-gateway.conf as it was," ;;
        esac
        say "$queue stays, since mail ($count) waits in it, with $1 and the user $name: $way delivers it, rm -r $1 $queue /var/lib/$name deletes it"
        return 1
    fi
    if ! rm -rf --one-file-system "$queue" "/var/lib/$name" "$1"; then
        say "$1, $queue and /var/lib/$name cannot be removed; rm -r removes them"
        return 1
    fi
    purge_user "$name"
    purge_group "$name"
}

# The decisions stay as long as mail needs them.
purge_daemons() {
    case " $1 " in
    *' /etc/postfix-urgent '* | *' /etc/postfix-frontend '*)
        say "/var/lib/priority-email-gateway stays: it has the decisions for that mail"
        return
        ;;
    esac
    rm -rf /var/lib/priority-email-gateway /run/priority-email-gateway /run/peg-gen.lock \
        /run/peg-probe || say "/var/lib/priority-email-gateway cannot be removed; rm -r removes it"
    purge_user peg
    purge_group peg-monitor
}

purge_snmp() {
    case $(readlink /etc/snmp/snmpd.local.conf) in
    snmpd.priority-email-gateway.conf | /etc/snmp/snmpd.priority-email-gateway.conf)
        rm -f /etc/snmp/snmpd.local.conf
        ;;
    esac
    rm -f /etc/snmp/snmpd.priority-email-gateway.conf
}

purge_all() {
    left=
    for folder in $(gateway_folders); do
        purge_postfix "$folder" || left="$left $folder"
    done
    purge_daemons "$left"
    if [ -z "$left" ]; then
        rm -rf /var/lib/priority-email-gateway-bounce ||
            say "/var/lib/priority-email-gateway-bounce cannot be removed; rm -r removes it"
        purge_user bouncecommand
    fi
    purge_snmp || say "/etc/snmp/snmpd.priority-email-gateway.conf stays; rm removes it"
    rm -f /etc/priority-email-gateway.nft || say "/etc/priority-email-gateway.nft stays; rm removes it"
    if [ -s /var/lib/priority-email-gateway-package/services ]; then
        say "/var/lib/priority-email-gateway-package stays: it has what was taken from /etc/postfix/master.cf"
    elif ! rm -rf /var/lib/priority-email-gateway-package; then
        say "/var/lib/priority-email-gateway-package stays; rm -r removes it"
    fi
}
