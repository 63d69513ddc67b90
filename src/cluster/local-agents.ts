import type { Envelope } from '../actor/envelope.ts';
import { MissingStore } from '../durable/missing-store.ts';
import { NexaError, toNexaError } from '../errors.ts';
import { isUnreadable, readStored } from '../ports/stored.ts';
import type { Written } from '../ports/stores.ts';
import type { Activation, ActivationRules } from './hosting.ts';
import type { LocalAgents, LocalAgentsOptions, LocalView } from './local-agents-contract.ts';
import { NOT_OWNED, type OwnershipEffect, type OwnershipInput, type OwnershipState, ownership, type SpawnAnswer } from './ownership.ts';
import { Parked } from './parked.ts';
import { passivation } from './passivation.ts';
import { type AgentRecord, type AgentSpec, decodeAgent, encodeAgent } from './place.ts';
import type { Reminders } from './reminders.ts';
import { agentKey } from './subject.ts';

export type { LocalAgents, LocalView } from './local-agents-contract.ts';

/** Activations under way at most; further ones queue. */
const ACTIVATING = 64;

/** What the activations of a node tell of themselves. */
interface Told {
  readonly owns: () => boolean;
  readonly reminders: Reminders;
  rests(agent: Local): void;
  finished(agent: Local, error: NexaError | undefined): void;
  fenced(agent: Local, epoch: number): void;
  gaveUp(agent: Local, error: NexaError): void;
}

/**
 * One agent with which something is under way here, and what its activation goes by. Epochs begin as undefined and not as 0: a field
 * of numbers alone has a copy of each large one, which others share.
 */
class Local implements ActivationRules {
  readonly key: string;
  readonly type: string;
  readonly id: string;
  state: OwnershipState = NOT_OWNED;
  activation: Activation | undefined = undefined;
  /** On its way to being put away: over in a moment, and until then nothing else begins. */
  passivating: Activation | undefined = undefined;
  /** The last epoch at which this node was told to own it. */
  ownedAt: number | undefined = undefined;
  /** The last epoch at which it was active here. */
  activeAt: number | undefined = undefined;
  /** Absent while nothing waits. */
  parked: Parked | undefined = undefined;
  /** What its reads said of the store. */
  missing: MissingStore | undefined = undefined;
  private readonly told: Told;

  constructor(told: Told, key: string, type: string, id: string) {
    this.told = told;
    this.key = key;
    this.type = type;
    this.id = id;
  }
  get owns(): () => boolean {
    return this.told.owns;
  }
  get reminders(): Reminders {
    return this.told.reminders;
  }
  onPassivate(): void {
    this.told.rests(this);
  }
  onFinished(error?: NexaError): void {
    this.told.finished(this, error);
  }
  onFenced(epoch: number): void {
    this.told.fenced(this, epoch);
  }
  onGaveUp(error: NexaError): void {
    this.told.gaveUp(this, error);
  }
}

