import type { Receptionist } from './actor/receptionist.ts';
import type { System } from './actor/system.ts';
import { createCodec } from './cluster/codec.ts';
import { type NodeReceptionist, receptionistOver } from './cluster/receptionist.ts';
import { subjects } from './cluster/subject.ts';
import { memoryNetwork } from './memory/network.ts';

const STORE_MS = 1_000;

/** The receptionist of actors that are alone in their process: the same one over a bucket in memory, made when it is first used. */
export function localReceptionist(system: System): Receptionist {
  let made: NodeReceptionist | undefined;
  const get = (): NodeReceptionist => (made ??= make(system));
  return {
    register: (...given) => get().register(...given),
    deregister: (...given) => get().deregister(...given),
    find: (...given) => get().find(...given),
    subscribe: (...given) => get().subscribe(...given),
    routees: (...given) => get().routees(...given),
  };
}

function make(system: System): NodeReceptionist {
  const { clock, random, log } = system;
  const { stores } = memoryNetwork({ clock, random, log, defer: (run) => void setImmediate(run) }).connect(system.node);
  const name = subjects('local').store('SERVICES');
  void stores.ensure({ name, kind: 'kv', replicas: 1 }, { timeoutMs: STORE_MS });
  return receptionistOver({
    ...{ kv: stores.kv(name), system, codec: createCodec(), log },
    times: { rankMs: 0, reconcileMs: undefined, storeMs: STORE_MS },
    // Nothing else is known here.
    ended: () => true,
    lookUp: async () => undefined,
    rank: () => 0,
    attentive: () => true,
  });
}
