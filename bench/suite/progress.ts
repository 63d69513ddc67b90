/** One line that changes on a terminal; a line each elsewhere. */
export function progress(to: NodeJS.WriteStream): { say(line: string): void; clear(): void } {
  const clear = (): void => void (to.isTTY && to.write('\r\u001b[K'));
  return {
    clear,
    say(line) {
      clear();
      to.write(to.isTTY ? line.slice(0, to.columns - 1) : `${line}\n`);
    },
  };
}
