import { type Command, UsageError } from '../command.ts';

/** The name that is completed is asked itself, so that a copy on another path answers for itself. */
const scripts: Readonly<Record<string, string>> = {
  bash: String.raw`_nexa() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    COMPREPLY+=("${'$'}{line%%${'$'}'\t'*}")
  done < <("$1" complete -- "${'$'}{COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _nexa nexa`,
  zsh: String.raw`#compdef nexa
_nexa() {
  local line
  local -a found
  while IFS= read -r line; do
    found+=("${'$'}{line%%${'$'}'\t'*}:${'$'}{line#*${'$'}'\t'}")
  done < <("${'$'}{words[1]}" complete -- "${'$'}{(@)words[2,CURRENT]}" 2>/dev/null)
  if (( ${'$'}#found )); then _describe nexa found; else _files; fi
}
compdef _nexa nexa`,
  fish: `complete -c nexa -a '(nexa complete -- (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'`,
};

export const command: Command = {
  summary: 'Prints a script that completes commands, options, and the names of agents, nodes and types.',
  unconfigured: true,
  args: [{ name: 'shell', about: 'bash, zsh or fish' }],
  examples: [
    'nexa completion bash > ~/.local/share/bash-completion/completions/nexa',
    'nexa completion fish > ~/.config/fish/completions/nexa.fish',
  ],
  async run({ args }) {
    const script = Object.hasOwn(scripts, args.shell ?? '') ? scripts[args.shell ?? ''] : undefined;
    if (script === undefined) throw new UsageError(`${JSON.stringify(args.shell)} is no shell we know: ${Object.keys(scripts).join(', ')}`);
    return { json: { shell: args.shell, script }, text: () => script };
  },
};
