// Runs before each test file, in every worker.
import { afterAll, afterEach } from 'vitest';
import { stopAll } from './stops.js';

afterEach(() => stopAll('test'));
afterAll(() => stopAll('file'));
