import type { Registration, ServiceFilter, ServiceKey } from '../actor/receptionist.ts';
import type { ActorRef, Cancel } from '../actor/ref.ts';
import type { Subjects } from '../cluster/subject.ts';
import { NexaError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Caller } from './caller.ts';
import type { ServiceRow } from './client-handlers.ts';

const TIMEOUT_MS = 5_000;
const EVERY_MS = 1_000;
const MOST_ROWS = 1_000;

/** One entry as a program outside sees it: only named agents can be reached from there, of others it has the address as text. */
export interface ListedService<in M> extends Omit<ServiceRow, 'ref'> {
  readonly ref: ActorRef<M> | undefined;
  readonly address: string;
}
/** The receptionist from outside. It registers agents; what it lists is a hint, at most 1,000 entries of one service. */
export interface ClientReceptionist {
  /** @throws NexaError as a node's `register`; `invalid-message` for a ref that is no agent's. */
  register<M>(
    key: ServiceKey<M>,
    agent: ActorRef<M>,
    options?: { readonly instance?: string; readonly metadata?: Readonly<Record<string, unknown>>; readonly timeoutMs?: number },
  ): Promise<Registration>;
  deregister<M>(key: ServiceKey<M>, who: ActorRef<M> | string, options?: { readonly timeoutMs?: number }): Promise<void>;
  find<M>(key: ServiceKey<M>, filter?: ServiceFilter): Promise<readonly ListedService<M>[]>;
  /** Looks every `everyMs` (default 1,000) and tells what is new; while nobody answers it tells nothing. */
  subscribe<M>(
    key: ServiceKey<M>,
    listener: (services: readonly ListedService<M>[]) => void,
    options?: { readonly everyMs?: number },
  ): Cancel;
}

export function clientReceptionist(options: {
  readonly caller: Caller;
  readonly subjects: Subjects;
  readonly clock: Clock;
  /** A live ref of an agent's address; undefined for any other. */
  readonly refOf: (address: string) => unknown;
}): ClientReceptionist & { close(): void } {
  const { caller, subjects, clock } = options;
  const polls = new Set<Cancel>();
  const request = async (body: object, timeoutMs = TIMEOUT_MS): Promise<Readonly<Record<string, unknown>>> =>
    ((await caller.request(subjects.services, body, { timeoutMs })).reply ?? {}) as Readonly<Record<string, unknown>>;
  const agentOf = (ref: { readonly address: ActorRef<never>['address'] }) => {
    if (ref.address.kind === 'agent') return { type: ref.address.type, id: ref.address.id };
    throw new NexaError('invalid-message', 'from outside only agents can be registered', {
      fix: 'Register any other actor from its node, by context.receptionist.',
    });
  };
  const find = async <M>(key: ServiceKey<M>, filter: ServiceFilter = {}): Promise<readonly ListedService<M>[]> => {
    const { services } = await request({ type: 'find', service: key.name, limit: MOST_ROWS, ...filter });
    return (Array.isArray(services) ? services : []).flatMap((row) => listed<M>(row, options.refOf));
  };
  return {
    async register(key, ref, { timeoutMs, ...given } = {}) {
      const { service, instance } = await request({ type: 'register', service: key.name, agent: agentOf(ref), ...given }, timeoutMs);
      return { key: String(service), instance: String(instance) };
    },
    async deregister(key, who, { timeoutMs } = {}) {
      const agent = typeof who === 'string' ? undefined : agentOf(who);
      const instance = agent === undefined ? who : `${agent.type}/${agent.id}`;
      await request({ type: 'deregister', service: key.name, instance }, timeoutMs);
    },
    find,
    subscribe<M>(key: ServiceKey<M>, listener: (services: readonly ListedService<M>[]) => void, { everyMs = EVERY_MS } = {}) {
      let last: string | undefined;
      let over = false;
      let cancelNext: Cancel = () => {};
      const look = async (): Promise<void> => {
        const found = await find(key).catch(() => undefined);
        if (over) return;
        cancelNext = clock.after(Math.max(everyMs, 1), () => void look());
        const text = found === undefined ? last : JSON.stringify(found);
        if (found === undefined || text === last) return;
        last = text;
        listener(found);
      };
      const cancel = (): void => {
        over = true;
        cancelNext();
        polls.delete(cancel);
      };
      polls.add(cancel);
      void look();
      return cancel;
    },
    close() {
      for (const cancel of [...polls]) cancel();
    },
  };
}

/** What a node said is not trusted: nothing, unless it has the form of a row. */
function listed<M>(row: unknown, refOf: (address: string) => unknown): readonly ListedService<M>[] {
  if (typeof row !== 'object' || row === null) return [];
  const { service, instance, ref, metadata, node, registeredAtMs } = row as Record<string, unknown>;
  const formed =
    typeof service === 'string' &&
    typeof instance === 'string' &&
    typeof ref === 'string' &&
    typeof metadata === 'object' &&
    metadata !== null &&
    (node === null || typeof node === 'string') &&
    typeof registeredAtMs === 'number';
  if (!formed) return [];
  const given = { service, instance, metadata: metadata as Readonly<Record<string, unknown>>, node, registeredAtMs, address: ref };
  return [{ ...given, ref: refOf(ref) as ActorRef<M> | undefined }];
}
