import { expect, test, vi } from 'vitest';

test('the example of a parent with children runs as it is printed', async () => {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  await import('../../examples/03-parent-with-children.ts');
  expect(log.mock.calls).toEqual([[4]]);
  log.mockRestore();
});
