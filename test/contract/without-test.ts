const LINK = 'leads to a page with more';
const OF_CLIENTS = 'tells what clients do, not what the server does';

/** Sentences that state nothing which a test could prove, by section: a part of each, and why. */
export const WITHOUT_TEST: Readonly<Record<number, Readonly<Record<string, string>>>> = {
  0: {
    'Countersign answers the same HTTP calls': 'is the purpose, for which test/conformance runs real SDKs',
    'This page is the reference': 'tells where the facts are from',
    'Where those are silent': 'explains a mark',
    'Comments in the code cite it': 'explains how the code cites the page',
  },
  1: { 'the Python, Ruby and Java SDKs refuse another prefix': OF_CLIENTS },
  2: { '[Limits](limits.md)': LINK },
  6: {
    'V2 with a port fails in the Ruby SDK': OF_CLIENTS,
    'Known SDK defects that no sender can help': 'tells of the documentation',
    '[Status callbacks](callbacks.md) has every rule': LINK,
  },
  7: {
    'SDK clients give up after 5 s': OF_CLIENTS,
    '[Errors](errors.md) says what to do': LINK,
  },
  8: {
    'Success is any 2xx': OF_CLIENTS,
    'the error string is the raw body': OF_CLIENTS,
    ".NET's limit above 20 fails client-side": OF_CLIENTS,
    'it drops the text of 413, 429 and 503': OF_CLIENTS,
  },
  9: {
    'Plivo manages Verify applications only in its console': 'tells of the hosted service',
    '[Applications](applications.md)': LINK,
    '[Subaccounts](subaccounts.md)': LINK,
    '[Opt-outs](opt-outs.md)': LINK,
  },
};
