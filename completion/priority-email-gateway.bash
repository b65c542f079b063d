# shellcheck shell=bash
# Completion of the priority email gateway's commands for bash. The package bash-completion loads it,
# by the name of the command; nothing else of that package is used.

# Print the names of this host's Postfixes, as peg-ctl takes them: those that the configuration below
# the folder $1 wants.
_peg_postfixes() {
    local line value urgent='' count=5 n
    local -A elsewhere=()
    local assignment='^[[:blank:]]*([A-Z_]+)(\[([0-9]+)\])?=["'\'']?([^"'\''#[:space:]]*)'

    while IFS= read -r line; do
        [[ $line =~ $assignment ]] || continue
        value=${BASH_REMATCH[4]}
        case ${BASH_REMATCH[1]} in
        PRIORITY_COUNT) [[ ! $value =~ ^[1-9][0-9]?$ ]] || count=$value ;;
        URGENT_LISTEN) urgent=$value ;;
        INSTANCE_NEXTHOP) elsewhere[${BASH_REMATCH[3]:-none}]=$value ;;
        esac
    done < <(cat "$1/etc/priority-email-gateway.conf" 2>/dev/null)
    printf '%s\n' frontend ${urgent:+urgent}
    for ((n = 0; n < count; n++)); do
        [[ -n ${elsewhere[$n]-} ]] || printf '%d\n' "$n"
    done
}

# Offer those of the words $2 that begin with $1.
_peg_offer() {
    mapfile -t COMPREPLY < <(compgen -W "$2" -- "$1")
    [[ ${COMPREPLY-} != *= ]] || compopt -o nospace
}

# Offer what may follow the option $1, of which $2 is there. False where the option takes nothing.
_peg_offer_argument() {
    case $1 in
    --root)
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -d -- "$2")
        ;;
    --instance) _peg_offer "$2" "$(_peg_postfixes "$root")" ;;
    --drain | --watch | --destinations | --warning* | --critical*) ;;
    --client | --auth | --queue-id) ;;
    -f) [[ $program == peg-explain ]] ;;
    *) false ;;
    esac
}

# Set options and words to what $program takes, after $command if there is one.
_peg_take() {
    options='--root --help --version'
    case $program,$command in
    peg-gen, | update-priority-email-gateway,)
        options+=' --no-restart --drain'
        words='check diff apply doctor import-rules'
        ;;
    peg-gen,apply | update-priority-email-gateway,apply) options+=' --no-restart --drain' ;;
    peg-ctl,*)
        options+=' --direct'
        words='start stop restart reload status'
        [[ -z $command ]] || words="milter tcpmap monitor $(_peg_postfixes "$root")"
        ;;
    peg-showqueues,* | priority-email-gateway-showQueues,*)
        options+=' --age --json --destinations --check --warning= --critical= --warning-age='
        options+=' --critical-age= --watch --instance='
        ;;
    peg-explain,*) options+=' -f --client --auth --queue-id' ;;
    peg-decisions,)
        options+=' --force --log'
        words='status tidy'
        ;;
    peg-decisions,tidy) options+=' --force --log' ;;
    peg-bounce,) words=$(_peg_postfixes "$root" | sed 's/^[0-9]/postfix&/; s/^[fu]/postfix-&/') ;;
    peg-milter,* | peg-tcpmap,* | peg-monitor,*) options+=' -f' ;;
    esac
}

_peg_command() {
    local program=${1##*/} word=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]}
    local root='' command='' options words='' i
    COMPREPLY=()

    # To bash a `=` is a word of its own, and what follows it the next.
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        --root)
            [[ ${COMP_WORDS[i + 1]} != = ]] || ((i++))
            root=${COMP_WORDS[++i]/#\~/$HOME}
            ;;
        =) ((i++)) ;;
        -*) ;;
        *) command=${command:-${COMP_WORDS[i]}} ;;
        esac
    done
    if [[ $word == = ]]; then
        word=''
    elif [[ $option == = ]]; then
        option=${COMP_WORDS[COMP_CWORD - 2]}
    elif [[ $option == --@(drain|watch|destinations) ]]; then
        option='' # what it takes can follow a `=` alone
    fi
    ! _peg_offer_argument "$option" "$word" || return 0

    if [[ $command == import-rules && $word != -* ]]; then
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        return
    fi
    _peg_take
    [[ $word == -* ]] && words=$options
    _peg_offer "$word" "$words"
}

complete -F _peg_command peg-bounce peg-ctl peg-decisions peg-explain peg-gen peg-milter peg-monitor \
    peg-showqueues peg-tcpmap priority-email-gateway-showQueues update-priority-email-gateway
