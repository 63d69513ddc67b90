import { NexaError } from '../errors.ts';

/** Reads the fields of one public message, by name and kind, and refuses what was not read. */
export class Fields {
  private readonly body: Readonly<Record<string, unknown>>;
  private readonly what: string;
  private readonly read = new Set<string>();

  /** @throws NexaError `invalid-message` */
  constructor(body: unknown, what: string) {
    if (typeof body !== 'object' || body === null || Array.isArray(body) || Object.getPrototypeOf(body) !== Object.prototype) {
      throw new NexaError('invalid-message', `${what} is an object`);
    }
    this.body = body as Readonly<Record<string, unknown>>;
    this.what = what;
  }

  any(name: string): unknown {
    this.read.add(name);
    return this.body[name];
  }
  text(name: string, longest: number): string | undefined {
    const value = this.any(name);
    if (value === undefined) return undefined;
    if (typeof value !== 'string' || value.length === 0 || value.length > longest)
      throw this.wrong(name, `a text of 1 to ${longest} characters`);
    return value;
  }
  needed(name: string, longest: number): string {
    return this.text(name, longest) ?? this.missing(name);
  }
  oneOf<T extends string>(name: string, values: readonly T[]): T | undefined {
    const value = this.any(name);
    if (value === undefined || values.includes(value as T)) return value as T | undefined;
    throw this.wrong(name, values.join(', '));
  }
  flag(name: string): boolean {
    const value = this.any(name);
    if (value === undefined || typeof value === 'boolean') return value ?? false;
    throw this.wrong(name, 'true or false');
  }
  count(name: string, most: number, otherwise: number): number {
    const value = this.any(name);
    if (value === undefined) return otherwise;
    if (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= most) return value as number;
    throw this.wrong(name, `an integer from 1 to ${most}`);
  }
  part(name: string): Fields | undefined {
    const value = this.any(name);
    return value === undefined ? undefined : new Fields(value, `${this.what}.${name}`);
  }
  texts(most: number, longest: number): Readonly<Record<string, string>> {
    const names = Object.keys(this.body);
    if (names.length > most) throw new NexaError('invalid-message', `${this.what} has at most ${most} fields`);
    return Object.fromEntries(
      names.map((name) => [name, name.length <= longest ? this.needed(name, longest) : this.missing(name.slice(0, longest))]),
    );
  }
  /** Nothing else may be there: a misspelt field would be ignored silently. */
  end(): void {
    for (const name of Object.keys(this.body)) {
      if (!this.read.has(name)) {
        throw new NexaError('invalid-message', `${this.what} has no field ${JSON.stringify(name.slice(0, 64))}`, {
          where: { field: name.slice(0, 64) },
          fix: `Use: ${[...this.read].join(', ')}.`,
        });
      }
    }
  }

  private missing(name: string): never {
    throw new NexaError('invalid-message', `${this.what} needs the field ${name}`, { where: { field: name } });
  }
  private wrong(name: string, expected: string): NexaError {
    return new NexaError('invalid-message', `${this.what}: ${name} is to be ${expected}`, { where: { field: name } });
  }
}
