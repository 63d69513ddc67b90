#!/usr/bin/env node
import { readEnvironment } from '../supervisors/config.ts';
import { main } from './main.ts';

// A reader that left (`nexa ps | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});
const exitCode = await main({
  argv: process.argv.slice(2),
  environment: readEnvironment(),
  stdout: process.stdout,
  stderr: process.stderr,
});
// Set, not called: what is still on its way to a pipe gets there. A command that ran to its end may have set one of its own.
if (exitCode !== 0) process.exitCode = exitCode;
