import type { NodeId } from '../actor/address.ts';
import { NexaError } from '../errors.ts';
import { mayReturn, orphaned } from './failover.ts';
import { merged } from './merged.ts';
import { ended, type MoveCause, moved } from './move.ts';
import type { AgentRecord } from './place.ts';
import type { Step } from './step.ts';

export interface SpawnRequest {
  readonly request: 'spawn';
  readonly token: number;
  /** The record to create, with this node as its owner. */
  readonly record: AgentRecord;
  /** It was there already, without an owner that lives: the record is that one, claimed. */
  readonly again?: true;
}
export interface StopRequest {
  readonly request: 'stop';
  readonly token: number;
  /** Deletes the durable state too, by a fenced tombstone. */
  readonly forget: boolean;
}
export type OwnershipRequest = SpawnRequest | StopRequest;

export interface ClaimReason {
  readonly why: string;
  readonly cause: MoveCause;
  readonly nonce: string;
  /** Unix milliseconds, for the agent's history. */
  readonly atMs: number;
}
export interface ReleaseReason {
  /** Who has the head start in claiming it. */
  readonly prefer: NodeId | undefined;
  readonly why: string;
  readonly cause: MoveCause;
}

/** What a node wants of an agent's record that it does not hold, or no longer. */
type Goal =
  | OwnershipRequest
  | ({ readonly request: 'claim' } & ClaimReason)
  /** After the activation ended: give it back, mark it stopped, or put it aside. */
  | ({ readonly request: 'release' } & ReleaseReason)
  | { readonly request: 'quarantine'; readonly why: string }
  | { readonly request: 'finish'; readonly why: string };

type Phase =
  | { readonly phase: 'idle' }
  | { readonly phase: 'reading'; readonly goal: Goal; readonly tries: number; readonly epoch?: number }
  | {
      readonly phase: 'writing';
      readonly goal: Goal;
      readonly tries: number;
      readonly record: AgentRecord;
      readonly revision: number | undefined;
      /** Of the activation that this write ends. */
      readonly epoch?: number;
    }
  | { readonly phase: 'activating' | 'active'; readonly epoch: number; readonly record: AgentRecord; readonly created?: SpawnRequest }
  | { readonly phase: 'ending'; readonly epoch: number; readonly record: AgentRecord; readonly goal: Goal }
  | { readonly phase: 'forgetting'; readonly token: number };

/** What this node has to do with one agent. At most {@link WAITING} requests queue while a write is under way. */
export type OwnershipState = Phase & { readonly waiting: readonly OwnershipRequest[] };
export const NOT_OWNED: OwnershipState = { phase: 'idle', waiting: [] };

export type SpawnAnswer = { readonly node: NodeId | null; readonly epoch: number; readonly created: boolean };

export type OwnershipInput =
  | OwnershipRequest
  /** The copy shows an orphan whose turn it is, or a record that names this node though nothing runs here. */
  | ({ readonly input: 'claim' } & ClaimReason)
  | { readonly input: 'written'; readonly outcome: 'yes'; readonly revision: number }
  /** `refused`: it was not tried, or the store refuses for good, because it is full. */
  | { readonly input: 'written'; readonly outcome: 'no' | 'unknown'; readonly refused?: NexaError }
  | { readonly input: 'read'; readonly found: { readonly record: AgentRecord; readonly revision: number } | undefined }
  /** `unreadable`: what is there is no record of this release, and nobody's to write over; or its store is missing. */
  | { readonly input: 'read-failed'; readonly unreadable?: NexaError }
  | { readonly input: 'activated' }
  /** It was put away, and there is a message for it: it begins again at the epoch that it still has. */
  | { readonly input: 'wake' }
  /** `local`: another node may well succeed; otherwise (a corrupt record) nobody will. */
  | { readonly input: 'activation-failed'; readonly error: NexaError; readonly local: boolean }
  | ({ readonly input: 'leave' } & ReleaseReason)
  /** The agent said `next: 'stop'`; the activation has ended by itself. */
  | { readonly input: 'finished'; readonly error?: NexaError | undefined }
  | { readonly input: 'gave-up'; readonly error: NexaError }
  | { readonly input: 'ended' }
  /** A record above our epoch that names somebody else was read. */
  | { readonly input: 'superseded'; readonly revision: number }
  | { readonly input: 'forgotten' }
  | { readonly input: 'over' };

