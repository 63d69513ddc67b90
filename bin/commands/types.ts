import type { Command } from '../command.ts';
import { json, plain, type Style, table } from '../output.ts';
import { type CommandShape, commandsOf, record, typesOf } from '../shapes.ts';

function commandText(name: string, { summary, input, reply, refusals }: CommandShape, style: Style): string {
  return [
    `${style.bold(plain(name))}  ${plain(summary)}`.trimEnd(),
    `  takes    ${plain(json(input))}`,
    `  answers  ${reply === null ? 'once handled' : plain(json(reply))}`,
    ...Object.entries(refusals).map(([refusal, details]) => `  refuses  ${plain(refusal)} ${plain(json(details))}`),
  ].join('\n');
}

function typeText(described: unknown, style: Style): string {
  const { type, version, storage, summary } = record(described);
  const head = `${style.bold(plain(String(type)))} version ${version}, ${storage}. ${plain(String(summary))}`;
  return [head, ...Object.entries(commandsOf(described)).map(([name, command]) => commandText(name, command, style))].join('\n\n');
}

export const command: Command = {
  summary: 'Lists the agent types of the cluster, or the commands of one type.',
  args: [{ name: 'type', about: 'shows its commands', optional: true }],
  examples: ['nexa types', 'nexa types counter', 'nexa types counter -o json'],
  async run({ args, connect }) {
    const { cluster } = await connect();
    if (args.type !== undefined) {
      const described = await cluster.describe(args.type);
      return { json: described, text: (style) => typeText(described, style) };
    }
    const types = typesOf(await cluster.types());
    return {
      json: types,
      text: (style) =>
        table(
          ['type', 'version', 'storage', 'nodes', 'summary'],
          types.map(({ type, version, storage, nodes, summary }) => [
            plain(type),
            `${version ?? '-'}`,
            plain(storage),
            plain(nodes.join(',')),
            plain(summary),
          ]),
          style,
        ),
    };
  },
};
