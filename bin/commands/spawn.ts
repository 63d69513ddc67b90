import type { Command } from '../command.ts';
import { durationMs, jsonOf, labelsOf, required, text } from '../options.ts';
import { plain } from '../output.ts';

export const command: Command = {
  summary: 'Starts an agent; it is kept running until it is stopped.',
  args: [
    { name: 'type', about: 'the agent type, see nexa types' },
    { name: 'id', about: 'its name; default: derived from --spawn-id, else fresh', optional: true },
  ],
  options: [
    { flags: '--config <json>', about: 'what this agent is configured with' },
    { flags: '--spawn-id <id>', about: 'repeating it creates nothing new' },
    { flags: '--node <name>', about: 'the node to start it on' },
    { flags: '--labels <labels>', about: 'only nodes with these labels, such as zone=eu,disk=ssd' },
    { flags: '--timeout <duration>', about: 'how long to wait (default 10s)' },
  ],
  examples: ['nexa spawn counter alice', `nexa spawn account alice --config '{"overdraftCents":0}' --node n2`],
  async run({ args, options, connect }) {
    const agent = required(args.type, 'the type');
    const config = text(options.config);
    const spawnId = text(options.spawnId);
    const node = text(options.node);
    const labels = labelsOf(options.labels);
    const request = {
      agent,
      ...(args.id === undefined ? {} : { id: args.id }),
      ...(config === undefined ? {} : { config: jsonOf(config, '--config') }),
      ...(spawnId === undefined ? {} : { spawnId }),
      ...(node === undefined && labels === undefined
        ? {}
        : { placement: { ...(node === undefined ? {} : { node }), ...(labels === undefined ? {} : { labels }) } }),
      timeoutMs: durationMs(options.timeout, 10_000),
    };
    const spawned = await (await connect()).spawnRaw(request);
    const name = plain(`${spawned.type}/${spawned.id}`);
    const place = spawned.node === null ? 'is stopped' : plain(`on ${spawned.node}, epoch ${spawned.epoch}`);
    return {
      json: spawned,
      text: (style) => (spawned.created ? `${style.good('spawned')} ${name} ${place}` : `${style.warn('exists')} ${name} ${place}`),
    };
  },
};
