import { expect, test } from 'vitest';
import { epochs } from '../../chaos/checkers/epochs.ts';
import { granted } from '../../chaos/checkers/granted.ts';
import { connectNats } from '../../src/nats/connection.ts';
import { auditStores } from '../../supervisors/audit.ts';
import { realClock, realRandom, recordingLogger } from '../support/real.ts';
import { Adders, HEAL_MS } from './adders.ts';
import { eventually, liveCluster, report } from './support.ts';

const ids = ['a0', 'a1', 'a2', 'a3'];

test('C3: the records of real servers, followed from outside through a killed node and a killed leading server, are in order and complete', async () => {
  await using live = await liveCluster({ servers: 3 });
  const link = await connectNats({
    ...{ servers: live.urls, name: 'auditor', clock: realClock, random: realRandom, log: recordingLogger(), role: 'control' },
  });
  const audit = auditStores({ stores: link.stores(), cluster: live.cluster, clock: realClock });
  try {
    for (const id of ids)
      expect(await live.client.insist('spawn', { type: 'counter', id, placement: { strategy: 'rendezvous' } })).toMatchObject({ ok: true });
    const adders = new Adders(live.client, ids);
    const goesOn = async (): Promise<void> => {
      const before = new Map(adders.acknowledged);
      await eventually('every agent takes additions again', HEAL_MS, () =>
        ids.every((id) => (adders.acknowledged.get(id) ?? 0) > (before.get(id) ?? 0) + 1),
      );
    };
    await goesOn();
    const row = await eventually('an agent is listed', 20_000, async () => (await live.client.list()).find(({ node }) => node !== null));
    live.signal(String(row.node), 'SIGKILL');
    await goesOn();
    const before = adders.total;
    const leading = await eventually('the store has a leader', HEAL_MS, async () => {
      const answer = await live.client.nats.request(`$JS.API.STREAM.INFO.KV_nexa_${live.cluster}_STATE`, undefined, { timeout: 5_000 });
      const { cluster } = JSON.parse(new TextDecoder().decode(answer.data)) as { readonly cluster?: { readonly leader?: string } };
      return live.servers.servers.find(({ name }) => name === cluster?.leader);
    });
    await leading.kill();
    await goesOn();
    await adders.stop();
    await audit.finish({ timeoutMs: HEAL_MS });
    const records = audit.records();
    expect(audit.doubts).toEqual([]);
    expect([epochs(records), granted(records)]).toEqual([{ verdict: 'ok' }, { verdict: 'ok' }]);
    const moved = records.filter(({ log, agent, cause }) => log === 'AGENTS' && agent === `counter/${row.id}` && cause === 'crash');
    expect(moved[0]?.by?.split('.')[0]).toEqual(expect.not.stringMatching(String(row.node)));
    const written = records.filter(({ log }) => log === 'STATE').length;
    report(`${written} of ${adders.total} acknowledged additions were seen as records, through a killed node and a killed leading server`);
    // What is overwritten while a watch begins again is not seen; before a server was killed none had to.
    expect(written).toBeGreaterThan(before / 2);
  } finally {
    audit.close();
    await link.close();
  }
});