export type OwnershipEffect =
  | { readonly effect: 'read'; readonly delayMs: number }
  | { readonly effect: 'write'; readonly record: AgentRecord; readonly revision: number | undefined }
  | { readonly effect: 'activate'; readonly record: AgentRecord; readonly epoch: number }
  /** Graceful: it finishes its message. Otherwise it is over this instant. Answered by `ended` if graceful. */
  | { readonly effect: 'end'; readonly graceful: boolean }
  | { readonly effect: 'forget'; readonly epoch: number }
  | { readonly effect: 'exclude' }
  | { readonly effect: 'answer-spawn'; readonly token: number; readonly answer: SpawnAnswer | NexaError }
  | { readonly effect: 'answer-stop'; readonly token: number; readonly error?: NexaError };

export interface OwnershipRules {
  readonly self: { readonly node: NodeId; readonly incarnation: number };
  readonly isGone: (node: NodeId, incarnation: number) => boolean;
  /** Version of that agent type on this node; 0 if it does not run it. */
  readonly versionOf: (type: string) => number;
}

/** Requests waiting at one agent on one node; one more is refused `overloaded`. */
const WAITING = 64;
/** Store operations one goal may take before whoever asked hears that nobody knows; reconcile goes on by itself. */
const TRIES = 12;
const backoffMs = (tries: number): number => (tries === 0 ? 0 : Math.min(50 * 2 ** (tries - 1), 1_600));

type Result = readonly [OwnershipState, readonly OwnershipEffect[]];

/**
 * Who runs an agent. The one rule that everything else serves: an activation begins only at the revision that our own successful
 * CAS just returned, and is over from the moment a write that gives it up is sent. What a copy or a read says only makes us try.
 */
