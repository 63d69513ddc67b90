import type { Fault, Target } from '../fault.ts';

const isServer = (target: Target | undefined): boolean => target !== undefined && /^(server|store-|s\d)/.test(target);

const shapes = { halves: 5, minority: 5, isolate: 5, 'one-way': 6, partial: 7, ring: 7, bridge: 7, servers: 8, stranded: 8 } as const;
const numbers = {
  ...{
    loss: 9,
    delay: 10,
    slice: 10,
    reset: 11,
    'half-open': 11,
    'link-down': 11,
    'slow-consumer': 12,
    'clock-jump': 13,
    'clock-rate': 13,
  },
  ...{ 'disk-full': 15, 'no-descriptors': 16, 'block-loop': 17, 'out-of-memory': 18, starve: 19, garbage: 20, duplicates: 21 },
  ...{ 'lost-answers': 22, restart: 23, flap: 24, 'join-storm': 24, poison: 25, 'roll-back': 26, 'delete-stream': 28, 'change-stream': 28 },
  ...{ revoke: 29, together: 30 },
} as const;

/** `F1` … `F30`, the numbers of docs/drills.md; of `wait` and `heal`, which are none, undefined. */
export function faultNumber(fault: Fault): string | undefined {
  switch (fault.fault) {
    case 'wait':
    case 'heal':
      return undefined;
    case 'kill':
      return isServer(fault.target) ? 'F2' : 'F1';
    case 'pause':
      return isServer(fault.target) ? 'F4' : 'F3';
    case 'partition':
      return `F${shapes[fault.shape]}`;
    default:
      return `F${numbers[fault.fault]}`;
  }
}

/** What a fault is, in a few words: `kill one node, unseen`. Whom it met is not said. */
export function faultText(fault: Fault): string {
  switch (fault.fault) {
    case 'together':
      return fault.faults.map(faultText).join(' + ');
    case 'kill':
      return `kill ${whom(fault)}${fault.silent === true ? ', unseen' : ''}`;
    case 'pause':
      return `pause ${whom(fault)}`;
    case 'restart':
      return `restart ${whom(fault)}${fault.rolling === true ? ', rolling' : ''}`;
    case 'partition':
      return `partition: ${fault.shape}`;
    case 'disk-full':
      return `disk full: ${whom(fault)}`;
    case 'loss':
      return `loss ${fault.percent} %${at(fault.target)}`;
    case 'delay':
      return `delay ${fault.delayMs} ms${fault.jitterMs === undefined ? '' : ` ± ${fault.jitterMs} ms`}${at(fault.target)}`;
    case 'slice':
      return `slices of ${fault.bytes} bytes${at(fault.target)}`;
    case 'clock-jump':
      return `clock jumps ${fault.byMs} ms${at(fault.target)}`;
    case 'clock-rate':
      return `clock rate ${fault.rate}${at(fault.target)}`;
    case 'starve':
      return `starve to ${fault.percent} % of a core${at(fault.target)}`;
    case 'garbage':
      return `garbage, ${fault.count} messages`;
    case 'flap':
      return `flap ${fault.times} times${at(fault.target)}`;
    case 'join-storm':
      return `join storm, ${fault.count} nodes`;
    case 'delete-stream':
    case 'change-stream':
      return `${fault.fault.replace('-', ' ')} ${fault.stream}`;
    case 'slow-consumer':
    case 'duplicates':
    case 'poison':
    case 'wait':
    case 'heal':
      return fault.fault.replace('-', ' ');
    default:
      return `${fault.fault.replaceAll('-', ' ')}${at(fault.target)}`;
  }
}

/** The same for many runs together: how often is left out where each seed has its own number. */
export const faultKind = (fault: Fault): string =>
  fault.fault === 'garbage' ? 'garbage' : fault.fault === 'flap' ? `flap${at(fault.target)}` : faultText(fault);

const spoken = (target: Target): string => target.replace('-', ' ');
const at = (target: Target | undefined): string => (target === undefined ? '' : ` at ${spoken(target)}`);
const whom = ({ target, many = 'one' }: { readonly target: Target; readonly many?: string }): string =>
  target !== 'node' && target !== 'server'
    ? spoken(target)
    : many === 'one'
      ? `one ${target}`
      : many === 'all'
        ? `all ${target}s`
        : `a ${many} of ${target}s`;
