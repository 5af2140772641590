import { defineConfig } from 'vitest/config';

/** Files that share a worker, module by module: nothing in them changes what others find. */
const TOGETHER = { isolate: false };

const RULES = ['domain', 'contracts', 'functions', 'corpus'].map((folder) => `tests/${folder}/**/*.test.ts`);
const STORIES = ['tests/stories/**/*.test.ts'];

export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    // People read the first; .ci/run counts in the second.
    reporters: ['default', 'json'],
    outputFile: { json: '.test-results/vitest.json' },
    projects: [
      { extends: true, test: { name: 'rules', include: RULES, ...TOGETHER } },
      // Machines go on from file to file: to start one takes longer than most stories.
      { extends: true, test: { name: 'stories', include: STORIES, ...TOGETHER } },
      // Engines, processes, files, clocks and mocks: each file has a worker of its own.
      {
        extends: true,
        test: { name: 'engines', include: ['tests/**/*.test.ts'], exclude: [...RULES, ...STORIES] },
      },
    ],
  },
});
