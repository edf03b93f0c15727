import { defineConfig } from 'vitest/config';

/** Tests against programs that have to be installed; those that are missing are named and skipped. */
export default defineConfig({
  test: {
    include: ['test/integration/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 30_000,
    maxWorkers: 2,
  },
});
