// From outside, with the protocol alone: no behaviour is imported, no node is started. Needs a cluster, such as `nexa up`.
import { type AgentRef, connect, counterProtocol, refusedBy } from 'nexa';

await using client = await connect({ nats: process.env.NEXA_NATS_URL ?? 'nats://127.0.0.1:4222' });

// A repeat with the same spawn id creates nothing new, so the whole program may be repeated.
const { id } = await client.spawnRaw({ agent: counterProtocol.type, spawnId: 'visits-2026-11' });
const visits: AgentRef<typeof counterProtocol.commands> = client.agent(counterProtocol, id);

// So may this ask: the agent handles one request id once, and answers a repeat with the stored reply.
const once = { timeoutMs: 1_000, requestId: 'visit-17' };
const first = await visits.ask({ type: 'add', by: 3 }, once);
const again = await visits.ask({ type: 'add', by: 3 }, once);
console.log(first.value === again.value);

try {
  await visits.ask({ type: 'add', by: Number.MAX_SAFE_INTEGER }, { timeoutMs: 1_000 });
} catch (error) {
  const refusal = refusedBy(counterProtocol.commands.add, error);
  if (refusal === undefined) throw error;
  console.log(refusal.refusal satisfies 'out-of-range', refusal.details.value satisfies number);
}
