"""An interactive bash or zsh on a terminal, and what its completion offers."""

import os

from .screen import Screen

# The completion under test, and a note of what it has found: the words, or nothing, in $ANSWER.
BASH = r"""
PS1='ready> '
bind 'set bell-style none'
. "$COMPLETION/priority-email-gateway.bash"
_noted() {
    _peg_command "$@"
    printf '%s\n' "${COMPREPLY[@]}" >"$ANSWER.new"
    mv "$ANSWER.new" "$ANSWER"
}
for name in $(complete | sed -n 's/^complete -F _peg_command //p'); do
    complete -F _noted "$name"
done
"""
ZSH = r"""
PS1='ready> '
fpath=($COMPLETION $fpath)
autoload -Uz compinit
compinit -u -D
typeset -a found
compadd() {
    local -a matches
    if [[ " ${@[1,(i)(-|--)]}" != *\ -(O|A|D)\ * ]]; then
        builtin compadd -A matches "$@"
        found+=($matches)
    fi
    builtin compadd "$@"
}
noted() {
    found=()
    _main_complete
    print -rl -- $found >$ANSWER.new
    command mv $ANSWER.new $ANSWER
}
zle -C noted complete-word noted
bindkey '^I' noted
"""
KILL_LINE = b"\x15"


class CompletingShell:
    """`with CompletingShell("zsh", completion, folder) as shell:` and then shell.offers(line).

    completion   the folder with the files for completion that are asked
    folder       an empty folder of the shell's own
    """

    def __init__(self, name, completion, folder):
        self._answer = os.path.join(folder, "answer")
        with open(os.path.join(folder, "bashrc" if name == "bash" else ".zshrc"), "w") as file:
            file.write(BASH if name == "bash" else ZSH)
        words = {
            "bash": ["bash", "--noprofile", "--rcfile", os.path.join(folder, "bashrc"), "-i"],
            "zsh": ["zsh", "--no-globalrcs", "-i"],
        }
        self._screen = Screen(
            words[name], COMPLETION=completion, ANSWER=self._answer, ZDOTDIR=folder, HOME=folder
        )

    def __enter__(self):
        self._screen.__enter__()
        self._screen.wait_for(lambda lines: any(line.startswith("ready>") for line in lines))
        return self

    def __exit__(self, *exception):
        self._screen.__exit__(*exception)

    def offers(self, line):
        """The words that a Tab at the end of this line finds, without a `=` at their ends."""
        if os.path.exists(self._answer):
            os.unlink(self._answer)
        self._screen.press(KILL_LINE + line.encode() + b"\t")
        self._screen.wait_for(lambda _: os.path.exists(self._answer))
        with open(self._answer, encoding="utf-8") as file:
            return {word.rstrip("=") for word in file.read().splitlines()} - {""}
