import { NexaError } from '../../../../src/errors.ts';
import type { Act, ActName, Place } from '../../../act.ts';
import type { NetAct } from '../net.ts';
import type { LimitAct } from './limits/limit.ts';

/** Who does an act: the net, a limit, or the stage itself with its processes. `heal` is everybody's. */
const KINDS: Readonly<Record<Exclude<NetAct['act'], 'heal'>, 'net'> & Record<Exclude<LimitAct['act'], 'heal'>, 'limit'>> = {
  cut: 'net',
  mend: 'net',
  'link-down': 'net',
  'link-up': 'net',
  loss: 'net',
  delay: 'net',
  slice: 'net',
  reset: 'net',
  'half-open': 'net',
  'wall-jump': 'limit',
  'clock-rate': 'limit',
  'fill-disk': 'limit',
  'free-disk': 'limit',
  descriptors: 'limit',
  memory: 'limit',
  cpu: 'limit',
  'copy-store': 'limit',
  'roll-back': 'limit',
  revoke: 'limit',
  grant: 'limit',
};

export const isNetAct = (act: ActName): act is Exclude<NetAct['act'], 'heal'> => (KINDS as Record<string, string>)[act] === 'net';
export const isLimitAct = (act: ActName): act is Exclude<LimitAct['act'], 'heal'> => (KINDS as Record<string, string>)[act] === 'limit';

/** Whom an act names. */
export const placesOf = (act: Act): readonly Place[] =>
  ['node', 'server', 'place', 'from', 'to'].flatMap((field) => {
    const place = (act as Readonly<Record<string, unknown>>)[field];
    return typeof place === 'string' ? [place] : [];
  });
export const noPlace = (place: Place, what: string): NexaError =>
  new NexaError('invalid-message', `there is no ${what} ${place.slice(0, 64)}`, { where: { place: place.slice(0, 64) } });
