import type { Shell } from './shells.ts';

/*
 * Each script asks `rollcall __complete -- WORD…` for the candidates of the last word: one per line, with a description after a tab. No
 * candidate means that a file name may follow. The candidates are already filtered, because the name of an account completes to its id.
 */

const BASH = `# bash completion for rollcall
_rollcall() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    COMPREPLY+=("\${line%%$'\\t'*}")
  done < <(rollcall __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _rollcall rollcall`;

const ZSH = `#compdef rollcall
_rollcall() {
  local line
  local -a values descriptions
  while IFS= read -r line; do
    values+=("\${line%%$'\\t'*}")
    descriptions+=("\${line/$'\\t'/  }")
  done < <(rollcall __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( \${#values} )); then
    compadd -U -l -d descriptions -a values
  else
    _files
  fi
}
if [ "$funcstack[1]" = "_rollcall" ]; then
  _rollcall
else
  compdef _rollcall rollcall
fi`;

const FISH = `# fish completion for rollcall
function __rollcall_complete
  set -l words (commandline -opc) (commandline -ct)
  set -l found (rollcall __complete -- $words[2..-1] 2>/dev/null)
  if test (count $found) -gt 0
    printf '%s\\n' $found
  else
    __fish_complete_path (commandline -ct)
  end
end
complete -c rollcall -f -a '(__rollcall_complete)'`;

export const SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH };
