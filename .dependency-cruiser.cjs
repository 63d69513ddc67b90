/**
 * Who may import whom (docs/architecture.md). Five storeys, each looks only down: src ← actors ← supervisors ← chaos ← bin.
 * Every rule is an error; a new exception belongs here, with its reason.
 */

/** Refuses what `from` may not import. `allowed` and `denied` are patterns of resolved paths. */
const mayNot = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

/** The package may be imported by these files of ours and by no others. */
const onlyIn = (name, pattern, from, comment) =>
  mayNot(
    `only-one-door-to-${name}`,
    comment,
    { path: '^(index\\.ts|src|actors|supervisors|chaos|bin)', pathNot: from },
    { path: `(^|node_modules/)${pattern}(/|$)` },
  );

const inside = '^src/(actor|ports|cluster|durable|edge|agent)/';

module.exports = {
  forbidden: [
    mayNot(
      'actor-knows-only-actors',
      'The model looks at its ports and at the one error class.',
      { path: '^src/actor/', pathNot: '^src/actor/(context|events|live-ref|cell/cell-context)\\.ts$' },
      { path: '^src/', pathNot: '^src/(actor|ports)/|^src/errors\\.ts$' },
    ),
    mayNot(
      'actor-names-what-a-context-and-an-event-show',
      'A context gives agent refs and an event carries a member: these files (and the two that make such a ref and such a context) name types from above, and only types.',
      { path: '^src/actor/(context|events|live-ref|cell/cell-context)\\.ts$' },
      { path: '^src/', pathNot: '^src/(actor|ports)/|^src/errors\\.ts$', dependencyTypesNot: ['type-only'] },
    ),
    mayNot(
      'ports-are-contracts',
      'A port names types of the model and nothing that runs.',
      { path: '^src/ports/' },
      { path: '^src/', pathNot: '^src/ports/|^src/errors\\.ts$', dependencyTypesNot: ['type-only'] },
    ),
    mayNot(
      'protocols-run-on-ports',
      'Cluster, durable, edge and agent are one implementation over the ports: which part runs below is not theirs to know.',
      { path: '^src/(cluster|durable|edge|agent)/' },
      { path: '^src/', pathNot: '^src/(actor|ports|cluster|durable|edge|agent)/|^src/errors\\.ts$' },
    ),
    mayNot(
      'cluster-and-durable-know-no-agent-type',
      'Agents stand on them.',
      { path: '^src/(cluster|durable)/' },
      { path: '^src/(agent|edge)/' },
    ),
    mayNot(
      'edge-is-handed-its-handlers',
      'Bad input never reaches an actor: the edge knows no host.',
      { path: '^src/edge/' },
      { path: '^src/agent/host/' },
    ),
    mayNot(
      'kernel-does-no-io',
      'Time, randomness, files and sockets come in by parameter. node:buffer computes; load.ts reads the modules of the user.',
      { path: inside, pathNot: '^src/agent/load\\.ts$' },
      { dependencyTypes: ['core'], pathNot: '^(node:)?buffer$' },
    ),
    mayNot(
      'kernel-needs-no-package',
      'msgpack is the codec, zod the schemas of agents, jiti the loader of the users’ modules, croner the calendar.',
      { path: inside },
      { pathNot: '^(src/|\\.)|(^|node_modules/)(@msgpack/msgpack|zod|jiti|croner)(/|$)', dependencyTypesNot: ['core'] },
    ),
    mayNot(
      'the-engine-turns-cells-only',
      'What a cell does is not the engine’s.',
      { path: '^src/engine/' },
      { path: '^src/', pathNot: '^src/(engine|actor|ports)/|^src/errors\\.ts$' },
    ),
    mayNot(
      'parts-of-ports-stand-alone',
      'The memory and the NATS parts know the ports, the spelling of subjects, and not each other.',
      { path: '^src/(memory|nats)/' },
      { path: '^src/', pathNot: '^src/($1|actor|ports)/|^src/(errors|cluster/subject)\\.ts$' },
    ),
    mayNot(
      'kernel-looks-down',
      'src knows no worker, no tree, no door.',
      { path: '^src/' },
      { path: '^(index\\.ts$|actors/|supervisors/|chaos/|bin/)' },
    ),
    mayNot('actors-look-down', 'Workers know no tree.', { path: '^actors/' }, { path: '^(index\\.ts$|supervisors/|chaos/|bin/)' }),
    ...['actors', 'actors/builtin'].map((folder) =>
      mayNot(
        `${folder}-talk-through-protocols`,
        'Another actor’s behaviour is not to be imported: send it a message.',
        { path: `^${folder}/([^/]+)/` },
        { path: `^${folder}/`, pathNot: `^${folder}/$1/|/protocol\\.ts$` },
      ),
    ),
    mayNot(
      'supervisors-look-down',
      'The trees know the kernel and the workers.',
      { path: '^supervisors/' },
      { path: '^(index\\.ts$|chaos/|bin/)' },
    ),
    mayNot(
      'supervisors-enter-actors-by-the-door',
      'One package, one door.',
      { path: '^supervisors/' },
      { path: '^actors/', pathNot: '^actors/index\\.ts$' },
    ),
    mayNot('chaos-looks-down', 'Drills know no command.', { path: '^chaos/' }, { path: '^bin/' }),
    mayNot(
      'bin-uses-doors',
      'The front door, the client, the server binary, the trees, and the vocabulary everybody shares; never an inner file.',
      { path: '^bin/' },
      { path: '^(src|actors)/', pathNot: '^src/(client|errors|log)\\.ts$|^src/(ports|nats-server)/' },
    ),
    mayNot(
      'chaos-uses-doors',
      'As bin; and a drill needs programs of others, is given time and chance, has connections of its own, and garbles what is on the wire by its real subjects and frames.',
      { path: '^chaos/' },
      {
        path: '^(src|actors)/',
        pathNot:
          '^src/(client|errors|log|system-clock|system-random)\\.ts$|^src/(ports|nats-server|programs)/|^src/(memory/random|nats/connection|cluster/(subject|codec|wire))\\.ts$',
      },
    ),
    mayNot('bin-enters-chaos-by-the-door', 'One package, one door.', { path: '^bin/' }, { path: '^chaos/', pathNot: '^chaos/index\\.ts$' }),
    mayNot(
      'users-import-the-package-by-name',
      'Examples and benchmarks show what a user can do. A measurement wants servers without nodes, and journals without agents.',
      { path: '^(examples|bench)/', pathNot: '^bench/(suite/servers|workloads/(durable/journals|scale/places))\\.ts$' },
      { path: '^(index\\.ts$|src/|actors/|supervisors/|chaos/|bin/)' },
    ),
    mayNot(
      'nothing-imports-tests',
      'Tests see all and are seen by nobody.',
      { path: '^(index\\.ts|src|actors|supervisors|chaos|bin)' },
      { path: '^test/' },
    ),
    mayNot(
      'no-cycles',
      'Types may refer to each other; code that runs may not.',
      {},
      { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    ),
    mayNot('resolvable', 'A path that leads nowhere.', {}, { couldNotResolve: true }),

    onlyIn('nact', 'nact', '^src/engine/nact/', 'The engine is one of several possible.'),
    onlyIn(
      'nats',
      'nats',
      '^src/nats/|^chaos/demo/bare-nats\\.ts$',
      "Correctness and speed of the transport are judged in one folder; the demo's stranger is a program of its own.",
    ),
    onlyIn(
      'msgpack',
      '@msgpack/msgpack',
      '^src/cluster/msgpack-writer\\.ts$',
      'Its decoder trusts its input: what arrives is read by our own reader.',
    ),
    onlyIn('pino', 'pino', '^src/log\\.ts$', 'Everybody else logs through the port.'),
    onlyIn(
      'tsyringe',
      '(tsyringe|reflect-metadata)',
      '^supervisors/container\\.ts$',
      'The composition root; actors take what they need by parameter.',
    ),
    onlyIn(
      'zod',
      'zod',
      '^(src/agent|actors|chaos/agents)/|^supervisors/config-(schema|keys)\\.ts$',
      'Schemas are what agents and the configuration are defined with.',
    ),
    onlyIn('croner', 'croner', '^src/durable/cron\\.ts$', 'It would also run jobs by timers of its own; here it only reads expressions.'),
    onlyIn('jiti', 'jiti', '^src/agent/load\\.ts$', 'The place that runs agents which are not ours.'),
    onlyIn('c12', 'c12', '^supervisors/config-file\\.ts$', 'The one place that reads the configuration.'),
    onlyIn('the-terminal', '(commander|cli-table3|picocolors|yaml|@clack/prompts)', '^bin/', 'Only commands talk to a terminal.'),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|dist-bench|dist-simulate|fixtures)/' },
    tsPreCompilationDeps: 'specify',
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'types', 'default'],
      extensions: ['.ts', '.js', '.cjs', '.mjs', '.d.ts'],
    },
  },
};
