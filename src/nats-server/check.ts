import { NexaError } from '../errors.ts';
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

export interface CheckResult {
  readonly check: 'jetstream' | 'version' | 'replicas' | 'compare-and-set' | 'durability';
  readonly verdict: 'ok' | 'warning' | 'refused';
  readonly message: string;
  /** One imperative sentence. */
  readonly fix?: string;
}

/** Whether Nexa may keep its state there: one result per check, in the order an operator would go through them. Pure. */
export function checkServers(observed: Observed): readonly CheckResult[] {
  return [jetstream(observed), ...versions(observed), replicas(observed), compareAndSet(observed), durability(observed)].filter(
    (result) => result !== undefined,
  );
}

/** @throws NexaError `store-misconfigured` naming everything that was refused, with the fixes. */
export function requireAccepted(results: readonly CheckResult[]): void {
  const refused = results.filter(({ verdict }) => verdict === 'refused');
  if (refused.length === 0) return;
  throw new NexaError('store-misconfigured', refused.map(({ message }) => message).join('; '), {
    where: { check: refused.map(({ check }) => check).join(' ') },
    fix: refused.map(({ fix }) => fix ?? '').join(' '),
  });
}

function jetstream({ jetstream: on }: Observed): CheckResult {
  if (on) return { check: 'jetstream', verdict: 'ok', message: 'JetStream is on' };
  return {
    check: 'jetstream',
    verdict: 'refused',
    message: 'JetStream is off',
    fix: 'Start every nats-server with JetStream (a `jetstream` block with a store_dir, or -js).',
  };
}

function versions({ versions: seen, servers, replicas }: Observed): readonly CheckResult[] {
  const replicated = servers > 1 || replicas > 1;
  return [...new Set(seen)].map((text) => {
    const version = parseVersion(text);
    const fix = `Upgrade nats-server to ${RECOMMENDED}; \`nexa setup\` shows how.`;
    if (version === undefined)
      return { check: 'version', verdict: 'refused', message: `a server reports no version: ${JSON.stringify(text.slice(0, 50))}`, fix };
    const { fit, reason } = fitness(version, { replicated });
    if (reason === undefined) return { check: 'version', verdict: 'ok', message: `nats-server ${text}` };
    return { check: 'version', verdict: fit ? 'warning' : 'refused', message: `nats-server ${reason}`, fix };
  });
}

function replicas({ servers, replicas: count }: Observed): CheckResult {
  const result = (verdict: CheckResult['verdict'], message: string, fix: string): CheckResult => ({
    check: 'replicas',
    verdict,
    message,
    fix,
  });
  if (!Number.isInteger(count) || count < 1 || count > 5)
    return result('refused', `${count} replicas are not possible`, 'Configure 1, 3 or 5 replicas.');
  if (count > servers)
    return result('refused', `${count} replicas do not fit on ${servers} server(s)`, `Start ${count} servers or configure fewer replicas.`);
  if (count % 2 === 0)
    return result('warning', `${count} replicas survive no more losses than ${count - 1}`, 'Configure 1, 3 or 5 replicas.');
  if (servers === 2) return result('warning', 'a cluster of two servers stops when either is lost', 'Run one server or three.');
  if (count === 1 && servers > 1)
    return result(
      'warning',
      'with one replica a lost server takes its streams along',
      'Configure 3 replicas before the cluster is formed.',
    );
  return { check: 'replicas', verdict: 'ok', message: `${count} replica(s) on ${servers} server(s)` };
}

function compareAndSet({ races }: Observed): CheckResult | undefined {
  if (races === undefined) return undefined;
  if (races.run === 0)
    return {
      check: 'compare-and-set',
      verdict: 'warning',
      message: 'no race of writers could be run',
      fix: 'Repeat once the servers have a leader.',
    };
  if (races.wrong === 0) return { check: 'compare-and-set', verdict: 'ok', message: `${races.run} races of writers had one winner each` };
  return {
    check: 'compare-and-set',
    verdict: 'refused',
    message: `${races.wrong} of ${races.run} races of writers had a wrong number of winners: nothing can be owned there`,
    fix: `Upgrade nats-server to ${RECOMMENDED}.`,
  };
}

function durability({ durability: asked, replicas: count }: Observed): CheckResult | undefined {
  if (asked === undefined) return undefined;
  const { wanted, seen } = asked;
  if (wanted === 'fsync' && seen !== 'fsync') {
    return {
      check: 'durability',
      verdict: 'refused',
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
      check: 'durability',
      verdict: 'warning',
      message: `class quorum is unverified: a monitor is out of reach; ${message}`,
      fix: 'Let this node read the servers’ monitors.',
    };
  return { check: 'durability', verdict: 'ok', message: `class ${seen}: ${message}` };
}
