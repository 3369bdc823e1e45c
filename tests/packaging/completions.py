"""What the shells complete, made of the table of what the command line takes: for bash, zsh and fish."""

from anonp2p import options

_NAMES = [action.name for action in options.ACTIONS]
_WITH_VALUE = [option for option in options.OPTIONS if option.value]


def write_bash() -> str:
    """A function for bash's `complete`, which needs no package of helpers."""
    cases = []
    for option in _WITH_VALUE:
        if option.choices:
            reply = f'mapfile -t COMPREPLY < <(compgen -W "{" ".join(option.choices)}" -- "$word")'
        elif option.takes_file:
            reply = 'compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word")'
        else:
            reply = ":"
        cases.append(f"        {option.flag}) {reply}; return ;;")
    # Bash takes : and = for words of their own.
    replies = "\n".join(cases)
    valued = "|".join(option.flag for option in _WITH_VALUE)
    flags = " ".join(option.flag for option in options.OPTIONS)
    return f"""\
# Completion of anonp2p for bash. Made from the program's own table.
_anonp2p() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} i actions="{" ".join(_NAMES)}"
    COMPREPLY=()
    [[ $word != = ]] || word=""
    [[ $before != = ]] || before=${{COMP_WORDS[COMP_CWORD-2]}}
    case $before in
{replies}
    esac
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${{COMP_WORDS[i]}} in
            {valued}) [[ ${{COMP_WORDS[i+1]}} != = ]] || ((i++)); ((i++)) ;;
            :) ((i++)) ;;
            -*) ;;
            *) actions="" ;;
        esac
    done
    if [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "{flags}" -- "$word")
    else
        mapfile -t COMPREPLY < <(compgen -W "$actions" -- "$word")
    fi
}}
complete -F _anonp2p anonp2p
"""


def write_zsh() -> str:
    """A function for zsh's `_arguments`."""
    rows = []
    for option in options.OPTIONS:
        once = "*" if option.repeats else f"({' '.join([option.flag, *(f'--{name}' for name in option.excludes)])})"
        value = f":{_zsh(option.value)}:{_zsh_values(option)}" if option.value else ""
        rows.append(_quoted(f"{once}{option.flag}[{_zsh(option.meaning)}]{value}"))
    specifications = " \\\n        ".join(rows)
    actions = " ".join(_quoted(f"{_zsh(action.name)}:{_zsh(action.meaning)}") for action in options.ACTIONS)
    return f"""\
#compdef anonp2p
# Completion of anonp2p for zsh. Made from the program's own table.
_anonp2p() {{
    local context state state_descr line
    typeset -A opt_args
    local -a actions=({actions})
    _arguments -S \\
        {specifications} \\
        "1: :->action" \\
        "2:name or code: " && return
    [[ $state == action ]] && _describe action actions
}}
_anonp2p "$@"
"""


def _zsh_values(option: options.Option) -> str:
    return f"({' '.join(option.choices)})" if option.choices else "_files" if option.takes_file else " "


def _zsh(text: str) -> str:
    """A text in a specification of `_arguments`, where colons and brackets mean something."""
    return text.replace("\\", "\\\\").replace(":", "\\:").replace("[", "\\[").replace("]", "\\]")


def write_fish() -> str:
    """Calls of fish's `complete`."""
    untaken = f"not __fish_seen_subcommand_from {' '.join(_NAMES)}"
    rows = ["# Completion of anonp2p for fish. Made from the program's own table.", "complete -c anonp2p -f"]
    first = f"complete -c anonp2p -n {_quoted(untaken)} -a"
    rows += [f"{first} {action.name} -d {_quoted(action.meaning)}" for action in options.ACTIONS]
    for option in options.OPTIONS:
        taken = "-r -F" if option.takes_file else f"-x -a {_quoted(' '.join(option.choices))}" if option.value else ""
        rows.append(f"complete -c anonp2p -l {option.name} {taken} -d {_quoted(option.meaning)}".replace("  ", " "))
    return "\n".join(rows) + "\n"


def _quoted(text: str) -> str:
    """A word of zsh or fish that stands for this text."""
    return "'" + text.replace("'", "'\\''") + "'"
