import { subjects as subjectsOf } from '../../src/cluster/subject.ts';
import { NexaError } from '../../src/errors.ts';
import type { Fault } from '../fault.ts';
import type { World } from '../world.ts';
import type { FaultScene } from './scene.ts';
import * as duplicating from './wire/duplicates.ts';
import * as littering from './wire/garbage.ts';
import type { WireScene } from './wire/scene.ts';
import * as drowning from './wire/slow-consumer.ts';
import * as meddling from './wire/streams.ts';

type Of<Name extends Fault['fault']> = Extract<Fault, { readonly fault: Name }>;

/** How long a stream stays as somebody changed it. */
const CHANGED_MS = 8_000;
const POISONS = 3;
const STORED_MS = 5_000;

/** F12. */
export async function slowConsumer({ forMs }: Of<'slow-consumer'>, scene: FaultScene): Promise<void> {
  const [url] = scene.world.urls;
  if (url === undefined) throw new NexaError('unavailable', 'there is no server to dial');
  const { kicked, bytes } = await drowning.slowConsumer(await wireOf(scene), url, forMs, scene.signal);
  if (!kicked)
    throw new NexaError('ask-timeout', `after ${bytes} bytes the server still kept what was not read`, {
      where: { url: 'the first server' },
    });
}
/** F20. */
export async function garbage({ count }: Of<'garbage'>, scene: FaultScene): Promise<void> {
  await littering.garbage(await wireOf(scene), count, scene.signal);
}
/** F21. */
export async function duplicates({ forMs }: Of<'duplicates'>, scene: FaultScene): Promise<void> {
  await duplicating.duplicates(await wireOf(scene), forMs, scene.signal);
}
/** F25: to a letterbox that can never keep it, and is put on its feet again for each. */
export async function poison(_fault: Of<'poison'>, scene: FaultScene): Promise<void> {
  const { client } = await scene.link();
  const id = `poisoned-${scene.random.id().replaceAll(/[^A-Za-z0-9]/g, '')}`;
  for (let value = 0; value < POISONS; value++)
    await client.tellDurablyRaw('drill-letterbox', id, { type: 'write', value, poison: true }, { timeoutMs: STORED_MS });
}
/** F28. */
export async function deleteStream({ stream }: Of<'delete-stream'>, scene: FaultScene): Promise<void> {
  await meddling.deleteStream(await wireOf(scene), stream);
}
export async function changeStream({ stream }: Of<'change-stream'>, scene: FaultScene): Promise<void> {
  const changes = meddling.LOSING_NOTHING;
  const change = changes[scene.random.between(0, changes.length - 1)] as meddling.StreamChange;
  const undo = await meddling.changeStream(await wireOf(scene), stream, change);
  await scene.wait(CHANGED_MS);
  await undo();
}

/** Of what is real about them there is nothing in a simulation. */
export const realServers = ({ kind }: Pick<World, 'kind'>): string | undefined =>
  kind === 'simulation' ? 'a simulation has no servers to connect to' : undefined;

const wireOf = async (scene: FaultScene): Promise<WireScene> => ({
  link: await scene.link(),
  subjects: subjectsOf(scene.world.cluster),
  nodes: scene.nodes,
  random: scene.random,
  clock: scene.world.clock,
});
