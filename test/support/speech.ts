import { systemEnvironment } from '#environment.js';
import { openSpeech, type Speech } from '#speech/prompts.js';

/** Speech without recordings and without a command: what comes with the program. */
export const SHIPPED_SPEECH: Speech = await openSpeech({
  settings: { recordings: null, command: null, commandSeconds: 20 },
  directory: '/nonexistent',
  environment: systemEnvironment,
});
