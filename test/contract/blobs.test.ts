import { beforeAll, expect, it } from 'vitest';
import type { Blobs } from '../../src/ports/stores.ts';
import { realRandom } from '../support/real.ts';
import { overBothParts, type Part } from './parts.ts';

const within = { timeoutMs: 10_000 };
const noise = (sizeBytes: number, seed = 1): Uint8Array =>
  Uint8Array.from({ length: sizeBytes }, (_, index) => (index * 31 + seed * 17 + (index >> 8)) & 255);

overBothParts('blobs', (part: Part) => {
  let blobs: Blobs;
  let other: Blobs;
  const name = `B${realRandom.id().replaceAll('-', '_')}`;
  beforeAll(async () => {
    const { stores } = await part.connect('blobs');
    expect(await stores.ensure({ name, kind: 'objects', replicas: 1 }, within)).toBe('created');
    expect(await stores.ensure({ name, kind: 'objects', replicas: 1 }, within)).toBe('same');
    blobs = stores.blobs(name);
    other = (await part.connect('blobs-other')).stores.blobs(name);
  });

  it.each([0, 1, 131_072, 131_073, 1_500_000])('gives back an object of %i bytes', async (sizeBytes) => {
    const value = noise(sizeBytes);
    await blobs.put(`size.${sizeBytes}`, value, within);
    const found = await other.get(`size.${sizeBytes}`, within);
    expect(found?.length).toBe(sizeBytes);
    expect(Buffer.compare(found ?? new Uint8Array(), value)).toBe(0);
  });

  it('gives the newest of one name', async () => {
    await blobs.put('again', noise(200_000, 1), within);
    await other.put('again', noise(300_000, 2), within);
    expect(Buffer.compare((await blobs.get('again', within)) ?? new Uint8Array(), noise(300_000, 2))).toBe(0);
  });

  it('has nothing where nothing is, and after a delete, which may be repeated', async () => {
    expect(await blobs.get('never', within)).toBeUndefined();
    await blobs.delete('never', within);
    await blobs.put('short', noise(200_000), within);
    await other.delete('short', within);
    await other.delete('short', within);
    expect(await blobs.get('short', within)).toBeUndefined();
  });

  it('refuses a hostile name', async () => {
    await expect(blobs.put('a >', noise(1), within)).rejects.toMatchObject({ code: 'bad-id' });
    await expect(blobs.get('', within)).rejects.toMatchObject({ code: 'bad-id' });
  });
});
