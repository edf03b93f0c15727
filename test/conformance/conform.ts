import { examples } from '../repository/markdown.js';
import type { Client, Prepared } from './clients.js';
import { run } from './command.js';
import { type Judgement, judge, STEPS } from './scenario.js';
import type { World } from './world.js';

/** Seconds that a driver or an example may take. */
const RUN_SECONDS = 300;
/** The pages whose examples are programs with a client. Those for a shell build on each other in other pages. */
const PAGES = ['README.md', 'docs/sdks.md'];

/** Drives the world's server through the scenario. */
export async function conform(client: Client, { driver }: Prepared, world: World): Promise<Judgement[]> {
  const { leftOut } = client;
  const steps = Object.keys(STEPS).filter((step) => !Object.hasOwn(leftOut, step));
  const env = { ...driver.env, ...world.env, STEPS: steps.join(',') };
  const { code, stdout, stderr } = await run({ ...driver, env }, RUN_SECONDS);
  const judgements = judge(leftOut, stdout, code);
  if (code === 0) return judgements;
  return [...judgements, { step: 'driver', result: 'failed', detail: stderr }];
}

/** Runs the client's examples as the documentation has them: each has to print that its session is in progress. */
export async function tryExamples(client: Client, prepared: Prepared, world: World): Promise<Judgement[]> {
  const judgements: Judgement[] = [];
  for (const page of client.language === 'bash' ? PAGES.slice(1) : PAGES) {
    for (const [index, example] of examples(page, client.language).entries()) {
      const command = prepared.example(example.replaceAll('http://127.0.0.1:8080', world.url));
      const env = { ...command.env, ...world.env };
      const { code, stdout, stderr } = await run({ ...command, env }, RUN_SECONDS);
      const passed = code === 0 && /in-progress/.test(stdout);
      judgements.push({
        step: `example ${index + 1} of ${page}`,
        result: passed ? 'passed' : 'failed',
        detail: passed ? '' : `exited with ${code}\n${stdout}\n${stderr}`,
      });
    }
  }
  return judgements;
}
