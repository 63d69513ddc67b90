import { NexaError } from '../errors.ts';

/** What `nats-server --version` or a server's INFO says. A pre-release is older than its release. */
export interface Version {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  readonly preRelease?: string;
}

/** Below this, races on replicated streams had more than one winner or lost acknowledged records. */
export const REPLICATED_MINIMUM: Version = { major: 2, minor: 11, patch: 0 };
/** Below this, one server could lose a whole stream when it was killed. */
export const SINGLE_MINIMUM: Version = { major: 2, minor: 10, patch: 23 };
export const RECOMMENDED = '2.12.8 or later, or 2.14 or later';

export interface Fitness {
  readonly fit: boolean;
  readonly version: Version;
  /** Why it is refused, or what is weaker than recommended. Absent: as recommended. */
  readonly reason?: string;
}

/** The first version in a text such as `nats-server: v2.15.1` or `2.12.0-RC.2`; undefined if there is none. */
export function parseVersion(text: string): Version | undefined {
  const found = /(?:^|[^\d.])(\d{1,6})\.(\d{1,6})\.(\d{1,6})(?:-([0-9A-Za-z.-]{1,64}))?(?![\d.])/.exec(text.slice(0, 1_000));
  if (found === null) return undefined;
  const [, major, minor, patch, preRelease] = found;
  return { major: Number(major), minor: Number(minor), patch: Number(patch), ...(preRelease === undefined ? {} : { preRelease }) };
}

export function formatVersion({ major, minor, patch, preRelease }: Version): string {
  return `${major}.${minor}.${patch}${preRelease === undefined ? '' : `-${preRelease}`}`;
}

/** Negative: `a` is older. Pre-releases of one release count as equal to each other: no rule here tells them apart. */
export function compareVersions(a: Version, b: Version): number {
  const beforeRelease = (version: Version) => (version.preRelease === undefined ? 0 : -1);
  return a.major - b.major || a.minor - b.minor || a.patch - b.patch || beforeRelease(a) - beforeRelease(b);
}

/** Whether Nexa may keep state on a server of this version. `replicated`: more than one server, or more than one replica. */
export function fitness(version: Version, use: { readonly replicated: boolean }): Fitness {
  const minimum = use.replicated ? REPLICATED_MINIMUM : SINGLE_MINIMUM;
  const kind = use.replicated ? 'replicated servers' : 'a single server';
  const own = formatVersion(version);
  if (compareVersions(version, minimum) < 0)
    return { fit: false, version, reason: `${own} is below ${formatVersion(minimum)}, the least for ${kind}` };
  const recommended =
    compareVersions(version, { major: 2, minor: 14, patch: 0 }) >= 0 ||
    (version.major === 2 && version.minor === 12 && compareVersions(version, { major: 2, minor: 12, patch: 8 }) >= 0);
  return recommended ? { fit: true, version } : { fit: true, version, reason: `${own} works; recommended is ${RECOMMENDED}` };
}

/** @throws NexaError `store-misconfigured` if Nexa must not keep state on a server that reports this version. */
export function requireFit(versionText: string, use: { readonly replicated: boolean; readonly where?: string }): Fitness {
  const version = parseVersion(versionText);
  const where = use.where === undefined ? {} : { server: use.where };
  if (version === undefined) {
    throw new NexaError('store-misconfigured', `not a nats-server version: ${JSON.stringify(versionText.slice(0, 100))}`, {
      where,
      fix: `Use a released nats-server (${RECOMMENDED}).`,
    });
  }
  const verdict = fitness(version, use);
  if (!verdict.fit) {
    throw new NexaError('store-misconfigured', `nats-server ${verdict.reason}`, {
      where,
      fix: `Upgrade nats-server to ${RECOMMENDED}; \`nexa setup\` shows how.`,
    });
  }
  return verdict;
}