export function localAgents(options: LocalAgentsOptions): LocalAgents {
  const { self, agents, host, mailboxes, codec, clock, random, times, log } = options;
  const versionOf = (type: string): number => (Object.hasOwn(host.types, type) ? (host.types[type] ?? 0) : 0);
  const step = ownership({ self, isGone: (node, incarnation) => options.members.isGone(node, incarnation), versionOf });
  const within = { timeoutMs: times.storeMs };
  const locals = new Map<string, Local>();
  const spawns = new Map<number, (answer: SpawnAnswer | NexaError) => void>();
  const stops = new Map<number, (error: NexaError | undefined) => void>();
  const activationQueue: (() => void)[] = [];
  /** Who waits for the activation of an agent; nearly always nobody. */
  const awaited = new Map<string, ((activation: Activation | undefined) => void)[]>();
  const parkedHere = { bytes: 0 };
  let activating = 0;
  let claiming = 0;
  let tokens = 0;
  let over = false;

  const local = (key: string, type: string, id: string): Local => {
    const known = locals.get(key);
    if (known !== undefined) return known;
    const fresh = new Local(told, key, type, id);
    locals.set(key, fresh);
    return fresh;
  };
  /** An activation is here, or may be any moment: others may have read our claim before its answer reached us. */
  const arriving = (state: OwnershipState): boolean =>
    state.phase === 'active' ||
    state.phase === 'activating' ||
    ((state.phase === 'reading' || state.phase === 'writing') &&
      (state.goal.request === 'spawn' || (state.goal.request === 'claim' && state.phase === 'writing')));
  const isClaim = (state: OwnershipState): boolean =>
    (state.phase === 'reading' || state.phase === 'writing') && state.goal.request === 'claim';
  const isClaimed = (state: OwnershipState): boolean => state.phase === 'activating' && state.created === undefined;
  const input = (agent: Local, given: OwnershipInput): void => {
    const [next, effects] = step(agent.state, given, clock.monotonicMs());
    const change = Number(isClaim(next)) - Number(isClaim(agent.state));
    claiming += change;
    agent.state = next;
    for (const effect of effects) run(agent, effect);
    if (!arriving(agent.state)) refuseParked(agent);
    if (agent.state.phase === 'idle' && agent.activation === undefined && locals.get(agent.key) === agent) locals.delete(agent.key);
    if (change < 0) options.onClaimEnded();
  };
  const unparked = (agent: Local): readonly Envelope[] => {
    const { parked } = agent;
    agent.parked = undefined;
    return parked?.drain() ?? [];
  };
  const refuseParked = (agent: Local): void => {
    const error = new NexaError('not-owner', 'its activation ended here', { where: { node: self.node } });
    for (const envelope of unparked(agent)) options.onRefused(envelope, error);
    tellAwaiting(agent, undefined);
  };
  const tellAwaiting = (agent: Local, activation: Activation | undefined): void => {
    const waiting = awaited.get(agent.key);
    awaited.delete(agent.key);
    for (const tell of waiting ?? []) tell(activation);
  };
  const isWanted = (agent: Local): boolean => agent.parked !== undefined || awaited.has(agent.key);
  const run = (agent: Local, effect: OwnershipEffect): void => {
    switch (effect.effect) {
      case 'write':
        return void write(agent, effect.record, effect.revision);
      case 'read':
        clock.after(effect.delayMs, () => void read(agent));
        return;
      case 'activate':
        // Claimed because it lost its owner, and nobody asks for it: its first message activates it.
        if (agent.ownedAt !== effect.epoch && isClaimed(agent.state) && !isWanted(agent) && host.kindOf(agent.type).onDemand) {
          input(agent, { input: 'activated' });
          options.onClaimedIdle();
          return owned(agent, effect.record, effect.epoch);
        }
        return activate(agent, effect.record, effect.epoch);
      case 'end':
        return end(agent, effect.graceful);
      case 'forget':
        return void forget(agent, effect.epoch);
      case 'exclude':
        return options.onExclude(agent.key);
      case 'answer-spawn': {
        const answer = spawns.get(effect.token);
        spawns.delete(effect.token);
        return answer?.(effect.answer);
      }
      case 'answer-stop': {
        const answer = stops.get(effect.token);
        stops.delete(effect.token);
        return answer?.(effect.error);
      }
    }
  };
  const write = async (agent: Local, record: AgentRecord, revision: number | undefined): Promise<void> => {
    let written: Written;
    let refused: NexaError | undefined;
    try {
      const bytes = encodeAgent(record, codec);
      written =
        revision === undefined ? await agents.create(agent.key, bytes, within) : await agents.update(agent.key, bytes, revision, within);
    } catch (error) {
      log.warn({ agent: agent.key, error: String(error) }, 'an agent record could not be written');
      written = { written: 'unknown' };
      if (error instanceof NexaError && error.category === 'resource') refused = error;
    }
    if (over) return;
    if (written.written === 'yes') {
      options.copy().saw(agent.key, record, written.revision);
      options.announce(agent.key, written.revision);
      if (record.desired === 'quarantined') options.onQuarantined(record, written.revision);
      return input(agent, { input: 'written', outcome: 'yes', revision: written.revision });
    }
    input(agent, { input: 'written', outcome: written.written, ...(refused === undefined ? {} : { refused }) });
  };
  const read = async (agent: Local): Promise<void> => {
    try {
      const found = await agents.get(agent.key, within);
      agent.missing = undefined;
      if (over) return;
      if (found === undefined) return input(agent, { input: 'read', found });
      const { value, revision } = found;
      const record = readStored({ store: 'AGENTS', key: agent.key, revision }, () => decodeAgent(value, codec, agent.key));
      options.copy().saw(agent.key, record, revision);
      input(agent, { input: 'read', found: { record, revision } });
    } catch (error) {
      agent.missing ??= new MissingStore();
      const unreadable = isUnreadable(error) ? error : agent.missing.known(error);
      if (!over) input(agent, { input: 'read-failed', ...(unreadable === undefined ? {} : { unreadable }) });
    }
  };
  const activate = (agent: Local, record: AgentRecord, epoch: number): void => {
    const begin = async (): Promise<void> => {
      const current = () => !over && agent.state.phase === 'activating' && agent.state.epoch === epoch;
      try {
        if (!current()) return;
        const activation = await host.activate(record, epoch, agent);
        if (!current()) return activation.kill(new NexaError('fenced', 'its activation ended before it began'));
        agent.activation = activation;
        input(agent, { input: 'activated' });
        options.onActivated(record, epoch);
        owned(agent, record, epoch);
        passives.began(agent.key, agent.type, activation);
        mailboxes.began(agent, activation, agent.activeAt !== epoch);
        agent.activeAt = epoch;
        for (const envelope of unparked(agent)) activation.deliver(envelope);
        tellAwaiting(agent, activation);
      } catch (thrown) {
        const error = toNexaError(thrown, 'internal', { type: agent.type, id: agent.id, node: self.node });
        log.warn({ agent: agent.key, epoch, code: error.code, error: error.message }, 'an activation failed');
        if (current()) input(agent, { input: 'activation-failed', error, local: othersMay(error) });
      } finally {
        activating--;
        activationQueue.shift()?.();
      }
    };
    const start = (): void => {
      activating++;
      void begin();
    };
    if (activating < ACTIVATING) start();
    else activationQueue.push(start);
  };
  const left = (agent: Local): void => {
    agent.activation = undefined;
    passives.ended(agent.key);
    mailboxes.ended(agent.key);
  };
  /** Field by field, since it is kept as long as the agent is here: what is copied together takes half as much again. */
  const recordOf = ({ type, id, spawnId, config, restart, placement, desired, prefer, why }: AgentSpec): AgentRecord => {
    const [cause, nonce, version] = ['spawn', random.id(), versionOf(type)] as const;
    const moves = [{ node: self.node, incarnation: self.incarnation, cause, why, atMs: clock.wallMs(), epoch: undefined }];
    return { type, id, spawnId, nonce, config, restart, placement, desired, owner: self, prefer, version, why, cause, moves };
  };
  const told: Told = {
    owns: options.owns,
    reminders: options.reminders,
    rests: (agent) => {
      if (agent.activation !== undefined) passives.wanted(agent.key, agent.type, agent.activation);
    },
    finished: (agent, error) => {
      left(agent);
      input(agent, { input: 'finished', error });
    },
    fenced: (agent, epoch) => {
      left(agent);
      options.onFenced(agent, epoch);
      input(agent, { input: 'superseded', revision: Number.POSITIVE_INFINITY });
    },
    gaveUp: (agent, error) => {
      left(agent);
      input(agent, { input: 'gave-up', error });
    },
  };
  const owned = (agent: Local, record: AgentRecord, epoch: number): void => {
    if (agent.ownedAt === epoch) return;
    agent.ownedAt = epoch;
    options.onOwned(record, epoch);
  };
  /** Drops what is in memory and keeps the place: nobody else learns of it. What arrives meanwhile waits, and wakes it again. */
  const passivate = (agent: Local): boolean => {
    const { activation } = agent;
    const ending = agent.state.phase === 'active' && !mailboxes.busy(agent.key) ? activation?.passivate() : undefined;
    if (ending === undefined) return false;
    left(agent);
    agent.passivating = activation;
    void ending.then(() => {
      if (agent.passivating === activation) agent.passivating = undefined;
      if (isWanted(agent)) wake(agent);
    });
    return true;
  };
  const passives = passivation({
    kindOf: host.kindOf,
    mostActive: options.mostActive,
    clock,
    passivate: (key) => {
      const agent = locals.get(key);
      return agent !== undefined && passivate(agent);
    },
  });
  const isPassive = (agent: Local): boolean => agent.state.phase === 'active' && agent.activation === undefined;
  const wake = (agent: Local): void => {
    if (!over && isPassive(agent) && agent.passivating === undefined) input(agent, { input: 'wake' });
  };
  const end = (agent: Local, graceful: boolean): void => {
    const activation = agent.activation ?? agent.passivating;
    left(agent);
    if (!graceful) {
      agent.passivating = undefined;
      activation?.kill(new NexaError('fenced', 'another activation owns this agent'));
      return;
    }
    void (activation?.end() ?? Promise.resolve()).finally(() => {
      if (!over) input(agent, { input: 'ended' });
    });
  };
  const forget = async (agent: Local, epoch: number): Promise<void> => {
    try {
      await host.forget(agent.type, agent.id, epoch);
      await mailboxes.forget(agent.type, agent.id);
      await options.reminders.forgetAll(agent.type, agent.id, epoch);
    } catch (error) {
      log.warn({ agent: agent.key, error: String(error) }, 'the state of a stopped agent could not be deleted');
    }
    if (!over) input(agent, { input: 'forgotten' });
  };

  return {
    spawn: (spec) =>
      new Promise((resolve, reject) => {
        const token = ++tokens;
        spawns.set(token, (answer) => (answer instanceof NexaError ? reject(answer) : resolve(answer)));
        const agent = local(agentKey(spec.type, spec.id), spec.type, spec.id);
        input(agent, { request: 'spawn', token, record: recordOf(spec) });
      }),
    stop: (type, id, forget) =>
      new Promise((resolve, reject) => {
        const token = ++tokens;
        stops.set(token, (error) => (error === undefined ? resolve() : reject(error)));
        input(local(agentKey(type, id), type, id), { request: 'stop', token, forget });
      }),
    claim: (key, type, id, { why, cause }) =>
      input(local(key, type, id), { input: 'claim', why, cause, nonce: random.id(), atMs: clock.wallMs() }),
    release(key, reason) {
      const agent = locals.get(key);
      if (agent?.state.phase !== 'active') return false;
      input(agent, { input: 'leave', ...reason });
      return true;
    },
    keys: () => [...locals.keys()],
    *busy() {
      for (const agent of locals.values()) if (agent.activation !== undefined) yield [agent.key, agent.activation.busySince()];
    },
    running(key) {
      const state = locals.get(key)?.state;
      return state?.phase === 'active' ? { record: state.record, epoch: state.epoch } : undefined;
    },
    epochOf(key) {
      const state = locals.get(key)?.state;
      return state?.phase === 'active' || state?.phase === 'activating' ? state.epoch : undefined;
    },
    has(key) {
      const agent = locals.get(key);
      return agent !== undefined && arriving(agent.state);
    },
    deliver(key, envelope) {
      const shed = options.sheds();
      if (shed !== undefined) {
        options.onRefused(envelope, shed);
        return false;
      }
      const agent = locals.get(key);
      if (agent?.activation !== undefined && agent.state.phase === 'active') return agent.activation.deliver(envelope);
      if (envelope.replyTo !== undefined && !options.owns()) {
        options.onRefused(
          envelope,
          new NexaError('unavailable', 'its node has no contact with the store and is suspended', {
            where: { agent: key, node: self.node },
          }),
        );
        return true;
      }
      const parked = agent?.parked ?? new Parked(parkedHere);
      if (agent === undefined || !parked.offer(envelope)) {
        options.onRefused(envelope, new NexaError('overloaded', 'too many messages wait for its activation', { where: { agent: key } }));
        return false;
      }
      agent.parked = parked;
      wake(agent);
      return parked.roomy;
    },
    awaken: (key) =>
      new Promise((resolve, reject) => {
        const agent = locals.get(key);
        if (agent?.activation !== undefined && agent.state.phase === 'active') return resolve(agent.activation);
        const none = (): void => reject(new NexaError('not-owner', 'it does not run here', { where: { agent: key, node: self.node } }));
        if (over || agent === undefined || !arriving(agent.state)) return none();
        awaited.set(key, [...(awaited.get(key) ?? []), (activation) => (activation === undefined ? none() : resolve(activation))]);
        wake(agent);
      }),
    active(key) {
      const agent = locals.get(key);
      return agent?.activation !== undefined && agent.state.phase === 'active' ? { agent, activation: agent.activation } : undefined;
    },
    pressure(key) {
      const agent = locals.get(key);
      return agent?.activation?.pressure ?? (agent?.parked?.roomy === false ? 'high' : 'room');
    },
    acts(key) {
      const agent = locals.get(key);
      return agent?.activation !== undefined && agent.state.phase === 'active' && options.owns();
    },
    idle: (key) => locals.get(key) === undefined,
    superseded(key, revision) {
      const agent = locals.get(key);
      if (agent !== undefined) input(agent, { input: 'superseded', revision });
    },
    over() {
      over = true;
      passives.stop();
      mailboxes.stop();
      for (const agent of [...locals.values()]) {
        const [next, effects] = step(agent.state, { input: 'over' }, clock.monotonicMs());
        agent.state = next;
        for (const effect of effects) run(agent, effect);
        refuseParked(agent);
      }
      locals.clear();
    },
    views: () =>
      [...locals.values()].flatMap((agent): LocalView[] => {
        if (agent.state.phase !== 'active' && agent.state.phase !== 'activating') return [];
        const { activation, type, id } = agent;
        const state = agent.state.phase !== 'active' ? 'starting' : isPassive(agent) ? 'passive' : 'running';
        return [
          {
            type,
            id,
            epoch: agent.state.epoch,
            state,
            mailbox: activation?.mailbox ?? agent.parked?.size ?? 0,
            restarts: activation?.restarts ?? 0,
          },
        ];
      }),
    get count() {
      let count = 0;
      for (const agent of locals.values()) if (agent.state.phase === 'active' || agent.state.phase === 'activating') count++;
      return count;
    },
    relieve: passives.relieve,
    get size() {
      return locals.size;
    },
    get claimsUnderWay() {
      return claiming;
    },
  };
}

/** What no node can read, none may try again; a later version of the type may read what its predecessor cannot. */
const othersMay = (error: NexaError): boolean => !isUnreadable(error) || (error.code === 'unknown-version' && 'version' in error.where);
