import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NexaError, toNexaError } from '../../../../src/errors.ts';
import { run } from '../../../../src/programs/run.ts';
import { type FoundTool, obtainTool } from '../../../../src/programs/tool.ts';
import type { FetchOptions } from '../../../../src/programs/unpack-package.ts';
import type { Tier } from '../../../plan.ts';
import { IP, NFT, SS } from '../tools.ts';
import type { NetTools } from './switch.ts';

export interface Choice {
  readonly tier: Tier;
  /** What goes before the command line of the process that opens the net; that process gets namespaces of its own by it. */
  readonly enter: readonly string[];
  /** Undefined for proxies. */
  readonly tools: NetTools | undefined;
  /** Better ones, and why this machine lacks them. */
  readonly refused: readonly { readonly tier: Tier; readonly why: string }[];
}

const PROBED_MS = 15_000;
const OWN_NAMESPACES = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', '--'];
const ENTER: Readonly<Record<Tier, readonly string[]>> = {
  namespaces: ['unshare', '--user', '--map-root-user', ...OWN_NAMESPACES],
  sudo: ['sudo', '-n', '--', 'unshare', ...OWN_NAMESPACES],
  proxies: [],
};
const FIX: Readonly<Record<Tier, string>> = {
  namespaces:
    'Allow unprivileged user namespaces (sysctl kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns), or ask for --tier proxies.',
  sudo: 'Let this user run sudo without a password, or ask for --tier proxies.',
  proxies: 'Ask for no tier.',
};

/**
 * How links can be cut on this machine, best first; each tier is tried out, not guessed. What it needs is looked for and, if need be, fetched
 * into the project's own cache. Nothing that was started is left.
 * @throws NexaError `unavailable` if the wanted one is lacking, with what would help; `cancelled` by `signal`.
 */
export async function chooseTier(options: FetchOptions, wanted?: Tier): Promise<Choice> {
  const refused: { readonly tier: Tier; readonly why: string }[] = [];
  let tools: NetTools | undefined;
  for (const tier of wanted === undefined ? (['namespaces', 'sudo'] as const) : [wanted]) {
    if (tier === 'proxies') break;
    try {
      await enters(tier, options);
      tools ??= await netTools(options);
      await wires(tier, tools, options);
      return { tier, enter: ENTER[tier], tools, refused };
    } catch (thrown) {
      const { code, message, fix = FIX[tier] } = toNexaError(thrown, 'unavailable');
      if (code === 'cancelled') throw thrown;
      if (wanted === tier)
        throw new NexaError('unavailable', `this machine has no ${tier}: ${message}`, {
          where: { tier },
          fix,
          retryable: false,
          cause: thrown,
        });
      refused.push({ tier, why: oneLine(message) });
    }
  }
  return { tier: 'proxies', enter: ENTER.proxies, tools: undefined, refused };
}

/** Before anything is fetched: whether namespaces are to be had at all. */
async function enters(tier: Exclude<Tier, 'proxies'>, options: FetchOptions): Promise<void> {
  if (process.platform !== 'linux') throw new NexaError('unavailable', `${process.platform} has no network namespaces`);
  await probe([...ENTER[tier], 'true'], options);
}

async function netTools(options: FetchOptions): Promise<NetTools> {
  return { nft: await obtainTool(NFT, options), ip: await obtainTool(IP, options), ss: await obtainTool(SS, options) };
}

/** Everything that a net is made of, once, and all of it ends with the probe. */
async function wires(tier: Exclude<Tier, 'proxies'>, { nft, ip }: NetTools, options: FetchOptions): Promise<void> {
  const script = `set -e
mount -t tmpfs -o size=1m none "$1"; : > "$1/a"; unshare --net="$1/a" true
env LD_LIBRARY_PATH="$3" "$2" link add br0 type bridge
env LD_LIBRARY_PATH="$3" "$2" link add p1 type veth peer name eth0 netns "$1/a"
env LD_LIBRARY_PATH="$5" "$4" 'add table bridge t; add chain bridge t c { type filter hook forward priority 0; }; add rule bridge t c numgen random mod 100 < 1 drop'`;
  const folder = await mkdtemp(join(tmpdir(), 'nexa-net-'));
  try {
    const libraries = ({ env }: FoundTool) => env.LD_LIBRARY_PATH ?? '';
    await probe([...ENTER[tier], '/bin/sh', '-c', script, 'nexa-net', folder, ip.path, libraries(ip), nft.path, libraries(nft)], options);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function probe([command = '', ...args]: readonly string[], { env, signal }: FetchOptions): Promise<void> {
  const ran = await run(command, args, { timeoutMs: PROBED_MS, env: { ...env, LC_ALL: 'C' }, ...(signal === undefined ? {} : { signal }) });
  if (ran.code !== 0) throw new NexaError('unavailable', oneLine(ran.stderr || ran.stdout || `${command} ended with ${ran.code}`));
}

const oneLine = (text: string): string => text.trim().replace(/\s+/g, ' ').slice(0, 300);
