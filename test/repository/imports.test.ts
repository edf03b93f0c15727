import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkImports } from '../../scripts/check-imports.js';

let source: string;
beforeEach(() => {
  source = mkdtempSync(join(tmpdir(), 'countersign-imports-'));
  for (const file of [
    'verify/model.ts',
    'store/store.ts',
    'api/app.ts',
    'delivery/carrier.ts',
    'config.ts',
  ]) {
    write(file, 'export interface Row {}\nexport const value = 1;\n');
  }
});
afterEach(() => rmSync(source, { recursive: true, force: true }));

function write(file: string, text: string): void {
  mkdirSync(dirname(join(source, file)), { recursive: true });
  writeFileSync(join(source, file), text);
}

/** The violations of one file that has this text. */
function violations(file: string, text: string): string[] {
  write(file, text);
  return checkImports(source, source);
}

describe('the import rules', () => {
  it('hold in this repository', () => {
    expect(checkImports('src')).toEqual([]);
  });

  it.each([
    ['verify/new.ts', "import { value } from '../store/store.js';"],
    ['verify/new.ts', "import type { Row } from '../store/store.js';"],
    ['verify/new.ts', "export * from '../store/store.js';"],
    ['verify/new.ts', "const store = await import('../store/store.js');"],
    ['verify/new.ts', "new Worker(new URL('../store/store.js', import.meta.url));"],
    ['verify/new.ts', "import {\n  value,\n} from '../store/store.js';"],
    ['verify/new.ts', "import { readFileSync } from 'node:fs';"],
    ['verify/new.ts', "import fastify from 'fastify';"],
    ['store/new.ts', "import { value } from '../api/app.js';"],
    ['api/new.ts', "import { value } from '../delivery/carrier.js';"],
    ['api/plivo/new.ts', "import type { Row } from '../../delivery/carrier.js';"],
    ['config/new.ts', "import { value } from '../delivery/carrier.js';"],
    ['config/new.ts', "import { type Row, value } from '../delivery/carrier.js';"],
    ['admin/new.ts', "import { value } from '../config.js';"],
    ['telemetry/new.ts', "import { value } from '../verify/model.js';"],
    ['store/new.ts', "import { value } from '#verify/model.js';"],
    ['store/new.ts', "import { value } from '../../elsewhere.js';"],
    ['store/new.ts', "import { value } from './missing.js';"],
    ['garden/new.ts', "import { value } from '../verify/model.js';"],
  ])('%s may not say %s', (file, text) => {
    expect(violations(file, `// A comment.\n${text}\n`)).toEqual([
      expect.stringMatching(new RegExp(`^${file}:2: .+`)),
    ]);
  });

  it.each([
    ['verify/new.ts', "import { value } from './model.js';\nimport { createHash } from 'node:crypto';"],
    ['verify/new.ts', "import parse from 'libphonenumber-js/max';"],
    ['verify/new.ts', "// import { value } from '../store/store.js';"],
    ['store/new.ts', "import { value } from '../verify/model.js';\nimport fs from 'node:fs';"],
    ['config/new.ts', "import type { Row } from '../delivery/carrier.js';"],
    ['config/new.ts', "import { type Row } from '../delivery/carrier.js';"],
    ['admin/new.ts', "import type { Row } from '../config.js';"],
    [
      'server.ts',
      "import { value } from './delivery/carrier.js';\nimport { value as other } from './api/app.js';",
    ],
    ['cli/new.ts', "import { value } from '../config.js';"],
  ])('%s may say %s', (file, text) => {
    expect(violations(file, `${text}\n`)).toEqual([]);
  });
});
