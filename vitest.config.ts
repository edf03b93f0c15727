import { defineConfig } from 'vitest/config';

/** All bounds of time are only for what hangs: far more than a test takes on a slow machine that has other work. */
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/integration/**'],
    testTimeout: 180_000,
    hookTimeout: 180_000,
    teardownTimeout: 60_000,
    expect: { poll: { timeout: 60_000 } },
    setupFiles: ['test/support/setup.ts'],
    // Files of one worker share its modules: loading the server anew for each took longer than most tests.
    isolate: false,
    maxWorkers: 2,
  },
});
