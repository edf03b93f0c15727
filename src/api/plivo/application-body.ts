import { type TSchema, Type } from 'typebox';
import {
  APPLICATION_FIELDS,
  type ApplicationFields,
  readApplicationFields,
} from '../../verify/application-fields.js';
import type { ApplicationChanges } from '../../verify/commands.js';
import { badRequest } from '../errors.js';
import { refuseUnknownFields } from '../schema-errors.js';

const NAMES = Object.keys(APPLICATION_FIELDS);

/** The fields of an application, each optional and null when unset (contract §9). */
export const ApplicationBody = Type.Object(
  Object.fromEntries(
    Object.entries(APPLICATION_FIELDS).map(([name, schema]): [string, TSchema] => [
      name,
      Type.Optional(Type.Unsafe(schema)),
    ]),
  ),
);
export type ApplicationBody = ApplicationFields;

/** The changes that a body of the schema asks for. @throws ApiError 400 */
export function applicationChanges(body: ApplicationBody): ApplicationChanges {
  refuseUnknownFields(body, NAMES);
  const read = readApplicationFields(body);
  if (!read.ok) throw badRequest(read.why);
  return read.changes;
}
