import type { TObject } from 'typebox';
import { type Environment, systemEnvironment } from '../../../environment.js';
import type {
  Carrier,
  CarrierContext,
  CarrierType,
  Finding,
  OutboundMessage,
  SubmitResult,
} from '../../carrier.js';
import { type Answer, createHttpClient, type Exchange, type HttpRequest } from '../../http-client.js';
import type { VoiceProvider } from '../voice/provider.js';
import {
  longestCall,
  type ReadVoiceSettings,
  readVoiceSettings,
  type VoiceSettings,
} from '../voice/settings.js';
import { withCalls } from '../voice/with-calls.js';
import { readNone } from './answers.js';
import { createHttpCarrier, type HttpCarrierOptions } from './http-carrier.js';
import { type IncomingRules, incomingRoutes } from './incoming.js';
import { type CommonSettings, readBase } from './settings.js';

/** A connection to a provider, made from settings once: nothing is parsed again for a message. */
export interface Connection {
  request(message: OutboundMessage): HttpRequest | Promise<HttpRequest>;
  /** What a whole answer means. */
  read(answer: Answer, message: OutboundMessage): SubmitResult;
  /** What it sends to us; absent: nothing. */
  readonly incoming?: IncomingRules;
  /** Whether receipts come where each request asks for them; true when left out. */
  readonly asksForReceipts?: boolean;
}

/** A harmless request that needs the credentials. */
export interface Probe {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Absent: GET. */
  readonly body?: string;
  /** The setting that `url` comes from: `base_url` when left out. */
  readonly urlKey?: string;
  /** The settings to look at when the credentials are refused. */
  readonly credentials: string;
  /** What else a refusal means, by HTTP status; our words. */
  readonly explain?: (answer: Answer) => string | null;
}

/** What distinguishes one provider from another. */
export interface Provider<Settings extends CommonSettings & VoiceSettings> {
  readonly type: string;
  /** As people call it. */
  readonly title: string;
  readonly settings: TObject;
  readonly baseUrl: (settings: Settings) => string;
  /** @param prefix what goes before every path */
  connect(settings: Settings, prefix: string, context: CarrierContext): Connection;
  /** How it places calls; absent: it sends SMS only, and its settings have no `channels`. */
  voice?(
    settings: Settings,
    prefix: string,
    calls: ReadVoiceSettings,
    context: CarrierContext,
  ): VoiceProvider;
  /** Absent: nothing harmless is known. @param base without a slash at its end */
  probe?(settings: Settings, base: string, environment: Environment): Probe | Promise<Probe>;
}

/** A kind of carrier that sends SMS, and where it can places calls, over a provider's HTTP API. */
export function providerType<Settings extends CommonSettings & VoiceSettings>(
  provider: Provider<Settings>,
): CarrierType<Settings> {
  return {
    type: provider.type,
    settings: provider.settings,
    channels: ({ channels }) => channels ?? ['sms'],
    create: (settings, context) => create(provider, settings, context),
    drain: longestCall,
    check: (settings) => check(provider, settings),
  };
}

function create<Settings extends CommonSettings & VoiceSettings>(
  provider: Provider<Settings>,
  settings: Settings,
  context: CarrierContext,
): Carrier {
  const { origin, prefix } = readBase('base_url', provider.baseUrl(settings));
  const { request, read, incoming, asksForReceipts = true } = provider.connect(settings, prefix, context);
  if (incoming && asksForReceipts && context.publicUrl === null) {
    const carrier = context.name;
    context.log.warn({ carrier }, 'no receipts are asked for: COUNTERSIGN_PUBLIC_URL is not set');
  }
  const options: HttpCarrierOptions = {
    type: provider.type,
    channels: settings.channels ?? ['sms'],
    origin,
    connections: settings.connections ?? 32,
    window: settings.window ?? 256,
    timeout: settings.timeout_ms ?? 10_000,
    unanswered: settings.unanswered ?? 'resend',
    request,
    read: (exchange, message) =>
      exchange.kind === 'none' ? readNone(exchange, message) : read(exchange, message),
    routes: incoming && ((count) => incomingRoutes(context, incoming, count)),
  };
  const carrier = createHttpCarrier(options, context);
  const calls = provider.voice && readVoiceSettings(settings, context.publicUrl);
  if (!provider.voice || !calls) return carrier;
  if (context.publicUrl?.startsWith('http:')) {
    const carrier = context.name;
    context.log.warn({ carrier }, 'COUNTERSIGN_PUBLIC_URL is plain HTTP: codes of calls travel unencrypted');
  }
  const voice = provider.voice(settings, prefix, calls, context);
  return withCalls(carrier, { provider: voice, settings: calls, context, ...options });
}

async function check<Settings extends CommonSettings & VoiceSettings>(
  provider: Provider<Settings>,
  settings: Settings,
): Promise<Finding[]> {
  const base = provider.baseUrl(settings).replace(/\/+$/, '');
  const probe = await provider.probe?.(settings, base, systemEnvironment);
  if (!probe)
    return [{ ok: true, text: `nothing can be asked of ${provider.title} without sending a message` }];
  const url = new URL(probe.url);
  const client = createHttpClient({
    origin: url.origin,
    connections: 1,
    timeout: settings.timeout_ms ?? 10_000,
    environment: systemEnvironment,
  });
  try {
    const { headers, body = null } = probe;
    const method = body === null ? 'GET' : 'POST';
    const exchange = await client.send({ method, path: `${url.pathname}${url.search}`, headers, body });
    return [finding(provider.title, url, probe, exchange)];
  } finally {
    await client.stop();
  }
}

function finding(title: string, { host, protocol }: URL, probe: Probe, exchange: Exchange): Finding {
  const { urlKey = 'base_url' } = probe;
  if (exchange.kind === 'none') {
    const mend = exchange.why.startsWith('TLS certificate')
      ? 'renew it, or trust its authority with NODE_EXTRA_CA_CERTS'
      : `check ${urlKey}, and that this machine may connect there`;
    return { ok: false, text: `${title} at ${host} cannot be reached: ${exchange.why}; ${mend}` };
  }
  const { status } = exchange;
  const why = probe.explain?.(exchange) ?? null;
  if (status >= 200 && status < 300 && why === null) {
    const privacy = protocol === 'https:' ? '' : ', over plain HTTP: codes travel unencrypted';
    return { ok: true, text: `${title} at ${host} accepts the credentials${privacy}` };
  }
  const words =
    why ??
    (status === 401 || status === 403
      ? `refuses the credentials: check ${probe.credentials}`
      : status === 404
        ? `knows no such account: check ${probe.credentials} and ${urlKey}`
        : status === 429
          ? 'answers that there are too many requests: try again later'
          : status >= 500
            ? 'is in trouble: try again later'
            : `does not answer as its documentation says: check ${urlKey}`);
  return { ok: false, text: `${title} at ${host} ${words} (HTTP ${status})` };
}
