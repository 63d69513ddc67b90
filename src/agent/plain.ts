import type { Problem } from './problem.ts';

const maxDepth = 64;
const maxValues = 1_000_000;

/**
 * What makes data from outside unsafe whatever its schema says: a `__proto__` key (a parser or a spread would set a prototype),
 * nesting above 64, more than a million values. Only plain objects and arrays are looked into.
 */
export function plainProblem(value: unknown): Problem | undefined {
  let left = maxValues;
  const look = (inner: unknown, path: string, depth: number): Problem | undefined => {
    if (typeof inner !== 'object' || inner === null) return undefined;
    if (depth > maxDepth) return { field: path.slice(0, 256), message: `nested deeper than ${maxDepth}` };
    if (Array.isArray(inner)) {
      left -= inner.length;
      if (left < 0) return { field: path.slice(0, 256), message: `more than ${maxValues} values` };
      for (const [index, item] of inner.entries()) {
        const problem = typeof item === 'object' ? look(item, `${path}[${index}]`, depth + 1) : undefined;
        if (problem !== undefined) return problem;
      }
      return undefined;
    }
    const prototype = Object.getPrototypeOf(inner);
    if (prototype !== Object.prototype && prototype !== null) return undefined;
    for (const key of Object.keys(inner)) {
      if (--left < 0) return { field: path.slice(0, 256), message: `more than ${maxValues} values` };
      if (key === '__proto__') return { field: `${path}.__proto__`.replace(/^\./, '').slice(0, 256), message: '__proto__ is no field' };
      const item = (inner as Record<string, unknown>)[key];
      const problem =
        typeof item === 'object' ? look(item, path === '' ? key.slice(0, 128) : `${path}.${key.slice(0, 128)}`, depth + 1) : undefined;
      if (problem !== undefined) return problem;
    }
    return undefined;
  };
  return look(value, '', 0);
}
