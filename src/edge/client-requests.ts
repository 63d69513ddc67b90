import { serviceKey } from '../actor/receptionist.ts';
import { encodeId, validClient, validClientName, validNode, validType } from '../cluster/subject.ts';
import { NexaError } from '../errors.ts';
import { CLIENT_VERSIONS, type ConnectRequest, type FindRequest, HEARTBEAT_MS, type RegisterRequest } from './client-handlers.ts';
import { Fields } from './fields.ts';

const LONGEST = 255;
const ROWS = { most: 1_000, usual: 100 } as const;

export type ClientRequest =
  | { readonly type: 'connect'; readonly wanted: ConnectRequest }
  | { readonly type: 'beat' | 'close'; readonly client: string };

/** A public message on `connect`, checked before anything is done. @throws NexaError `invalid-message`, `bad-id`, `unknown-version`, `unknown-command`. */
export function clientRequest(body: unknown): ClientRequest {
  const fields = new Fields(body, 'connect');
  const type = oneOf(fields, ['connect', 'beat', 'close'] as const);
  if (type !== 'connect') {
    const client = validClient(fields.needed('client', LONGEST));
    fields.end();
    return { type, client };
  }
  const version = fields.count('version', Number.MAX_SAFE_INTEGER, 0);
  if (!CLIENT_VERSIONS.includes(version)) {
    throw new NexaError('unknown-version', `clients of version ${version} are not known here`, {
      where: { version: String(version), known: CLIENT_VERSIONS.join(', ') },
      fix: `Say "version": ${CLIENT_VERSIONS[0]}, or update the nodes.`,
    });
  }
  const client = fields.text('client', LONGEST);
  const name = fields.text('name', LONGEST);
  const wants = fields.part('wants');
  const heartbeatMs = wants?.count('heartbeatMs', HEARTBEAT_MS.most, HEARTBEAT_MS.usual) ?? HEARTBEAT_MS.usual;
  wants?.end();
  fields.end();
  return {
    type,
    wanted: {
      version,
      ...(client === undefined ? {} : { client: validClient(client) }),
      ...(name === undefined ? {} : { name: validClientName(name) }),
      heartbeatMs: Math.max(heartbeatMs, HEARTBEAT_MS.least),
    },
  };
}

export type ServicesRequest =
  | { readonly type: 'find'; readonly wanted: FindRequest }
  | { readonly type: 'register'; readonly wanted: RegisterRequest }
  | { readonly type: 'deregister'; readonly service: string; readonly instance: string }
  | { readonly type: 'clients'; readonly limit: number };

/** A public message on `services`. @throws NexaError `invalid-message`, `bad-id`, `unknown-command`. */
export function servicesRequest(body: unknown): ServicesRequest {
  const fields = new Fields(body, 'services');
  const type = oneOf(fields, ['find', 'register', 'deregister', 'clients'] as const);
  const request = ((): ServicesRequest => {
    switch (type) {
      case 'clients':
        return { type, limit: fields.count('limit', ROWS.most, ROWS.most) };
      case 'deregister':
        return { type, service: serviceOf(fields), instance: instanceOf(fields.needed('instance', LONGEST)) };
      case 'find': {
        const metadata = objectOf(fields, 'metadata');
        const node = fields.text('node', 64);
        return {
          type,
          wanted: {
            service: serviceOf(fields),
            limit: fields.count('limit', ROWS.most, ROWS.usual),
            ...(metadata === undefined ? {} : { metadata }),
            ...(node === undefined ? {} : { node: validNode(node) }),
          },
        };
      }
      case 'register': {
        const agent = fields.part('agent');
        if (agent === undefined) throw new NexaError('invalid-message', 'services needs the field agent', { where: { field: 'agent' } });
        const [agentType, id] = [validType(agent.needed('type', 64)), instanceOf(agent.needed('id', LONGEST))];
        agent.end();
        const metadata = objectOf(fields, 'metadata');
        const instance = fields.text('instance', LONGEST);
        return {
          type,
          wanted: {
            service: serviceOf(fields),
            agent: { type: agentType, id },
            ...(instance === undefined ? {} : { instance: instanceOf(instance) }),
            ...(metadata === undefined ? {} : { metadata }),
          },
        };
      }
    }
  })();
  fields.end();
  return request;
}

const serviceOf = (fields: Fields): string => serviceKey(fields.needed('service', LONGEST)).name;
const instanceOf = (text: string): string => {
  encodeId(text);
  return text;
};
function objectOf(fields: Fields, name: string): Readonly<Record<string, unknown>> | undefined {
  const value = fields.any(name);
  if (value === undefined) return undefined;
  new Fields(value, name);
  return value as Readonly<Record<string, unknown>>;
}
const oneOf = <T extends string>(fields: Fields, known: readonly T[]): T => {
  const type = fields.needed('type', 64);
  if (known.includes(type as T)) return type as T;
  throw new NexaError('unknown-command', `${JSON.stringify(type)} is not known here`, { fix: `Use one of: ${known.join(', ')}.` });
};
