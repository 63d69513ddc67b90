import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

/**
 * What a stream says, line by line. A line that is longer than `longest` characters is told as undefined, once, and skipped to its end: nobody
 * can make us keep more than that.
 */
export function readLines(stream: Readable, longest: number, onLine: (line: string | undefined) => void): void {
  const decoder = new StringDecoder('utf8');
  let open = '';
  let skipping = false;
  const take = (text: string): void => {
    const room = longest - open.length;
    if (skipping) return;
    if (text.length <= room) {
      open += text;
      return;
    }
    open = '';
    skipping = true;
    onLine(undefined);
  };
  stream.on('data', (chunk: Buffer) => {
    const [first = '', ...more] = decoder.write(chunk).split('\n');
    take(first);
    for (const text of more) {
      if (!skipping) onLine(open);
      open = '';
      skipping = false;
      take(text);
    }
  });
}
