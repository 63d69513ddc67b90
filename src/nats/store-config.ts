import type { StoreSpec } from '../ports/stores.ts';
import type { Subject } from '../ports/transport.ts';

/** What of a stream's configuration we set and compare. */
export interface StreamConfig {
  readonly name: string;
  readonly subjects: readonly string[];
  readonly retention: 'limits';
  readonly storage: 'file';
  readonly discard: 'new';
  readonly num_replicas: number;
  readonly max_msgs_per_subject: number;
  readonly discard_new_per_subject?: true;
  readonly max_msgs: number;
  readonly max_bytes: number;
  readonly max_age: number;
  readonly duplicate_window: number;
  readonly allow_direct: false;
  readonly allow_rollup_hdrs: boolean;
  readonly deny_delete: false;
  readonly deny_purge: false;
  readonly first_seq?: number;
}

const PREFIX = { kv: 'KV_', stream: '', objects: 'OBJ_' } as const;
const DUPLICATE_WINDOW_NANOS = 120_000_000_000;

export const streamName = (kind: StoreSpec['kind'], name: string): string => PREFIX[kind] + name;

/** The layouts of NATS's own key-value and object stores, so that its tools can look into them; but reads only through the leader. */
export function streamConfig(spec: StoreSpec): StreamConfig {
  const { name, kind } = spec;
  const subjects = { kv: [`$KV.${name}.>`], stream: [...(spec.subjects ?? [])], objects: [`$O.${name}.C.>`, `$O.${name}.M.>`] }[kind];
  return {
    name: streamName(kind, name),
    subjects,
    retention: 'limits',
    storage: 'file',
    discard: 'new',
    num_replicas: spec.replicas,
    max_msgs_per_subject: kind === 'kv' ? 1 : (spec.mostPerSubject ?? -1),
    ...(spec.mostPerSubject === undefined ? {} : { discard_new_per_subject: true }),
    max_msgs: -1,
    max_bytes: -1,
    max_age: 0,
    duplicate_window: DUPLICATE_WINDOW_NANOS,
    allow_direct: false,
    allow_rollup_hdrs: kind !== 'stream',
    deny_delete: false,
    deny_purge: false,
    ...(spec.firstSequence === undefined ? {} : { first_seq: spec.firstSequence }),
  };
}

/** Which fields of a stream are not as wanted. What the server leaves out of its answer is false or nothing. */
export function differences(present: Partial<Record<keyof StreamConfig, unknown>>, wanted: StreamConfig): string[] {
  return (Object.keys(wanted) as (keyof StreamConfig)[]).filter((field) => {
    const expected = wanted[field];
    const found = present[field] ?? (typeof expected === 'boolean' ? false : undefined);
    return Array.isArray(expected)
      ? [...expected].sort().join() !== [...((found as string[] | undefined) ?? [])].sort().join()
      : found !== expected;
  });
}

/** What a stream on the server was made from. */
export function specFrom(
  name: string,
  kind: StoreSpec['kind'],
  config: {
    readonly num_replicas?: number;
    readonly first_seq?: number;
    readonly max_msgs_per_subject?: number;
    readonly subjects?: readonly string[];
  },
): StoreSpec {
  const mostPerSubject = kind === 'stream' ? (config.max_msgs_per_subject ?? -1) : -1;
  return {
    name,
    kind,
    replicas: config.num_replicas ?? 1,
    ...(config.first_seq === undefined ? {} : { firstSequence: config.first_seq }),
    ...(mostPerSubject > 0 ? { mostPerSubject } : {}),
    ...(kind === 'stream' ? { subjects: (config.subjects ?? []) as readonly Subject[] } : {}),
  };
}
