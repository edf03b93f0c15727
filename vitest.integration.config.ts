import { defineConfig } from 'vitest/config';

/** Tests against programs written by others, which are installed apart: `npm run integration`. */
export default defineConfig({
  test: {
    include: ['test/integration/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 60_000,
    maxWorkers: 1,
  },
});
