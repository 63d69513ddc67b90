import type { z } from 'zod';

/** The first thing wrong with a value: the path of the field (empty: the value itself) and one sentence, both bounded. */
export interface Problem {
  readonly field: string;
  readonly message: string;
}

const pathOf = (path: readonly PropertyKey[]): string =>
  path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part).slice(0, 128)}`))
    .join('')
    .replace(/^\./, '')
    .slice(0, 256);

/** One line of zod's findings. An unknown field is named itself, not its parent. */
export function problemOf(error: z.core.$ZodError): Problem {
  const [first] = error.issues;
  if (first === undefined) return { field: '', message: 'does not fit' };
  const field = pathOf(first.code === 'unrecognized_keys' ? [...first.path, first.keys[0] ?? ''] : first.path);
  const message = first.code === 'unrecognized_keys' ? 'is not a known field' : first.message.slice(0, 300);
  return { field, message };
}
