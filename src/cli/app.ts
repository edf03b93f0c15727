import { type Command, InvalidArgumentError } from 'commander';
import type { InputOf, OutputOf } from '../admin/operations.js';
import { withAdministration } from './connect.js';
import { print, printJson, table } from './output.js';

interface Format {
  readonly json?: boolean;
}

/** The options of `app create` and `app update`, by the names that commander gives them. */
interface Settings {
  readonly alias?: string;
  readonly brandName?: string;
  readonly template?: string;
  readonly codeLength?: number;
  readonly expiry?: number;
  readonly maxAttempts?: number;
  readonly channels?: ('sms' | 'voice')[];
  readonly locale?: string;
  readonly appHash?: string;
  readonly domain?: string;
  readonly url?: string;
  readonly method?: 'POST' | 'GET';
  readonly fraudShield?: 'high' | 'medium' | 'low' | 'off';
  readonly resendCooldown?: number;
  readonly testNumbers?: { recipient: string; otp: string }[];
  readonly confirmByKey?: boolean;
  readonly numberTypes?: NonNullable<InputOf<'app.create'>['number_types']>;
  readonly default?: true;
}

const JSON_FLAG = ['--json', 'print the result as JSON'] as const;

/** `app create|list|show|update|delete`. */
export function applicationCommands(program: Command): void {
  const app = program.command('app').description('make, list and change applications');

  withSettings(app.command('create'))
    .description('add an application; what is not named has its default')
    .option('--account <auth-id>', 'the account that it is for; needed when there are several')
    .option(...JSON_FLAG)
    .action(async ({ json, account, ...settings }: Format & Settings & { account?: string }) => {
      const input = { ...fieldsOf(settings), ...(account === undefined ? {} : { account }) };
      const made = await withAdministration((run) => run('app.create', input));
      if (json) return printJson(made);
      print(`${made.app_uuid} is made`);
    });

  app
    .command('list')
    .description('list the applications of all accounts')
    .option('--account <auth-id>', 'only those of this account and its subaccounts')
    .option(...JSON_FLAG)
    .action(async ({ json, account }: Format & { account?: string }) => {
      const input = account === undefined ? {} : { account };
      const applications = await withAdministration((run) => run('app.list', input));
      if (json) return printJson(applications);
      const rows = applications.map((each) => [
        each.app_uuid,
        each.account,
        each.is_default ? 'default' : '-',
        each.channels.join(','),
        each.locale,
        each.alias,
      ]);
      print(table(['APP UUID', 'ACCOUNT', 'DEFAULT', 'CHANNELS', 'LOCALE', 'ALIAS'], rows));
    });

  app
    .command('show <app-uuid>')
    .description('show every setting of an application')
    .option(...JSON_FLAG)
    .action(async (uuid: string, { json }: Format) => {
      const found = await withAdministration((run) => run('app.show', { app_uuid: uuid }));
      if (json) return printJson(found);
      print(described(found));
    });

  withSettings(app.command('update <app-uuid>'))
    .description('change what is named; live sessions keep their rules')
    .option(...JSON_FLAG)
    .action(async (uuid: string, { json, ...settings }: Format & Settings) => {
      const input = { app_uuid: uuid, ...fieldsOf(settings) };
      const changed = await withAdministration((run) => run('app.update', input));
      if (json) return printJson(changed);
      print(described(changed));
    });

  app
    .command('delete <app-uuid>')
    .description('remove an application that is not the default and has no live session')
    .option(...JSON_FLAG)
    .action(async (uuid: string, { json }: Format) => {
      const deleted = await withAdministration((run) => run('app.delete', { app_uuid: uuid }));
      if (json) return printJson(deleted);
      print(`${deleted.app_uuid} is deleted`);
    });
}

function withSettings(command: Command): Command {
  return command
    .option('--alias <name>', 'a name for you to know it by')
    .option('--brand-name <name>', `what stands for \${brand_name} in the template`)
    .option('--template <text>', `the message, with \${brand_name} and \${code}; empty for the default one`)
    .option('--code-length <digits>', '4 to 8', readNumber)
    .option('--expiry <seconds>', 'how long a code is good, 60 to 3600', readNumber)
    .option('--max-attempts <count>', 'attempts of one session, 1 to 10', readNumber)
    .option('--channels <list>', 'sms, voice, or sms,voice', (text) => text.split(','))
    .option('--locale <locale>', 'such as en or pt-BR')
    .option('--app-hash <hash>', 'Android SMS Retriever hash; empty for none')
    .option('--domain <host>', 'website on whose pages iOS and browsers fill the code in; empty for none')
    .option('--url <url>', 'where callbacks go that name no other; empty for none')
    .option('--method <method>', 'how callbacks are sent: POST or GET')
    .option('--fraud-shield <level>', 'high, medium, low or off; has no effect yet')
    .option('--resend-cooldown <seconds>', 'least time between two attempts of a session', readNumber)
    .option('--test-numbers <list>', 'recipient=code,…: nothing is sent to them; empty for none', readTests)
    .option(
      '--number-types <list>',
      'kinds of numbers to allow, such as fixed-line; empty for none',
      readList,
    )
    .option('--confirm-by-key', 'calls ask to press 1, which verifies the session, and speak no code')
    .option('--no-confirm-by-key', 'calls speak the code')
    .option('--default', 'make it the default of its account');
}

function fieldsOf(settings: Settings): Omit<InputOf<'app.create'>, 'account'> {
  const fields = {
    alias: settings.alias,
    brand_name: settings.brandName,
    template: settings.template,
    code_length: settings.codeLength,
    expiry: settings.expiry,
    max_attempts: settings.maxAttempts,
    channels: settings.channels,
    locale: settings.locale,
    app_hash: settings.appHash,
    domain: settings.domain,
    url: settings.url,
    method: settings.method,
    fraud_shield: settings.fraudShield,
    resend_cooldown: settings.resendCooldown,
    test_numbers: settings.testNumbers,
    confirm_by_key: settings.confirmByKey,
    number_types: settings.numberTypes,
    is_default: settings.default,
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** One setting a line, in columns. */
function described(application: OutputOf<'app.show'>): string {
  const lines = Object.entries(application).map(([name, value]) => [
    name,
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
  return table(lines[0]!, lines.slice(1));
}

function readList(text: string): string[] {
  return text === '' ? [] : text.split(',');
}

function readNumber(text: string): number {
  if (!/^[0-9]{1,9}$/.test(text)) throw new InvalidArgumentError('Expected a whole number.');
  return Number(text);
}

function readTests(text: string): { recipient: string; otp: string }[] {
  if (text === '') return [];
  return text.split(',').map((pair) => {
    const [recipient, otp, ...rest] = pair.split('=');
    if (!recipient || !otp || rest.length > 0) {
      throw new InvalidArgumentError('Expected recipient=code, such as 14155550100=123456.');
    }
    return { recipient, otp };
  });
}
