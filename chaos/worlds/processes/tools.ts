import { run } from '../../../src/programs/run.ts';
import type { FoundTool, Tool } from '../../../src/programs/tool.ts';

const JUDGED_MS = 5_000;

/** The packet filter: what a net of namespaces cuts links with. */
export const NFT: Tool = { package: 'nftables', file: 'usr/sbin/nft', judge: answers(['--version']) };
/** Interfaces and addresses. */
export const IP: Tool = { package: 'iproute2', file: 'sbin/ip', judge: answers(['-V']) };
/** Sockets; it can end them, as a reset does. */
export const SS: Tool = { package: 'iproute2', file: 'bin/ss', judge: answers(['-V']) };
/** A library that, preloaded, gives a process another wall clock. */
export const FAKETIME: Tool = {
  package: 'libfaketime',
  file: 'usr/lib/*/faketime/libfaketime.so.1',
  judge: async ({ path, env }) => {
    const faked = { ...env, LD_PRELOAD: path, FAKETIME: '@2001-02-03 04:05:06' };
    const ran = await run('/bin/date', ['+%Y'], { timeoutMs: JUDGED_MS, env: faked }).catch(() => undefined);
    return ran?.stdout === '2001\n' ? undefined : 'gives date no other year';
  },
};

function answers(args: readonly string[]): (found: FoundTool) => Promise<string | undefined> {
  return async ({ path, env }) => {
    const ran = await run(path, args, { timeoutMs: JUDGED_MS, env }).catch(() => undefined);
    return ran?.code === 0 ? undefined : `does not run: ${ran?.stderr.trim().slice(-200) ?? 'cannot be started'}`;
  };
}
