import { type Command, UsageError } from '../command.ts';
import { agentOf, durationMs, required } from '../options.ts';
import { plain } from '../output.ts';

export const command: Command = {
  summary: 'Stops an agent for good, or lets a node leave after its agents have moved.',
  args: [
    { name: 'target', about: '<type>/<id>, or the word node' },
    { name: 'name', about: 'after node: its name', optional: true },
  ],
  options: [
    { flags: '--forget', about: 'deletes what the agent has stored, also what nobody can read' },
    { flags: '--timeout <duration>', about: 'how long to wait for an agent (default 10s)' },
  ],
  examples: ['nexa stop counter/alice', 'nexa stop counter/alice --forget', 'nexa stop node n2'],
  async run({ args, options, connect }) {
    const timeoutMs = durationMs(options.timeout, 10_000);
    if (args.target === 'node') {
      const node = required(args.name, 'the name of the node');
      await (await connect()).cluster.stopNode(node);
      return { json: { stopping: node }, text: () => `${plain(node)} is leaving` };
    }
    if (args.name !== undefined) throw new UsageError('only a node is stopped by two words: nexa stop node <name>');
    const { type, id } = agentOf(args.target);
    const client = await connect();
    // Stopping asks nothing of the protocol but its name.
    await client.stopAgent(client.agent({ type, version: 1, commands: {} }, id), { timeoutMs, forget: options.forget === true });
    return { json: { stopped: { type, id } }, text: () => `stopped ${plain(`${type}/${id}`)}` };
  },
};
