import { RECOMMENDED } from './version.ts';

/** One screen: every way to give Nexa a server, with the exact command. */
export const INSTALL_HELP = `Nexa needs nats-server (${RECOMMENDED}). Any one of these gives it one:

  Debian           nexa setup
                   (fetches the signed package into your cache; no root, nothing else is touched)
  macOS, Linux     brew install nats-server
  apt              sudo apt-get install nats-server && nats-server --version
                   (Debian 13 and Ubuntu up to 24.04 carry versions too old for three servers)
  Docker           docker compose up -d nats-1 nats-2 nats-3
                   export NEXA_NATS_URL=nats://127.0.0.1:4222,nats://127.0.0.1:4223,nats://127.0.0.1:4224
  a binary         export NEXA_NATS_SERVER=/path/to/nats-server
  a cluster        export NEXA_NATS_URL=nats://host:4222`;
