/** What a real client does with a server, step by step: the same in each language, in this order. */
export const STEPS = {
  create: 'create with every parameter that the client has',
  resend: 'resend on the other channel: same session, same code',
  'wrong-code': 'wrong code',
  retrieve: 'retrieve, with every field that the client reads',
  'right-code': 'right code',
  'second-validation': 'second validation with the right code',
  expired: 'validate and retrieve an expired session',
  list: 'list with filters and paging',
  'list-by-attributes': 'list by alias, country, brand and app hash, as far as the client has them',
  'bad-credentials': 'bad credentials',
  'unknown-session': 'unknown session',
  'bad-parameter': 'a parameter that is refused',
  'geo-permission': 'country not permitted',
  'callbacks-by-post': 'signatures of callbacks by POST',
  'callbacks-by-get': 'signatures of callbacks by GET',
} as const;

export type Step = keyof typeof STEPS;

/** Steps that are left out, each with the reason that is shown. */
export type LeftOut = Partial<Record<Step, string>>;

export type Result = 'passed' | 'failed' | 'left out';

/** How one step went, with what there is to say of it. */
export interface Judgement {
  readonly step: string;
  readonly result: Result;
  readonly detail: string;
}

/**
 * What became of each step, from the lines of JSON `{step, ok, detail}` that a driver printed. A step that was to
 * be done and is not reported, is reported twice, or was not to be done, has failed; so has a driver that did not
 * exit with 0.
 */
export function judge(leftOut: LeftOut, printed: string, exitCode: number | null): Judgement[] {
  const reports = printed.split('\n').filter((line) => line.trim() !== '');
  const readable = reports.map(readReport);
  const judgements: Judgement[] = [];
  for (const step of Object.keys(STEPS) as Step[]) {
    const mine = readable.filter((report) => report?.step === step);
    const reason = leftOut[step];
    if (reason !== undefined && mine.length === 0) {
      judgements.push({ step, result: 'left out', detail: reason });
    } else if (mine.length !== 1 || reason !== undefined) {
      judgements.push({ step, result: 'failed', detail: `reported ${mine.length} times` });
    } else {
      judgements.push({ step, result: mine[0]!.ok ? 'passed' : 'failed', detail: mine[0]!.detail });
    }
  }
  reports.forEach((line, index) => {
    const report = readable[index];
    if (report === null) judgements.push({ step: 'driver', result: 'failed', detail: `printed ${line}` });
    else if (!Object.hasOwn(STEPS, report!.step)) {
      judgements.push({ step: report!.step, result: 'failed', detail: 'the scenario has no such step' });
    }
  });
  if (exitCode !== 0)
    judgements.push({ step: 'driver', result: 'failed', detail: `exited with ${exitCode}` });
  return judgements;
}

interface Report {
  readonly step: string;
  readonly ok: boolean;
  readonly detail: string;
}

function readReport(line: string): Report | null {
  try {
    const { step, ok, detail } = JSON.parse(line);
    return typeof step === 'string' && typeof ok === 'boolean' ? { step, ok, detail: String(detail) } : null;
  } catch {
    return null;
  }
}
