/** Says what is wrong with a value that somebody else wrote, and where; undefined: it fits. */
export type Shape = (value: unknown, at: string) => string | undefined;

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const which =
  (fits: (value: unknown) => boolean, what: string): Shape =>
  (value, at) =>
    fits(value) ? undefined : `${at} is to be ${what}`;

export const anything: Shape = () => undefined;
export const number = which((value) => typeof value === 'number' && Number.isFinite(value), 'a number');
export const text = (longest: number): Shape =>
  which((value) => typeof value === 'string' && value.length <= longest, `a text of at most ${longest} characters`);
export const oneOf = (...values: readonly string[]): Shape => which((value) => values.includes(value as string), values.join(' or '));
export const optional =
  (shape: Shape): Shape =>
  (value, at) =>
    value === undefined ? undefined : shape(value, at);
export const nullable =
  (shape: Shape): Shape =>
  (value, at) =>
    value === null ? undefined : shape(value, at);

export const list =
  (most: number, each: Shape): Shape =>
  (value, at) => {
    if (!Array.isArray(value) || value.length > most) return `${at} is to be a list of at most ${most}`;
    for (const [index, item] of value.entries()) {
      const wrong = each(item, `${at}[${index}]`);
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  };
/** By any name. */
export const named =
  (most: number, each: Shape): Shape =>
  (value, at) => {
    if (!isRecord(value) || Object.keys(value).length > most) return `${at} is to be an object of at most ${most} fields`;
    for (const [name, item] of Object.entries(value)) {
      const wrong = each(item, `${at}.${name.slice(0, 64)}`);
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  };
/** With these fields; others are left alone, so that a later release may add some. */
export const fields =
  (shapes: Readonly<Record<string, Shape>>): Shape =>
  (value, at) => {
    if (!isRecord(value)) return `${at} is to be an object`;
    for (const [name, shape] of Object.entries(shapes)) {
      const wrong = shape(Object.hasOwn(value, name) ? value[name] : undefined, at === '' ? name : `${at}.${name}`);
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  };
