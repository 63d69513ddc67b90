import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { type BackupEntry, type BackupHeader, type BackupSummary, ENTRY_KINDS, type EntryKind } from '../src/durable/backup/entry.ts';
import { NexaError } from '../src/errors.ts';

/**
 * A backup as a file: a line of JSON for what it is, one for each entry with its bytes in base64, and a last one with the counts and the
 * SHA-256 of all before it. A file without that line, or with another sum, is no backup.
 */
const FORMAT = 1;
/** Above the largest object in base64. */
const LONGEST_LINE_BYTES = 400_000_000;
const BUFFER_BYTES = 1_048_576;

export interface BackupWriter {
  header(header: BackupHeader): Promise<void>;
  entry(entry: BackupEntry): Promise<void>;
  /** Only now there is a file of that name. */
  finish(summary: BackupSummary): Promise<{ readonly bytes: number; readonly sha256: string }>;
  /** Leaves nothing behind. */
  discard(): Promise<void>;
}

/** @throws NexaError `conflict` if the file is there already, `invalid-message` if it cannot be written. */
export async function writeBackup(path: string): Promise<BackupWriter> {
  const partial = `${path}.partial`;
  const file = await opened(path, () => exclusively(path, partial));
  const sum = createHash('sha256');
  let bytes = 0;
  let lines: Buffer[] = [];
  let waiting = 0;
  const flush = async (): Promise<void> => {
    const all = Buffer.concat(lines);
    lines = [];
    waiting = 0;
    sum.update(all);
    bytes += all.length;
    await opened(path, () => file.appendFile(all));
  };
  const line = async (value: object): Promise<void> => {
    const text = Buffer.from(`${JSON.stringify(value)}\n`);
    lines.push(text);
    waiting += text.length;
    if (waiting >= BUFFER_BYTES) await flush();
  };
  return {
    header: (header) => line({ nexa: 'backup', format: FORMAT, ...header }),
    entry: (entry) => line('value' in entry && entry.value !== undefined ? { ...entry, value: base64(entry.value) } : { ...entry }),
    async finish(summary) {
      await flush();
      const sha256 = sum.digest('hex');
      await line({ end: true, ...summary, sha256 });
      const end = Buffer.concat(lines);
      await opened(path, async () => {
        await file.appendFile(end);
        await file.sync();
        await file.close();
        await rename(partial, path);
      });
      return { bytes: bytes + end.length, sha256 };
    },
    async discard() {
      await file.close().catch(() => undefined);
      await rm(partial, { force: true });
    },
  };
}

const base64 = (value: Uint8Array): string => Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');

async function exclusively(path: string, partial: string): Promise<FileHandle> {
  const there = await open(path, 'r').catch(() => undefined);
  await there?.close();
  if (there !== undefined)
    throw new NexaError('conflict', `${path} is there already`, { where: { file: path }, fix: 'Name a file that is not there.' });
  return open(partial, 'w', 0o600);
}
async function opened<T>(path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    if (cause instanceof NexaError) throw cause;
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw new NexaError('invalid-message', `the file cannot be used: ${problem}`, {
      where: { file: path },
      cause,
      fix: 'Name another file.',
    });
  }
}

export interface Backup {
  readonly header: BackupHeader;
  readonly summary: BackupSummary;
  readonly sha256: string;
  /** From the beginning each time. @throws NexaError as {@link readBackup}. */
  entries(): AsyncIterable<BackupEntry>;
}

/**
 * Reads the whole file and checks it.
 * @throws NexaError `corrupt-record` naming file and line (truncated, damaged, no backup), `unknown-version` of its format, `invalid-message`
 *   if it cannot be read.
 */
export async function readBackup(path: string): Promise<Backup> {
  let header: BackupHeader | undefined;
  let end: { readonly summary: BackupSummary; readonly sha256: string } | undefined;
  for await (const part of parts(path)) {
    if ('header' in part) header = part.header;
    if ('end' in part) end = part.end;
  }
  if (header === undefined || end === undefined) throw corrupt(path, 0, 'it is empty');
  return {
    header,
    ...end,
    async *entries() {
      for await (const part of parts(path)) if ('entry' in part) yield part.entry;
    },
  };
}

type Part =
  | { readonly header: BackupHeader }
  | { readonly entry: BackupEntry }
  | { readonly end: { readonly summary: BackupSummary; readonly sha256: string } };

const corrupt = (path: string, line: number, problem: string): NexaError =>
  new NexaError('corrupt-record', `no whole backup: ${problem}`, {
    where: { file: path, line: String(line) },
    fix: 'Use another copy of the backup; nothing was restored.',
  });

