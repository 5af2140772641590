import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { movesDiagram } from '#shared/domain/moves.ts';

test('the picture in the README is the table of moves', () => {
  const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');
  const block = /<!-- moves -->\n(.*)<!-- \/moves -->/s.exec(readme)?.[1];
  expect(block?.trim()).toBe(['```mermaid', movesDiagram(), '```'].join('\n'));
});
