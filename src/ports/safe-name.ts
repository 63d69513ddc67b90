import { NexaError } from '../errors.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const UNSAFE = /[\x00-\x20\x7f]/;
const KEY = /^[-/_=A-Za-z0-9]+(\.[-/_=A-Za-z0-9]+)*$/;
const KEY_PREFIX = /^[-/_=A-Za-z0-9.]*$/;
const STORE = /^[-_A-Za-z0-9]{1,200}$/;
const LONGEST = 1_024;

const refuse = (name: string, what: string): never => {
  throw new NexaError('bad-id', `${what} has a character that would change what the server understands`, {
    where: { name: JSON.stringify(name.slice(0, 80)) },
  });
};

/** The last line against names that inject protocol: they are made safe where they are spelled. @throws NexaError `bad-id` */
export function assertPublishable(subject: string): void {
  if (subject.length === 0 || subject.length > LONGEST || UNSAFE.test(subject) || subject.includes('*') || subject.includes('>'))
    refuse(subject, 'a subject');
}

/** As {@link assertPublishable}, wildcards allowed. @throws NexaError `bad-id` */
export function assertSubscribable(subject: string): void {
  if (subject.length === 0 || subject.length > LONGEST || UNSAFE.test(subject)) refuse(subject, 'a subject');
}

/** One key of a Kv. @throws NexaError `bad-id` */
export function assertKey(key: string): void {
  if (key.length > LONGEST || !KEY.test(key)) refuse(key, 'a key');
}

/** The beginning of keys; may be empty. @throws NexaError `bad-id` */
export function assertKeyPrefix(prefix: string): void {
  if (prefix.length > LONGEST || !KEY_PREFIX.test(prefix)) refuse(prefix, 'a key prefix');
}

/** What names one record of a stream. @throws NexaError `bad-id` */
export function assertRecordId(id: string): void {
  if (id.length === 0 || id.length > LONGEST || UNSAFE.test(id)) refuse(id, 'a record id');
}

/** A store's name, as NATS allows for a stream. @throws NexaError `bad-id` */
export function assertStoreName(name: string): void {
  if (!STORE.test(name)) refuse(name, 'a store name');
}
