import type { Finding } from '../ports/check.ts';
import { fitness, parseVersion, RECOMMENDED } from './version.ts';

/** What was seen of the servers; what could not be looked at is absent. */
export interface Observed {
  /** As each reachable server reports it. */
  readonly versions: readonly string[];
  /** Servers in the cluster. */
  readonly servers: number;
  /** Of every stream of ours, as configured. */
  readonly replicas: number;
  readonly jetstream: boolean;
  /** Races of concurrent writers that were run, and how many had another number of winners than one. */
  readonly races?: { readonly run: number; readonly wrong: number };
  /** Which class was asked for, and what the servers' monitors say (`unverified`: not all could be read). */
  readonly durability?: { readonly wanted: 'quorum' | 'fsync'; readonly seen: 'quorum' | 'fsync' | 'unverified' };
}

/** The judgements below are pure: each says of what was seen whether Nexa may keep its state there. */
export function jetStreamFinding({ jetstream: on }: Pick<Observed, 'jetstream'>): Finding {
  if (on) return { verdict: 'ok', message: 'JetStream is on' };
  return {
    verdict: 'failed',
    message: 'JetStream is off',
    fix: 'Start every nats-server with JetStream (a `jetstream` block with a store_dir, or -js).',
  };
}

/** Of the worst of the servers. */
export function versionFinding({ versions: seen, servers, replicas }: Pick<Observed, 'versions' | 'servers' | 'replicas'>): Finding {
  const replicated = servers > 1 || replicas > 1;
  const fix = `Upgrade nats-server to ${RECOMMENDED}; \`nexa setup\` shows how.`;
  const each = [...new Set(seen)].map((text): Finding => {
    const version = parseVersion(text);
    if (version === undefined)
      return { verdict: 'failed', message: `a server reports no version: ${JSON.stringify(text.slice(0, 50))}`, fix };
    const { fit, reason } = fitness(version, { replicated });
    if (reason === undefined) return { verdict: 'ok', message: `nats-server ${text}` };
    return { verdict: fit ? 'warning' : 'failed', message: `nats-server ${reason}`, fix };
  });
  const worst = (['failed', 'warning', 'ok'] as const).find((verdict) => each.some((finding) => finding.verdict === verdict)) ?? 'failed';
  const message = each.flatMap((finding) => (finding.verdict === worst ? [finding.message] : [])).join('; ');
  return { verdict: worst, message, ...(worst === 'ok' ? {} : { fix }) };
}

export function replicasFinding({ servers, replicas: count }: Pick<Observed, 'servers' | 'replicas'>): Finding {
  const result = (verdict: Finding['verdict'], message: string, fix: string): Finding => ({ verdict, message, fix });
  if (!Number.isInteger(count) || count < 1 || count > 5)
    return result('failed', `${count} replicas are not possible`, 'Configure 1, 3 or 5 replicas.');
  if (count > servers)
    return result('failed', `${count} replicas do not fit on ${servers} server(s)`, `Start ${count} servers or configure fewer replicas.`);
  if (count % 2 === 0)
    return result('warning', `${count} replicas survive no more losses than ${count - 1}`, 'Configure 1, 3 or 5 replicas.');
  if (servers === 2) return result('warning', 'a cluster of two servers stops when either is lost', 'Run one server or three.');
  if (count === 1 && servers > 1)
    return result(
      'warning',
      'with one replica a lost server takes its streams along',
      'Configure 3 replicas before the cluster is formed.',
    );
  return { verdict: 'ok', message: `${count} replica(s) on ${servers} server(s)` };
}

export function compareAndSetFinding(races: NonNullable<Observed['races']>): Finding {
  if (races.run === 0)
    return {
      verdict: 'warning',
      message: 'no race of writers could be run',
      fix: 'Repeat once the servers have a leader.',
    };
  if (races.wrong === 0) return { verdict: 'ok', message: `${races.run} races of writers had one winner each` };
  return {
    verdict: 'failed',
    message: `${races.wrong} of ${races.run} races of writers had a wrong number of winners: nothing can be owned there`,
    fix: `Upgrade nats-server to ${RECOMMENDED}.`,
  };
}

export function durabilityFinding({ wanted, seen }: NonNullable<Observed['durability']>, count: number): Finding {
  if (wanted === 'fsync' && seen !== 'fsync') {
    return {
      verdict: 'failed',
      message:
        seen === 'unverified'
          ? 'class fsync cannot be verified: a monitor is out of reach'
          : 'class fsync was asked for, but the servers write to disk later',
      fix: 'Set `sync_interval: always` in the `jetstream` block of every server and let this node read their monitors, or ask for class quorum.',
    };
  }
  const survives =
    seen === 'fsync' ? 'power loss' : count > 1 ? 'the crash of a minority of the servers' : 'the crash of the server process';
  const message = `acknowledged writes survive ${survives}`;
  if (seen === 'unverified')
    return {
      verdict: 'warning',
      message: `class quorum is unverified: a monitor is out of reach; ${message}`,
      fix: 'Let this node read the servers’ monitors.',
    };
  return { verdict: 'ok', message: `class ${seen}: ${message}` };
}
