import { type Command, UsageError } from '../command.ts';
import { eventLine, nameOf, onceEach } from '../event-line.ts';
import { agentOf, countOf, text } from '../options.ts';
import { plain } from '../output.ts';

const KIND = /^[a-z]+(?:-[a-z]+)*$/;

export const command: Command = {
  summary: 'Shows what happens in the cluster, as it happens, until Ctrl-C.',
  args: [{ name: 'kind', about: 'only these, such as moved restarted (docs/events.md)', optional: true, many: true }],
  options: [
    { flags: '--agent <agent>', about: 'only about this one: <type>/<id>' },
    { flags: '--node <name>', about: 'only what this node says' },
    { flags: '--limit <count>', about: 'ends after so many' },
  ],
  examples: ['nexa events', 'nexa events moved restarted quarantined', 'nexa events --agent counter/alice -o json'],
  async run({ args, options, connect, progress, emit, ended }) {
    const kinds = args.kind?.split(' ') ?? [];
    for (const kind of kinds) if (!KIND.test(kind)) throw new UsageError(`${JSON.stringify(kind)} is no kind of event, such as moved`);
    const agent = text(options.agent) === undefined ? undefined : agentOf(text(options.agent));
    const wanted = agent === undefined ? undefined : nameOf(agent);
    const node = text(options.node);
    const limit = countOf(options.limit, '--limit', { least: 1, most: 1_000_000, fallback: Number.POSITIVE_INFINITY });
    const { cluster } = await connect();
    const signal = ended();
    const fresh = onceEach();
    let shown = 0;
    await new Promise<void>((resolve, reject) => {
      const cancel = cluster.events({ kinds, ...(node === undefined ? {} : { node }) }, (event) => {
        if (shown >= limit || (wanted !== undefined && nameOf(event.agent) !== wanted) || !fresh(event)) return;
        emit({ json: event, text: (style) => eventLine(event, style) });
        if (++shown >= limit) end();
      });
      const end = (): void => {
        cancel();
        resolve();
      };
      if (signal.aborted) return end();
      signal.addEventListener('abort', end, { once: true });
      // Silence would also be the answer of a cluster that is not there.
      cluster.nodes().then(
        () => progress(`listening${node === undefined ? '' : ` to ${plain(node)}`}; Ctrl-C ends`),
        (error) => {
          cancel();
          reject(error);
        },
      );
    });
    return undefined;
  },
};
