import { defineConfig } from 'vitest/config';

/** Files share their workers, module by module; what one changes it puts back, for any other one may come next. */
const TOGETHER = { isolate: false };

const STORIES = ['tests/stories/**/*.test.ts'];
/** Engines, processes, clocks and mocked modules: each file has a worker of its own. */
const ENGINES = ['tests/local/**/*.test.ts', 'tests/ci/**/*.test.ts'];

export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    // People read the first; .ci/run counts in the second.
    reporters: ['default', 'json'],
    outputFile: { json: '.test-results/vitest.json' },
    projects: [
      { extends: true, test: { name: 'engines', include: ENGINES } },
      {
        extends: true,
        test: {
          name: 'rules',
          include: ['tests/**/*.test.ts'],
          exclude: [...ENGINES, ...STORIES],
          ...TOGETHER,
        },
      },
      // Machines go on from file to file: to start one takes longer than most stories.
      { extends: true, test: { name: 'stories', include: STORIES, ...TOGETHER } },
    ],
  },
});
