import { AwsV4Signer } from 'aws4fetch';
import { type Static, Type } from 'typebox';
import type { Environment } from '../../environment.js';
import type { CarrierContext, OutboundMessage } from '../carrier.js';
import { elsewhere, type Meaning, notUnderstood, readFailure, refused, trouble } from './provider/answers.js';
import { type Connection, providerType } from './provider/carrier.js';
import { isNumber, senderOf, withPlus } from './provider/message.js';
import { commonSettings, credential } from './provider/settings.js';

const settings = Type.Object(
  {
    region: Type.String({
      pattern: '^[a-z]{2}(-[a-z]{1,12}){1,3}-[0-9]{1,2}$',
      description: 'an AWS region, such as eu-central-1',
    }),
    access_key_id: credential('the id of an access key that may call sns:Publish'),
    secret_access_key: credential('the secret of that access key'),
    session_token: Type.Optional(
      Type.String({
        pattern: '^[\\x21-\\x7e]{1,4096}$',
        description: 'the session token of a temporary access key',
      }),
    ),
    sms_type: Type.Optional(
      Type.Union([Type.Literal('Transactional'), Type.Literal('Promotional')], {
        default: 'Transactional',
        description: 'Transactional or Promotional',
      }),
    ),
    max_price: Type.Optional(
      Type.String({
        pattern: '^[0-9]{1,3}(\\.[0-9]{1,5})?$',
        description: 'the most that a message may cost in USD, in quotes, such as "0.50"',
      }),
    ),
    base_url: Type.Optional(
      Type.String({
        pattern: '^https?://[^\\s/?#@]+(/[^\\s?#]*)?$',
        maxLength: 512,
        description:
          'an http or https URL without user name, query and fragment; the one of the region if left out',
      }),
    ),
    ...commonSettings,
  },
  { additionalProperties: false },
);
type Settings = Static<typeof settings>;

/** https://docs.aws.amazon.com/sns/latest/api/API_Publish.html and the common errors. */
const SUBMIT_ERRORS: ReadonlyMap<string, Meaning> = new Map([
  ['AuthorizationError', trouble(20, 'the access key may not call sns:Publish')],
  ['AccessDenied', trouble(20, 'the access key may not call sns:Publish')],
  ['AccessDeniedException', trouble(20, 'the access key may not call sns:Publish')],
  ['ExpiredToken', trouble(20, 'the session token has expired')],
  ['IncompleteSignature', trouble(20, 'the credentials are refused')],
  ['InvalidClientTokenId', trouble(20, 'there is no such access key')],
  ['InvalidSecurity', trouble(20, 'the credentials are refused')],
  ['MissingAuthenticationToken', trouble(20, 'the credentials are refused')],
  ['OptInRequired', trouble(20, 'the account is not set up for SNS')],
  ['RequestExpired', trouble(20, 'the clock of this machine is wrong')],
  ['SignatureDoesNotMatch', trouble(20, 'the credentials are refused')],
  ['UnrecognizedClientException', trouble(20, 'there is no such access key')],
  ['InternalError', trouble(20, 'an error inside SNS')],
  ['InternalFailure', trouble(20, 'an error inside SNS')],
  ['ServiceUnavailable', trouble(20, 'SNS is not available')],
  ['Throttled', trouble(20, 'too many requests')],
  ['Throttling', trouble(20, 'too many requests')],
  ['ThrottlingException', trouble(20, 'too many requests')],
  ['InvalidParameter', elsewhere(10, 'a parameter is not valid')],
  ['InvalidParameter PhoneNumber', refused(50, 'the recipient is no valid number')],
  ['InvalidParameterValue', elsewhere(10, 'a parameter is not valid')],
  ['InvalidParameterValue PhoneNumber', refused(50, 'the recipient is no valid number')],
  ['OptedOut', refused(200, 'the recipient has opted out')],
  ['OptedOutException', refused(200, 'the recipient has opted out')],
  ['UserError', elsewhere(50, 'the sandbox sends to verified numbers only')],
  ['ValidationException', elsewhere(10, 'a parameter is not valid')],
]);

/** Refusals that are not about which credentials were given. */
const EXPLAINED: ReadonlySet<string> = new Set(['ExpiredToken', 'OptInRequired', 'RequestExpired']);

