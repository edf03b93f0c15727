import { join } from 'node:path';
import { type Bootstrapped, bootstrap } from './admin/bootstrap.js';
import type { AdminContext } from './admin/context.js';
import { serveAdmin } from './admin/socket.js';
import { buildApi } from './api/app.js';
import { Callbacks } from './callbacks/callbacks.js';
import { createHttpTransport } from './callbacks/transport.js';
import { type Config, ConfigError } from './config.js';
import { watchReceipts } from './delivery/awaited-receipts.js';
import type { Carrier, CarrierContext, CarrierType } from './delivery/carrier.js';
import { type CarrierDesk, createCarrierDesk } from './delivery/carrier-desk.js';
import { carrierTypes } from './delivery/carriers/index.js';
import { Dispatcher } from './delivery/dispatcher.js';
import { createInbound } from './delivery/inbound.js';
import { endLostCalls } from './delivery/lost-calls.js';
import { createReporter } from './delivery/receipts.js';
import { resumeReceipts } from './delivery/resume-receipts.js';
import { createRouter, RECEIPT_WITHIN } from './delivery/router.js';
import { SettingsError } from './delivery/settings-error.js';
import { type Environment, systemEnvironment } from './environment.js';
import { openSpeech } from './speech/prompts.js';
import { Directory } from './store/directory.js';
import { Housekeeping } from './store/housekeeping.js';
import { KeyringHolder } from './store/keys.js';
import { MasterKeys } from './store/master-keys.js';
import { openSqliteStore } from './store/sqlite/store.js';
import type { CommitObservation, Store } from './store/store.js';
import { createLog, type Log } from './telemetry/log.js';
import { createMetrics, watchCarriers, watchDepths } from './telemetry/metrics.js';
import { serveMetrics } from './telemetry/server.js';
import type { Effect } from './verify/commands.js';
import { createRates } from './verify/rate-card.js';

export interface RunningServer {
  /** Where the API listens, such as `http://127.0.0.1:8080`. */
  readonly url: string;
  readonly metricsUrl: string | null;
  readonly bootstrap: Bootstrapped;
  /**
   * Takes nothing new, finishes what is in flight within the drain time, and lets go of everything. What carriers are told
   * is taken until they are done, while the API answers 503.
   */
  drain(): Promise<void>;
}

export interface ServerOptions {
  readonly environment?: Environment;
  readonly log?: Log;
  /** What to do when the database can no longer be trusted: the process must end; a restart recovers. */
  readonly onFatal?: (error: Error) => void;
}

