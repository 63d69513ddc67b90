import { createWire } from '../../../src/cluster/wire.ts';
import { NexaError } from '../../../src/errors.ts';
import type { SeededRandom } from '../../../src/memory/random.ts';
import type { Incarnation } from './incarnations.ts';

const VERSIONS = [1, 2];

/** A frame that is well-formed, of a node that there is not: what is inside it nobody can read. */
export function forged(to: Incarnation, body: Uint8Array, random: SeededRandom): Uint8Array {
  const stranger = { node: `stranger-${random.between(1, 1_000)}`, incarnation: random.between(1, 1_000_000) };
  const writer = createWire(stranger, VERSIONS).speaks(VERSIONS);
  if (writer === undefined) throw new NexaError('internal', 'a release speaks no version of its own');
  const taken = random.between(0, 1_000_000);
  const envelope = {
    to: { kind: 'agent', type: 'counter', id: `nobody-${random.between(1, 1_000)}` },
    message: undefined,
  } as const;
  switch (random.between(0, 3)) {
    case 0: {
      const batch = writer.messages(to);
      batch.add({ envelope, body });
      return batch.frame(random.between(1, 1_000_000), { taken, window: undefined });
    }
    case 1:
      return writer.resend();
    case 2:
      return writer.watch('add', [
        {
          target: { kind: 'incarnation', node: to.node, nodeIncarnation: to.incarnation, path: 'nobody', uid: 1 },
          watcher: { kind: 'incarnation', node: stranger.node, nodeIncarnation: stranger.incarnation, path: 'nobody', uid: 1 },
        },
      ]);
    default:
      return writer.pulse({
        sent: taken,
        known: taken,
        statement: { taken, window: undefined },
        watches: undefined,
        cut: [],
        held: [],
        heeded: undefined,
      });
  }
}
