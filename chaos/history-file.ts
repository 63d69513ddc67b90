import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { errorFrom, NexaError, toNexaError } from '../src/errors.ts';
import type { Operation } from './history.ts';

/** One line of `history.jsonl`: an outcome, of one workload. */
export interface HistoryLine {
  readonly workload: string;
  readonly operation: Operation<unknown, unknown>;
}

export interface HistoryFile {
  /** Takes an outcome; it is on its way to the file, in the order given. @throws NexaError `overloaded` when 16 MiB wait to be written, `context-misused` after `close`. */
  write(line: HistoryLine): void;
  /** Resolves when all of it is in the file and the file is closed; idempotent. @throws NexaError `unavailable` when the disk did not take it. */
  close(): Promise<void>;
}

/** Of what waits to be written. */
const MOST_WAITING_BYTES = 16 * 1_024 * 1_024;
const LINE_CHARACTERS = 1_024 * 1_024;
const FILE_CHARACTERS = 1_024 * 1_024 * 1_024;

/**
 * A history that is written as it happens, so that a drill which is killed leaves what was seen until then.
 * @throws NexaError `conflict` when there is such a file, `unavailable` when it cannot be made.
 */
export async function writeHistory(path: string): Promise<HistoryFile> {
  const file = await open(path, 'wx').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'EEXIST') throw new NexaError('conflict', `${path} is there already`, { where: { file: path }, cause });
    throw unwritable(path, cause);
  });
  let waiting = '';
  let waitingBytes = 0;
  let writing: Promise<void> | undefined;
  let failed: NexaError | undefined;
  let closing: Promise<void> | undefined;

  const drain = async (): Promise<void> => {
    while (waiting !== '' && failed === undefined) {
      const now = waiting;
      waiting = '';
      waitingBytes = 0;
      await file.appendFile(now).catch((cause: unknown) => {
        failed = unwritable(path, cause);
      });
    }
    writing = undefined;
  };
  const close = async (): Promise<void> => {
    await writing;
    await file.close().catch((cause: unknown) => {
      failed ??= unwritable(path, cause);
    });
    if (failed !== undefined) throw failed;
  };
  return {
    write(line) {
      if (closing !== undefined) throw new NexaError('context-misused', 'the history is closed', { where: { file: path } });
      if (failed !== undefined) return;
      const text = `${JSON.stringify(line)}\n`;
      const bytes = Buffer.byteLength(text);
      if (waitingBytes + bytes > MOST_WAITING_BYTES)
        throw new NexaError('overloaded', `the disk does not keep up: ${waitingBytes} bytes of history wait`, { where: { file: path } });
      waiting += text;
      waitingBytes += bytes;
      writing ??= Promise.resolve().then(drain);
    },
    close: () => (closing ??= close()),
  };
}

const unwritable = (path: string, cause: unknown): NexaError =>
  new NexaError('unavailable', `${path} cannot be written: ${cause instanceof Error ? cause.message : String(cause)}`, {
    where: { file: path },
    cause,
  });

/**
 * Reads a history back, line by line; who reads may stop at any time.
 * @throws NexaError `invalid-message` naming file and line: no such file, a line that is no outcome, one that is cut off, too much of it.
 */
export async function* readHistory(path: string): AsyncGenerator<HistoryLine> {
  const refuse = (line: number, what: string, cause?: unknown): NexaError =>
    new NexaError('invalid-message', `${basename(path)} line ${line}: ${what}`, {
      where: { file: path, line: String(line) },
      fix: 'Judge a folder as the drill left it; a line that is cut off may be removed by hand.',
      ...(cause === undefined ? {} : { cause }),
    });
  const stream = createReadStream(path, { encoding: 'utf8' });
  let line = 1;
  let rest = '';
  let characters = 0;
  try {
    for await (const chunk of stream as AsyncIterable<string>) {
      characters += chunk.length;
      if (characters > FILE_CHARACTERS) throw refuse(line, `more than ${FILE_CHARACTERS} characters up to here`);
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() as string;
      for (const text of lines) {
        const at = line++;
        yield parsed(text, (what, cause) => refuse(at, what, cause));
      }
      if (rest.length > LINE_CHARACTERS) throw refuse(line, `more than ${LINE_CHARACTERS} characters`);
    }
  } catch (thrown) {
    throw thrown instanceof NexaError ? thrown : refuse(line, toNexaError(thrown).message, thrown);
  } finally {
    stream.destroy();
  }
  if (rest !== '') throw refuse(line, 'it is cut off');
}

/** What each workload's clients saw, in the order of invocation. @throws as {@link readHistory}. */
export async function historiesOf(path: string): Promise<ReadonlyMap<string, readonly Operation<unknown, unknown>[]>> {
  const histories = new Map<string, Operation<unknown, unknown>[]>();
  for await (const { workload, operation } of readHistory(path)) {
    const known = histories.get(workload);
    if (known === undefined) histories.set(workload, [operation]);
    else known.push(operation);
  }
  for (const operations of histories.values()) operations.sort((a, b) => a.invokedAtMs - b.invokedAtMs);
  return histories;
}

function parsed(text: string, refuse: (what: string, cause?: unknown) => NexaError): HistoryLine {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (cause) {
    throw refuse('it is no JSON', cause);
  }
  const { workload, operation } = (typeof data === 'object' && data !== null ? data : {}) as Partial<Record<keyof HistoryLine, unknown>>;
  if (typeof workload !== 'string' || workload === '' || workload.length > 64) throw refuse('workload is to be a name');
  return { workload, operation: operationFrom(operation, (what) => refuse(`operation: ${what}`)) };
}

/**
 * An operation as it was before it was JSON: its error is one again, and what was still open when it was read ends never.
 * @throws what `refuse` makes of the field that does not fit.
 */
export function operationFrom(data: unknown, refuse: (what: string) => NexaError): Operation<unknown, unknown> {
  const given = (typeof data === 'object' && data !== null ? data : {}) as Record<string, unknown>;
  const { key, op, client, requestId, invokedAtMs, endedAtMs, outcome, result, error } = given;
  if (!Number.isSafeInteger(key) || (key as number) < 0) throw refuse('key is to be a whole number');
  if (typeof op !== 'object' || op === null) throw refuse('op is to be an object');
  if (!finite(invokedAtMs)) throw refuse('invokedAtMs is to be a number');
  if (client !== undefined && !Number.isSafeInteger(client)) throw refuse('client is to be a whole number');
  if (requestId !== undefined && (typeof requestId !== 'string' || requestId.length > 64)) throw refuse('requestId is to be a text');
  const shared = {
    ...{ key: key as number, op: op as unknown, invokedAtMs },
    ...(client === undefined ? {} : { client: client as number }),
    ...(requestId === undefined ? {} : { requestId }),
  };
  if (outcome !== 'ok' && outcome !== 'fail' && outcome !== 'info') throw refuse('outcome is to be ok, fail or info');
  const endMs = endedAtMs === null && outcome === 'info' ? Number.POSITIVE_INFINITY : endedAtMs;
  if (typeof endMs !== 'number' || Number.isNaN(endMs) || endMs < invokedAtMs)
    throw refuse('endedAtMs is to be a number, after invokedAtMs');
  if (outcome === 'ok') return { ...shared, outcome, endedAtMs: endMs, result };
  if (typeof error !== 'object' || error === null) throw refuse('error is to be an object');
  return { ...shared, outcome, endedAtMs: endMs, error: errorFrom(error) };
}

const finite = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