/** Builds the rooms, joins them, and serves. The only place that knows every room. */
export async function startServer(config: Config, options: ServerOptions = {}): Promise<RunningServer> {
  const environment = options.environment ?? systemEnvironment;
  const log = options.log ?? createLog(config.logLevel);
  const metrics = createMetrics();
  const onFatal = (error: Error) => {
    log.fatal({ err: error }, 'the database cannot be trusted any more: exiting, a restart recovers');
    (options.onFatal ?? (() => process.exit(FATAL)))(error);
  };
  const admin = await openAdmin(config, environment, onFatal, ({ commands, duration }) => {
    metrics.commitBatch.observe(commands);
    metrics.commitTime.observe(duration / 1000);
  });
  const { store, holder: keyring, directory } = admin;
  const closers: (() => Promise<void> | void)[] = [() => store.close()];
  try {
    const speech = await openSpeech({
      settings: config.speech,
      directory: join(config.dataDir, 'brands'),
      environment,
      log,
    });
    closers.unshift(() => speech.close());
    const awaited = watchReceipts(environment, metrics);
    const reporter = createReporter({
      store,
      environment,
      log,
      metrics,
      onSettled: awaited.settled,
      onUnderWay: (name, attempt) => dispatcher.goesOn(name, attempt),
      answerWithin: (name) => carriers.get(name)?.answerWithin,
    });
    const { helpText } = config.optOuts;
    const inbound = createInbound({ store, environment, helpText, log, metrics });
    const carriers = createCarriers(config, (name) => {
      const report = reporter.forCarrier(name);
      return {
        name,
        environment,
        log,
        speech,
        report: async (one) => (desk.claims(name, one) ? 'recorded' : report(one)),
        inbound: inbound.forCarrier(name),
        share: { index: 0, count: 1 },
        publicUrl: config.publicUrl,
      };
    });
    const offered = routable(carriers);
    const router = createRouter(config.routes, offered);
    const dispatcher = new Dispatcher({
      store,
      keyring,
      environment,
      carriers,
      router,
      submit: (...submit) => desk.submit(...submit),
      onAccepted: reporter.accepted,
      onHanded: awaited.handed,
      log,
      metrics,
    });
    const desk: CarrierDesk = createCarrierDesk({
      environment,
      metrics,
      carriers,
      router,
      breakerOf: (name) => dispatcher.breakerOf(name),
    });
    inbound.answerWith((name, message) => desk.submit(carriers.get(name)!, message), router);
    watchCarriers(metrics, desk.list);
    const callbacks = new Callbacks({
      store,
      directory,
      environment,
      transport: createHttpTransport({
        environment,
        allow: config.callbackAllow,
        settings: config.callbacks,
      }),
      settings: config.callbacks,
      log,
      metrics,
    });
    store.onEffects((effects) => spread(effects, dispatcher, callbacks));
    watchDepths(metrics, {
      depths: async () => {
        const { deliveries, callbacks: waiting } = await store.read.backlog();
        return {
          commits: store.load().waiting,
          deliveries,
          deliveries_in_memory: dispatcher.depth.queued + dispatcher.depth.inFlight,
          callbacks: waiting,
          callbacks_in_memory: callbacks.depth.queued + callbacks.depth.inFlight,
          receipts_waiting: reporter.waiting,
        };
      },
    });

    const bootstrapped = await bootstrap(admin);
    await store.takeOver();
    const longest =
      1000 * Math.max(RECEIPT_WITHIN, ...config.routes.map((route) => route.receiptWithin ?? 0));
    await resumeReceipts({ store, awaited, router, longest, environment, log });
    const retention = config.retentionDays * 86_400_000;
    const housekeeping = new Housekeeping({
      store,
      environment,
      log,
      metrics,
      retention,
      onTakenOver: () => {
        void dispatcher.refill();
        void callbacks.refill();
      },
    });
    closers.unshift(() => housekeeping.stop());

    let draining = false;
    const api = buildApi({
      store,
      directory,
      keyring,
      environment,
      limits: config.limits,
      rates: createRates(config.rates),
      retention,
      trustProxy: config.trustProxy,
      log,
      metrics,
      plan: (wanted) => dispatcher.plan(wanted),
      inbox: offered
        .filter(({ type, channels }) => type === 'inbox' && channels.length > 0)
        .map(({ name }) => name),
      confirm: (name, hopId) => {
        const by = { kind: 'hop', hopId } as const;
        return reporter.forCarrier(name)({ by, status: 'completed', errorCode: null, confirmed: true });
      },
      ready: () => (draining ? { ok: false, reason: 'draining' } : { ok: store.holds() }),
      draining: () => draining,
    });
    for (const { name, routes } of carriers.values()) {
      if (routes) api.register(routes, { prefix: `/carriers/${name}` });
    }
    const metricsServer = config.metrics && (await serveMetrics(metrics, config.metrics));
    if (metricsServer) closers.unshift(() => metricsServer.close());
    const adminServer = await serveAdmin({ ...admin, carriers: desk }, join(config.dataDir, 'admin.sock'));
    closers.unshift(() => adminServer.close());
    const url = await api.listen({ host: config.host, port: config.port });
    closers.unshift(() => api.close());

    for (const carrier of carriers.values()) carrier.start?.();
    await endLostCalls({ store, carriers: carriers.values(), reporter, log });
    await dispatcher.refill();
    await callbacks.refill();
    log.info({ url, metrics: metricsServer?.url ?? null, epoch: store.epoch }, 'serving');

    const drain = async () => {
      draining = true;
      log.info({ seconds: config.drain }, 'draining');
      housekeeping.stop();
      const within = timeLimit(config.drain * 1000);
      // A call asks here what it says, and a message's receipt comes here: the listener stays while carriers are at work,
      // for them alone, since the API answers 503.
      await Promise.race([dispatcher.close(), within]);
      reporter.close();
      awaited.close();
      // New connections are refused from here on; requests that are being answered are finished.
      await Promise.race([Promise.all([api.close(), callbacks.close()]), within]);
      await adminServer.close();
      await metricsServer?.close();
      const stopped = Promise.all([...carriers.values()].map((carrier) => carrier.stop()));
      await Promise.race([Promise.all([stopped, speech.close()]), timeLimit(CARRIERS_STOP_WITHIN)]);
      await store.close();
      log.info('stopped');
      log.flush();
    };
    return { url, metricsUrl: metricsServer?.url ?? null, bootstrap: bootstrapped, drain };
  } catch (error) {
    for (const close of closers) await close();
    throw error;
  }
}

