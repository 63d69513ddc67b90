import type { Cancel } from '../actor/ref.ts';

/** NATS's rule: `*` is one token, `>` is one token or more, at the end. */
export function matchesSubject(filter: string, subject: string): boolean {
  if (filter === subject) return true;
  const wanted = filter.split('.');
  const tokens = subject.split('.');
  for (let index = 0; index < wanted.length; index++) {
    if (wanted[index] === '>') return tokens.length > index;
    if (index >= tokens.length || (wanted[index] !== '*' && wanted[index] !== tokens[index])) return false;
  }
  return wanted.length === tokens.length;
}

class Branch<T> {
  readonly children = new Map<string, Branch<T>>();
  readonly here = new Set<T>();
  readonly below = new Set<T>();

  get empty(): boolean {
    return this.children.size === 0 && this.here.size === 0 && this.below.size === 0;
  }
}

/** Who listens to a subject: literal subjects in a map, wildcards in a tree, so that a match costs the subject's length and not the number of listeners. */
export class SubjectTree<T> {
  readonly #literal = new Map<string, Set<T>>();
  readonly #root = new Branch<T>();

  add(filter: string, value: T): Cancel {
    const tokens = filter.split('.');
    if (!tokens.includes('*') && !tokens.includes('>')) return this.#addLiteral(filter, value);
    const path = [this.#root];
    let branch = this.#root;
    for (const token of tokens) {
      if (token === '>') break;
      let child = branch.children.get(token);
      if (child === undefined) {
        child = new Branch<T>();
        branch.children.set(token, child);
      }
      branch = child;
      path.push(branch);
    }
    const home = tokens.at(-1) === '>' ? branch.below : branch.here;
    home.add(value);
    return () => {
      home.delete(value);
      for (let depth = path.length - 1; depth > 0 && path[depth]?.empty; depth--) {
        const siblings = path[depth - 1]?.children;
        const token = tokens[depth - 1] as string;
        if (siblings?.get(token) === path[depth]) siblings?.delete(token);
      }
    };
  }

  match(subject: string): T[] {
    const found = [...(this.#literal.get(subject) ?? [])];
    if (!this.#root.empty) this.#walk(this.#root, subject.split('.'), 0, found);
    return found;
  }

  #addLiteral(subject: string, value: T): Cancel {
    const listeners = this.#literal.get(subject) ?? new Set<T>();
    this.#literal.set(subject, listeners.add(value));
    return () => {
      listeners.delete(value);
      if (listeners.size === 0 && this.#literal.get(subject) === listeners) this.#literal.delete(subject);
    };
  }

  #walk(branch: Branch<T>, tokens: readonly string[], depth: number, found: T[]): void {
    if (depth === tokens.length) {
      found.push(...branch.here);
      return;
    }
    found.push(...branch.below);
    const exact = branch.children.get(tokens[depth] as string);
    if (exact !== undefined) this.#walk(exact, tokens, depth + 1, found);
    const any = branch.children.get('*');
    if (any !== undefined) this.#walk(any, tokens, depth + 1, found);
  }
}
