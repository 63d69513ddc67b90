import { NexaError } from '../../errors.ts';
import { fieldsOf, misfit, own } from './plain.ts';
import type { Replicated } from './replicated.ts';

/** Values of one kind by key. A key stays once it was used: what is to go again is an element of a set. */
export type ReplicatedMap<Value> = Readonly<Record<string, Value>>;
export interface ReplicatedMapType<Value, Digest> extends Replicated<ReplicatedMap<Value>, ReplicatedMap<Digest>> {
  get(map: ReplicatedMap<Value>, key: string): Value;
  /**
   * The delta that changes what is at the key by the delta that `change` makes of it.
   * @throws NexaError `quota-exceeded` at 1,000 keys, `bad-id` for a key that is not 1 … 256 characters, and what `change` throws.
   */
  at(map: ReplicatedMap<Value>, key: string, change: (value: Value) => Value): ReplicatedMap<Value>;
}

/** Several values of different kinds as one: they are stored, merged and gossiped together. */
export interface ReplicatedRecordType<Kinds extends KindsByName> extends Replicated<ValuesOf<Kinds>, DigestsOf<Kinds>> {
  /** The delta that changes these fields by their deltas, and no other. */
  delta(deltas: Partial<ValuesOf<Kinds>>): ValuesOf<Kinds>;
}
// biome-ignore lint/suspicious/noExplicitAny: a kind is invariant in its value, so only `any` stands for all of them.
type KindsByName = Readonly<Record<string, Replicated<any, any>>>;
type ValuesOf<Kinds extends KindsByName> = { readonly [Name in keyof Kinds]: Kinds[Name]['empty'] };
type DigestsOf<Kinds extends KindsByName> = { readonly [Name in keyof Kinds]?: ReturnType<Kinds[Name]['digest']> };

const MOST_KEYS = 1_000;
const MOST_KEY_CHARACTERS = 256;

const isKey = (key: string): boolean => key.length > 0 && key.length <= MOST_KEY_CHARACTERS && key.isWellFormed() && key !== '__proto__';
const crowded = (): NexaError => new NexaError('quota-exceeded', `a replicated map has ${MOST_KEYS} keys at the most`);

/** A map of counters, registers or sets. */
export function replicatedMap<Value, Digest>(kind: Replicated<Value, Digest>): ReplicatedMapType<Value, Digest> {
  const fieldwise = byField<Value, Digest>((key) => (isKey(key) ? kind : undefined));
  /** What is as if it were absent is absent, so that equal maps are equal data. */
  const used = (map: ReplicatedMap<Value>): ReplicatedMap<Value> =>
    Object.fromEntries(Object.entries(map).filter(([, value]) => kind.deltaSince(value, kind.digest(kind.empty)) !== undefined));
  return {
    ...fieldwise,
    parse: (data, nowMs) => used(fieldwise.parse(data, nowMs)),
    get: (map, key) => own(map, key) ?? kind.empty,
    at(map, key, change) {
      if (!isKey(key)) throw new NexaError('bad-id', 'no key of a replicated map', { where: { key: key.slice(0, 128).toWellFormed() } });
      if (!Object.hasOwn(map, key) && Object.keys(map).length >= MOST_KEYS) throw crowded();
      return used({ [key]: change(own(map, key) ?? kind.empty) });
    },
    merge(a, b) {
      const merged = fieldwise.merge(a, b);
      if (Object.keys(merged).length > MOST_KEYS) throw crowded();
      return merged;
    },
  };
}

/** A record of named kinds. A field that is added in a later version of an agent is empty until somebody changes it. */
export function replicatedRecord<Kinds extends KindsByName>(kinds: Kinds): ReplicatedRecordType<Kinds> {
  const empty = Object.fromEntries(Object.entries(kinds).map(([name, kind]) => [name, kind.empty])) as ValuesOf<Kinds>;
  const { deltaSince, parse, ...fieldwise } = byField<unknown, unknown>((name) => own(kinds, name));
  const whole = (given: object): ValuesOf<Kinds> => ({ ...empty, ...given });
  return {
    ...(fieldwise as unknown as Pick<Replicated<ValuesOf<Kinds>, DigestsOf<Kinds>>, 'merge' | 'digest' | 'parseDigest'>),
    empty,
    delta: whole,
    deltaSince(values, digest) {
      const news = deltaSince(values, digest);
      return news === undefined ? undefined : whole(news);
    },
    parse: (data, nowMs) => whole(parse(data, nowMs)),
  };
}

type ByField<Value> = Readonly<Record<string, Value>>;

/** What holds for each field holds for all together. A field that is absent is empty. */
function byField<Value, Digest>(
  kindOf: (field: string) => Replicated<Value, Digest> | undefined,
): Replicated<ByField<Value>, ByField<Digest>> {
  /** Only of fields that were parsed, or that the caller made. */
  const kindAt = (field: string): Replicated<Value, Digest> => kindOf(field) as Replicated<Value, Digest>;
  const parsed = <Data>(data: unknown, parse: (kind: Replicated<Value, Digest>, inner: unknown) => Data): ByField<Data> =>
    Object.fromEntries(
      fieldsOf(data, '', MOST_KEYS).map(([field, inner]) => {
        const kind = kindOf(field);
        if (kind === undefined) throw misfit(field.slice(0, 128).toWellFormed(), 'is no field of it');
        return [field, parse(kind, inner)];
      }),
    );
  return {
    empty: {},
    merge(a, b) {
      const merged = { ...a };
      for (const [field, value] of Object.entries(b)) {
        const before = own(merged, field);
        merged[field] = before === undefined ? value : kindAt(field).merge(before, value);
      }
      return merged;
    },
    digest: (values) => Object.fromEntries(Object.entries(values).map(([field, value]) => [field, kindAt(field).digest(value)])),
    deltaSince(values, digest) {
      const news = Object.entries(values).flatMap(([field, value]) => {
        const kind = kindAt(field);
        const delta = kind.deltaSince(value, own(digest, field) ?? kind.digest(kind.empty));
        return delta === undefined ? [] : [[field, delta] as const];
      });
      return news.length === 0 ? undefined : Object.fromEntries(news);
    },
    parse: (data, nowMs) => parsed(data, (kind, inner) => kind.parse(inner, nowMs)),
    parseDigest: (data) => parsed(data, (kind, inner) => kind.parseDigest(inner)),
  };
}
