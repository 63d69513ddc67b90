import { verdictOf } from '../../../chaos/checkers/verdict.ts';
import { createCodec } from '../../../src/cluster/codec.ts';
import { decodeDead } from '../../../src/durable/dead-mail.ts';
import { decodeMail } from '../../../src/durable/mail.ts';
import { NexaError } from '../../../src/errors.ts';
import { type Load, reader, type Scene, upNodes, withDeadline } from './load.ts';

const KEYS = ['k0', 'k1'] as const;
const GAP_MS = [100, 1_200] as const;
/** How long the last of them may take once all is quiet: a sweep, and the tries of what is poison. */
const HANDLED_MS = 20_000;
const POISON = 0.08;

interface Letter {
  readonly value: number;
  readonly poison: boolean;
  outcome: 'stored' | 'refused' | 'unknown';
}
interface Durably {
  tellDurably(message: object, options: object): Promise<void>;
}

/** Durable messages, one after the other for each agent; one whose outcome nobody knows is repeated under its id. */
export function letters(scene: Scene): Load {
  const { world } = scene;
  const codec = createCodec();
  const random = scene.random.fork('letters');
  const sent = new Map<string, Letter[]>(KEYS.map((key) => [key, []]));
  const handled = new Map<string, readonly number[]>();
  const dead = new Map<string, readonly number[]>();
  const ends: Promise<void>[] = [];

  const store = (key: string, { value, poison }: Letter): Promise<unknown> =>
    withDeadline(scene, async () => {
      const message = { type: 'write', value, poison };
      const messageId = `m${value}`;
      const node = random.next() < 0.5 ? upNodes(world)[random.between(0, upNodes(world).length - 1)] : undefined;
      if (node?.member === undefined)
        return world.outside.request(world.subjects.durable('letterbox', key), message, {
          timeoutMs: scene.timeoutMs,
          requestId: messageId,
        });
      const ref = node.member.system.unsafeRef<never>(`nexa:letterbox/${key}`) as unknown as Durably;
      return ref.tellDurably(message, { timeoutMs: scene.timeoutMs, messageId });
    });
  const send = async (key: string, letter: Letter): Promise<void> => {
    for (let tries = 0; tries < 4; tries++) {
      try {
        await store(key, letter);
        letter.outcome = 'stored';
        return;
      } catch (error) {
        if (!(error instanceof NexaError && error.definite)) letter.outcome = 'unknown';
      }
    }
  };
  const sendAll = async (key: string): Promise<void> => {
    for (let value = 1; !scene.signal.aborted; value++) {
      const letter: Letter = { value, poison: random.next() < POISON, outcome: 'refused' };
      sent.get(key)?.push(letter);
      await send(key, letter);
      await new Promise<void>((resolve) => void world.clock.after(random.between(...GAP_MS), resolve));
    }
  };
  const read = reader<{ readonly values: readonly number[] }>(scene, random, 'letterbox');
  const deadOf = async (key: string): Promise<readonly number[]> => {
    const stream = world.network.connect('looker').stores.stream(world.subjects.store('DEAD'));
    const subject = world.subjects.record('dead', 'letterbox', key);
    const found: number[] = [];
    for (let fromSequence = 1; ; ) {
      const next = await stream.next(subject, { fromSequence, timeoutMs: scene.timeoutMs });
      if (next === undefined) return found;
      const { mail } = decodeDead(next.record, codec, {});
      found.push((decodeMail(mail, codec, {}).message as { readonly value: number }).value);
      fromSequence = next.sequence + 1;
    }
  };
  const missing = (key: string): readonly Letter[] => {
    const there = new Set([...(handled.get(key) ?? []), ...(dead.get(key) ?? [])]);
    return (sent.get(key) ?? []).filter(({ value, outcome }) => outcome === 'stored' && !there.has(value));
  };

  return {
    async begin() {
      for (const key of KEYS) ends.push(sendAll(key));
    },
    recovered: () => true,
    end: async () => void (await Promise.all(ends)),
    unsettled: () => [],
    async finish() {
      const untilMs = world.clock.monotonicMs() + HANDLED_MS;
      for (const key of KEYS) {
        do {
          const last = await read(key);
          if (last !== undefined) handled.set(key, last.values);
          dead.set(key, await deadOf(key));
          if (missing(key).length > 0) await new Promise<void>((resolve) => void world.clock.after(500, resolve));
        } while (missing(key).length > 0 && world.clock.monotonicMs() < untilMs);
      }
    },
    check: () =>
      verdictOf(
        KEYS.flatMap((key) =>
          judged(sent.get(key) ?? [], handled.get(key), dead.get(key) ?? []).map((each) => `letterbox/${key}: ${each}`),
        ),
      ),
    operations: () => [],
    seen: () => ({ poisoned: [...dead.values()].flat().length }),
  };
}

function judged(sent: readonly Letter[], handled: readonly number[] | undefined, dead: readonly number[]): readonly string[] {
  if (handled === undefined) return ['it does not answer'];
  const times = (values: readonly number[], value: number): number => values.filter((each) => each === value).length;
  const stored = new Set(sent.flatMap(({ value, outcome }) => (outcome === 'stored' ? [value] : [])));
  const inOrder = handled.filter((value) => stored.has(value));
  return [
    ...sent.flatMap(({ value, poison, outcome }) => {
      const [effects, deaths] = [times(handled, value), times(dead, value)];
      const due = poison ? deaths : effects;
      if (effects > 0 && (poison || deaths > 0)) return [`${value} was handled, and put aside as well`];
      if (due > 1) return [`${value} had its effect more than once: ${due} times`];
      if (outcome === 'refused' && due > 0) return [`${value} was definitely refused, and is there`];
      return outcome === 'stored' && due === 0 ? [`${value} was stored and is lost`] : [];
    }),
    ...inOrder.flatMap((value, index) =>
      index > 0 && value < (inOrder[index - 1] as number) ? [`${value} was handled after ${inOrder[index - 1]}`] : [],
    ),
  ];
}
