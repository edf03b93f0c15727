import { type Command, InvalidArgumentError } from 'commander';
import { withAdministration } from './connect.js';
import { print, printJson, table } from './output.js';

interface Format {
  readonly json?: boolean;
}

interface Place {
  readonly account?: string;
}

const JSON_FLAG = ['--json', 'print the result as JSON'] as const;
const ACCOUNT = [
  '--account <auth-id>',
  'the account whose list it is; needed when there are several',
] as const;

/** `optout add|remove|list`. */
export function optOutCommands(program: Command): void {
  const optout = program.command('optout').description('recipients who want no SMS any more');

  optout
    .command('add <recipient>')
    .description('send no SMS to a recipient any more')
    .option(...ACCOUNT)
    .option(...JSON_FLAG)
    .action(async (recipient: string, { account, json }: Format & Place) => {
      const added = await withAdministration((run) => run('optout.add', { recipient, ...given(account) }));
      if (json) return printJson(added);
      print(`${added.recipient} gets no SMS, since ${added.created_at}`);
    });

  optout
    .command('remove <recipient>')
    .description('let a recipient get SMS again, with their consent')
    .option(...ACCOUNT)
    .option(...JSON_FLAG)
    .action(async (recipient: string, { account, json }: Format & Place) => {
      const removed = await withAdministration((run) =>
        run('optout.remove', { recipient, ...given(account) }),
      );
      if (json) return printJson(removed);
      print(`${removed.recipient} gets SMS again`);
    });

  optout
    .command('list')
    .description('list who opted out, newest first')
    .option(...ACCOUNT)
    .option('--limit <count>', 'at most so many, 1000 unless said', readLimit)
    .option(...JSON_FLAG)
    .action(async ({ account, limit, json }: Format & Place & { limit?: number }) => {
      const input = { ...given(account), ...(limit === undefined ? {} : { limit }) };
      const listed = await withAdministration((run) => run('optout.list', input));
      if (json) return printJson(listed);
      const rows = listed.map((each) => [each.recipient, each.created_at, each.source, each.carrier ?? '-']);
      print(table(['RECIPIENT', 'SINCE', 'SOURCE', 'CARRIER'], rows));
    });
}

function given(account: string | undefined): { account?: string } {
  return account === undefined ? {} : { account };
}

function readLimit(text: string): number {
  if (!/^[1-9][0-9]{0,5}$/.test(text)) throw new InvalidArgumentError('Expected a whole number.');
  return Number(text);
}
