import { type Command, InvalidArgumentError } from 'commander';
import { withAdministration } from './connect.js';
import { parseDuration } from './duration.js';
import { print, printJson, remark, table } from './output.js';

interface Format {
  readonly json?: boolean;
}

const JSON_FLAG = ['--json', 'print the result as JSON'] as const;

/** `account create|list|disable|enable|rotate-token`. */
export function accountCommands(program: Command): void {
  const account = program.command('account').description('make, list and change accounts');

  account
    .command('create')
    .description('make a main account with its default application; prints its credentials, this once')
    .option('--name <name>', 'a name for you to know it by')
    .option(...JSON_FLAG)
    .action(async ({ name, json }: Format & { name?: string }) => {
      const made = await withAdministration((run) => run('account.create', { name }), { create: true });
      if (json) return printJson(made);
      print(`auth id     ${made.auth_id}\nauth token  ${made.auth_token}`);
      remark('The token is not shown again: keep it safe.');
    });

  account
    .command('list')
    .description('list all accounts')
    .option(...JSON_FLAG)
    .action(async ({ json }: Format) => {
      const accounts = await withAdministration((run) => run('account.list', {}));
      if (json) return printJson(accounts);
      const rows = accounts.map((each) => [
        each.auth_id,
        each.parent ?? '-',
        each.enabled ? 'enabled' : 'disabled',
        each.created_at,
        each.old_token_until ?? '-',
        each.name,
      ]);
      print(table(['AUTH ID', 'PARENT', 'STATE', 'CREATED', 'OLD TOKEN UNTIL', 'NAME'], rows));
    });

  for (const [verb, enabled] of [
    ['disable', false],
    ['enable', true],
  ] as const) {
    account
      .command(`${verb} <auth-id>`)
      .description(enabled ? 'let an account in again' : 'refuse every request of an account, with 401')
      .option(...JSON_FLAG)
      .action(async (authId: string, { json }: Format) => {
        const result = await withAdministration((run) =>
          run('account.set-enabled', { auth_id: authId, enabled }),
        );
        if (json) return printJson(result);
        print(`${authId} is ${verb}d`);
      });
  }

  account
    .command('rotate-token <auth-id>')
    .description('give an account a new token; prints it, this once')
    .option(
      '--keep-old <duration>',
      'how long the old token stays valid too: 90s, 15m, 24h, 7d',
      readDuration,
    )
    .option(...JSON_FLAG)
    .action(async (authId: string, { keepOld, json }: Format & { keepOld?: number }) => {
      const input = { auth_id: authId, keep_old: keepOld };
      const rotated = await withAdministration((run) => run('account.rotate-token', input));
      if (json) return printJson(rotated);
      print(`auth id     ${rotated.auth_id}\nauth token  ${rotated.auth_token}`);
      const until = rotated.old_token_until;
      remark(until ? `The old token is valid until ${until}.` : 'The old token is not valid any more.');
    });
}

function readDuration(text: string): number {
  const seconds = parseDuration(text);
  if (seconds === null) throw new InvalidArgumentError('Expected a time such as 90s, 15m, 24h or 7d.');
  return seconds;
}