/** What administration needs, on a database that no server has open: for the command line. */
export async function openOffline(config: Config): Promise<AdminContext & { close(): Promise<void> }> {
  const onFatal = (error: Error) => {
    process.stderr.write(`countersign: the database cannot be trusted any more: ${error.message}\n`);
    process.exit(FATAL);
  };
  const context = await openAdmin(config, systemEnvironment, onFatal);
  return { ...context, close: () => context.store.close() };
}

/** Milliseconds that carriers have to let go of their connections after the drain. */
const CARRIERS_STOP_WITHIN = 2_000;

/** Exit code of an internal software error (sysexits.h, EX_SOFTWARE). */
const FATAL = 70;

/** The carrier that takes every channel for which no other is configured. */
const DEFAULT_INBOX = 'inbox';

async function openAdmin(
  config: Config,
  environment: Environment,
  onFatal: (error: Error) => void,
  onCommit?: (observation: CommitObservation) => void,
): Promise<AdminContext> {
  const store: Store = await openSqliteStore({ directory: config.dataDir, environment, onFatal, onCommit });
  try {
    const holder = new KeyringHolder();
    const keys = new MasterKeys({ config, environment, holder });
    await keys.reconcile(store);
    const directory = new Directory(store.read, () => holder.current, environment);
    return { store, keys, holder, directory, environment, config };
  } catch (error) {
    await store.close();
    throw error;
  }
}

function createCarriers(config: Config, contextOf: (name: string) => CarrierContext): Map<string, Carrier> {
  const configured = [...config.carriers];
  if (!configured.some(({ name }) => name === DEFAULT_INBOX)) {
    configured.push({ name: DEFAULT_INBOX, type: 'inbox', settings: {} });
  }
  return new Map(
    configured.map(({ name, type, settings }) => {
      const kind = carrierTypes.find((each) => each.type === type)!;
      return [name, createCarrier(kind, settings, contextOf(name))];
    }),
  );
}

/** @throws ConfigError for settings that do not fit together */
function createCarrier(kind: CarrierType, settings: unknown, context: CarrierContext): Carrier {
  try {
    return kind.create(settings, context);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    throw new ConfigError(`carriers.${context.name}.${error.key}`, error.expectation);
  }
}

/** Any other carrier of a channel takes the inbox out of that channel. */
function routable(carriers: ReadonlyMap<string, Carrier>) {
  const others = [...carriers.values()].filter(({ type }) => type !== 'inbox');
  return [...carriers.values()].map((carrier) => ({
    name: carrier.name,
    type: carrier.type,
    channels:
      carrier.type === 'inbox'
        ? carrier.channels.filter((channel) => !others.some((other) => other.channels.includes(channel)))
        : carrier.channels,
  }));
}

function spread(effects: readonly Effect[], dispatcher: Dispatcher, callbacks: Callbacks): void {
  for (const effect of effects) {
    switch (effect.kind) {
      case 'deliver':
        dispatcher.offer(effect.delivery);
        break;
      case 'drop':
        dispatcher.drop(effect.attempt);
        break;
      case 'callback':
        callbacks.offer(effect.callback);
    }
  }
}

/** Wall-clock on purpose: a drain ends when the operator's patience does. */
function timeLimit(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
