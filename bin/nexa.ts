#!/usr/bin/env node
import { readEnvironment } from '../supervisors/config.ts';

// A reader that left (`nexa ps | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});
const argv = process.argv.slice(2);
const environment = readEnvironment();
// A shell asks at every press of a key: it is not made to wait for what commands need.
if (argv[0] === 'complete') {
  const { complete } = await import('./complete.ts');
  await complete(argv.slice(1), environment, (text) => process.stdout.write(text));
} else {
  const { main } = await import('./main.ts');
  const exitCode = await main({ argv, environment, stdout: process.stdout, stderr: process.stderr });
  // Set, not called: what is still on its way to a pipe gets there. A command that ran to its end may have set one of its own.
  if (exitCode !== 0) process.exitCode = exitCode;
}
