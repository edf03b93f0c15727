import type { DocumentedOperation } from './document.js';

/** A line for a shell that makes a call; account, session and so on are variables of the shell. */
export function curlLine(method: string, path: string, operation: DocumentedOperation): string {
  const schemes = (operation.security ?? []).flatMap((each) => Object.keys(each));
  const words = ['curl'];
  if (schemes.includes('basic')) words.push('-u "$AUTH_ID:$AUTH_TOKEN"');
  if (schemes.includes('bearer')) words.push('-H "Authorization: Bearer $SECRET"');
  const media = operation.requestBody?.content['application/json'];
  if (method !== 'get' && !(method === 'post' && media)) words.push(`-X ${method.toUpperCase()}`);
  const [first] = Object.values(media?.examples ?? {});
  if (first) {
    words.push("-H 'Content-Type: application/json'", `-d ${quoted(JSON.stringify(first.value))}`);
  }
  const target = path.replace(/\{([A-Za-z_]+)\}/g, (_, name: string) => `$${name.toUpperCase()}`);
  words.push(`"$BASE${target}"`);
  return words.join(' \\\n  ');
}

/** In single quotes (POSIX.1-2017, Shell Command Language, 2.2.2). */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
