import { defineConfig } from 'vitest/config';

/**
 * Tests against programs written by others, which are installed apart: `npm run integration`. All bounds of time are only
 * for what hangs: far more than a test takes on a slow machine that has other work.
 */
export default defineConfig({
  test: {
    include: ['test/integration/**/*.test.ts'],
    setupFiles: ['test/support/setup.ts'],
    testTimeout: 400_000,
    hookTimeout: 180_000,
    teardownTimeout: 60_000,
    expect: { poll: { timeout: 60_000 } },
    maxWorkers: 1,
  },
});
