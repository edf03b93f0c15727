import { type Command, InvalidArgumentError } from 'commander';
import type { OutputOf } from '../admin/operations.js';
import { withAdministration } from './connect.js';
import { parseDuration } from './duration.js';
import { print, printJson, remark, table } from './output.js';

interface Format {
  readonly json?: boolean;
}

const JSON_FLAG = ['--json', 'print the result as JSON'] as const;

/** `account create|list|show|update|disable|enable|rotate-token`. */
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
        shortList(each.countries),
        each.name,
      ]);
      print(table(['AUTH ID', 'PARENT', 'STATE', 'CREATED', 'OLD TOKEN UNTIL', 'COUNTRIES', 'NAME'], rows));
    });

  account
    .command('show <auth-id>')
    .description('show an account')
    .option(...JSON_FLAG)
    .action(async (authId: string, { json }: Format) => {
      const found = await withAdministration((run) => run('account.show', { auth_id: authId }));
      if (json) return printJson(found);
      print(described(found));
    });

  account
    .command('update <auth-id>')
    .description('change an account')
    .requiredOption(
      '--countries <list>',
      'the only countries that it may send to, as US,CA,…: empty for all',
      readList,
    )
    .option(...JSON_FLAG)
    .action(async (authId: string, { json, countries }: Format & { countries: string[] }) => {
      const changed = await withAdministration((run) =>
        run('account.update', { auth_id: authId, countries }),
      );
      if (json) return printJson(changed);
      print(described(changed));
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

function readList(text: string): string[] {
  return text === '' ? [] : text.split(',');
}

/** Longest list of countries that has room in a table. */
const MAX_SHOWN = 5;

function shortList(countries: readonly string[] | null): string {
  if (countries === null) return 'all';
  return countries.length > MAX_SHOWN ? `${countries.length} countries` : countries.join(',');
}

/** One property a line, in columns. */
function described(account: OutputOf<'account.show'>): string {
  const { parent, enabled, countries, old_token_until, ...rest } = account;
  const lines = Object.entries({
    ...rest,
    parent: parent ?? '-',
    state: enabled ? 'enabled' : 'disabled',
    countries: countries?.join(',') ?? 'all',
    old_token_until: old_token_until ?? '-',
  });
  return table(lines[0]!, lines.slice(1));
}
