import { fileURLToPath } from 'node:url';

/** node's arguments that start a node's process: what NEXA_WORKER says in it makes the entry a worker. */
export const workerCommand = (): readonly string[] => [
  fileURLToPath(new URL(`./worker.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url)),
];
