/**
 * The schema, one step a release; a database remembers in `user_version` how many it has had. Steps are only
 * ever added. Ids are UUIDv7, so that rows land together at the end of their tables and key order is time order.
 */
export const MIGRATIONS: readonly string[] = [
  `
  create table node (
    epoch integer primary key,
    started_at integer not null,
    stopped_at integer
  ) strict;

  create table master_key (
    id text primary key,
    check_value blob not null,
    state text not null,
    created_at integer not null
  ) strict, without rowid;

  create table account (
    auth_id text primary key,
    parent text,
    name text not null,
    enabled integer not null,
    token_key text not null,
    token blob not null,
    previous_token_key text,
    previous_token blob,
    previous_token_until integer,
    created_at integer not null,
    modified_at integer not null,
    countries text
  ) strict, without rowid;
  create index account_by_parent on account (parent, created_at) where parent is not null;

  create table application (
    uuid text primary key,
    account text not null,
    alias text not null,
    brand_name text not null,
    template text not null,
    code_length integer not null,
    expiry integer not null,
    max_attempts integer not null,
    channels text not null,
    locale text not null,
    app_hash text not null,
    url text,
    method text not null,
    fraud_shield text not null,
    resend_cooldown integer not null,
    test_numbers text not null,
    is_default integer not null,
    created_at integer not null,
    updated_at integer not null,
    domain text not null,
    number_types text not null,
    confirm_by_key integer not null
  ) strict, without rowid;
  create index application_by_account on application (account, uuid);
  create unique index application_default on application (account) where is_default = 1;

  create table session (
    uuid text primary key not null,
    account text not null,
    main text not null,
    application text not null,
    alias text not null,
    recipient text not null,
    country text,
    channel text not null,
    locale text not null,
    status text not null,
    code_key text not null,
    code_length integer not null,
    code_sealed blob,
    url text,
    method text not null,
    max_attempts integer not null,
    resend_cooldown integer not null,
    test integer not null,
    attempts integer not null,
    validations integer not null,
    requestor_ip text not null,
    expires_at integer not null,
    created_at integer not null,
    updated_at integer not null,
    validation_price integer not null
  ) strict;
  create index session_by_main on session (main, uuid);
  create index session_by_subaccount on session (account, uuid) where account <> main;
  -- One index a filter of the list, each in the order of the list. expires_at tells live from overdue in the index.
  create index session_by_recipient on session (main, recipient, uuid);
  create index session_by_status on session (main, status, uuid, expires_at);
  create index session_by_application on session (main, application, uuid);
  create index session_by_alias on session (main, alias, uuid);
  create index session_by_country on session (main, country, uuid);

  create table live_session (
    application text not null,
    recipient text not null,
    session text not null,
    expires_at integer not null,
    primary key (application, recipient)
  ) strict, without rowid;
  create index live_session_by_expiry on live_session (expires_at, session);

  create table attempt (
    uuid text primary key not null,
    session text not null,
    account text not null,
    sequence integer not null,
    channel text not null,
    status text not null,
    error_code integer,
    locale text not null,
    brand_name text not null,
    app_hash text not null,
    template text not null,
    dtmf integer,
    fraud_check text not null,
    src text,
    delivery text not null,
    owner integer not null,
    carrier text,
    hop integer not null,
    tries integer not null,
    next_at integer not null,
    takeovers integer not null,
    callbacks_made integer not null,
    callbacks_settled integer not null,
    created_at integer not null,
    updated_at integer not null,
    domain text not null,
    main text not null,
    -- Amounts are 10^-8 of a currency.
    price integer,
    segments integer,
    increment integer,
    taken integer not null,
    duration integer,
    confirm_by_key integer not null
  ) strict;
  create unique index attempt_by_session on attempt (session, sequence);
  -- Brand and hash are each attempt's own. Attempts without one, which no filter finds, cost nothing.
  create index attempt_by_brand_name on attempt (main, brand_name, session) where brand_name <> '';
  create index attempt_by_app_hash on attempt (main, app_hash, session) where app_hash <> '';
  create index attempt_pending on attempt (owner, carrier, next_at) where delivery = 'pending';
  -- Calls under way, and those that died with their node.
  create index attempt_calling on attempt (carrier, owner) where delivery = 'handed' and channel = 'voice';
  -- Dropped while they may have been handed over, until it is told how that ended: few, and not for long.
  create index attempt_dropped on attempt (updated_at) where delivery = 'done' and status = 'queued' and taken = 0;

  create table hop (
    attempt text not null,
    number integer not null,
    carrier text not null,
    message_id text,
    state text not null,
    reason text,
    error_code integer,
    created_at integer not null,
    updated_at integer not null,
    unanswered text,
    cost text,
    currency text,
    primary key (attempt, number)
  ) strict, without rowid;
  create index hop_by_message on hop (carrier, message_id, created_at) where message_id is not null;

  create table callback (
    attempt text not null,
    sequence integer not null,
    session text not null,
    account text not null,
    url text not null,
    method text not null,
    host text not null,
    body text not null,
    state text not null,
    owner integer not null,
    tries integer not null,
    next_at integer not null,
    http_status integer,
    reason text,
    created_at integer not null,
    updated_at integer not null,
    tries_before integer not null,
    tried_at integer,
    latency integer,
    primary key (attempt, sequence)
  ) strict, without rowid;
  create index callback_ready on callback (owner, host, next_at) where state = 'ready';

  create table callback_try (
    attempt text not null,
    sequence integer not null,
    number integer not null,
    at integer not null,
    http_status integer,
    reason text,
    latency integer,
    next_at integer,
    by_hand integer not null,
    primary key (attempt, sequence, number)
  ) strict, without rowid;

  create table recipient_budget (
    account text not null,
    recipient text not null,
    failures text not null,
    latest_at integer not null,
    primary key (account, recipient)
  ) strict, without rowid;
  create index recipient_budget_by_age on recipient_budget (latest_at);

  -- Which lists a recipient is on is asked when START comes; whether it is on one, with each create.
  create table opt_out (
    recipient text not null,
    account text not null,
    source text not null,
    carrier text,
    created_at integer not null,
    primary key (recipient, account)
  ) strict, without rowid;
  create index opt_out_by_time on opt_out (account, created_at, recipient);

  create table idempotency (
    key text primary key,
    fingerprint blob not null,
    key_id text not null,
    session text not null,
    created_at integer not null
  ) strict, without rowid;
  create index idempotency_by_time on idempotency (created_at);
  `,
];
