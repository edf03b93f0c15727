#!/usr/bin/env node
import { Command } from 'commander';
import { accountCommands } from './cli/account.js';
import { applicationCommands } from './cli/app.js';
import { backupCommand } from './cli/backup.js';
import { carrierCommands } from './cli/carriers.js';
import { doctorCommand } from './cli/doctor.js';
import { describeFailure } from './cli/failure.js';
import { keyCommands } from './cli/keys.js';
import { optOutCommands } from './cli/optout.js';
import { promptCommands } from './cli/prompts.js';
import { serveCommand } from './cli/serve.js';
import { version } from './cli/version.js';

// Whatever this process makes, the database included, is its owner's alone.
process.umask(0o077);

const program = new Command('countersign')
  .description('A phone-verification server. Configured by COUNTERSIGN_* environment variables.')
  .version(version());
serveCommand(program);
accountCommands(program);
applicationCommands(program);
keyCommands(program);
optOutCommands(program);
carrierCommands(program);
promptCommands(program);
doctorCommand(program);
backupCommand(program);

try {
  await program.parseAsync();
} catch (error) {
  const { text, code } = describeFailure(error);
  process.stderr.write(`countersign: ${text}\n`);
  process.exit(code);
}
