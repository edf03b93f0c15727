import { createHash, createHmac } from 'node:crypto';
import { formBody, type ProviderStub, type Received, type Reply } from './server.js';

export const KEY_ID = 'AKIAIOSFODNN7EXAMPLE';
export const SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
export const REGION = 'eu-central-1';
export const MESSAGE_ID = '567910cd-659e-55d4-8ccb-5aaf14679dc0';

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
export function signingKey(secret: string, date: string, region: string, service: string): Buffer {
  const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
  return hmac(hmac(hmac(hmac(`AWS4${secret}`, date), region), service), 'aws4_request');
}

/** Whether a request is signed as the documentation says, for this service and region. */
function isSigned({ method, url, headers, body }: Received): boolean {
  const parts =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/([0-9]{8})\/([^/]+)\/sns\/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$/.exec(
      headers.authorization ?? '',
    );
  if (!parts) return false;
  const [, id, date = '', region = '', names = '', signature] = parts;
  const time = String(headers['x-amz-date']);
  const signed = names.split(';');
  if (id !== KEY_ID || region !== REGION || !time.startsWith(date)) return false;
  if (!signed.includes('host') || !signed.includes('x-amz-date')) return false;
  const canonical = [
    method,
    url,
    '',
    ...signed.map((name) => `${name}:${String(headers[name]).trim()}`),
    '',
    names,
    createHash('sha256').update(body).digest('hex'),
  ].join('\n');
  const text = [
    'AWS4-HMAC-SHA256',
    time,
    `${date}/${region}/sns/aws4_request`,
    createHash('sha256').update(canonical).digest('hex'),
  ].join('\n');
  return (
    createHmac('sha256', signingKey(SECRET, date, region, 'sns'))
      .update(text)
      .digest('hex') === signature
  );
}

export function snsError(status: number, code: string, message = 'An error'): Reply {
  return {
    status,
    headers: { 'content-type': 'text/xml' },
    body: `<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">
  <Error>
    <Type>Sender</Type>
    <Code>${code}</Code>
    <Message>${message}</Message>
  </Error>
  <RequestId>6b8d2f4e-0000-5555-8888-0123456789ab</RequestId>
</ErrorResponse>`,
  };
}

const ATTRIBUTES: Readonly<Record<string, string>> = {
  'AWS.SNS.SMS.SenderID': 'String',
  'AWS.SNS.SMS.SMSType': 'String',
  'AWS.SNS.SMS.MaxPrice': 'Number',
  'AWS.MM.SMS.OriginationNumber': 'String',
  'AWS.MM.SMS.EntityId': 'String',
  'AWS.MM.SMS.TemplateId': 'String',
};

export const awsSnsStub: ProviderStub = {
  type: 'aws-sns',
  settings: { region: REGION, access_key_id: KEY_ID, secret_access_key: SECRET, from: '+15005550006' },
  receipts: 'one address',
  answer(request) {
    if (!isSigned(request)) return this.unauthorized;
    const fields = formBody(request);
    if (request.method !== 'POST' || !fields || fields.get('Version') !== '2010-03-31') {
      return snsError(400, 'InvalidAction');
    }
    if (fields.get('Action') === 'GetSMSAttributes') {
      return {
        status: 200,
        headers: { 'content-type': 'text/xml' },
        body: '<GetSMSAttributesResponse><GetSMSAttributesResult><attributes></attributes></GetSMSAttributesResult></GetSMSAttributesResponse>',
      };
    }
    if (fields.get('Action') !== 'Publish') return snsError(400, 'InvalidAction');
    if (!/^\+[1-9]\d{1,14}$/.test(fields.get('PhoneNumber') ?? '')) return this.invalidRecipient;
    if (!fields.get('Message')) return snsError(400, 'InvalidParameter', 'Invalid parameter: Empty message');
    for (let entry = 1; fields.has(`MessageAttributes.entry.${entry}.Name`); entry++) {
      const key = `MessageAttributes.entry.${entry}`;
      const name = fields.get(`${key}.Name`) ?? '';
      if (ATTRIBUTES[name] !== fields.get(`${key}.Value.DataType`))
        return snsError(400, 'ParameterValueInvalid');
      if (!fields.get(`${key}.Value.StringValue`)) return snsError(400, 'ParameterValueInvalid');
    }
    return {
      status: 200,
      headers: { 'content-type': 'text/xml' },
      body: `<PublishResponse xmlns="https://sns.amazonaws.com/doc/2010-03-31/">
    <PublishResult>
        <MessageId>${MESSAGE_ID}</MessageId>
    </PublishResult>
    <ResponseMetadata>
        <RequestId>f187a3c1-376f-11df-8963-01868b7c937a</RequestId>
    </ResponseMetadata>
</PublishResponse>`,
    };
  },
  invalidRecipient: snsError(
    400,
    'InvalidParameter',
    'Invalid parameter: PhoneNumber Reason: +14155550123 is not valid to publish to',
  ),
  unauthorized: snsError(403, 'SignatureDoesNotMatch', 'The request signature we calculated does not match'),
};