export function ownership({ self, isGone, versionOf }: OwnershipRules): Step<OwnershipState, OwnershipInput, OwnershipEffect> {
  const mine = (record: AgentRecord): boolean => record.owner?.node === self.node && record.owner.incarnation === self.incarnation;

  /** What a newer version has owned no older one may own again: it could not read the state. */
  const tooNew = (record: AgentRecord): boolean => record.version > versionOf(record.type);
  const needsNewer = ({ type, id, version }: AgentRecord): NexaError =>
    new NexaError('unknown-version', `it was owned by version ${version} of its type, this node has ${versionOf(type)}`, {
      where: { type, id, node: self.node, version: String(version) },
      fix: 'Start a node with that version of the type, or a later one.',
      definite: true,
    });
  const raised = (record: AgentRecord, version: number): AgentRecord => (version > record.version ? { ...record, version } : record);

  const next = (phase: Phase, waiting: readonly OwnershipRequest[], effects: readonly OwnershipEffect[]): Result => {
    const first = waiting[0];
    if (first === undefined || (phase.phase !== 'idle' && phase.phase !== 'active')) return [merged(phase, { waiting }), effects];
    const [state, more] = request({ ...phase, waiting: waiting.slice(1) }, first);
    return [state, [...effects, ...more]];
  };
  const write = (
    goal: Goal,
    tries: number,
    record: AgentRecord,
    revision: number | undefined,
    waiting: readonly OwnershipRequest[],
    epoch?: number,
  ): Result => [
    { phase: 'writing', goal, tries, record, revision, ...(epoch === undefined ? {} : { epoch }), waiting },
    [{ effect: 'write', record, revision }],
  ];
  const read = (goal: Goal, tries: number, waiting: readonly OwnershipRequest[], epoch?: number): Result =>
    tries >= TRIES
      ? next(
          { phase: 'idle' },
          waiting,
          refuse(goal, new NexaError('ask-timeout', 'the store gave no clear answer', { fix: 'Repeat it with the same spawn id.' })),
        )
      : [
          { phase: 'reading', goal, tries, ...(epoch === undefined ? {} : { epoch }), waiting },
          [{ effect: 'read', delayMs: backoffMs(tries) }],
        ];

  const refuse = (goal: Goal, error: NexaError): readonly OwnershipEffect[] => {
    if (goal.request === 'spawn') return [{ effect: 'answer-spawn', token: goal.token, answer: error }];
    if (goal.request === 'stop') return [{ effect: 'answer-stop', token: goal.token, error }];
    return [];
  };
  const existing = (goal: SpawnRequest, record: AgentRecord, revision: number): OwnershipEffect => {
    const repeated = goal.record.spawnId !== '' && goal.record.spawnId === record.spawnId;
    if (!repeated && !sameData(goal.record.config, record.config)) {
      const where = { type: record.type, id: record.id };
      const fix = 'Stop it first, or spawn it with the configuration it has.';
      return {
        effect: 'answer-spawn',
        token: goal.token,
        answer: new NexaError('conflict', 'this agent runs with another configuration', { where, fix }),
      };
    }
    return { effect: 'answer-spawn', token: goal.token, answer: { node: record.owner?.node ?? null, epoch: revision, created: false } };
  };

  function answerSpawn(
    state: Extract<OwnershipState, { phase: 'activating' | 'active' }>,
    error: NexaError | undefined,
  ): readonly OwnershipEffect[] {
    if (state.created === undefined) return [];
    const { token, again } = state.created;
    return [{ effect: 'answer-spawn', token, answer: error ?? { node: self.node, epoch: state.epoch, created: again !== true } }];
  }

  function request(state: OwnershipState, input: OwnershipRequest): Result {
    const { waiting } = state;
    if (state.phase === 'idle')
      return input.request === 'spawn' ? write(input, 0, input.record, undefined, waiting) : read(input, 0, waiting);
    if (state.phase === 'active') {
      if (input.request === 'spawn') return next(state, waiting, [existing(input, state.record, state.epoch)]);
      return [{ phase: 'ending', epoch: state.epoch, record: state.record, goal: input, waiting }, [{ effect: 'end', graceful: true }]];
    }
    if (waiting.length >= WAITING) return [state, refuse(input, new NexaError('overloaded', 'too many requests wait for this agent'))];
    return [{ ...state, waiting: [...waiting, input] }, []];
  }

  /** The write that ends an activation, once it has ended. */
  function giveUp(goal: Goal, record: AgentRecord, epoch: number, waiting: readonly OwnershipRequest[], tries = 0): Result {
    return write(goal, tries, after(goal, record, epoch), epoch, waiting, epoch);
  }
  /** `epoch`: of its last owner, where that is known. */
  function after(goal: Goal, record: AgentRecord, epoch: number | undefined): AgentRecord {
    const base = { ...record, owner: undefined, prefer: undefined, moves: ended(record.moves, epoch) };
    switch (goal.request) {
      case 'release':
        return { ...base, prefer: goal.prefer, why: goal.why, cause: goal.cause };
      case 'quarantine':
        return { ...base, desired: 'quarantined', why: goal.why };
      case 'finish':
        return { ...base, desired: 'stopped', why: goal.why };
      default:
        return { ...base, desired: 'stopped', why: 'stopped on request' };
    }
  }

  /** The record as this node claims it. */
  function taken(record: AgentRecord, revision: number, { why, cause, nonce, atMs }: ClaimReason): AgentRecord {
    const moves = moved(record.moves, record.owner === undefined ? undefined : revision, { ...self, why, cause, atMs });
    return merged(raised(record, versionOf(record.type)), { owner: self, prefer: undefined, nonce, why, cause, moves });
  }

  function written(state: Extract<OwnershipState, { phase: 'writing' }>, revision: number): Result {
    const { goal, record, waiting } = state;
    switch (goal.request) {
      case 'spawn':
      case 'claim':
        if (record.desired !== 'running') return next({ phase: 'idle' }, waiting, []); // a temporary agent of a lost node
        return [
          { phase: 'activating', epoch: revision, record, ...(goal.request === 'spawn' ? { created: goal } : {}), waiting },
          [{ effect: 'activate', record, epoch: revision }],
        ];
      case 'stop':
        if (goal.forget) return [{ phase: 'forgetting', token: goal.token, waiting }, [{ effect: 'forget', epoch: revision }]];
        return next({ phase: 'idle' }, waiting, [{ effect: 'answer-stop', token: goal.token }]);
      default:
        return next({ phase: 'idle' }, waiting, []);
    }
  }

  function found(
    state: Extract<OwnershipState, { phase: 'reading' }>,
    there: { readonly record: AgentRecord; readonly revision: number } | undefined,
  ): Result {
    const { goal, tries, waiting, epoch } = state;
    if (there === undefined) {
      if (goal.request === 'spawn') return write(goal, tries + 1, goal.record, undefined, waiting);
      // Nothing to stop, and nothing to give back: an absent record is no proof, but neither is it ours to write.
      return next(
        { phase: 'idle' },
        waiting,
        goal.request === 'stop' ? refuse(goal, new NexaError('no-such-actor', 'there is no such agent')) : [],
      );
    }
    const { record, revision } = there;
    if (epoch !== undefined) {
      // The doubtful write that was to end our own activation: repeat it while the record still stands at our epoch.
      if (revision === epoch) return giveUp(goal, record, epoch, waiting, tries + 1);
      if (goal.request !== 'stop') return next({ phase: 'idle' }, waiting, []);
    }
    switch (goal.request) {
      case 'spawn': {
        if (record.nonce === goal.record.nonce && mine(record)) return write(goal, tries + 1, goal.record, revision, waiting);
        if (record.desired === 'running') {
          const answer = existing(goal, record, revision);
          // Who spawns an orphan waits for it: it need not wait for its turn, where it is wanted as it was.
          const wanted = orphaned(record, isGone) && mayReturn(record) && sameData(goal.record.placement, record.placement);
          if (wanted && tooNew(record)) return next({ phase: 'idle' }, waiting, refuse(goal, needsNewer(record)));
          if (!wanted || ('answer' in answer && answer.answer instanceof NexaError)) return next({ phase: 'idle' }, waiting, [answer]);
          const atMs = goal.record.moves.at(-1)?.atMs ?? 0;
          const claimed = taken(record, revision, { why: 'spawned again', cause: 'spawn', nonce: goal.record.nonce, atMs });
          return write({ ...goal, record: claimed, again: true }, tries + 1, claimed, revision, waiting);
        }
        if (goal.record.spawnId !== '' && goal.record.spawnId === record.spawnId) {
          return next({ phase: 'idle' }, waiting, [
            { effect: 'answer-spawn', token: goal.token, answer: { node: null, epoch: revision, created: false } },
          ]);
        }
        if (tooNew(record)) return next({ phase: 'idle' }, waiting, refuse(goal, needsNewer(record)));
        const again = { ...goal.record, moves: [...ended(record.moves, undefined), ...goal.record.moves] };
        return write(goal, tries + 1, again, revision, waiting);
      }
      case 'claim': {
        if (!mine(record) && !orphaned(record, isGone)) return next({ phase: 'idle' }, waiting, []);
        if (record.desired !== 'running' || tooNew(record)) return next({ phase: 'idle' }, waiting, []);
        const back = mine(record) || record.owner === undefined || mayReturn(record);
        const claimed: AgentRecord = back
          ? taken(record, revision, goal)
          : { ...record, owner: undefined, desired: 'stopped', nonce: goal.nonce, why: 'its node was lost and it is temporary' };
        return write(goal, tries + 1, claimed, revision, waiting);
      }
      case 'stop': {
        if (record.desired === 'stopped') {
          if (goal.forget) return [{ phase: 'forgetting', token: goal.token, waiting }, [{ effect: 'forget', epoch: revision }]];
          return next({ phase: 'idle' }, waiting, [{ effect: 'answer-stop', token: goal.token }]);
        }
        if (record.owner !== undefined && !mine(record) && !isGone(record.owner.node, record.owner.incarnation)) {
          const where = { node: record.owner.node, revision: String(revision) };
          return next({ phase: 'idle' }, waiting, refuse(goal, new NexaError('not-owner', 'it runs on another node', { where })));
        }
        return write(goal, tries + 1, after(goal, record, record.owner === undefined ? undefined : revision), revision, waiting);
      }
      default:
        return next({ phase: 'idle' }, waiting, []);
    }
  }

  return (state, input) => {
    if ('request' in input) return request(state, input);
    const { waiting } = state;
    switch (input.input) {
      case 'claim': {
        const { why, cause, nonce, atMs } = input;
        return state.phase === 'idle' ? read({ request: 'claim', why, cause, nonce, atMs }, 0, waiting) : [state, []];
      }
      case 'written':
        if (state.phase !== 'writing') return [state, []];
        if (input.outcome === 'yes') return written(state, input.revision);
        // A first try that was refused for good is a definite answer to whoever asked; what ends an activation is tried on.
        if (input.refused !== undefined && state.tries === 0 && state.epoch === undefined) {
          return next({ phase: 'idle' }, waiting, refuse(state.goal, input.refused));
        }
        // A claim with an unknown outcome counts as not made: reconcile finds the record that names us, if it landed.
        if (state.goal.request === 'claim') return next({ phase: 'idle' }, waiting, []);
        return read(state.goal, input.outcome === 'unknown' ? state.tries + 1 : state.tries, waiting, state.epoch);
      case 'read':
        return state.phase === 'reading' ? found(state, input.found) : [state, []];
      case 'read-failed':
        if (state.phase !== 'reading') return [state, []];
        if (input.unreadable !== undefined)
          return next({ phase: 'idle' }, waiting, refuse(state.goal, doubted(input.unreadable, state.tries)));
        return read(state.goal, state.tries + 1, waiting, state.epoch);
      case 'activated': {
        if (state.phase !== 'activating') return [state, []];
        return next({ phase: 'active', epoch: state.epoch, record: state.record }, waiting, answerSpawn(state, undefined));
      }
      case 'wake': {
        if (state.phase !== 'active') return [state, []];
        const { epoch, record } = state;
        return [{ phase: 'activating', epoch, record, waiting }, [{ effect: 'activate', record, epoch }]];
      }
      case 'activation-failed': {
        if (state.phase !== 'activating') return [state, []];
        const goal: Goal = input.local
          ? { request: 'release', prefer: undefined, why: `could not start on ${self.node}: ${input.error.code}`, cause: 'failed-start' }
          : { request: 'quarantine', why: `${input.error.code}: ${input.error.message}`.slice(0, 500) };
        // What its state was written by is what it needs: an older node need not try again.
        const needed = input.error.code === 'unknown-version' ? Number(input.error.where.version) : 0;
        const [after, effects] = giveUp(goal, raised(state.record, needed), state.epoch, waiting);
        return [after, [...(input.local ? [{ effect: 'exclude' } as const] : []), ...answerSpawn(state, input.error), ...effects]];
      }
      case 'leave': {
        if (state.phase !== 'active') return [state, []];
        const { epoch, record } = state;
        const goal: Goal = { request: 'release', prefer: input.prefer, why: input.why, cause: input.cause };
        return [{ phase: 'ending', epoch, record, goal, waiting }, [{ effect: 'end', graceful: true }]];
      }
      case 'finished':
      case 'gave-up': {
        if (state.phase !== 'active' && state.phase !== 'activating') return [state, []];
        const { error } = input;
        const why = error === undefined ? 'stopped by itself' : `${error.code}: ${error.message}`.slice(0, 500);
        const goal: Goal = { request: input.input === 'finished' ? 'finish' : 'quarantine', why };
        const [after, effects] = giveUp(goal, state.record, state.epoch, waiting);
        // It may end before it was known to have begun; whoever spawned it waits.
        return [after, [...(state.phase === 'activating' ? answerSpawn(state, error) : []), ...effects]];
      }
      case 'ended':
        return state.phase === 'ending' ? giveUp(state.goal, state.record, state.epoch, waiting) : [state, []];
      case 'superseded':
        if (state.phase !== 'active' && state.phase !== 'activating' && state.phase !== 'ending') return [state, []];
        if (input.revision <= state.epoch) return [state, []];
        return next({ phase: 'idle' }, waiting, [
          { effect: 'end', graceful: false },
          ...(state.phase === 'activating' && state.created !== undefined
            ? refuse(state.created, new NexaError('fenced', 'another node took it over'))
            : []),
          ...(state.phase === 'ending' ? refuse(state.goal, new NexaError('fenced', 'another node took it over')) : []),
        ]);
      case 'forgotten':
        return state.phase === 'forgetting'
          ? next({ phase: 'idle' }, waiting, [{ effect: 'answer-stop', token: state.token }])
          : [state, []];
      case 'over': {
        const lost = new NexaError('fenced', 'this node incarnation is over', { definite: false });
        const running = state.phase === 'active' || state.phase === 'activating' || state.phase === 'ending';
        const pending = [
          ...(state.phase === 'activating' && state.created !== undefined ? [state.created] : []),
          ...(state.phase === 'reading' || state.phase === 'writing' || state.phase === 'ending' ? [state.goal] : []),
          ...waiting,
        ];
        return [
          NOT_OWNED,
          [...(running ? [{ effect: 'end', graceful: false } as const] : []), ...pending.flatMap((goal) => refuse(goal, lost))],
        ];
      }
    }
  };
}

/** After a try whose outcome is unknown nobody can say that it did not happen. */
const doubted = (error: NexaError, tries: number): NexaError => {
  const { code, message, where, fix } = error;
  return tries === 0 ? error : new NexaError(code, message, { where, definite: false, ...(fix === undefined ? {} : { fix }) });
};

/** Equality of plain data, whatever the order of keys. */
export function sameData(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null || Array.isArray(a) !== Array.isArray(b)) return false;
  const [left, right] = [Object.entries(a), Object.entries(b)];
  return (
    left.length === right.length &&
    left.every(([key, value]) => Object.hasOwn(b, key) && sameData(value, (b as Record<string, unknown>)[key]))
  );
}
