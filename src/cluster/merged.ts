/**
 * `{ ...a, ...b }` for what is kept by the hundred thousand: V8 gives every object of a spread that is followed by other fields a
 * hidden class of its own, some 300 bytes.
 */
export const merged = <A extends object, B extends object>(a: A, b: B): A & B => Object.assign({}, a, b);
