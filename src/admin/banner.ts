import type { Channel } from '../verify/model.js';
import type { Bootstrapped } from './bootstrap.js';

export interface BannerInput {
  /** Where the API listens. */
  readonly url: string;
  readonly dataDir: string;
  readonly bootstrap: Bootstrapped;
  /** Where the first account's token was written; null: the banner is shown on a terminal and tells the token. */
  readonly tokenFile: string | null;
  /** Channels that the inbox serves. */
  readonly inbox: readonly Channel[];
}

/** A number that is valid and, since the inbox takes it, never called. */
const EXAMPLE = '14155551234';

/** What a start says to the operator: all that a newcomer needs the first time, an address afterwards. */
export function banner(input: BannerInput): string {
  const { bootstrap } = input;
  const lines = ['', `Countersign answers at ${input.url}`, ...inboxNotice(input.inbox), ''];
  if (bootstrap.created) lines.push(...credentials(input), ...tryIt(input));
  if (bootstrap.note !== null) lines.push(`Note: ${bootstrap.note}`, '');
  return `${lines.join('\n')}\n`;
}

function inboxNotice(channels: readonly Channel[]): string[] {
  if (channels.length === 0) return [];
  return [
    `Nothing leaves this machine over ${channels.join(' or ')}: the built-in inbox keeps those messages for you to read.`,
    'Configure a carrier to reach real phones.',
  ];
}

function credentials({ bootstrap, tokenFile, dataDir }: BannerInput): string[] {
  const lines = [
    `The first account was made, with everything else, in ${dataDir}`,
    `  auth id     ${bootstrap.authId}`,
  ];
  if (bootstrap.token === null) lines.push('  auth token  as COUNTERSIGN_BOOTSTRAP_AUTH_TOKEN says');
  else if (tokenFile === null) lines.push(`  auth token  ${bootstrap.token}  (shown only this once)`);
  else lines.push(`  auth token  in ${tokenFile}  (read it, keep it safe, delete the file)`);
  return [...lines, ''];
}

/** Lines for a POSIX shell with curl and sed: create a session, read its code in the inbox, validate it. */
function tryIt({ url, bootstrap, tokenFile, inbox }: BannerInput): string[] {
  if (!inbox.includes('sms')) return [];
  const account = `${reachable(url)}/v1/Account/${bootstrap.authId}`;
  return [
    'Send a code and validate it: paste these lines into a shell.',
    '',
    `  account=${account}`,
    `  user=${bootstrap.authId}:${tokenInShell(bootstrap.token, tokenFile)}`,
    `  session=$(curl -sS -u "$user" -H 'Content-Type: application/json' -d '{"recipient": "${EXAMPLE}"}' "$account/Verify/Session/" | ${pick('session_uuid')})`,
    '  sleep 1',
    `  code=$(curl -sS -u "$user" "$account/Inbox/?recipient=${EXAMPLE}&limit=1" | ${pick('otp')})`,
    '  echo "The code is $code"',
    `  curl -sS -u "$user" -H 'Content-Type: application/json' -d "{\\"otp\\": \\"$code\\"}" "$account/Verify/Session/$session/"; echo`,
    '',
  ];
}

function tokenInShell(token: string | null, file: string | null): string {
  if (token === null) return '"$COUNTERSIGN_BOOTSTRAP_AUTH_TOKEN"';
  return file === null ? token : `"$(cat ${quoted(file)})"`;
}

/** Takes the value of a string out of compact JSON, without tools that a machine may lack. */
function pick(name: string): string {
  return `sed -n 's/.*"${name}": *"\\([^"]*\\)".*/\\1/p'`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** One does not connect to the address that means all addresses. */
function reachable(url: string): string {
  return url.replace('//0.0.0.0', '//127.0.0.1').replace('//[::]', '//[::1]');
}
