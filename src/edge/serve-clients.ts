import type { Answer } from './answers.ts';
import type { ClientHandlers } from './client-handlers.ts';
import { clientRequest, servicesRequest } from './client-requests.ts';
import type { CallOptions } from './handlers.ts';

/** Answers `….connect`: a program outside the cluster comes, is there, goes. */
export const serveConnect =
  (handlers: ClientHandlers) =>
  async (body: unknown, given: CallOptions): Promise<Answer> => {
    const request = clientRequest(body);
    switch (request.type) {
      case 'connect':
        return { ok: true, reply: await handlers.connect(request.wanted, given) };
      case 'beat':
        await handlers.beat(request.client, given);
        return { ok: true };
      case 'close':
        await handlers.disconnect(request.client, given);
        return { ok: true };
    }
  };

/** Answers `….services`: who offers what. */
export const serveServices =
  (handlers: ClientHandlers) =>
  async (body: unknown, given: CallOptions): Promise<Answer> => {
    const request = servicesRequest(body);
    switch (request.type) {
      case 'find':
        return { ok: true, reply: await handlers.findServices(request.wanted) };
      case 'register':
        return { ok: true, reply: await handlers.registerService(request.wanted, given) };
      case 'deregister':
        await handlers.deregisterService(request.service, request.instance, given);
        return { ok: true };
      case 'clients':
        return { ok: true, reply: await handlers.clients(request.limit) };
    }
  };
