import ts from 'typescript';
import { expect, test } from 'vitest';
import { findIn, sources } from './source.ts';

const ambient = new Set([
  'Date',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'clearTimeout',
  'performance',
  'crypto',
  'process',
  'console',
  'fetch',
]);

/**
 * What a program takes from its surroundings instead of from its parameters. Asking what a value is (`instanceof Date`) takes
 * nothing, and neither does writing a given instant as a date.
 */
function takesFromOutside(node: ts.Node): string | undefined {
  if (ts.isPropertyAccessExpression(node)) {
    const spelled = node.getText();
    return spelled === 'Math.random' || spelled === 'AbortSignal.timeout' ? spelled : undefined;
  }
  if (!ts.isIdentifier(node) || !ambient.has(node.text)) return undefined;
  const { parent } = node;
  if (ts.isTypeNode(parent)) return undefined;
  if (ts.isBinaryExpression(parent) && parent.operatorToken.kind === ts.SyntaxKind.InstanceOfKeyword) return undefined;
  if (ts.isNewExpression(parent) && (parent.arguments?.length ?? 0) > 0) return undefined;
  const names =
    (ts.isPropertyAccessExpression(parent) || ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent)) && parent.name === node;
  return names ? undefined : node.text;
}

/** Subjects have a type that only src/cluster/subject.ts makes: a cast or a bare text would go around it. */
function spellsSubject(node: ts.Node): string | undefined {
  if (ts.isAsExpression(node) && node.type.getText() === 'Subject') return node.getText();
  if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression) || node.expression.name.text !== 'publish')
    return undefined;
  const [subject] = node.arguments;
  return subject !== undefined && (ts.isStringLiteralLike(subject) || ts.isTemplateExpression(subject)) ? node.getText() : undefined;
}

const readsEnvironment = (node: ts.Node): string | undefined =>
  ts.isPropertyAccessExpression(node) && node.getText() === 'process.env' ? 'process.env' : undefined;

test('time, randomness and ids come in by parameter in actor, cluster, durable, edge and agent', () => {
  const kernel = sources('src/actor', 'src/cluster', 'src/durable', 'src/edge', 'src/agent').filter((path) => path !== 'src/agent/load.ts');
  expect(kernel.flatMap((path) => findIn(path, takesFromOutside))).toEqual([]);
});

test('only src/cluster/subject.ts spells a subject, and only src/nats publishes raw', () => {
  const others = sources('index.ts', 'src', 'actors', 'supervisors', 'chaos', 'bin').filter(
    (path) => path !== 'src/cluster/subject.ts' && !path.startsWith('src/nats/'),
  );
  expect(others.flatMap((path) => findIn(path, spellsSubject))).toEqual([]);
});

test('only supervisors/config.ts reads the environment', () => {
  const others = sources('index.ts', 'src', 'actors', 'supervisors', 'chaos', 'bin').filter((path) => path !== 'supervisors/config.ts');
  expect(others.flatMap((path) => findIn(path, readsEnvironment))).toEqual([]);
});

test('each of these looks finds what it looks for and nothing else', () => {
  const guilty = 'Date.now(); new Date(); setTimeout(run, 1); Math.random(); crypto.randomUUID(); AbortSignal.timeout(1); process.exit()';
  const innocent = "let at: Date; value instanceof Date; clock.setTimeout(1); z.Date; ({ process: 1 }); // Date.now()\n'setTimeout'";
  expect(findIn('x.ts', takesFromOutside, guilty)).toHaveLength(7);
  expect(findIn('x.ts', takesFromOutside, innocent)).toEqual([]);
  expect(findIn('x.ts', spellsSubject, `nc.publish('a.b', x); nc.publish(\`a.\${b}\`, x); const s = 'x' as Subject;`)).toHaveLength(3);
  expect(findIn('x.ts', spellsSubject, 'transport.publish(subjects.beat, x); events.publish({ event });')).toEqual([]);
  expect(findIn('x.ts', readsEnvironment, 'process.env.HOME; config.env')).toHaveLength(1);
});
