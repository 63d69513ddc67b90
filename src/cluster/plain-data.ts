import { type ErrorCode, NexaError } from '../errors.ts';

/** What one message may be, in either encoding. The sender refuses what a receiver would. */
export const LIMITS = {
  /** Bytes of one encoded value or frame. */
  frameBytes: 1_048_576,
  /** Bytes of one message between nodes, which travels in parts where it needs to. */
  messageBytes: 16_777_216,
  /** Arrays and objects inside each other. */
  depth: 64,
  /** Items of one array, fields of one object. */
  items: 10_000,
  /** Values of every kind in one message. */
  values: 100_000,
} as const;

/** What stands where, and why it cannot travel. */
export interface Fault {
  readonly code: ErrorCode;
  readonly why: string;
  /** From the inside out while the walk returns. */
  readonly path: (string | number)[];
}
export interface RefLike {
  toJSON(): string;
}

/** A ref: the only thing beside an error that is not plain data and travels. Data that arrived never has functions. */
export const isRef = (value: object): value is RefLike =>
  typeof (value as { toJSON?: unknown }).toJSON === 'function' && typeof (value as { address?: unknown }).address === 'object';

/**
 * The first value that cannot travel, or undefined. A whitelist: null, booleans, numbers, well-formed strings, arrays, plain
 * objects, refs, errors of this package, and in msgpack bytes. What JSON would silently change (NaN, bytes) is a fault there.
 */
export function faultOf(value: unknown, form: 'msgpack' | 'json', mostBytes: number = LIMITS.frameBytes): Fault | undefined {
  return new Walk(form, mostBytes).fault(value, 0);
}

export function asError(fault: Fault, code: ErrorCode = fault.code): NexaError {
  const path = fault.path
    .reduceRight<string>((text, key) => (typeof key === 'number' ? `${text}[${key}]` : `${text}.${key}`), 'message')
    .slice(0, 512)
    .toWellFormed();
  return new NexaError(code, `${path} ${fault.why}`, { where: { path } });
}

class Walk {
  private values = 0;
  private bytes = 0;
  private inError = false;
  private readonly form: 'msgpack' | 'json';
  private readonly mostBytes: number;

  constructor(form: 'msgpack' | 'json', mostBytes: number) {
    this.form = form;
    this.mostBytes = mostBytes;
  }

  fault(value: unknown, depth: number): Fault | undefined {
    if (++this.values > LIMITS.values) return fault(`is beyond ${LIMITS.values} values in one message`);
    this.bytes++;
    switch (typeof value) {
      case 'string':
        return this.text(value);
      case 'number':
        return this.form === 'json' && !Number.isFinite(value) ? fault(`is ${value}, which JSON cannot say`) : undefined;
      case 'boolean':
      case 'undefined':
        return undefined;
      case 'object':
        return value === null ? undefined : this.object(value, depth + 1);
      default:
        return fault(`is a ${typeof value}`);
    }
  }

  private text(value: string): Fault | undefined {
    this.bytes += value.length;
    if (this.bytes > this.mostBytes) return fault(`is beyond ${this.mostBytes} bytes in one message`, 'payload-too-large');
    return value.isWellFormed() ? undefined : fault('has half a surrogate pair');
  }

  private object(value: object, depth: number): Fault | undefined {
    if (depth > LIMITS.depth) return fault(`is more than ${LIMITS.depth} levels deep, or contains itself`);
    if (Array.isArray(value)) {
      if (value.length > LIMITS.items) return fault(`has ${value.length} items; ${LIMITS.items} are allowed`);
      for (let index = 0; index < value.length; index++) {
        const found = this.fault(value[index], depth);
        if (found !== undefined) return inside(index, found);
      }
      return undefined;
    }
    const prototype = Object.getPrototypeOf(value);
    if (isRef(value)) return this.text(value.toJSON());
    if (prototype === Object.prototype || prototype === null) return this.fields(value as Record<string, unknown>, depth);
    if (value instanceof Uint8Array) {
      if (this.form === 'json') return fault('is bytes, which JSON cannot say');
      this.bytes += value.byteLength;
      return this.bytes > this.mostBytes ? fault(`is beyond ${this.mostBytes} bytes in one message`, 'payload-too-large') : undefined;
    }
    if (value instanceof NexaError) return this.error(value);
    if (value instanceof Date) return fault('is a Date; send Unix milliseconds');
    return fault(`is a ${(prototype?.constructor?.name as string | undefined) ?? 'class instance'}, not plain data`);
  }

  private fields(value: Record<string, unknown>, depth: number): Fault | undefined {
    const keys = Object.keys(value);
    if (keys.length > LIMITS.items) return fault(`has ${keys.length} fields; ${LIMITS.items} are allowed`);
    for (const key of keys) {
      if (key === '__proto__') return fault('has a field named __proto__');
      const found = this.text(key) ?? this.fault(value[key], depth);
      if (found !== undefined) return inside(key, found);
    }
    return undefined;
  }

  /** Its depth counts anew, so one error in another would escape the bound. */
  private error(value: NexaError): Fault | undefined {
    if (this.inError) return fault('is an error inside an error');
    this.inError = true;
    const found = this.fields(value.toJSON() as unknown as Record<string, unknown>, 1);
    this.inError = false;
    return found;
  }
}

const fault = (why: string, code: ErrorCode = 'not-encodable'): Fault => ({ code, why, path: [] });
const inside = (key: string | number, found: Fault): Fault => {
  found.path.push(key);
  return found;
};
