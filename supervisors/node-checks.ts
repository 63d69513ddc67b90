import { codecCheck } from '../src/cluster/codec-check.ts';
import type { Formation } from '../src/cluster/formation.ts';
import { NexaError } from '../src/errors.ts';
import type { Check } from '../src/ports/check.ts';
import type { Codec } from '../src/ports/codec.ts';
import type { Broker } from './broker.ts';
import type { NodeOptions } from './node-contract.ts';
import { serviceChecks } from './service-check.ts';

const FORM_MS = 30_000;
const MOST_LABELS = 64;
const LONGEST_LABEL = 256;

/** All that a node looks at before it joins. @throws NexaError `invalid-definition` for a service that cannot be probed at all. */
export function nodeChecks(parts: {
  readonly options: NodeOptions;
  readonly types: number;
  readonly codec: Codec;
  readonly broker: Broker;
  readonly bucket: string;
  readonly durability: 'quorum' | 'fsync' | 'unverified' | undefined;
  readonly form: (within: { readonly timeoutMs: number }) => Promise<Formation>;
}): readonly Check[] {
  const { options, codec, broker, bucket, durability } = parts;
  let replicas = options.replicas ?? 1;
  const on = {
    replicas: () => replicas,
    bucket,
    durability:
      durability === undefined
        ? undefined
        : { wanted: durability === 'fsync' ? ('fsync' as const) : ('quorum' as const), seen: durability },
  } as const;
  const [first, ...rest] = broker.checks(on);
  const formation: Check = {
    name: 'formation',
    required: true,
    timeoutMs: FORM_MS + 5_000,
    after: ['jetstream'],
    async run() {
      const formed = await parts.form({ timeoutMs: FORM_MS });
      replicas = formed.replicas;
      return { verdict: 'ok', message: `layout ${formed.layout}, ${formed.replicas} replica(s)` };
    },
  };
  return [
    configCheck(options, parts.types),
    codecCheck(codec),
    ...(first === undefined ? [] : [first]),
    formation,
    ...rest,
    ...serviceChecks(options.services ?? []),
  ];
}

/** What was given that no part checks by itself. Names and definitions were refused before anything began. */
function configCheck({ capacity = 1, mostActive = 1, labels = {}, services = [] }: NodeOptions, types: number): Check {
  const misfit = (field: string, message: string): NexaError =>
    new NexaError('invalid-definition', message, { where: { field }, fix: `Correct ${field}.` });
  return {
    name: 'config',
    required: true,
    timeoutMs: 1_000,
    async run() {
      if (!(capacity >= 0 && capacity <= 1_000_000)) throw misfit('capacity', `the capacity is ${capacity}`);
      if (!(Number.isInteger(mostActive) && mostActive >= 1)) throw misfit('mostActive', `${mostActive} agents active at most`);
      const entries = Object.entries(labels);
      if (entries.length > MOST_LABELS) throw misfit('labels', `${entries.length} labels; ${MOST_LABELS} are allowed`);
      for (const [name, value] of entries)
        if (name.length > LONGEST_LABEL || String(value).length > LONGEST_LABEL)
          throw misfit('labels', `the label ${name.slice(0, 64)} is too long`);
      return { verdict: 'ok', message: `${types} agent types, ${entries.length} labels, ${services.length} services` };
    },
  };
}
