import { randomBytes } from 'node:crypto';
import type { Place } from '../../../../act.ts';
import type { Limit, Machines } from './limit.ts';

/** The most places that a net has. */
const MOST_NODES = 30;
/** Whoever says no name: clients, and the stage itself. */
const ANYBODY = 'anybody';

/**
 * Each node signs in as a user of its own, who may do anything; taken back, he is nobody: the servers end his connections and refuse new
 * ones. Passwords are made for the run, and are in no report, log or command line.
 */
export async function credentials(machines: Pick<Machines, 'wants' | 'reload'>): Promise<Limit> {
  const wanted = machines.wants('revoke');
  const passwords = new Map<Place, string>();
  const revoked = new Set<Place>();
  const servers = new Set<Place>();
  const secret = (): string => randomBytes(24).toString('base64url');
  if (wanted) for (let node = 1; node <= MOST_NODES; node++) passwords.set(`n${node}`, secret());
  passwords.set(ANYBODY, secret());
  const told = async (): Promise<void> => void (await Promise.all([...servers].map((server) => machines.reload(server))));
  return {
    acts: ['revoke', 'grant'],
    cannot: () => (wanted ? undefined : 'the nodes were not started for it'),
    settings(server) {
      if (!wanted) return {};
      servers.add(server);
      const users = [...passwords].filter(([user]) => !revoked.has(user)).map(([user, password]) => ({ user, password }));
      return { authorization: { users }, no_auth_user: ANYBODY };
    },
    credentials(node) {
      const password = passwords.get(node);
      return wanted && password !== undefined ? { user: node, password } : undefined;
    },
    async apply(act) {
      const before = revoked.size;
      if (act.act === 'revoke') revoked.add(act.node);
      else if (act.act === 'grant') revoked.delete(act.node);
      else if (act.act === 'heal') revoked.clear();
      if (wanted && revoked.size !== before) await told();
    },
  };
}
