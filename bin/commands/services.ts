import type { Command } from '../command.ts';
import { json, plain, table } from '../output.ts';
import { servicesOf } from '../shapes.ts';

export const command: Command = {
  summary: 'Lists who offers a service, as the receptionist knows it.',
  args: [{ name: 'service', about: 'its name' }],
  examples: ['nexa services workers', 'nexa services workers -o json'],
  async run({ args, connect }) {
    const services = servicesOf(await (await connect()).cluster.services(args.service ?? ''));
    return {
      json: services,
      text: (style) =>
        table(
          ['instance', 'ref', 'node', 'since', 'metadata'],
          services.map(({ instance, ref, node, since, metadata }) => [
            plain(instance),
            plain(ref),
            plain(node ?? '-'),
            since ?? '-',
            plain(json(metadata)),
          ]),
          style,
        ),
    };
  },
};
