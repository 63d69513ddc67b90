import { StringDecoder } from 'node:string_decoder';
import type { OutputLine, ProcessOutput } from '../actors/index.ts';

/** What is kept of one line, in characters; the rest of it is skipped. */
const LONGEST_LINE = 4_096;
/** What a kept line costs besides its text. */
const LINE_BYTES = 32;

type Stream = OutputLine['stream'];

/** Makes lines of what a program writes and keeps the last of them, within a bound in bytes. */
export class OutputLines implements ProcessOutput {
  lines = 0;
  untold = 0;
  readonly #maxBytes: number;
  readonly #kept: OutputLine[] = [];
  #bytes = 0;
  #dropped = 0;
  readonly #open = { stdout: begun(), stderr: begun() };

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** What became a line by this. */
  take(stream: Stream, chunk: Buffer): readonly OutputLine[] {
    const open = this.#open[stream];
    const [first = '', ...more] = open.decoder.write(chunk).split('\n');
    extend(open, first);
    return more.map((text) => {
      const line = this.#keep(stream);
      extend(open, text);
      return line;
    });
  }

  /** The last line may lack its end. */
  end(stream: Stream): readonly OutputLine[] {
    const open = this.#open[stream];
    extend(open, open.decoder.end());
    return open.text === '' ? [] : [this.#keep(stream)];
  }

  tail(count: number): { readonly lines: readonly OutputLine[]; readonly dropped: number } {
    const lines = this.#kept.slice(-count);
    return { lines, dropped: this.#dropped + this.#kept.length - lines.length };
  }

  #keep(stream: Stream): OutputLine {
    const open = this.#open[stream];
    const line = { stream, text: open.text.replace(/\r$/, ''), cut: open.cut };
    open.text = '';
    open.cut = false;
    this.lines++;
    this.#kept.push(line);
    this.#bytes += costOf(line);
    while (this.#bytes > this.#maxBytes) {
      const oldest = this.#kept.shift();
      if (oldest === undefined) break;
      this.#bytes -= costOf(oldest);
      this.#dropped++;
    }
    return line;
  }
}

interface Begun {
  readonly decoder: StringDecoder;
  text: string;
  cut: boolean;
}
const begun = (): Begun => ({ decoder: new StringDecoder('utf8'), text: '', cut: false });
function extend(open: Begun, text: string): void {
  const room = LONGEST_LINE - open.text.length;
  open.text += text.slice(0, room);
  if (text.length > room) open.cut = true;
}
const costOf = ({ text }: OutputLine): number => Buffer.byteLength(text) + LINE_BYTES;
