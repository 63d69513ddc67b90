import { mkdir, open, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const FILES = ['node.log', 'server.log', 'stderr.log'];
/** Of each file its end. */
const MOST_BYTES = 2 * 1_048_576;

/** Copies what nodes and servers logged, `n1-node.log` … of each the last 2 MiB; what is empty or cannot be read is left out. */
export async function keepLogs(folder: string, logs: string): Promise<void> {
  await mkdir(logs, { recursive: true });
  for (const place of await readdir(folder)) {
    for (const file of FILES) {
      const end = await endOf(join(folder, place, file)).catch(() => undefined);
      if (end !== undefined && end.length > 0) await writeFile(join(logs, `${place}-${file}`), end);
    }
  }
}

async function endOf(path: string): Promise<Uint8Array> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const length = Math.min(size, MOST_BYTES);
    const bytes = Buffer.alloc(length);
    const { bytesRead } = await file.read(bytes, 0, length, size - length);
    return bytes.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
