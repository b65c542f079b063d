# shellcheck shell=sh disable=SC2154
# What `package` takes from the Postfix in $template, which it notes in $state, and gives back.

# Postfix's commands wait for seconds where the main.cf that they read was changed just now.
cool_down() { # folder
    touch -d '-3 seconds' "$1/main.cf"
}

# With -c the other instances have no say, of which one may be damaged.
template_runs() {
    postfix -c "$template" status >/dev/null 2>&1
}

reload_template() {
    ! template_runs || postfix -c "$template" reload >/dev/null 2>&1 ||
        say "the Postfix in $template does not reload: postfix reload says why"
}

# Note which parameters of postmulti's the operator has set.
note_parameters() {
    [ -e "$state/parameters" ] ||
        sed -n 's/^\(multi_instance_[a-z]*\)[[:space:]]*=.*/\1/p' "$template/main.cf" \
            >"$state/parameters"
}

# A service of the template that listens where a frontend is to listen: peg-gen names it, one at a
# time, in what it tells the operator to do.
service_in_the_way() {
    peg-gen check 2>&1 | sed -n 's/.*(postconf -MX \([^;) ]*\).*/\1/p' | head -n 1
}

# Only what the frontend replaces as it stands: no address of its own, no options, no postscreen(8).
can_take() {
    case $1$(postconf -M "$1") in
    *:*) ;;
    *" smtpd") return 0 ;;
    esac
    say "the Postfix in $template listens so: $(postconf -M "$1")"
    say "a frontend would not have that: say where it is to listen (FRONTEND_LISTEN), take this one away: postconf -MX $1, and give /etc/postfix-frontend what it needs of it"
    return 1
}

# With copies of master.cf as it was before and after, as long as there was one change only.
take_services() {
    taken=
    while service=$(service_in_the_way) && [ -n "$service" ]; do
        [ "$service" != "$taken" ] && can_take "$service" || return 1
        if [ -z "$taken" ] && [ -s "$state/services" ]; then
            rm -f "$state/master.cf.before" "$state/master.cf.after"
        elif [ -z "$taken" ]; then
            cp -p "$template/master.cf" "$state/master.cf.before" || return 1
        fi
        taken=$service
        postconf -M "$service" >>"$state/services" && postconf -MX "$service" || return 1
        say "the Postfix in $template listens at $service no more: the frontend does; local programs hand it mail as before"
    done
    [ -z "$taken" ] || [ ! -e "$state/master.cf.before" ] ||
        cp -p "$template/master.cf" "$state/master.cf.after"
}

# Returns when the ports are free, which is a moment after the reload.
free_ports() {
    take_services || return 1
    [ -n "$taken" ] && template_runs || return 0
    reload_template
    tries=0
    while peg-gen check 2>&1 | grep -q 'another program listens on port' && [ "$tries" -lt 20 ]; do
        tries=$((tries + 1))
        sleep 1
    done
}

# The same bytes, where nobody has changed the file since; else the services only.
give_services_back() {
    [ -s "$state/services" ] || return 0
    if cmp -s "$template/master.cf" "$state/master.cf.after"; then
        cp -p "$state/master.cf.before" "$template/master.cf.before" &&
            mv "$template/master.cf.before" "$template/master.cf" || return 1
    else
        while read -r name type rest; do
            [ -n "$(postconf -M "$name/$type" 2>/dev/null)" ] ||
                postconf -Me "$name/$type=$name $type $rest" </dev/null || return 1
        done <"$state/services"
    fi
    while read -r name type rest; do
        say "the Postfix in $template listens at $name/$type again"
    done <"$state/services"
    rm -f "$state/services" "$state/master.cf.before" "$state/master.cf.after"
}

# Not while instances are registered.
give_parameters_back() {
    [ -e "$state/parameters" ] && [ -z "$(postconf -h multi_instance_directories)" ] || return 0
    for name in multi_instance_directories multi_instance_enable multi_instance_wrapper; do
        grep -qx "$name" "$state/parameters" || postconf -X "$name" || return 1
        cool_down "$template" || return 1
    done
    rm -f "$state/parameters"
}

# What is in the package may be gone when the operator reads it.
tell_taken() {
    [ ! -s "$state/services" ] || while read -r name type rest; do
        say "the Postfix in $template does not have back what the gateway took: postconf -Me '$name/$type=$name $type $rest', then: postfix -c $template reload"
    done <"$state/services"
}

give_back() {
    [ -d "$state" ] && command -v postconf >/dev/null && [ -e "$template/main.cf" ] || return 0
    if give_services_back; then
        give_parameters_back || say "the list of instances stays in $template/main.cf: postconf -n | grep multi_instance"
        reload_template
    else
        tell_taken
    fi
}