/** SMS over Amazon SNS. It tells no status of a message to an HTTP server, so attempts stay `sent`. */
export const awsSns = providerType<Settings>({
  type: 'aws-sns',
  title: 'Amazon SNS',
  settings,
  baseUrl: baseUrlOf,
  connect,
  probe: async (given, base, environment) => {
    const sign = createSigner(given, `${base}/`, environment);
    const body = new URLSearchParams({ Action: 'GetSMSAttributes', Version: '2010-03-31' }).toString();
    return {
      url: `${base}/`,
      headers: await sign(body),
      body,
      credentials: 'access_key_id, secret_access_key and region',
      explain: ({ body: answer }) => {
        const code = element(answer, 'Code') ?? '';
        // It needs sns:GetSMSAttributes, which a key for sending alone has not.
        if (code.startsWith('AuthorizationError') || code.startsWith('AccessDenied')) {
          return 'knows the access key, which may not call sns:GetSMSAttributes: whether it may send is not known';
        }
        const says = EXPLAINED.has(code) && SUBMIT_ERRORS.get(code)?.words;
        return says ? `refuses the request: ${says}` : null;
      },
    };
  },
});

function baseUrlOf({ base_url, region }: Settings): string {
  const domain = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  return base_url ?? `https://sns.${region}.${domain}`;
}

function connect(given: Settings, prefix: string, { environment }: CarrierContext): Connection {
  const path = `${prefix}/`;
  const sign = createSigner(given, `${baseUrlOf(given).replace(/\/+$/, '')}/`, environment);
  return {
    async request(message) {
      const body = bodyOf(message, given);
      return { method: 'POST', path, headers: await sign(body), body };
    },
    read(answer, message) {
      if (answer.status >= 200 && answer.status < 300) {
        const id = element(answer.body, 'MessageId');
        return id ? { kind: 'accepted', messageId: id } : notUnderstood(answer, message);
      }
      const code = element(answer.body, 'Code');
      const about = element(answer.body, 'Message')?.includes('PhoneNumber') ? ' PhoneNumber' : '';
      const meaning = SUBMIT_ERRORS.get(`${code}${about}`) ?? SUBMIT_ERRORS.get(code ?? '');
      return readFailure(answer, code, meaning, message, environment.now());
    },
  };
}

function bodyOf(message: OutboundMessage, given: Settings): string {
  const sender = senderOf(message, given.from);
  const { entity_id, template_id } = message.parameters;
  const attributes: readonly (readonly [name: string, value: string | null | undefined, type?: string])[] = [
    ['AWS.SNS.SMS.SMSType', given.sms_type ?? 'Transactional'],
    ['AWS.SNS.SMS.SenderID', sender !== null && !isNumber(sender) ? sender : null],
    ['AWS.MM.SMS.OriginationNumber', sender !== null && isNumber(sender) ? withPlus(sender) : null],
    ['AWS.SNS.SMS.MaxPrice', given.max_price, 'Number'],
    ['AWS.MM.SMS.EntityId', entity_id],
    ['AWS.MM.SMS.TemplateId', template_id],
  ];
  const body = new URLSearchParams({
    Action: 'Publish',
    Version: '2010-03-31',
    PhoneNumber: `+${message.recipient}`,
    Message: message.text,
  });
  let entry = 0;
  for (const [name, value, type = 'String'] of attributes) {
    if (value === null || value === undefined) continue;
    const key = `MessageAttributes.entry.${++entry}`;
    body.append(`${key}.Name`, name);
    body.append(`${key}.Value.DataType`, type);
    body.append(`${key}.Value.StringValue`, value);
  }
  return body.toString();
}

/** Signature version 4. The keys of a day are kept by the library in `cache`. */
function createSigner(
  given: Settings,
  url: string,
  environment: Environment,
): (body: string) => Promise<Record<string, string>> {
  const cache = new Map<string, ArrayBuffer>();
  return async (body) => {
    const datetime = new Date(environment.now()).toISOString().replace(/[:-]|\.[0-9]{3}/g, '');
    if (cache.size > 1) cache.clear();
    const { headers } = await new AwsV4Signer({
      method: 'POST',
      url,
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body,
      accessKeyId: given.access_key_id,
      secretAccessKey: given.secret_access_key,
      sessionToken: given.session_token,
      service: 'sns',
      region: given.region,
      datetime,
      cache,
    }).sign();
    return Object.fromEntries(headers);
  };
}

/** The text of the first element of this name: SNS answers in a few flat elements, without entities in what is read. */
function element(xml: string | null, name: string): string | null {
  const start = xml?.indexOf(`<${name}>`) ?? -1;
  if (xml === null || start < 0) return null;
  const from = start + name.length + 2;
  const end = xml.indexOf(`</${name}>`, from);
  return end < 0 || end - from > 1_024 ? null : xml.slice(from, end);
}
