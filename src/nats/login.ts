/** Addresses of servers, and what they say of who dials them. */
export interface Login {
  /** Without user and password: what may be shown. */
  readonly servers: readonly string[];
  readonly user?: string;
  readonly pass?: string;
}

const WITH_LOGIN = /^((?:[a-z][a-z0-9+.-]*:\/\/)?)(.*)@([^@]*)$/is;

/** Takes user and password out of `nats://user:password@host:port`; the first address that has them says them for all. */
export function loginOf(urls: readonly string[]): Login {
  const read = urls.map((url) => {
    const [, scheme = '', login, address = ''] = WITH_LOGIN.exec(url) ?? [];
    return { server: login === undefined ? url : `${scheme}${address}`, login };
  });
  const servers = read.map(({ server }) => server);
  const login = read.find((each) => each.login !== undefined)?.login;
  if (login === undefined) return { servers };
  const [user = '', ...rest] = login.split(':');
  return { servers, user: decoded(user), pass: decoded(rest.join(':')) };
}

/** As people are told of them, in output, errors and logs. */
export const shownServers = (urls: readonly string[]): string => loginOf(urls).servers.join(', ');

/** A URL writes some characters as `%40`; one that is written wrongly is taken as it stands. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
