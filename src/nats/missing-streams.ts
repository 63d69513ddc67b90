/** What only makes sense on a stream that is there: reads of records, and consumers of watches. Whether there is one is asked otherwise. */
const NEEDS_IT = /^(?:STREAM\.MSG\.GET|CONSUMER\.CREATE)\.([^.]+)/;
/** A server that lags may not know of a stream: so many answers in a row say that it is not there. */
const ANSWERS = 3;
const MOST = 64;

/** Streams that the servers say are not there, by the answers to what was asked anyway. */
export class MissingStreams {
  readonly #answers = new Map<string, number>();

  /** Whether a request found its stream. */
  heard(path: string, found: boolean): void {
    const stream = NEEDS_IT.exec(path)?.[1];
    if (stream === undefined) return;
    if (found) this.#answers.delete(stream);
    else if (this.#answers.size < MOST || this.#answers.has(stream)) this.#answers.set(stream, (this.#answers.get(stream) ?? 0) + 1);
  }
  names(): readonly string[] {
    return [...this.#answers].flatMap(([stream, answers]) => (answers >= ANSWERS ? [stream] : [])).sort();
  }
}
