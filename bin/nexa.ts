#!/usr/bin/env node
import { readEnvironment } from '../supervisors/config.ts';
import { main } from './main.ts';

// A reader that left (`nexa ps | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});
// Set, not called: what is still on its way to a pipe gets there.
process.exitCode = await main({
  argv: process.argv.slice(2),
  environment: readEnvironment(),
  stdout: process.stdout,
  stderr: process.stderr,
});
