import { formatAddress } from '../src/actor/address.ts';
import { serviceKey } from '../src/actor/receptionist.ts';
import { CLIENT_VERSIONS, type ClientHandlers, type ClientRow, type ServiceRow } from '../src/edge/client-handlers.ts';
import { NexaError } from '../src/errors.ts';
import type { MemberNode } from './member.ts';

/** The service under which the receptionist lists programs outside the cluster. */
const CLIENTS = '$clients';
const MOST_CLIENTS = 10_000;
/** Estimated bytes of one answer. */
const ANSWER_BYTES = 400_000;

/** What a node does for clients: each is an entry of the receptionist that it renews itself. */
export function clientHandlers({ system, cluster }: Pick<MemberNode, 'system' | 'cluster'>): ClientHandlers {
  const { receptionist } = cluster;
  const { node } = cluster.self;
  return {
    async connect({ client = system.random.id(), name, heartbeatMs }, { timeoutMs }) {
      if (!cluster.admits) {
        throw new NexaError('unavailable', 'this node accepts no clients at the moment', {
          where: { node },
          definite: true,
          fix: 'Uncordon it, or let another node answer.',
        });
      }
      const known = receptionist.listing(CLIENTS);
      if (known.length >= MOST_CLIENTS && !known.some(({ instance }) => instance === client))
        throw new NexaError('quota-exceeded', `a cluster lists at most ${MOST_CLIENTS} clients`, { where: { node } });
      const metadata = { node, ...(name === undefined ? {} : { name }) };
      // Stored, then accepted: whoever was accepted is listed, and after an outcome that is not known nobody is.
      await receptionist.enter({ key: CLIENTS, instance: client, metadata, heartbeatMs }, { timeoutMs: timeoutMs * 0.9 });
      return { client, cluster: cluster.name, node, heartbeatMs, versions: CLIENT_VERSIONS };
    },
    async beat(client, { timeoutMs }) {
      if (await receptionist.renew(CLIENTS, client, { timeoutMs: timeoutMs * 0.9 })) return;
      throw new NexaError('no-such-actor', 'this client is not listed (any more)', { where: { client }, fix: 'Connect again.' });
    },
    disconnect: (client, { timeoutMs }) => receptionist.remove(CLIENTS, client, { timeoutMs: timeoutMs * 0.9 }),
    async clients(limit) {
      const all = receptionist.listing(CLIENTS);
      const clients = all.slice(0, limit).map(
        ({ instance, metadata, registeredAtMs, heartbeatMs }): ClientRow => ({
          client: instance,
          name: typeof metadata.name === 'string' ? metadata.name : null,
          node: typeof metadata.node === 'string' ? metadata.node : null,
          sinceMs: registeredAtMs,
          heartbeatMs: heartbeatMs ?? null,
        }),
      );
      return { clients, more: all.length > limit };
    },
    async findServices({ service, limit, ...filter }) {
      const all = receptionist.find(serviceKey<never>(service), filter);
      const services: ServiceRow[] = [];
      let left = ANSWER_BYTES;
      for (const { instance, ref, metadata, node, registeredAtMs } of all.slice(0, limit)) {
        const row = { service, instance, ref: formatAddress(ref.address), metadata, node: node ?? null, registeredAtMs };
        left -= JSON.stringify(row).length;
        if (left < 0) break;
        services.push(row);
      }
      return { services, more: services.length < all.length };
    },
    async registerService({ service, agent, ...given }, { timeoutMs }) {
      const ref = system.unsafeRef<never>({ kind: 'agent', ...agent });
      const { key, instance } = await receptionist.register(serviceKey<never>(service), ref, { ...given, timeoutMs: timeoutMs * 0.9 });
      return { service: key, instance };
    },
    deregisterService: (service, instance, { timeoutMs }) =>
      receptionist.deregister(serviceKey<never>(service), instance, { timeoutMs: timeoutMs * 0.9 }),
  };
}
