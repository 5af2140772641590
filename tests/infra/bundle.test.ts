import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { bundle } from '../../infra/bundle.ts';
import { temporary } from './template.ts';

const folder = temporary();
afterAll(folder.remove);

/** A small repository of its own. */
const repository = (name: string): { root: string; write: (file: string, text: string) => void } => {
  const root = join(folder.path, name);
  const write = (file: string, text: string) => {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  };
  write(
    'functions/console/handler.ts',
    "import { word } from './word.ts';\nexport const handler = (): string => word;\n",
  );
  write('functions/console/word.ts', "export const word: string = 'first';\n");
  write('functions/intake/handler.ts', 'export const handler = (): number => 1;\n');
  write('functions/intake/notes.ts', 'export const unused = 1;\n');
  write('functions/intake/page.html', '<!doctype html>\n');
  write('shared/contracts/openapi.ts', "export const openApiDocument = () => ({ openapi: '3.1.0' });\n");
  write('shared/districts/categories.json', '{}');
  write('shared/districts/load.ts', 'export {};\n');
  write('shared/districts/x/grids.geojson', '{}');
  write('shared/districts/x/roster.sample.csv', 'id\nm-001\n');
  return { root, write };
};

const tree = (root: string): string[] =>
  readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((file) => statSync(join(root, file)).isFile())
    .sort();

/** Every file of a bundle, by its path. */
const bytes = (root: string) =>
  Object.fromEntries(
    tree(join(root, 'dist')).map((file) => [file, readFileSync(join(root, 'dist', file), 'base64')]),
  );

describe('bundle', () => {
  it('gives the model and the meanings only to the functions that read texts', async () => {
    const { root, write } = repository('reader');
    write('functions/classification/handler.ts', 'export const handler = (): number => 2;\n');
    write('shared/districts/model.json', '{}');
    write('shared/districts/concepts.json', '{}');
    await bundle({ root });
    expect(tree(join(root, 'dist')).filter((file) => /model|concepts/u.test(file))).toEqual([
      'classification/districts/concepts.json',
      'classification/districts/model.json',
      'intake/districts/concepts.json',
      'intake/districts/model.json',
    ]);
  });

  it('makes one folder per function, with the maps and policies beside it, and no roster', async () => {
    const { root } = repository('whole');
    await bundle({ root });
    expect(tree(join(root, 'dist'))).toEqual([
      '.sources.sha256',
      'console/districts/categories.json',
      'console/districts/x/grids.geojson',
      'console/index.mjs',
      'console/openapi.json',
      'intake/districts/categories.json',
      'intake/districts/x/grids.geojson',
      'intake/index.mjs',
      'intake/page.html',
    ]);
    expect(readFileSync(join(root, 'dist/console/openapi.json'), 'utf8')).toBe(
      '{\n  "openapi": "3.1.0"\n}\n',
    );
    const loaded: unknown = await import(pathToFileURL(join(root, 'dist/console/index.mjs')).href);
    expect(loaded).toMatchObject({ handler: expect.any(Function) });
  });

  it('gives the same bytes from the same sources, wherever they lie', async () => {
    const [one, two] = [repository('one'), repository('two')];
    await Promise.all([bundle({ root: one.root }), bundle({ root: two.root })]);
    expect(Object.keys(bytes(one.root)).length).toBeGreaterThan(5);
    expect(bytes(two.root)).toEqual(bytes(one.root));
  });

  it('works once for many callers, and again only when a source has changed', async () => {
    const { root, write } = repository('often');
    await Promise.all([bundle({ root }), bundle({ root }), bundle({ root })]);
    const made = () => statSync(join(root, 'dist/console/index.mjs')).ino;
    const first = made();
    await bundle({ root });
    expect(made()).toBe(first);
    write('functions/console/word.ts', "export const word: string = 'second';\n");
    await bundle({ root });
    expect(readFileSync(join(root, 'dist/console/index.mjs'), 'utf8')).toContain('second');
    expect(readdirSync(root).filter((name) => name.startsWith('dist'))).toEqual(['dist']);
  });

  it('takes over the lock of a process that is gone', async () => {
    const { root, write } = repository('lost');
    write('dist.lock', '999999999');
    await bundle({ root });
    expect(tree(join(root, 'dist'))).toContain('intake/index.mjs');
  });

  it('keeps the last good bundle when a source does not compile', async () => {
    const { root, write } = repository('broken');
    await bundle({ root });
    write('functions/intake/handler.ts', 'export const handler = (;\n');
    await expect(bundle({ root })).rejects.toThrow('functions/intake/handler.ts');
    expect(tree(join(root, 'dist'))).toContain('intake/index.mjs');
    write('functions/intake/handler.ts', 'export const handler = () => 2;\n');
    await bundle({ root });
  });
});

describe('the functions as they are deployed', () => {
  it('stay at 500 KB each, so that a cold start stays short', async () => {
    const outdir = join(folder.path, 'real');
    await bundle({ outdir });
    const bundles = tree(outdir).filter((file) => file.endsWith('/index.mjs'));
    const large = bundles
      .map((file) => [file, statSync(join(outdir, file)).size] as const)
      .filter(([, n]) => n > 500_000);
    expect(bundles.length).toBeGreaterThan(3);
    expect(large).toEqual([]);
  });
});
