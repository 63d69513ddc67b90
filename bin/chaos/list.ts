import { drills, tiers, workloads } from '../../chaos/index.ts';
import type { Command, Result } from '../command.ts';
import { plain, type Style, table } from '../output.ts';

/** `nexa chaos list` */
export const list: Command['run'] = async ({ ended }): Promise<Result> => {
  const all = { drills: drills(), workloads: workloads(), tiers: await tiers(ended()) };
  return { json: all, text: (style) => text(all, style) };
};

function text(
  all: {
    readonly drills: ReturnType<typeof drills>;
    readonly workloads: ReturnType<typeof workloads>;
    readonly tiers: Awaited<ReturnType<typeof tiers>>;
  },
  style: Style,
): string {
  return [
    table(
      ['drill', 'minutes', 'nodes', 'promises', ''],
      all.drills.map(({ name, about, minutes, nodes, promises }) => [name, `${minutes}`, `${nodes}`, promises.join(' '), about]),
      style,
    ),
    table(
      ['workload', ''],
      all.workloads.map(({ name, about }) => [name, about]),
      style,
    ),
    table(
      ['tier', '', ''],
      all.tiers.map(({ tier, about, lacks }) => [
        tier,
        lacks === null ? style.good('here') : style.warn('lacking'),
        lacks === null ? about : plain(lacks),
      ]),
      style,
    ),
  ].join('\n\n');
}
