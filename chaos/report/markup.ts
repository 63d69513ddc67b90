const control = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;
const LONGEST = 20_000;
const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** What others wrote, as text inside HTML or SVG, in an element or an attribute: no markup, and nothing that turns the text around it. Lines stay. */
export const escaped = (text: string): string =>
  text
    .slice(0, LONGEST)
    .toWellFormed()
    .replace(control, (character) => (character === '\n' ? character : `\\u{${character.codePointAt(0)?.toString(16)}}`))
    .replace(/[&<>"']/g, (character) => entities[character] ?? '');