async function* parts(path: string): AsyncGenerator<Part> {
  const sum = createHash('sha256');
  const counts = new Map<string, number>();
  let at = 0;
  let ended = false;
  for await (const bytes of linesOf(path)) {
    at++;
    if (ended) throw corrupt(path, at, 'something follows its end');
    const fields = fieldsOf(bytes, path, at);
    if (at === 1) {
      yield { header: headerOf(fields, path) };
    } else if (fields.end === true) {
      const summary = summaryOf(fields);
      const sha256 = sum.copy().digest('hex');
      if (summary === undefined || ENTRY_KINDS.some((kind) => summary.counts[kind] !== (counts.get(kind) ?? 0)))
        throw corrupt(path, at, 'its counts do not fit');
      if (fields.sha256 !== sha256) throw corrupt(path, at, 'its checksum does not fit');
      ended = true;
      yield { end: { summary, sha256 } };
    } else {
      const entry = entryOf(fields);
      if (entry === undefined) throw corrupt(path, at, 'this is no entry');
      counts.set(entry.kind, (counts.get(entry.kind) ?? 0) + 1);
      yield { entry };
    }
    sum.update(bytes).update('\n');
  }
  if (!ended) throw corrupt(path, at, 'it ends too early');
}

/** Without their newlines. */
async function* linesOf(path: string): AsyncGenerator<Buffer> {
  let rest: Buffer[] = [];
  let waiting = 0;
  const stream = createReadStream(path, { highWaterMark: BUFFER_BYTES });
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      let from = 0;
      for (let to = chunk.indexOf(10); to >= 0; to = chunk.indexOf(10, from)) {
        yield rest.length === 0 ? chunk.subarray(from, to) : Buffer.concat([...rest, chunk.subarray(from, to)]);
        rest = [];
        waiting = 0;
        from = to + 1;
      }
      if (from < chunk.length) rest.push(chunk.subarray(from));
      waiting += chunk.length - from;
      if (waiting > LONGEST_LINE_BYTES) throw corrupt(path, 0, 'a line has no end');
    }
    if (waiting > 0) yield Buffer.concat(rest);
  } catch (cause) {
    await opened(path, () => Promise.reject(cause));
  }
}

type Fields = Readonly<Record<string, unknown>>;
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function fieldsOf(bytes: Buffer, path: string, line: number): Fields {
  try {
    const value: unknown = JSON.parse(bytes.toString());
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  } catch {
    // Said below.
  }
  throw corrupt(path, line, 'this is no JSON object');
}
function headerOf({ nexa, format, cluster, createdAtMs, layout, firstSequence }: Fields, path: string): BackupHeader {
  if (nexa !== 'backup') throw corrupt(path, 1, 'it does not begin as one');
  if (format !== FORMAT)
    throw new NexaError('unknown-version', `a backup of format ${String(format).slice(0, 32)}; this release knows ${FORMAT}`, {
      where: { file: path },
      fix: 'Use a newer release.',
    });
  if (typeof cluster !== 'string' || !isCount(createdAtMs) || !isCount(layout) || !isCount(firstSequence))
    throw corrupt(path, 1, 'its first line is damaged');
  return { cluster, createdAtMs, layout, firstSequence };
}
function summaryOf({ counts, highest, corrupt: named }: Fields): BackupSummary | undefined {
  if (typeof counts !== 'object' || counts === null || !isCount(highest)) return undefined;
  if (!Array.isArray(named) || !named.every((agent) => typeof agent === 'string')) return undefined;
  return { counts: counts as BackupSummary['counts'], highest, corrupt: named };
}

/** What the fields of each kind have to be, besides its bytes. */
const SHAPES: Readonly<Record<EntryKind, Readonly<Record<string, 'text' | 'count'>>>> = {
  setting: { key: 'text' },
  mail: { agent: 'text', sequence: 'count' },
  dead: { agent: 'text', sequence: 'count' },
  state: { agent: 'text', take: 'count' },
  snapshot: { agent: 'text', take: 'count' },
  journal: { agent: 'text', take: 'count' },
  object: { agent: 'text', take: 'count', name: 'text' },
  reminder: { agent: 'text', take: 'count', key: 'text' },
  agent: { agent: 'text', take: 'count', revision: 'count', floor: 'count' },
};
function entryOf(fields: Fields): BackupEntry | undefined {
  const { kind, value } = fields;
  const shape = typeof kind === 'string' && Object.hasOwn(SHAPES, kind) ? SHAPES[kind as EntryKind] : undefined;
  if (shape === undefined) return undefined;
  for (const [name, is] of Object.entries(shape))
    if (!(is === 'text' ? typeof fields[name] === 'string' : isCount(fields[name]))) return undefined;
  if (typeof value !== 'string' && !(kind === 'agent' && value === undefined)) return undefined;
  return {
    ...fields,
    value: value === undefined ? undefined : new Uint8Array(Buffer.from(value as string, 'base64')),
  } as unknown as BackupEntry;
}
