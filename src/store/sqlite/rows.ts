import type { RowSource } from '../load.js';
import type { Connection } from './connection.js';

/** Single-key reads on a connection. */
export function sqliteRows(connection: Connection): RowSource {
  return {
    account: (authId) => connection.find('account', 'where auth_id = ?', authId),
    applicationsOf: (account) => connection.select('application', 'where account = ?', account),
    session: (uuid) => connection.find('session', 'where uuid = ?', uuid),
    live: (application, recipient) =>
      connection.find('live', 'where application = ? and recipient = ?', application, recipient),
    liveOf: (application, now, limit) =>
      connection.select('live', 'where application = ? and expires_at > ? limit ?', application, now, limit),
    attempt: (uuid) => connection.find('attempt', 'where uuid = ?', uuid),
    attemptsOf: (session) => connection.select('attempt', 'where session = ? order by sequence', session),
    hopsOf: (attempt) => connection.select('hop', 'where attempt = ? order by number', attempt),
    hopByMessage: (carrier, messageId, since) =>
      connection.find(
        'hop',
        'where carrier = ? and message_id = ? and created_at >= ? order by created_at desc limit 1',
        carrier,
        messageId,
        since,
      ),
    callback: (attempt, sequence) =>
      connection.find('callback', 'where attempt = ? and sequence = ?', attempt, sequence),
    budget: (account, recipient) =>
      connection.find('budget', 'where account = ? and recipient = ?', account, recipient),
    optOut: (account, recipient) =>
      connection.find('optOut', 'where recipient = ? and account = ?', recipient, account),
    idempotency: (key) => connection.find('idempotency', 'where key = ?', key),
    keys: () => connection.select('key', 'order by created_at, id'),
  };
}
