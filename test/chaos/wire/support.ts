import type { WireScene } from '../../../chaos/faults/wire/scene.ts';
import { subjects } from '../../../src/cluster/subject.ts';
import { seededRandom } from '../../../src/memory/random.ts';
import { connectNats } from '../../../src/nats/connection.ts';
import { systemClock } from '../../../src/system-clock.ts';
import { systemRandom } from '../../../src/system-random.ts';
import type { LiveCluster } from '../../live/support.ts';
import { recordingLogger } from '../../support/real.ts';

/** A stranger's connection to a live cluster, of our own kind. */
export async function sceneOf(live: LiveCluster, seed = 1): Promise<WireScene & AsyncDisposable> {
  const link = await connectNats({
    servers: live.urls,
    name: 'chaos',
    role: 'client',
    clock: systemClock,
    random: systemRandom,
    log: recordingLogger(),
  });
  return {
    link: { transport: link.transport() },
    subjects: subjects(live.cluster),
    nodes: live.nodes,
    random: seededRandom(seed),
    clock: systemClock,
    [Symbol.asyncDispose]: () => link.close(),
  };
}
